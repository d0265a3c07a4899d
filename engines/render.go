package engines

import (
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
)

// Render returns the objects of the database. The same blueprint always renders to the same objects: no map order,
// clock or random number gets into them, so a changed object means a changed input. Every error is about the input and
// names the field; nothing but another input makes it go away.
func (b Blueprint) Render() (Objects, error) {
	exporter := b.exporter()
	out := Objects{
		ServiceAccount: b.serviceAccount(),
		Services:       b.services(),
		AuthSecrets:    append(b.Credentials(inner(b.Settings.AuthSecret), "auth", "root"), b.AuthSecrets...),
	}
	for _, p := range b.Pods {
		group, err := b.group(p, exporter)
		if err != nil {
			return Objects{}, err
		}
		out.Groups = append(out.Groups, group)
	}
	return out, nil
}

func (b Blueprint) group(p Pods, exporter []corev1.Container) (GroupObjects, error) {
	config, err := b.config(p)
	if err != nil {
		return GroupObjects{}, err
	}
	template, err := b.template(p, config.Name, exporter)
	if err != nil {
		return GroupObjects{}, err
	}
	return GroupObjects{
		Name:        p.Group.Name,
		StatefulSet: b.statefulSet(p, template),
		PDB:         b.budget(p),
		Config:      config,
	}, nil
}

// selector selects the pods of one group.
func (b Blueprint) selector(p Pods) *metav1.LabelSelector {
	return &metav1.LabelSelector{MatchLabels: with(SelectorLabels(b.Kind, b.Database), p.Labels)}
}

// statefulSet never restarts a pod by itself (OnDelete: only operations restart pods), starts pods together (Parallel:
// otherwise one bad pod keeps the others from coming back after a full stop) and never deletes a claim.
func (b Blueprint) statefulSet(p Pods, template corev1.PodTemplateSpec) *appsv1.StatefulSet {
	meta := b.meta(p.Group.Workload)
	controller := p.Group.PodTemplate().Controller
	meta.Labels = with(controller.Labels, meta.Labels, p.Labels)
	if annotations := usersOwn(controller.Annotations); len(annotations) > 0 {
		meta.Annotations = annotations
	}
	return &appsv1.StatefulSet{
		TypeMeta:   metav1.TypeMeta{APIVersion: "apps/v1", Kind: "StatefulSet"},
		ObjectMeta: meta,
		Spec: appsv1.StatefulSetSpec{
			Replicas:             new(p.Group.ReplicaCount()),
			Selector:             b.selector(p),
			ServiceName:          HeadlessService(b.Database.GetName()),
			Template:             template,
			VolumeClaimTemplates: b.claims(p),
			PodManagementPolicy:  appsv1.ParallelPodManagement,
			UpdateStrategy:       appsv1.StatefulSetUpdateStrategy{Type: appsv1.OnDeleteStatefulSetStrategyType},
			PersistentVolumeClaimRetentionPolicy: &appsv1.StatefulSetPersistentVolumeClaimRetentionPolicy{
				WhenDeleted: appsv1.RetainPersistentVolumeClaimRetentionPolicyType,
				WhenScaled:  appsv1.RetainPersistentVolumeClaimRetentionPolicyType,
			},
		},
	}
}

// ephemeral tells whether data is lost with its pod. Half-filled objects without storage are treated so too, since a
// claim without a size cannot be made; admission refuses them.
func (b Blueprint) ephemeral(p Pods) bool {
	return *b.Settings.StorageType == kubedbv1.StorageEphemeral || inner(p.Group.Storage) == nil
}

func (b Blueprint) claims(p Pods) []corev1.PersistentVolumeClaim {
	if b.ephemeral(p) {
		return nil
	}
	spec := *inner(p.Group.Storage).DeepCopy()
	if len(spec.AccessModes) == 0 {
		spec.AccessModes = []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce}
	}
	return []corev1.PersistentVolumeClaim{{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "PersistentVolumeClaim"},
		ObjectMeta: metav1.ObjectMeta{Name: VolumeData},
		Spec:       spec,
	}}
}

// budget lets one pod of the group leave at a time. Pods that are unready anyway may always go: that is how a bad
// configuration is repaired.
func (b Blueprint) budget(p Pods) *policyv1.PodDisruptionBudget {
	meta := b.meta(p.Group.Workload)
	meta.Labels = with(meta.Labels, p.Labels)
	return &policyv1.PodDisruptionBudget{
		TypeMeta:   metav1.TypeMeta{APIVersion: "policy/v1", Kind: "PodDisruptionBudget"},
		ObjectMeta: meta,
		Spec: policyv1.PodDisruptionBudgetSpec{
			Selector:                   b.selector(p),
			MaxUnavailable:             new(intstr.FromInt32(1)),
			UnhealthyPodEvictionPolicy: new(policyv1.AlwaysAllow),
		},
	}
}

// serviceAccount exists so that policies can name the database's pods; its token is mounted nowhere, since no
// container talks to the API server. There is none when no pods use it, or when the user names one of their own that is
// called like the database.
func (b Blueprint) serviceAccount() *corev1.ServiceAccount {
	used := false
	for _, p := range b.Pods {
		name := p.Group.PodTemplate().Spec.ServiceAccountName
		if name == b.Database.GetName() {
			return nil
		}
		used = used || name == ""
	}
	if !used {
		return nil
	}
	return &corev1.ServiceAccount{
		TypeMeta:                     metav1.TypeMeta{APIVersion: "v1", Kind: "ServiceAccount"},
		ObjectMeta:                   b.meta(b.Database.GetName()),
		AutomountServiceAccountToken: new(false),
	}
}
