package framework

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Call is one request to the API server, as its audit log has it.
type Call struct {
	Verb string `json:"verb"`
	User struct {
		Username string `json:"username"`
	} `json:"user"`
	Object struct {
		Resource    string `json:"resource"`
		Subresource string `json:"subresource"`
		Namespace   string `json:"namespace"`
		Name        string `json:"name"`
	} `json:"objectRef"`
	Response struct {
		Code int `json:"code"`
	} `json:"responseStatus"`
}

// What names what was done to what, for example "patch singlestores/status".
func (c Call) What() string {
	what := c.Verb + " " + c.Object.Resource
	if c.Object.Subresource != "" {
		what += "/" + c.Object.Subresource
	}
	return what
}

// Write tells whether the call could change something.
func (c Call) Write() bool {
	switch c.Verb {
	case "create", "update", "patch", "delete", "deletecollection":
		return true
	}
	return false
}

// Audit reads the API server's audit log.
type Audit struct {
	path   string
	offset int64
}

// Audit returns the audit log from now on. It fails when the lab runs without one.
func (l *Lab) Audit() (*Audit, error) {
	path := filepath.Join(l.Dir, "logs", "audit.log")
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("the lab in %s writes no audit log: run `lab down`, then `lab up --audit`", l.Dir)
	}
	if err != nil {
		return nil, fmt.Errorf("finding the audit log: %w", err)
	}
	return &Audit{path: path, offset: info.Size()}, nil
}

// Calls returns the calls of a user in a namespace since the last time it was asked, or since Audit.
func (a *Audit) Calls(user, namespace string) ([]Call, error) {
	file, err := os.Open(a.path)
	if err != nil {
		return nil, fmt.Errorf("reading the audit log: %w", err)
	}
	defer func() { _ = file.Close() }()
	if _, err := file.Seek(a.offset, io.SeekStart); err != nil {
		return nil, fmt.Errorf("reading the audit log: %w", err)
	}
	var calls []Call
	for lines := bufio.NewReader(file); ; {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return calls, nil // a line that is still being written is for the next time
		}
		if err != nil {
			return nil, fmt.Errorf("reading the audit log: %w", err)
		}
		a.offset += int64(len(line))
		if !strings.Contains(string(line), namespace) {
			continue
		}
		var c Call
		if err := json.Unmarshal(line, &c); err != nil {
			return nil, fmt.Errorf("reading the audit log: %w", err)
		}
		if c.User.Username == user && c.Object.Namespace == namespace {
			calls = append(calls, c)
		}
	}
}

// Count sorts calls by what they did.
func Count(calls []Call, keep func(Call) bool) map[string]int {
	counts := map[string]int{}
	for _, c := range calls {
		if keep(c) {
			counts[c.What()]++
		}
	}
	return counts
}
