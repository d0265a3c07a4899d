package cluster

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
)

// State is what a lab must remember between commands; it is <dir>/state.json.
type State struct {
	// Root is the repository whose manifests and operator the lab runs.
	Root string `json:"root,omitempty"`
	// Ports maps a listener's name to its port on 127.0.0.1. They are chosen when a lab is created.
	Ports map[string]int `json:"ports,omitempty"`
	// NoAudit says that the API server does not write logs/audit.log.
	NoAudit bool `json:"noAudit,omitempty"`
	// Without are controllers of kube-controller-manager that are left out.
	Without []string `json:"without,omitempty"`
	// Nodes is the number of fake nodes.
	Nodes int `json:"nodes,omitempty"`
	// Installed is the hash of the manifests that were applied last; equal means nothing to apply.
	Installed string `json:"installed,omitempty"`
	// Operator holds what `lab up` was told about the operator, for later starts.
	Operator OperatorOptions `json:"operator,omitzero"`
	// Processes lists what was started, in order of start.
	Processes []Process `json:"processes,omitempty"`
}

// readState returns the zero State when there is no file: a lab that was never started.
func readState(path string) (State, error) {
	var state State
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return state, nil
	}
	if err != nil {
		return state, fmt.Errorf("read the lab's state: %w", err)
	}
	if err := json.Unmarshal(content, &state); err != nil {
		return state, fmt.Errorf("read the lab's state from %s: %w", path, err)
	}
	return state, nil
}

// save writes the state under a new name first, so that a crash leaves the old or the new file.
func (l *Lab) save() error {
	content, err := json.MarshalIndent(l.state, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the lab's state: %w", err)
	}
	path := l.path("state.json")
	if err := os.WriteFile(path+".new", append(content, '\n'), 0o600); err != nil {
		return fmt.Errorf("write the lab's state: %w", err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return fmt.Errorf("replace the lab's state: %w", err)
	}
	return nil
}

// process returns the record of a process, which may be dead.
func (s *State) process(name string) (Process, bool) {
	i := slices.IndexFunc(s.Processes, func(p Process) bool { return p.Name == name })
	if i < 0 {
		return Process{}, false
	}
	return s.Processes[i], true
}

// remember replaces the record of the process of the same name.
func (s *State) remember(p Process) {
	i := slices.IndexFunc(s.Processes, func(old Process) bool { return old.Name == p.Name })
	if i < 0 {
		s.Processes = append(s.Processes, p)
		return
	}
	s.Processes[i] = p
}

func (s *State) forget(name string) {
	s.Processes = slices.DeleteFunc(s.Processes, func(p Process) bool { return p.Name == name })
}
