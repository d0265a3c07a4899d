package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// Status prints one line per process and fails when something that should run does not.
func (l *Lab) Status(ctx context.Context) error {
	if len(l.state.Processes) == 0 {
		return errors.New("the lab is down")
	}
	health := map[string]string{operator: "http://" + l.address(portHealth) + "/readyz"}
	for _, c := range []component{l.etcd(), l.apiServer(), l.controllerManager(), l.scheduler(), l.fakeKubelet(), l.certManager(), l.resizer()} {
		health[c.name] = c.health
	}
	table := tabwriter.NewWriter(l.Out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(table, "NAME\tPID\tSTATE\tMEMORY\tAGE\tHEALTH URL")
	var sick []string
	for _, p := range l.state.Processes {
		state := "healthy"
		if !p.alive() {
			state = "dead"
		} else if err := healthy(ctx, health[p.Name]); err != nil {
			state = "unhealthy"
		}
		if state != "healthy" {
			sick = append(sick, p.Name)
		}
		fmt.Fprintf(table, "%s\t%d\t%s\t%s\t%s\t%s\n", p.Name, p.PID, state, residentMemory(p.PID),
			time.Since(p.Started).Round(time.Second), health[p.Name])
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("print the table: %w", err)
	}
	if len(sick) > 0 {
		return fmt.Errorf("not healthy: %s; `lab up` repairs, logs are in %s", strings.Join(sick, ", "), l.path("logs"))
	}
	return nil
}

// residentMemory is a process's resident memory, where /proc tells.
func residentMemory(pid int) string {
	content, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/statm")
	fields := strings.Fields(string(content))
	if err != nil || len(fields) < 2 {
		return "-"
	}
	pages, err := strconv.Atoi(fields[1])
	if err != nil {
		return "-"
	}
	return strconv.Itoa(pages*os.Getpagesize()>>20) + " MiB"
}
