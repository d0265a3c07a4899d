package framework

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Space is a namespace in which everything that happens is recorded.
type Space struct {
	*Lab
	// Name of the namespace.
	Name string
	// Record is what has happened in it.
	Record *Recorder
}

// NewSpace makes a namespace and records it from its first moment. The recording ends with Delete or with Stop.
func (l *Lab) NewSpace(ctx context.Context) (*Space, error) {
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
		GenerateName: "spec-", Labels: map[string]string{"app.kubernetes.io/part-of": "drydock-tests"},
	}}
	if err := l.Client.Create(ctx, ns); err != nil {
		return nil, fmt.Errorf("making a namespace: %w", err)
	}
	record, err := l.record(ns.Name, ns.ResourceVersion)
	if err != nil {
		return nil, err
	}
	return &Space{Lab: l, Name: ns.Name, Record: record}, nil
}

// Kubectl returns kubectl for this namespace.
func (s *Space) Kubectl() Kubectl { return s.Lab.Kubectl(s.Name) }

// Delete deletes the namespace and returns when it is gone, or with an error that says what holds it.
func (s *Space) Delete(ctx context.Context, patience time.Duration) error {
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: s.Name}}
	if err := client.IgnoreNotFound(s.Client.Delete(ctx, ns)); err != nil {
		return fmt.Errorf("deleting namespace %s: %w", s.Name, err)
	}
	defer s.Record.Stop()
	err := wait.PollUntilContextTimeout(ctx, 100*time.Millisecond, patience, true, func(ctx context.Context) (bool, error) {
		err := s.Client.Get(ctx, client.ObjectKeyFromObject(ns), ns)
		return apierrors.IsNotFound(err), client.IgnoreNotFound(err)
	})
	if err == nil {
		return nil
	}
	held := ""
	for _, c := range ns.Status.Conditions {
		if c.Status == corev1.ConditionTrue {
			held += "; " + c.Message
		}
	}
	return fmt.Errorf("namespace %s does not go away within %s%s: %w", s.Name, patience, held, err)
}
