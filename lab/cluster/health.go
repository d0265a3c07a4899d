package cluster

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"
)

// startTimeout is how long a component may take to become healthy. The API server needs three seconds on
// two idle cores, and minutes when ten builds share them.
const startTimeout = 5 * time.Minute

// ensure makes sure that a component runs with the wanted binary and arguments. One that runs with others is
// replaced, so a second `up` converges.
func (l *Lab) ensure(c component) error {
	binary := l.binaries[c.name]
	old, known := l.state.process(c.name)
	needed, _ := l.state.process(c.needs)
	if known && old.alive() {
		if old.Binary == binary && slices.Equal(old.Args, c.args) && old.Needs == needed.Born {
			return nil
		}
		l.say("%s: runs with other settings, restarting", c.name)
		if err := stopProcesses(2*time.Second, old); err != nil {
			return err
		}
	} else if known {
		l.say("%s: had stopped, starting again", c.name)
	}
	p, err := startProcess(c.name, binary, c.args, l.path("logs", c.name+".log"))
	if err != nil {
		return err
	}
	p.Needs = needed.Born
	l.state.remember(p)
	return l.save()
}

// ready waits until a component is healthy. When it is not, the error carries the end of its log.
func (l *Lab) ready(ctx context.Context, c component) error {
	start := time.Now()
	err := l.waitHealthy(ctx, c)
	if err == nil {
		l.say("%s: ready after %s", c.name, since(start))
		return nil
	}
	p, _ := l.state.process(c.name)
	hint := ""
	if c.hint != "" {
		hint = "\nhint: " + c.hint
	}
	return fmt.Errorf("%s: %w\nlast lines of %s:\n%s%s", c.name, err, p.Log, logTail(p.Log, 15), hint)
}

func (l *Lab) waitHealthy(ctx context.Context, c component) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	p, _ := l.state.process(c.name)
	heartbeat := time.NewTicker(10 * time.Second)
	defer heartbeat.Stop()
	for {
		if !p.alive() {
			return errors.New("the process ended")
		}
		err := healthy(ctx, c.health)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("not healthy: %w", err)
		case <-heartbeat.C:
			l.say("%s: not ready yet (%v)", c.name, err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// probes skips certificate checks: controller-manager and scheduler sign their own, on loopback.
var probes = &http.Client{
	Timeout:   5 * time.Second,
	Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true},
}

func healthy(ctx context.Context, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return fmt.Errorf("build the health request: %w", err)
	}
	resp, err := probes.Do(req)
	if err != nil {
		if errors.Is(err, syscall.ECONNREFUSED) {
			return fmt.Errorf("nothing listens on %s", req.URL.Host)
		}
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode == http.StatusOK {
		return nil
	}
	body, _ := io.ReadAll(io.LimitReader(resp.Body, 2000))
	return fmt.Errorf("%s answered %s: %s", url, resp.Status, strings.TrimSpace(string(body)))
}

// logTail returns the last lines of a log, long ones cut.
func logTail(path string, lines int) string {
	file, err := os.Open(path)
	if err != nil {
		return err.Error()
	}
	defer func() { _ = file.Close() }()
	const enough = 64 << 10
	if info, err := file.Stat(); err == nil && info.Size() > enough {
		_, _ = file.Seek(-enough, io.SeekEnd)
	}
	var last []string
	scanner := bufio.NewScanner(file)
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		line := scanner.Text()
		last = append(last, "  "+line[:min(len(line), 400)])
		last = last[max(0, len(last)-lines):]
	}
	return strings.Join(last, "\n")
}
