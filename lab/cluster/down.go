package cluster

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"time"
)

// Down stops exactly what `up` started, clients before servers, and removes everything but the logs.
// On a lab that is down it does nothing.
func (l *Lab) Down() error {
	start := time.Now()
	// The API server waits for its open watches when it is told to end, and etcd for nobody: the grace
	// is for orderly logs only, the data is thrown away.
	var clients []Process
	for _, p := range l.state.Processes {
		if p.Name != etcd && p.Name != apiServer {
			clients = append(clients, p)
		}
	}
	slices.Reverse(clients)
	errs := []error{stopProcesses(3*time.Second, clients...)}
	for _, name := range []string{apiServer, etcd} {
		if p, known := l.state.process(name); known {
			errs = append(errs, stopProcesses(2*time.Second, p))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("stop the lab (its state is kept, try again): %w", err)
	}
	count := len(l.state.Processes)
	for _, path := range []string{"data", "bin", "kubeconfig", "operator.kubeconfig", "state.json"} {
		if err := os.RemoveAll(l.path(path)); err != nil {
			return fmt.Errorf("remove the lab's data: %w", err)
		}
	}
	l.state = State{}
	if count == 0 {
		l.say("lab is down")
		return nil
	}
	l.say("lab is down after %s: %d processes stopped, logs kept in %s", since(start), count, l.path("logs"))
	return nil
}
