package framework

import (
	"context"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// leisurely is a rule that holds always. The disruption controller remembers evicted pods by name: a successor that comes
// before it has seen the pod leave is taken for that pod, and nothing else may leave for two minutes. Real pods are slower.
const leisurely = `{pod: "*", terminateAfter: 500ms}`

// settling is how long a watcher may take to see what has been written.
const settling = 300 * time.Millisecond

// Faults makes the fake nodes misbehave in this namespace, by the rules that the lab describes. They replace all earlier
// ones; none heals everything.
func (s *Space) Faults(ctx context.Context, rules ...string) error {
	config := &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Namespace: s.Name, Name: "lab-faults"},
		Data:       map[string]string{"rules": "- " + strings.Join(append([]string{leisurely}, rules...), "\n- ")},
	}
	err := s.Client.Create(ctx, config)
	if apierrors.IsAlreadyExists(err) {
		err = s.Client.Update(ctx, config)
	}
	if err != nil {
		return fmt.Errorf("setting faults in %s: %w", s.Name, err)
	}
	time.Sleep(settling) // the fake kubelet watches its rules; there is nothing to ask it
	return nil
}
