package engines

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/strategicpatch"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
)

// gracePeriod is how long a database may take to write out its memory and leave its cluster. It only bounds the wait;
// it stays well below the ten minutes that an operation gives a pod.
const gracePeriod int64 = 300

// template is the pod template of a group: the operator's own, the user's merged strategically over it, then the
// defaults for whatever neither of them says.
func (b Blueprint) template(p Pods, config string, exporter []corev1.Container) (corev1.PodTemplateSpec, error) {
	user := p.Group.PodTemplate()
	own := b.podSpec(p, config, exporter)
	spec, err := merged(own, overlays(p, user), user.Spec)
	if err != nil {
		return corev1.PodTemplateSpec{}, fmt.Errorf("%s: %w", p.Group.Path.Child("podTemplate", "spec"), err)
	}
	keepOrder(own, spec)
	b.fill(p, own, spec)
	annotations := usersOwn(user.Annotations)
	if policy := user.Spec.PodPlacementPolicy; policy != nil && policy.Name != "" && b.Inputs.Placement {
		annotations[opsv1.AnnotationPlacement] = policy.Name
	}
	meta := metav1.ObjectMeta{Labels: with(user.Labels, Labels(b.Kind, b.Database), p.ExtraLabels, p.Labels)}
	if len(annotations) > 0 {
		meta.Annotations = annotations
	}
	return corev1.PodTemplateSpec{ObjectMeta: meta, Spec: *spec}, nil
}

// podSpec is the operator's own part of the template.
func (b Blueprint) podSpec(p Pods, config string, exporter []corev1.Container) *corev1.PodSpec {
	volumes := slices.Concat(p.Volumes, []corev1.Volume{SecretVolume(VolumeConfig, config)})
	if len(exporter) > 0 {
		volumes = append(volumes, b.Exporter.Volumes...)
	}
	if b.ephemeral(p) {
		volumes = append(volumes, ScratchVolume(VolumeData))
	}
	var token *bool
	if p.Group.PodTemplate().Spec.ServiceAccountName == "" {
		token = new(false) // no container of the operator's talks to the API server; an account of the user's decides for itself
	}
	return &corev1.PodSpec{
		ServiceAccountName:            b.Database.GetName(),
		AutomountServiceAccountToken:  token,
		TerminationGracePeriodSeconds: new(gracePeriod),
		InitContainers:                p.InitContainers,
		Containers:                    slices.Concat(p.Containers, exporter),
		Volumes:                       volumes,
	}
}

// overlays are the fields of older API shapes, which belong to one container each.
func overlays(p Pods, user *kubedbv1.PodTemplateSpec) []corev1.Container {
	old := user.Spec
	database := corev1.Container{
		Name:            p.Containers[0].Name,
		Args:            old.Args,
		Env:             old.Env,
		SecurityContext: old.ContainerSecurityContext,
		LivenessProbe:   old.LivenessProbe,
		ReadinessProbe:  old.ReadinessProbe,
		Lifecycle:       old.Lifecycle,
		VolumeMounts:    old.VolumeMounts,
	}
	if old.Resources != nil {
		database.Resources = *old.Resources
	}
	return append([]corev1.Container{database}, p.Overlays...)
}

// merged puts the overlays and the user's spec over the operator's. Lists merge by the keys that the Kubernetes types
// declare: containers and variables by name, mounts by path, ports by number.
func merged(own *corev1.PodSpec, overlays []corev1.Container, user kubedbv1.PodSpec) (*corev1.PodSpec, error) {
	if keys := directives(user); len(keys) > 0 {
		return nil, fmt.Errorf("the key %s begins with $, which no key here may", keys[0])
	}
	spec := own.DeepCopy()
	var err error
	if containers := effective(own, overlays); len(containers) > 0 {
		if spec, err = strategically(spec, kubedbv1.PodSpec{Containers: containers}); err != nil {
			return nil, err
		}
	}
	over := current(user)
	over.InitContainers = complete(own.InitContainers, user.InitContainers)
	over.Containers = complete(own.Containers, user.Containers)
	if equality.Semantic.DeepEqual(over, kubedbv1.PodSpec{}) {
		return spec, nil
	}
	return strategically(spec, over)
}

