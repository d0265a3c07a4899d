package serving

import (
	"bytes"
	"context"
	"fmt"
	"time"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/drydock-db/drydock/certs"
)

// Keys of the Secret: the authorities with their keys, and for people the certificates alone.
const (
	keyAuthorities = "authorities.pem"
	keyBundle      = "ca.crt"
)

// authorities returns those to trust, after adding to and removing from the Secret what is due. Another replica that does
// the same at the same time makes one of the two fail with a conflict, which starts the pass over.
func (s *Serving) authorities(ctx context.Context, now time.Time) ([]certs.Authority, error) {
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: s.options.Namespace, Name: s.options.SecretName}}
	err := s.options.Client.Get(ctx, client.ObjectKeyFromObject(secret), secret)
	missing := apierrors.IsNotFound(err)
	if err != nil && !missing {
		return nil, fmt.Errorf("reading the authorities' Secret: %w", err)
	}
	stored, err := certs.ParseAuthorities(secret.Data[keyAuthorities])
	if err != nil {
		// Nobody can sign with it; starting over is the only way on. Every replica follows, see LeafDue.
		logf.FromContext(ctx).Error(err, "the authorities' Secret is damaged and is made anew", "secret", secret.Name)
		stored = nil
	}
	plan := certs.PlanServing(now, stored)
	if !plan.Introduce && !plan.Changed {
		return plan.Keep, nil
	}
	if plan.Introduce {
		added, err := certs.NewAuthority(now)
		if err != nil {
			return nil, fmt.Errorf("making an authority: %w", err)
		}
		plan.Keep = append(plan.Keep, added)
	}
	return plan.Keep, s.store(ctx, secret, missing, plan.Keep)
}

// store writes the authorities: created only if the Secret is absent, updated only if it is as it was read.
func (s *Serving) store(ctx context.Context, secret *corev1.Secret, missing bool, authorities []certs.Authority) error {
	encoded, err := certs.EncodeAuthorities(authorities)
	if err != nil {
		return fmt.Errorf("encoding the authorities: %w", err)
	}
	secret.Data = map[string][]byte{keyAuthorities: encoded, keyBundle: certs.Bundle(authorities)}
	if missing {
		secret.Labels = map[string]string{"app.kubernetes.io/part-of": "drydock"}
		if err := s.options.Client.Create(ctx, secret); err != nil {
			return fmt.Errorf("creating the authorities' Secret: %w", err)
		}
		return nil
	}
	if err := s.options.Client.Update(ctx, secret); err != nil {
		return fmt.Errorf("updating the authorities' Secret: %w", err)
	}
	return nil
}

// target is a webhook configuration and the parts of it that say whom to trust.
type target struct {
	object  client.Object
	clients func() []*admissionregistrationv1.WebhookClientConfig
}

// targets reads the webhook configurations. One that does not exist is left out: its creation wakes us.
func (s *Serving) targets(ctx context.Context) ([]target, error) {
	mutating, validating := &admissionregistrationv1.MutatingWebhookConfiguration{}, &admissionregistrationv1.ValidatingWebhookConfiguration{}
	mutating.Name, validating.Name = s.options.MutatingName, s.options.ValidatingName
	var found []target
	for _, t := range []target{
		{mutating, func() []*admissionregistrationv1.WebhookClientConfig { return mutatingClients(mutating.Webhooks) }},
		{validating, func() []*admissionregistrationv1.WebhookClientConfig { return validatingClients(validating.Webhooks) }},
	} {
		name := t.object.GetName()
		if name == "" {
			continue
		}
		err := s.options.Client.Get(ctx, client.ObjectKeyFromObject(t.object), t.object)
		if apierrors.IsNotFound(err) {
			logf.FromContext(ctx).Info("webhook configuration does not exist, nothing calls its webhooks", "name", name)
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("reading webhook configuration %s: %w", name, err)
		}
		found = append(found, t)
	}
	return found, nil
}

// inject writes the bundle where it differs. The strategic patch names nothing but the bundles, so that no one else's
// field changes hands; the resourceVersion in it makes an older view fail.
func (s *Serving) inject(ctx context.Context, t target, bundle []byte) error {
	before := t.object.DeepCopyObject().(client.Object)
	changed := false
	for _, c := range t.clients() {
		changed = changed || !bytes.Equal(c.CABundle, bundle)
		c.CABundle = bundle
	}
	if !changed {
		return nil
	}
	patch := client.StrategicMergeFrom(before, client.MergeFromWithOptimisticLock{})
	if err := s.options.Client.Patch(ctx, t.object, patch); err != nil {
		return fmt.Errorf("injecting the authorities into webhook configuration %s: %w", t.object.GetName(), err)
	}
	logf.FromContext(ctx).Info("injected the authorities into webhook configuration", "name", t.object.GetName())
	return nil
}

func mutatingClients(webhooks []admissionregistrationv1.MutatingWebhook) []*admissionregistrationv1.WebhookClientConfig {
	clients := make([]*admissionregistrationv1.WebhookClientConfig, len(webhooks))
	for i := range webhooks {
		clients[i] = &webhooks[i].ClientConfig
	}
	return clients
}

func validatingClients(webhooks []admissionregistrationv1.ValidatingWebhook) []*admissionregistrationv1.WebhookClientConfig {
	clients := make([]*admissionregistrationv1.WebhookClientConfig, len(webhooks))
	for i := range webhooks {
		clients[i] = &webhooks[i].ClientConfig
	}
	return clients
}
