// Package serving keeps the webhook server's certificate: the authorities in a Secret that all replicas share, a leaf in
// the memory of each replica, and the authorities' certificates in the webhook configurations, where the API server reads
// whom to trust. Package certs decides; this package reads, writes and waits.
//
// There is no gap, ever: what a replica serves is signed by an authority that the configurations name already. A pass
// therefore goes Secret, configurations, leaf, in this order, and stops at the first error with the old leaf in place.
package serving

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/drydock-db/drydock/certs"
)

// Names of the objects as config/ and the chart have them.
const (
	DefaultSecret     = "drydock-webhook-ca"
	DefaultMutating   = "drydock-mutating"
	DefaultValidating = "drydock-validating"
)

// attempts is how often one pass starts over when another replica was faster.
const attempts = 10

// idle is the longest time between two passes: a safety net below watches and timers.
const idle = 12 * time.Hour

// Options say where things are.
type Options struct {
	// Client must not read from a cache: the answer decides who signs.
	Client client.WithWatch
	// Namespace and SecretName of the Secret with the authorities.
	Namespace, SecretName string
	// ServiceName of the Service in front of the webhook server, in Namespace; empty when the API server calls an
	// address instead.
	ServiceName string
	// Hosts are further names and addresses of the webhook server.
	Hosts []string
	// MutatingName and ValidatingName of the webhook configurations; one that is missing is served when it appears.
	MutatingName, ValidatingName string
}

// Serving is the certificate of one replica. It is a manager.Runnable that needs no leader: every replica serves.
type Serving struct {
	options Options
	leaf    atomic.Pointer[tls.Certificate]
}

// New returns a Serving that has no certificate yet; Ensure gets one.
func New(options Options) *Serving { return &Serving{options: options} }

// NeedLeaderElection is false: a replica that does not lead still serves.
func (s *Serving) NeedLeaderElection() bool { return false }

// GetCertificate is for tls.Config.
func (s *Serving) GetCertificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	leaf := s.leaf.Load()
	if leaf == nil {
		return nil, errors.New("the webhook server has no certificate yet")
	}
	return leaf, nil
}

// Ready is a readiness check: it fails while there is no valid certificate that the API server trusts.
func (s *Serving) Ready(*http.Request) error {
	leaf, err := s.GetCertificate(nil)
	if err != nil {
		return err
	}
	if end := leaf.Leaf.NotAfter; !time.Now().Before(end) {
		return fmt.Errorf("the webhook server's certificate expired at %s", end.Format(time.RFC3339))
	}
	return nil
}

// Expiry is a metric: when the served certificate ends, in seconds since 1970; 0 without one.
func (s *Serving) Expiry() prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "drydock_webhook_cert_expiry_timestamp_seconds",
		Help: "When the webhook server's certificate expires.",
	}, func() float64 {
		if leaf := s.leaf.Load(); leaf != nil {
			return float64(leaf.Leaf.NotAfter.Unix())
		}
		return 0
	})
}

// Ensure brings Secret, configurations and leaf up to date. Call it before the server starts: then the first call of the
// API server finds a certificate.
func (s *Serving) Ensure(ctx context.Context) error {
	_, err := s.ensure(ctx)
	return err
}

// ensure also says when it has to be called again.
func (s *Serving) ensure(ctx context.Context) (next time.Time, err error) {
	for range attempts {
		if next, err = s.pass(ctx); !apierrors.IsConflict(err) && !apierrors.IsAlreadyExists(err) {
			return next, err
		}
	}
	return next, fmt.Errorf("gave up after %d attempts: %w", attempts, err)
}

// pass does everything once. The configurations are read before the Secret and written with their resourceVersion, so
// that a replica with an older view of the Secret cannot overwrite a newer bundle: it gets a conflict instead.
func (s *Serving) pass(ctx context.Context) (next time.Time, err error) {
	targets, err := s.targets(ctx)
	if err != nil {
		return next, err
	}
	now := time.Now()
	trusted, err := s.authorities(ctx, now)
	if err != nil {
		return next, err
	}
	for _, t := range targets {
		if err := s.inject(ctx, t, certs.Bundle(trusted)); err != nil {
			return next, err
		}
	}
	return s.renew(now, trusted)
}

// renew replaces the leaf when that is due and returns when something is due again.
func (s *Serving) renew(now time.Time, trusted []certs.Authority) (next time.Time, err error) {
	leaf := s.leaf.Load()
	if leaf == nil || certs.LeafDue(now, leaf.Leaf, trusted) {
		signer, ok := certs.Signer(now, trusted)
		if !ok {
			return next, errors.New("no authority can sign the webhook server's certificate")
		}
		if leaf, err = certs.NewLeaf(now, signer, s.hosts()); err != nil {
			return next, fmt.Errorf("making the webhook server's certificate: %w", err)
		}
		s.leaf.Store(leaf)
	}
	next = now.Add(idle)
	for _, due := range []time.Time{certs.LeafRenewal(leaf.Leaf), certs.PlanServing(now, trusted).Next} {
		if !due.IsZero() && due.Before(next) {
			next = due
		}
	}
	return next, nil
}

// hosts are all names under which the API server may call.
func (s *Serving) hosts() []string {
	hosts := s.options.Hosts
	if service := s.options.ServiceName; service != "" {
		full := service + "." + s.options.Namespace + ".svc"
		hosts = append([]string{full, full + ".cluster.local", service + "." + s.options.Namespace, service}, hosts...)
	}
	return hosts
}
