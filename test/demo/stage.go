//go:build lab

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// look is how often the demo looks at what it waits for.
const look = 300 * time.Millisecond

// stage runs kubectl against the lab and shows what it runs.
type stage struct {
	ctx                 context.Context //nolint:containedctx // lives as long as the program
	kubectl, kubeconfig string
}

func newStage(ctx context.Context) (*stage, error) {
	dir := os.Getenv("DRYDOCK_LAB")
	if dir == "" {
		return nil, fmt.Errorf("DRYDOCK_LAB does not say where the lab is: run `make demo`, or `make up` and set it to .lab")
	}
	s := &stage{ctx: ctx, kubectl: filepath.Join(dir, "bin", "kubectl"), kubeconfig: filepath.Join(dir, "kubeconfig")}
	if _, err := os.Stat(s.kubectl); err != nil {
		return nil, fmt.Errorf("the lab is not up: %w", err)
	}
	// What an earlier run left behind.
	_, err := s.call("delete namespace demo --ignore-not-found --timeout=2m")
	return s, err
}

// leave removes what the demo made.
func (s *stage) leave() error {
	_, err := s.call("delete namespace demo --ignore-not-found --wait=false")
	return err
}

func (s *stage) say(text string) { fmt.Printf("\n# %s\n", text) }

// call runs kubectl. Arguments hold no blanks, so that a command is written as a person would type it.
func (s *stage) call(command string) (string, error) {
	c := exec.CommandContext(s.ctx, s.kubectl, strings.Fields(command)...)
	c.Env = append(os.Environ(), "KUBECONFIG="+s.kubeconfig)
	out, err := c.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

// show runs kubectl, prints the command and what it answers.
func (s *stage) show(command string) error {
	fmt.Println("\n$ kubectl", command)
	out, err := s.call(command)
	if out != "" {
		fmt.Println(out)
	}
	return err
}

// run shows commands that have to succeed.
func (s *stage) run(commands ...string) error {
	for _, command := range commands {
		if err := s.show(command); err != nil {
			return fmt.Errorf("kubectl %s: %w", command, err)
		}
	}
	return nil
}

// refused shows a command that has to be refused, with words of the reason: a server that cannot be reached, or a file
// that cannot be read, is an error too and no refusal.
func (s *stage) refused(command string, because ...string) error {
	fmt.Println("\n$ kubectl", command)
	out, err := s.call(command)
	fmt.Println(out)
	if err == nil {
		return fmt.Errorf("kubectl %s: was not refused", command)
	}
	for _, word := range because {
		if !strings.Contains(out, word) {
			return fmt.Errorf("kubectl %s: was refused without a word of %s", command, word)
		}
	}
	return nil
}

// until waits until a command answers what is wanted.
func (s *stage) until(what, command, want string) error {
	for {
		out, err := s.call(command)
		if err == nil && out == want {
			return nil
		}
		select {
		case <-s.ctx.Done():
			return fmt.Errorf("waiting until %s: %w", what, s.ctx.Err())
		case <-time.After(look):
		}
	}
}

// follow prints a request's line whenever it changes, until it has ended, and wants it to end in that phase.
func (s *stage) follow(request, want string) error {
	fmt.Println("\n$ kubectl get -n demo", request, "--watch")
	for last := ""; ; {
		out, err := s.call("get -n demo " + request +
			" --no-headers -o custom-columns=NAME:.metadata.name,TYPE:.spec.type,DATABASE:.spec.databaseRef.name,STATUS:.status.phase,PROGRESS:.status.progress")
		if err != nil {
			return fmt.Errorf("reading %s: %s: %w", request, out, err)
		}
		if out != last {
			fmt.Println(out)
			last = out
		}
		fields := strings.Fields(out)
		if phase := fields[min(3, len(fields)-1)]; phase == "Successful" || phase == "Failed" {
			if phase != want {
				return fmt.Errorf("%s ended %s, not %s", request, phase, want)
			}
			return nil
		}
		select {
		case <-s.ctx.Done():
			return fmt.Errorf("following %s: %w", request, s.ctx.Err())
		case <-time.After(look):
		}
	}
}
