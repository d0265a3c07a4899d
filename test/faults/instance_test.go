//go:build lab

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

	certmanagerv1 "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	"github.com/go-logr/logr/funcr"
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/drydock-db/drydock/controllers"
	"github.com/drydock-db/drydock/engines"
	"github.com/drydock-db/drydock/internal/admit"
	"github.com/drydock-db/drydock/test/framework"
)

// instance is one operator, which looks after one namespace.
type instance struct {
	*transport
	namespace string
	log       *logbook
	cancel    context.CancelFunc
	ended     chan struct{}
}

// upbringing is how an operator comes into the world.
type upbringing struct {
	// past is the version of the world that it wakes up in; empty for the present.
	past string
	// frames changes what its watches tell.
	frames func(stream) stream
}

// hire starts an operator and returns when its caches are full.
func (h *harbour) hire(ctx context.Context, namespace string, engine engines.Engine, u upbringing) (*instance, error) {
	config := rest.CopyConfig(h.operator)
	i := &instance{namespace: namespace, log: &logbook{}, ended: make(chan struct{})}
	config.Wrap(func(next http.RoundTripper) http.RoundTripper {
		if i.transport == nil {
			i.transport = newTransport(next)
		}
		return i.transport
	})
	if u.frames != nil {
		config.ContentType = "application/json"
	}
	mgr, err := ctrl.NewManager(config, h.options(namespace, engine, i.log))
	if err != nil {
		return nil, fmt.Errorf("making an operator: %w", err)
	}
	i.frames = u.frames
	if u.past != "" {
		i.past = &past{version: u.past, hold: lag, known: map[string]bool{}}
	}
	life, cancel := context.WithCancel(context.Background())
	i.cancel = cancel
	admission, err := h.admission(life, mgr)
	if err == nil {
		err = controllers.SetupAll(life, mgr, []engines.Engine{engine}, controllers.Options{
			Admission: admission, Concurrency: 2, Now: time.Now,
		})
	}
	if err != nil {
		cancel()
		return nil, fmt.Errorf("setting up an operator: %w", err)
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

// options are those of cmd/drydock, with the caches limited to one namespace, and no servers.
func (h *harbour) options(namespace string, engine engines.Engine, log *logbook) manager.Options {
	caches := controllers.CacheOptions([]engines.Engine{engine})
	caches.DefaultNamespaces = map[string]cache.Config{namespace: {}}
	return manager.Options{
		Scheme: h.lab.Client.Scheme(), MapperProvider: h.mapper, Logger: funcr.New(log.line, funcr.Options{}),
		Cache: caches, Client: client.Options{Cache: &client.CacheOptions{DisableFor: controllers.NeverCached()}},
		Metrics: metricsserver.Options{BindAddress: "0"}, HealthProbeBindAddress: "0",
		GracefulShutdownTimeout: new(time.Second),
		Controller:              config.Controller{SkipNameValidation: new(true)},
	}
}

// admission is the real one, as cmd/drydock makes it.
func (h *harbour) admission(ctx context.Context, mgr ctrl.Manager) (*admit.Admission, error) {
	for _, object := range []client.Object{
		&corev1.ResourceQuota{}, &corev1.PersistentVolumeClaim{}, &storagev1.StorageClass{},
		&certmanagerv1.Issuer{}, &certmanagerv1.ClusterIssuer{},
	} {
		if _, err := mgr.GetCache().GetInformer(ctx, object); err != nil {
			return nil, fmt.Errorf("watching %T: %w", object, err)
		}
	}
	direct, err := client.New(mgr.GetConfig(), client.Options{Scheme: mgr.GetScheme(), Mapper: mgr.GetRESTMapper()})
	if err != nil {
		return nil, fmt.Errorf("building a client: %w", err)
	}
	return admit.New(admit.Config{
		Cache: mgr.GetClient(), Live: mgr.GetClient(), Access: admit.NewReviewer(direct), Operator: framework.OperatorUser,
	}), nil
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
