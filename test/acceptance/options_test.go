//go:build lab

package acceptance

import (
	"context"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	kubedbv1alpha2 "github.com/drydock-db/drydock/apis/kubedb/v1alpha2"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/test/framework"
)

// always lets a request run whatever the database is like.
func always(s *opsv1.OpsRequestSpec) { s.Apply = opsv1.ApplyAlways }

// within limits each step.
func within(d time.Duration) option {
	return func(s *opsv1.OpsRequestSpec) { s.Timeout = &metav1.Duration{Duration: d} }
}

// retries limits how often a failed step is tried again.
func retries(n int32) option {
	return func(s *opsv1.OpsRequestSpec) { s.MaxRetries = &n }
}

// inline is a change that merges one file.
func inline(file, content string) opsv1.ReconfigurationSpec {
	return opsv1.ReconfigurationSpec{ApplyConfig: map[string]string{file: content}}
}

// fromSecret is a change that replaces the Secret.
func fromSecret(name string) opsv1.ReconfigurationSpec {
	return opsv1.ReconfigurationSpec{ConfigSecret: &corev1.LocalObjectReference{Name: name}}
}

// faults makes the fake nodes misbehave in the arena, by the rules of the lab. They replace all earlier ones; none heals
// everything.
func (a *arena) faults(ctx context.Context, rules ...string) {
	GinkgoHelper()
	lines := "- " + strings.Join(append([]string{leisurely}, rules...), "\n- ")
	config := &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Namespace: a.Name, Name: "lab-faults"}, Data: map[string]string{"rules": lines},
	}
	err := a.Client.Create(ctx, config)
	if apierrors.IsAlreadyExists(err) {
		err = a.Client.Update(ctx, config)
	}
	Expect(err).NotTo(HaveOccurred())
	time.Sleep(settling) // the fake kubelet watches its rules; there is nothing to ask it
}

// settling is how long a watcher may take to see what has been written.
const settling = 300 * time.Millisecond

// Rules for faults.
const (
	// leisurely holds always. The disruption controller remembers evicted pods by name: a successor that comes before it
	// has seen the pod leave is taken for the pod, and nothing else may leave for two minutes. Real pods are slower.
	leisurely = `{pod: "*", terminateAfter: 500ms}`
	// held: a pod that starts anew never becomes Ready; those that are Ready stay so. An operation stops at its first pod.
	held = `{pod: "*", readyAfter: 1h}`
	// slow: each pod takes long enough that something can be done while it starts.
	slow = `{pod: "*", readyAfter: 2s}`
)

// configuration is the custom configuration of a group as the database's spec has it; an empty one for none.
func configuration(db framework.Database, group string) kubedbv1.ConfigurationSpec {
	if c := *configurationField(db, group); c != nil {
		return *c
	}
	return kubedbv1.ConfigurationSpec{}
}

// configured returns the database with the configuration in that group.
func configured(db framework.Database, group string, c kubedbv1.ConfigurationSpec) framework.Database {
	*configurationField(db, group) = &c
	return db
}

func configurationField(db framework.Database, group string) **kubedbv1.ConfigurationSpec {
	switch d := db.(type) {
	case *kubedbv1.PerconaXtraDB:
		return &d.Spec.Configuration
	case *kubedbv1alpha2.Singlestore:
		switch group {
		case "aggregator":
			return &d.Spec.Topology.Aggregator.Configuration
		case "leaf":
			return &d.Spec.Topology.Leaf.Configuration
		}
		return &d.Spec.Configuration
	}
	panic("a kind without configuration")
}

// mounted are the configuration files that a pod mounts, and the name of the Secret they come from.
func (a *arena) mounted(pod string) (files map[string][]byte, secret string) {
	GinkgoHelper()
	for _, v := range a.pod(pod).Spec.Volumes {
		if v.Name == "custom-config" {
			Expect(v.Secret).NotTo(BeNil())
			s, ok := framework.Latest[*corev1.Secret](a.Record, v.Secret.SecretName)
			Expect(ok).To(BeTrue(), "there is no Secret "+v.Secret.SecretName+", which "+pod+" mounts")
			return s.Data, s.Name
		}
	}
	Fail("pod " + pod + " mounts no configuration")
	return nil, ""
}

// runs expects that every pod of the group mounts files by which the server sets the key to the value; an empty value
// expects that no file mentions the key, so that the server's own default holds.
func (a *arena) runs(ctx context.Context, s sample, group, key, value string) {
	GinkgoHelper()
	Expect(a.Sync(ctx)).To(Succeed())
	for _, pod := range s.pods(group) {
		files, secret := a.mounted(pod)
		got, found := framework.Setting(files, s.section, key)
		Expect(got).To(Equal(value), "%s in %s, which %s mounts", key, secret, pod)
		Expect(found).To(Equal(value != ""), "%s in %s, which %s mounts", key, secret, pod)
	}
}
