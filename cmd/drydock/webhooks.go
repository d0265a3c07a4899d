package main

import (
	"context"
	"crypto/tls"
	"fmt"

	certmanagerv1 "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	crmetrics "sigs.k8s.io/controller-runtime/pkg/metrics"
	"sigs.k8s.io/controller-runtime/pkg/webhook"

	"github.com/drydock-db/drydock/internal/admit"
	"github.com/drydock-db/drydock/internal/serving"
	"github.com/drydock-db/drydock/webhooks"
)

// newAdmission starts the watches that admission answers from, and learns the operator's own name, which the paused
// gate lets pass.
func newAdmission(ctx context.Context, mgr ctrl.Manager, o *options) (*admit.Admission, error) {
	watched := []client.Object{&corev1.ResourceQuota{}, &corev1.PersistentVolumeClaim{}, &storagev1.StorageClass{}}
	if hasCertManager(mgr.GetRESTMapper()) {
		watched = append(watched, &certmanagerv1.Issuer{}, &certmanagerv1.ClusterIssuer{})
	}
	for _, object := range watched {
		if _, err := mgr.GetCache().GetInformer(ctx, object); err != nil {
			return nil, fmt.Errorf("watching %T: %w", object, err)
		}
	}
	direct, err := client.New(mgr.GetConfig(), client.Options{Scheme: mgr.GetScheme(), Mapper: mgr.GetRESTMapper()})
	if err != nil {
		return nil, err
	}
	self := &authenticationv1.SelfSubjectReview{}
	if err := direct.Create(ctx, self); err != nil {
		return nil, fmt.Errorf("asking for the operator's own name: %w", err)
	}
	return admit.New(admit.Config{
		Cache: mgr.GetClient(), Live: mgr.GetClient(), Access: admit.NewReviewer(direct),
		Operator: self.Status.UserInfo.Username, AllowedClusterIssuers: o.ClusterIssuers,
	}), nil
}

// hasCertManager tells whether the cluster has cert-manager's API. It is looked at once: install it before the operator,
// or restart the operator afterwards.
func hasCertManager(mapper meta.RESTMapper) bool {
	_, err := mapper.RESTMapping(certmanagerv1.SchemeGroupVersion.WithKind("Issuer").GroupKind(), certmanagerv1.SchemeGroupVersion.Version)
	return err == nil
}

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
		TLSOpts: []func(*tls.Config){func(c *tls.Config) {
			c.GetCertificate, c.MinVersion, c.NextProtos = certificate.GetCertificate, tls.VersionTLS13, []string{"http/1.1"}
		}},
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
	if err := mgr.Add(certificate); err != nil {
		return err
	}
	return mgr.Add(server)
}

