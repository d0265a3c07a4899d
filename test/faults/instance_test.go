//go:build lab && faults

package faults

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/go-logr/logr/funcr"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/drydock-db/drydock/cmd/drydock/operator"
	"github.com/drydock-db/drydock/engines"
)

// instance is one operator, which looks after one namespace.
type instance struct {
	*transport
	log    *logbook
	cancel context.CancelFunc
	ended  chan struct{}
}

// upbringing is how an operator comes into the world.
type upbringing struct {
	// past is the version of the world that it wakes up in; empty for the present.
	past string
	// frames changes what its watches tell.
	frames func(stream) stream
}

// hire starts an operator and returns when its caches are full.
func (d *dock) hire(ctx context.Context, u upbringing) (*instance, error) {
	config := rest.CopyConfig(d.harbour.operator)
	i := &instance{log: &logbook{}, ended: make(chan struct{})}
	config.Wrap(func(next http.RoundTripper) http.RoundTripper {
		if i.transport == nil {
			i.transport = newTransport(next, &d.ledger)
		}
		return i.transport
	})
	operator.Configure(config)
	if u.frames != nil {
		config.ContentType = "application/json"
	}
	life, cancel := context.WithCancel(context.Background())
	i.cancel = cancel
	cluster := d.cluster
	if d.sample.petSets {
		cluster = d.petSets
	}
	mgr, _, err := operator.New(life, config, cluster, operator.Settings{
		Kinds: []engines.Engine{d.sample.engine}, Namespaces: []string{d.space.Name}, Concurrency: 2, Manager: alone(i.log),
	})
	if err != nil {
		cancel()
		return nil, fmt.Errorf("making an operator: %w", err)
	}
	i.frames = u.frames
	if u.past != "" {
		i.past = &past{version: u.past, hold: lag, known: map[string]bool{}}
	}
	go func() {
		defer close(i.ended)
		if err := mgr.Start(life); err != nil {
			i.log.line("", "the manager ended: "+err.Error())
		}
	}()
	ctx, stop := context.WithTimeout(ctx, patience)
	defer stop()
	if !mgr.GetCache().WaitForCacheSync(ctx) {
		i.kill()
		return nil, errors.New("the caches of an operator do not fill:\n" + i.log.String())
	}
	select {
	case <-i.awake: // its first pass has begun, so that it is idle only when it has nothing to do
	case <-time.After(7 * lag):
	}
	return i, nil
}

// alone is a manager without servers and election.
func alone(log *logbook) manager.Options {
	return manager.Options{
		Logger:  funcr.New(log.line, funcr.Options{}),
		Metrics: metricsserver.Options{BindAddress: "0"}, HealthProbeBindAddress: "0",
		GracefulShutdownTimeout: new(time.Second),
		Controller:              config.Controller{SkipNameValidation: new(true)},
	}
}

// kill ends the operator as a crash would: not one more byte leaves it or reaches it. It returns when nothing of it runs.
func (i *instance) kill() {
	i.die()
	i.cancel()
	<-i.ended
}

// logbook keeps the end of an operator's log.
type logbook struct {
	mu    sync.Mutex
	lines []string
}

// noise is what is the same in all lines of one operator.
var noise = regexp.MustCompile(`"controller".*"reconcileID"="[^"]*" `)

// kept is the number of lines that are worth keeping.
const kept = 60

func (l *logbook) line(prefix, args string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, time.Now().Format("05.000 ")+prefix+" "+noise.ReplaceAllString(args, ""))
	if len(l.lines) > 2*kept {
		l.lines = append([]string(nil), l.lines[kept:]...)
	}
}

func (l *logbook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.lines[max(0, len(l.lines)-kept):], "\n")
}
