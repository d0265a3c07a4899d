// Package apply writes objects: by server-side apply under one named field owner, and only when something changed.
package apply

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"

	petsetv1 "github.com/drydock-db/drydock/apis/apps/v1"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
)

// FieldOwner is the name under which everything is applied.
const FieldOwner = client.FieldOwner("drydock")

// ForeignError says that an object of that name exists and belongs to somebody else. It is never adopted.
type ForeignError struct {
	Kind, Name, Want string
	// Instead is what else somebody can do about it, if anything.
	Instead string
}

func (e *ForeignError) Error() string {
	text := fmt.Sprintf("%s %s exists and is not controlled by %s: rename or delete it", e.Kind, e.Name, e.Want)
	if e.Instead != "" {
		text += ", or " + e.Instead
	}
	return text
}

// Applier writes the objects of one cluster.
type Applier struct {
	// Client reads from watch caches and writes to the API server.
	Client client.Client
	// Live reads from the API server: Secrets, which are never cached, and what has to be certain before a write.
	Live client.Reader
	// Workloads says what StatefulSets are written as.
	Workloads Workloads

	// memory is of workloads; latest says when each was last found to be the API server's, by UID.
	memory Memory
	latest Recent
}

// Owned applies an object that the owner controls, unless the cluster already has it so. It reports whether it wrote. Whoever has
// to be sure first is asked right before that.
func (a *Applier) Owned(ctx context.Context, owner, desired client.Object, sure ...func() error) (bool, error) {
	if err := a.own(owner, desired); err != nil {
		return false, err
	}
	desired = a.Workloads.Object(desired)
	live := desired.DeepCopyObject().(client.Object)
	err := a.Client.Get(ctx, client.ObjectKeyFromObject(desired), live)
	missing := apierrors.IsNotFound(err)
	switch {
	case missing:
	case err != nil:
		return false, fmt.Errorf("reading %s: %w", describe(a.Client, desired), err)
	case !metav1.IsControlledBy(live, owner):
		return false, foreign(a.Client, desired, owner)
	case Current(desired, live):
		return false, nil
	}
	for _, ask := range sure {
		if err := ask(); err != nil {
			return false, err
		}
	}
	if missing {
		return true, a.create(ctx, owner, desired)
	}
	_, err = a.write(ctx, desired, live.GetResourceVersion())
	return true, err
}

// create applies an object that is not in the cache. The cache holds only what carries our labels, so that somebody
// else may have an object of that name; server-side apply would take it over.
func (a *Applier) create(ctx context.Context, owner, desired client.Object) error {
	live := desired.DeepCopyObject().(client.Object)
	live.SetResourceVersion("")
	err := a.Live.Get(ctx, client.ObjectKeyFromObject(desired), live)
	switch {
	case err == nil && !metav1.IsControlledBy(live, owner):
		return foreign(a.Client, desired, owner)
	case err == nil && a.comes(desired, live):
		return a.behind(desired)
	case client.IgnoreNotFound(err) != nil:
		return fmt.Errorf("reading %s: %w", describe(a.Client, desired), err)
	}
	_, err = a.write(ctx, desired, live.GetResourceVersion())
	return err
}

// Workload applies a workload that the caller has compared with the one it saw; seen is nil when it saw none. The hash of
// the last write goes along with it. It reports whether anything changed by that.
func (a *Applier) Workload(ctx context.Context, owner client.Object, desired, seen *appsv1.StatefulSet) (changed bool, err error) {
	if err := a.own(owner, desired); err != nil {
		return false, err
	}
	if seen == nil {
		return true, a.create(ctx, owner, a.Workloads.Object(desired))
	}
	return a.write(ctx, a.Workloads.Object(desired), seen.ResourceVersion)
}

// CreateOnly creates a Secret that is never changed afterwards. One that exists is left alone; when owned is true it
// has to be the one that was made, since a stranger's Secret under our name must not be mounted.
func (a *Applier) CreateOnly(ctx context.Context, owner client.Object, secret *corev1.Secret, owned bool) error {
	secret = secret.DeepCopy()
	if owned {
		if err := a.own(owner, secret); err != nil {
			return err
		}
	}
	err := a.Client.Create(ctx, secret, FieldOwner)
	if !apierrors.IsAlreadyExists(err) || !owned {
		return client.IgnoreAlreadyExists(err)
	}
	var live corev1.Secret
	if err := a.Live.Get(ctx, client.ObjectKeyFromObject(secret), &live); err != nil {
		return fmt.Errorf("reading Secret %s: %w", secret.Name, err)
	}
	if !Made(&live, secret, owner) {
		return foreign(a.Client, secret, owner)
	}
	return nil
}

// Made tells whether a live Secret is the one that was made for the owner. Anybody who may create Secrets can write the owner's
// UID into one, under a name that the content tells; so the content is compared.
func Made(live, secret *corev1.Secret, owner client.Object) bool {
	return metav1.IsControlledBy(live, owner) && maps.EqualFunc(live.Data, secret.Data, bytes.Equal)
}

