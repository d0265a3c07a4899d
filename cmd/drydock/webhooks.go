package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"time"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	crmetrics "sigs.k8s.io/controller-runtime/pkg/metrics"
	"sigs.k8s.io/controller-runtime/pkg/webhook"

	"github.com/drydock-db/drydock/internal/admit"
	"github.com/drydock-db/drydock/internal/serving"
	"github.com/drydock-db/drydock/webhooks"
)

// strict is what every server of the operator speaks: TLS 1.3, and HTTP/1.1, which has no streams to flood a server with.
func strict(c *tls.Config) { c.MinVersion, c.NextProtos = tls.VersionTLS13, []string{"http/1.1"} }

// serveWebhooks serves the webhooks under a certificate of the operator's own.
func serveWebhooks(ctx context.Context, mgr ctrl.Manager, a *admit.Admission, o *options) error {
	if o.WebhookPort == 0 {
		return nil
	}
	direct, err := client.NewWithWatch(mgr.GetConfig(), client.Options{Scheme: mgr.GetScheme(), Mapper: mgr.GetRESTMapper()})
	if err != nil {
		return err
	}
	service, hosts := o.WebhookService, []string(nil)
	if o.WebhookHost != "" {
		service, hosts = "", []string{o.WebhookHost}
	}
	certificate := serving.New(serving.Options{
		Client: direct, Namespace: o.Namespace, SecretName: serving.DefaultSecret, ServiceName: service, Hosts: hosts,
		MutatingName: serving.DefaultMutating, ValidatingName: serving.DefaultValidating,
	})
	if err := certificate.Ensure(ctx); err != nil {
		return fmt.Errorf("getting a certificate for the webhook server: %w", err)
	}
	if err := crmetrics.Registry.Register(certificate.Expiry()); err != nil {
		return err
	}
	server := webhook.NewServer(webhook.Options{
		Host: o.WebhookHost, Port: o.WebhookPort,
		TLSOpts: []func(*tls.Config){strict, func(c *tls.Config) { c.GetCertificate = certificate.GetCertificate }},
	})
	for path, h := range webhooks.Handlers(kinds(), a) {
		server.Register(path, h)
	}
	if err := mgr.AddReadyzCheck("certificate", certificate.Ready); err != nil {
		return err
	}
	if err := mgr.AddReadyzCheck("webhook", server.StartedChecker()); err != nil {
		return err
	}
	if err := mgr.AddReadyzCheck("caches", filled(mgr.GetCache())); err != nil {
		return err
	}
	if err := mgr.Add(certificate); err != nil {
		return err
	}
	return mgr.Add(server)
}

// filledWithin is how long a probe waits for the caches; less than the second that a probe may take.
const filledWithin = 500 * time.Millisecond

// filled tells whether the caches are filled that admission answers from. Servers start before them: without this, reviews would
// be sent to a replica that has to refuse them.
func filled(c cache.Cache) healthz.Checker {
	return func(r *http.Request) error {
		ctx, cancel := context.WithTimeout(r.Context(), filledWithin)
		defer cancel()
		if !c.WaitForCacheSync(ctx) {
			return errors.New("the watch caches are not filled yet")
		}
		return nil
	}
}
