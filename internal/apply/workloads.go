package apply

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	petsetv1 "github.com/drydock-db/drydock/apis/apps/v1"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
)

// Workloads is the port behind which pods are run. Everything above works with StatefulSets; where PetSets are asked
// for, they are read and written here, and nowhere else is it known. The zero value makes StatefulSets.
type Workloads struct {
	// PetSets are made, not StatefulSets.
	PetSets bool
	// Both tells that the cluster serves the other kind too, so that a workload may have been left in it when the
	// operator was told to make this one.
	Both bool
}

// FindWorkloads looks which kinds the cluster serves. It looks once: install the PetSet API before the operator, or
// restart the operator afterwards.
func FindWorkloads(mapper meta.RESTMapper, petSets bool) (Workloads, error) {
	kind := petsetv1.GroupVersion.WithKind("PetSet")
	_, err := mapper.RESTMapping(kind.GroupKind(), kind.Version)
	switch {
	case err == nil:
		return Workloads{PetSets: petSets, Both: true}, nil
	case !meta.IsNoMatchError(err):
		return Workloads{}, fmt.Errorf("asking whether the cluster serves %s: %w", petsetv1.GroupVersion, err)
	case petSets:
		return Workloads{}, fmt.Errorf("the cluster does not serve %s PetSet, which --workload=petset makes: "+
			"install PetSets first, or run with --workload=statefulset", petsetv1.GroupVersion)
	}
	return Workloads{}, nil
}

// Kind of the objects that are made.
func (w Workloads) Kind() string {
	if w.PetSets {
		return "PetSet"
	}
	return "StatefulSet"
}

// New returns an empty object of the kind that is made, to watch or to read into.
func (w Workloads) New() client.Object {
	if w.PetSets {
		return &petsetv1.PetSet{}
	}
	return &appsv1.StatefulSet{}
}

// MutableClaims tells whether the claim templates of a workload that exists can be changed. Where they cannot, it has
// to be deleted and made again around its pods.
func (w Workloads) MutableClaims() bool { return w.PetSets }

// Object is the workload as the cluster knows it, to be written or deleted. Any other object is returned as it is.
func (w Workloads) Object(o client.Object) client.Object {
	if set, ok := o.(*appsv1.StatefulSet); ok && w.PetSets {
		return petSet(set)
	}
	return o
}

// Get reads a workload. It returns the API's own error when there is none.
func (w Workloads) Get(ctx context.Context, from client.Reader, key client.ObjectKey) (*appsv1.StatefulSet, error) {
	if !w.PetSets {
		set := &appsv1.StatefulSet{}
		return set, from.Get(ctx, key, set)
	}
	var p petsetv1.PetSet
	err := from.Get(ctx, key, &p)
	return statefulSet(&p), err
}

// petSet turns a workload into a PetSet. The template's annotation names the placement policy: so the policy is a part
// of the template, which only operations change, is saved and undone with it, and pods tell by which policy they were
// placed.
func petSet(set *appsv1.StatefulSet) *petsetv1.PetSet {
	set = set.DeepCopy()
	p := &petsetv1.PetSet{
		TypeMeta:   metav1.TypeMeta{APIVersion: petsetv1.GroupVersion.String(), Kind: "PetSet"},
		ObjectMeta: set.ObjectMeta,
		Spec:       petsetv1.PetSetSpec{StatefulSetSpec: set.Spec},
		Status:     set.Status,
	}
	if policy := set.Spec.Template.Annotations[opsv1.AnnotationPlacement]; policy != "" {
		p.Spec.PodPlacementPolicy = &corev1.LocalObjectReference{Name: policy}
	}
	return p
}

// statefulSet turns a PetSet into the value that everything above works with.
func statefulSet(p *petsetv1.PetSet) *appsv1.StatefulSet {
	p = p.DeepCopy()
	return &appsv1.StatefulSet{
		TypeMeta:   metav1.TypeMeta{APIVersion: "apps/v1", Kind: "StatefulSet"},
		ObjectMeta: p.ObjectMeta,
		Spec:       p.Spec.StatefulSetSpec,
		Status:     p.Status,
	}
}

// ElsewhereError says that the pods of a workload are run by the other kind. Two workloads of one name would fight over
// the pods, so the second one is not made.
type ElsewhereError struct {
	// Found and Wanted are the kinds.
	Found, Wanted, Name string
}

func (e *ElsewhereError) Error() string {
	return fmt.Sprintf("%s %s runs these pods, and the operator makes %ss now: set spec.halted to true and, once the pods "+
		"are gone, to false again; claims and Secrets stay", e.Found, e.Name, e.Wanted)
}

// Elsewhere returns the workload of that name that is of the other kind; nil when there is none.
func (a *Applier) Elsewhere(ctx context.Context, key client.ObjectKey) (client.Object, error) {
	if !a.Workloads.Both {
		return nil, nil
	}
	other := Workloads{PetSets: !a.Workloads.PetSets}
	found := other.New()
	switch err := a.Live.Get(ctx, key, found); {
	case apierrors.IsNotFound(err):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("reading %s %s: %w", other.Kind(), key.Name, err)
	}
	return found, nil
}

// Vacant returns an ElsewhereError when the workload is of the other kind. It is asked before one is made, and costs
// nothing where the cluster serves one kind only.
func (a *Applier) Vacant(ctx context.Context, key client.ObjectKey) error {
	found, err := a.Elsewhere(ctx, key)
	if err != nil || found == nil {
		return err
	}
	return &ElsewhereError{Found: Workloads{PetSets: !a.Workloads.PetSets}.Kind(), Wanted: a.Workloads.Kind(), Name: key.Name}
}
