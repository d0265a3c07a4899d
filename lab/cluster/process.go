package cluster

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Process is a process that the lab started. A pid alone would be recycled sooner or later; together
// with the process's start time it names one process for good.
type Process struct {
	Name string `json:"name"`
	PID  int    `json:"pid"`
	// Born is the kernel's word for when the process started, see born.
	Born    string    `json:"born"`
	Started time.Time `json:"started"`
	Binary  string    `json:"binary"`
	Args    []string  `json:"args"`
	Log     string    `json:"log"`
	// Needs is Born of the process that this one was started for; empty for none.
	Needs string `json:"needs,omitempty"`
}

// startProcess starts a binary in a session of its own, so that it outlives this command and a Ctrl-C.
func startProcess(name, binary string, args []string, log string) (Process, error) {
	if err := os.MkdirAll(filepath.Dir(log), 0o755); err != nil {
		return Process{}, fmt.Errorf("make the log folder: %w", err)
	}
	file, err := os.OpenFile(log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return Process{}, fmt.Errorf("open the log of %s: %w", name, err)
	}
	defer func() { _ = file.Close() }() // the child has its own copy
	cmd := exec.Command(binary, args...)
	cmd.Stdout, cmd.Stderr = file, file
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return Process{}, fmt.Errorf("start %s: %w", name, err)
	}
	go func() { _ = cmd.Wait() }() // reap it, should it die while this command runs
	p := Process{Name: name, PID: cmd.Process.Pid, Started: time.Now().UTC().Truncate(time.Second), Binary: binary, Args: args, Log: log}
	p.Born, _ = born(p.PID) // gone already: the health check will say so
	return p, nil
}

// alive says whether this very process still runs.
func (p Process) alive() bool {
	now, running := born(p.PID)
	return running && p.Born != "" && now == p.Born
}

// signal sends a signal to this very process; a process that is gone is not an error.
func (p Process) signal(sig syscall.Signal) error {
	if !p.alive() {
		return nil
	}
	if err := syscall.Kill(p.PID, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("send %s to %s (pid %d): %w", sig, p.Name, p.PID, err)
	}
	return nil
}

// stopProcesses sends SIGTERM to all, SIGKILL to those that are left after the grace period, and
// returns when they are gone.
func stopProcesses(grace time.Duration, processes ...Process) error {
	var errs []error
	for _, p := range processes {
		errs = append(errs, p.signal(syscall.SIGTERM))
	}
	left := waitGone(grace, processes)
	for _, p := range left {
		errs = append(errs, p.signal(syscall.SIGKILL))
	}
	for _, p := range waitGone(10*time.Second, left) {
		errs = append(errs, fmt.Errorf("%s (pid %d) survived SIGKILL", p.Name, p.PID))
	}
	return errors.Join(errs...)
}

// waitGone waits until all processes are gone and returns those that are not.
func waitGone(timeout time.Duration, processes []Process) []Process {
	deadline := time.Now().Add(timeout)
	for {
		var left []Process
		for _, p := range processes {
			if p.alive() {
				left = append(left, p)
			}
		}
		if len(left) == 0 || time.Now().After(deadline) {
			return left
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// born returns a text that differs between any two processes that ever had this pid, and whether the
// process runs (a zombie does not). Linux: the boot id and the start time in clock ticks since boot.
func born(pid int) (string, bool) {
	stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		if _, linux := os.Stat("/proc/self/stat"); linux == nil {
			return "", false
		}
		return bornByPS(pid)
	}
	// pid (comm) state ppid ...; comm may hold anything, so count from its closing parenthesis.
	_, rest, found := bytes.Cut(stat[max(0, bytes.LastIndexByte(stat, ')')):], []byte(") "))
	fields := strings.Fields(string(rest))
	const state, startTime = 0, 19
	if !found || len(fields) <= startTime || fields[state] == "Z" || fields[state] == "X" {
		return "", false
	}
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		boot = []byte("unknown-boot")
	}
	return strings.TrimSpace(string(boot)) + "/" + fields[startTime], true
}

// bornByPS serves systems without /proc.
func bornByPS(pid int) (string, bool) {
	out, err := exec.Command("ps", "-o", "stat=,lstart=", "-p", strconv.Itoa(pid)).Output()
	state, start, found := strings.Cut(strings.TrimSpace(string(out)), " ")
	if err != nil || !found || strings.HasPrefix(state, "Z") {
		return "", false
	}
	return strings.TrimSpace(start), true
}
