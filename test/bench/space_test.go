//go:build lab

package bench

import (
	"context"
	"testing"
	"time"

	certmanagerv1 "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/test/framework"
)

// patience is how long one thing may take.
const patience = 5 * time.Minute

// database is the name of the database that is measured.
const database = "px"

// space is a namespace to measure in.
type space struct{ *framework.Space }

func newSpace(b *testing.B) space {
	lab, err := framework.Connect(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	s, err := lab.NewSpace(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := s.Delete(ctx, patience); err != nil {
			b.Error(err)
		}
	})
	if err := s.Faults(b.Context()); err != nil {
		b.Fatal(err)
	}
	return space{s}
}

func (s space) create(b *testing.B, o client.Object) {
	if err := s.Client.Create(b.Context(), o); err != nil {
		b.Fatal(err)
	}
}

// until polls what was recorded: waiting costs the API server nothing.
func (s space) until(b *testing.B, what string, done func() bool) {
	for deadline := time.Now().Add(patience); !done(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			b.Fatalf("%s: not within %s", what, patience)
		}
	}
}

// quiet waits until nothing has happened for a while, so that what is counted belongs to what was started.
func (s space) quiet(b *testing.B) {
	for last, since := -1, time.Now(); time.Since(since) < time.Second; time.Sleep(50 * time.Millisecond) {
		if n := s.Record.Len(); n != last {
			last, since = n, time.Now()
		}
		if b.Context().Err() != nil {
			b.Fatal("interrupted")
		}
	}
}

// provision makes a PerconaXtraDB with that many pods and waits until it is Ready.
func (s space) provision(b *testing.B, pods int32, tls bool) {
	db := &kubedbv1.PerconaXtraDB{ObjectMeta: metav1.ObjectMeta{Namespace: s.Name, Name: database}}
	db.Spec.Version, db.Spec.Replicas = "8.0.40", &pods
	db.Spec.PodTemplate.Spec.TerminationGracePeriodSeconds = new(int64(1))
	db.Spec.Storage = &corev1.PersistentVolumeClaimSpec{Resources: corev1.VolumeResourceRequirements{
		Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")},
	}}
	if tls {
		db.Spec.TLS = &kubedbv1.TLSConfig{IssuerRef: s.issuer(b)}
	}
	s.create(b, db)
	s.until(b, "the database becomes Ready", func() bool {
		now, ok := framework.Latest[*kubedbv1.PerconaXtraDB](s.Record, database)
		return ok && now.Status.Phase == kubedbv1.PhaseReady
	})
	s.quiet(b)
}

// issuer makes an authority: a self-signed certificate, and an issuer that signs with it.
func (s space) issuer(b *testing.B) *corev1.TypedLocalObjectReference {
	meta := func(name string) metav1.ObjectMeta { return metav1.ObjectMeta{Namespace: s.Name, Name: name} }
	self := &certmanagerv1.Issuer{ObjectMeta: meta("self")}
	self.Spec.SelfSigned = &certmanagerv1.SelfSignedIssuer{}
	authority := &certmanagerv1.Certificate{ObjectMeta: meta("authority")}
	authority.Spec.IsCA, authority.Spec.CommonName, authority.Spec.SecretName = true, "bench", "authority"
	authority.Spec.IssuerRef.Name = self.Name
	ca := &certmanagerv1.Issuer{ObjectMeta: meta("ca")}
	ca.Spec.CA = &certmanagerv1.CAIssuer{SecretName: "authority"}
	for _, o := range []client.Object{self, authority, ca} {
		s.create(b, o)
	}
	return &corev1.TypedLocalObjectReference{APIGroup: new("cert-manager.io"), Kind: "Issuer", Name: ca.Name}
}

// carryOut makes the request, waits until it is Successful and returns how long that took.
func (s space) carryOut(b *testing.B, r *opsv1.PerconaXtraDBOpsRequest) time.Duration {
	began := time.Now()
	s.create(b, r)
	s.until(b, r.Name+" is Successful", func() bool {
		now, ok := framework.Latest[*opsv1.PerconaXtraDBOpsRequest](s.Record, r.Name)
		if ok && now.Status.Phase == opsv1.PhaseFailed {
			b.Fatalf("%s failed: %v", r.Name, now.Status.Conditions)
		}
		return ok && now.Status.Phase == opsv1.PhaseSuccessful
	})
	return time.Since(began)
}

// copyWorkload makes a StatefulSet with the database's pods that updates itself.
func (s space) copyWorkload(b *testing.B) {
	model, ok := framework.Latest[*appsv1.StatefulSet](s.Record, database)
	if !ok {
		b.Fatal("the database has no StatefulSet")
	}
	labels := map[string]string{"app": "plain"}
	set := &appsv1.StatefulSet{ObjectMeta: metav1.ObjectMeta{Namespace: s.Name, Name: "plain"}, Spec: *model.Spec.DeepCopy()}
	set.Spec.Selector, set.Spec.Template.Labels = &metav1.LabelSelector{MatchLabels: labels}, labels
	set.Spec.UpdateStrategy = appsv1.StatefulSetUpdateStrategy{Type: appsv1.RollingUpdateStatefulSetStrategyType}
	for i := range set.Spec.VolumeClaimTemplates {
		set.Spec.VolumeClaimTemplates[i].Labels = nil // by which they would be the database's
	}
	s.copySecrets(b, &set.Spec.Template.Spec)
	s.create(b, set)
	s.until(b, "the copy is rolled out", func() bool { return s.rolledOut(1) })
	s.quiet(b)
}

// copySecrets gives the pods Secrets of their own. Operations delete the database's once none of its own pods mounts them, and a pod
// without its Secrets does not start.
func (s space) copySecrets(b *testing.B, spec *corev1.PodSpec) {
	for i := range spec.Volumes {
		source := spec.Volumes[i].Secret
		if source == nil {
			continue
		}
		original, ok := framework.Latest[*corev1.Secret](s.Record, source.SecretName)
		if !ok {
			b.Fatalf("there is no Secret %s", source.SecretName)
		}
		source.SecretName = "plain-" + original.Name
		copied := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: s.Name, Name: source.SecretName}, Data: original.Data}
		if err := client.IgnoreAlreadyExists(s.Client.Create(b.Context(), copied)); err != nil {
			b.Fatal(err)
		}
	}
}

// rolledOut is what `kubectl rollout status` waits for.
func (s space) rolledOut(generation int64) bool {
	set, ok := framework.Latest[*appsv1.StatefulSet](s.Record, "plain")
	return ok && set.Status.ObservedGeneration >= generation && set.Status.ReadyReplicas == *set.Spec.Replicas &&
		set.Status.UpdatedReplicas == *set.Spec.Replicas && set.Status.CurrentRevision == set.Status.UpdateRevision
}

// rollout restarts the copy the way `kubectl rollout restart` does and returns how long that took.
func (s space) rollout(b *testing.B, stamp string) time.Duration {
	began := time.Now()
	set := &appsv1.StatefulSet{ObjectMeta: metav1.ObjectMeta{Namespace: s.Name, Name: "plain"}}
	patch := []byte(`{"spec":{"template":{"metadata":{"annotations":{"kubectl.kubernetes.io/restartedAt":"` + stamp + `"}}}}}`)
	if err := s.Client.Patch(b.Context(), set, client.RawPatch(types.MergePatchType, patch)); err != nil {
		b.Fatal(err)
	}
	s.until(b, "the copy is rolled out", func() bool { return s.rolledOut(set.Generation) })
	return time.Since(began)
}