// comes tells whether the cache will show a workload that it does not show yet: it may be another than the one that is to be made,
// and no write would do then. One whose labels somebody has taken away never comes.
func (a *Applier) comes(desired, live client.Object) bool {
	switch desired.(type) {
	case *appsv1.StatefulSet, *petsetv1.PetSet:
		labels := live.GetLabels()
		for key, value := range desired.GetLabels() {
			if labels[key] != value {
				return false
			}
		}
		return true
	}
	return false
}

// write applies an object over the version that was seen, and over no other: an operator that has lost its lease while a
// write was on its way, or whose caches are behind, gets a conflict and does not bring back what has been changed since.
// An empty version stands for an object that is not there. It reports whether the API server's object changed by that.
func (a *Applier) write(ctx context.Context, desired client.Object, seen string) (changed bool, err error) {
	u, err := a.configuration(desired)
	if err != nil {
		return false, err
	}
	if seen != "" {
		u.SetResourceVersion(seen)
	}
	if err := a.Client.Apply(ctx, client.ApplyConfigurationFromUnstructured(u), FieldOwner, client.ForceOwnership); err != nil {
		return false, fmt.Errorf("applying %s: %w", describe(a.Client, desired), err)
	}
	// The API server's answer has filled it.
	switch desired.(type) {
	case *appsv1.StatefulSet, *petsetv1.PetSet:
		a.memory.Wrote(u)
	}
	return u.GetResourceVersion() != seen, nil
}

// configuration is the object as server-side apply wants it: without status and without empty leftovers of Go structs.
func (a *Applier) configuration(desired client.Object) (*unstructured.Unstructured, error) {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(desired)
	if err != nil {
		return nil, fmt.Errorf("converting %s: %w", describe(a.Client, desired), err)
	}
	u := &unstructured.Unstructured{Object: content}
	gvk, err := apiutil.GVKForObject(desired, a.Client.Scheme())
	if err != nil {
		return nil, err
	}
	u.SetGroupVersionKind(gvk)
	unstructured.RemoveNestedField(u.Object, "status")
	for _, field := range []string{"creationTimestamp", "managedFields", "resourceVersion", "uid", "generation"} {
		unstructured.RemoveNestedField(u.Object, "metadata", field)
	}
	unstructured.RemoveNestedField(u.Object, "spec", "template", "metadata", "creationTimestamp")
	return u, nil
}

// own makes owner the controller of the object and notes the hash of what is about to be applied.
func (a *Applier) own(owner, desired client.Object) error {
	gvk, err := apiutil.GVKForObject(owner, a.Client.Scheme())
	if err != nil {
		return err
	}
	desired.SetOwnerReferences([]metav1.OwnerReference{*metav1.NewControllerRef(owner, gvk)})
	annotations := map[string]string{}
	for k, v := range desired.GetAnnotations() {
		if k != opsv1.AnnotationApplied {
			annotations[k] = v
		}
	}
	desired.SetAnnotations(annotations)
	hash, err := appliedHash(desired)
	if err != nil {
		return err
	}
	annotations[opsv1.AnnotationApplied] = hash
	desired.SetAnnotations(annotations)
	return nil
}

// appliedHash leaves out of a workload what only operations write: its pod template and its claim templates.
func appliedHash(desired client.Object) (string, error) {
	set, ok := desired.(*appsv1.StatefulSet)
	if !ok {
		return Hash(desired)
	}
	set = set.DeepCopy()
	set.Spec.Template, set.Spec.VolumeClaimTemplates = corev1.PodTemplateSpec{}, nil
	delete(set.Annotations, opsv1.AnnotationTemplateHash)
	delete(set.Annotations, opsv1.AnnotationCertificates)
	return Hash(set)
}

// TemplateHash is the hash of a pod template as it was rendered, without the stamp of the last restart.
func TemplateHash(template corev1.PodTemplateSpec) (string, error) {
	template = *template.DeepCopy()
	delete(template.Annotations, opsv1.AnnotationRestart)
	return Hash(template)
}

// Current tells whether the live object already is as desired: the same thing was applied last, and nobody has
// changed any of its fields since.
func Current(desired, live client.Object) bool {
	if desired.GetAnnotations()[opsv1.AnnotationApplied] != live.GetAnnotations()[opsv1.AnnotationApplied] {
		return false
	}
	bare := desired.DeepCopyObject().(client.Object)
	bare.GetObjectKind().SetGroupVersionKind(live.GetObjectKind().GroupVersionKind()) // caches fill it as they like
	return Contains(live, bare)
}

// Hash of any value that marshals to JSON: ten hexadecimal digits.
func Hash(v any) (string, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("hashing %T: %w", v, err)
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:5]), nil
}

func foreign(c client.Client, o, owner client.Object) error {
	return &ForeignError{Kind: kindOf(c, o), Name: o.GetName(), Want: kindOf(c, owner) + " " + owner.GetName()}
}

func describe(c client.Client, o client.Object) string {
	return kindOf(c, o) + " " + o.GetNamespace() + "/" + o.GetName()
}

func kindOf(c client.Client, o client.Object) string {
	gvk, err := apiutil.GVKForObject(o, c.Scheme())
	if err != nil {
		return fmt.Sprintf("%T", o)
	}
	return gvk.Kind
}