// complete leaves out settings for a container of the operator's that these pods do not have, for example for the
// exporter while no metrics are asked for: there would be a container without an image.
func complete(own, user []corev1.Container) []corev1.Container {
	var list []corev1.Container
	for _, c := range user {
		if c.Image != "" || slices.ContainsFunc(own, func(o corev1.Container) bool { return o.Name == c.Name }) {
			list = append(list, c)
		}
	}
	return list
}

// effective leaves out overlays that say nothing, or that are for a container that this version does not have.
func effective(own *corev1.PodSpec, overlays []corev1.Container) []corev1.Container {
	var list []corev1.Container
	for _, o := range overlays {
		here := slices.ContainsFunc(own.Containers, func(c corev1.Container) bool { return c.Name == o.Name })
		if here && !equality.Semantic.DeepEqual(o, corev1.Container{Name: o.Name}) {
			list = append(list, o)
		}
	}
	return list
}

// strategically merges the patch over the spec, which it uses up.
func strategically(spec *corev1.PodSpec, patch kubedbv1.PodSpec) (*corev1.PodSpec, error) {
	giveWay(spec, patch)
	original, err := json.Marshal(spec)
	if err != nil {
		return nil, err
	}
	over, err := json.Marshal(patch)
	if err != nil {
		return nil, err
	}
	result, err := strategicpatch.StrategicMergePatch(original, over, corev1.PodSpec{})
	if err != nil {
		return nil, err
	}
	out := &corev1.PodSpec{}
	if err := json.Unmarshal(result, out); err != nil {
		return nil, err
	}
	return out, nil
}

// giveWay removes what the patch replaces as a whole. A merge goes field by field, and of the ways to give a variable's
// value, or to probe, an object may only have one.
func giveWay(spec *corev1.PodSpec, patch kubedbv1.PodSpec) {
	for _, lists := range [][2][]corev1.Container{
		{spec.InitContainers, patch.InitContainers}, {spec.Containers, patch.Containers},
	} {
		for _, p := range lists[1] {
			for i := range lists[0] {
				if lists[0][i].Name == p.Name {
					giveWayIn(&lists[0][i], p)
				}
			}
		}
	}
}

func giveWayIn(c *corev1.Container, patch corev1.Container) {
	c.Env = slices.DeleteFunc(c.Env, func(own corev1.EnvVar) bool {
		return slices.ContainsFunc(patch.Env, func(e corev1.EnvVar) bool { return e.Name == own.Name })
	})
	for _, probe := range []struct {
		own   **corev1.Probe
		patch *corev1.Probe
	}{{&c.LivenessProbe, patch.LivenessProbe}, {&c.ReadinessProbe, patch.ReadinessProbe}, {&c.StartupProbe, patch.StartupProbe}} {
		if probe.patch != nil && probe.patch.ProbeHandler != (corev1.ProbeHandler{}) {
			*probe.own = nil
		}
	}
	if patch.Lifecycle != nil {
		c.Lifecycle = nil
	}
}

// current is the spec without what corev1.PodSpec does not have, or has with another meaning.
func current(s kubedbv1.PodSpec) kubedbv1.PodSpec {
	s.PodPlacementPolicy, s.Args, s.Env, s.Resources = nil, nil, nil, nil
	s.ContainerSecurityContext, s.LivenessProbe, s.ReadinessProbe, s.Lifecycle, s.VolumeMounts = nil, nil, nil, nil, nil
	return s
}

// directives are the keys of free-form maps that a strategic merge would take for instructions, such as $patch.
// The pod's own fields never begin with a dollar sign.
func directives(s kubedbv1.PodSpec) []string {
	raw, err := json.Marshal(s)
	if err != nil || !strings.Contains(string(raw), `"$`) {
		return nil
	}
	var tree any
	if err := json.Unmarshal(raw, &tree); err != nil {
		return nil
	}
	var found []string
	walk(tree, func(key string) {
		if strings.HasPrefix(key, "$") {
			found = append(found, key)
		}
	})
	slices.Sort(found)
	return slices.Compact(found)
}

func walk(tree any, visit func(key string)) {
	switch node := tree.(type) {
	case map[string]any:
		for key, child := range node {
			visit(key)
			walk(child, visit)
		}
	case []any:
		for _, child := range node {
			walk(child, visit)
		}
	}
}
