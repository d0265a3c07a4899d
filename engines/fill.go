package engines

import (
	"cmp"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

// fill completes a merged pod spec with what neither the kind nor the user says. This is done here and not when the
// object is admitted: a later version of the operator can then choose better, and the spec stays what the user wrote.
// It is done after the merge, since a probe or a limit of the user's that is merged field by field into ours can make
// one that no API server accepts.
func (b Blueprint) fill(p Pods, own, spec *corev1.PodSpec) {
	user, group := b.User, b.Group
	if catalog := b.Inputs.Version.SecurityContext; catalog.RunAsUser != nil {
		user, group = *catalog.RunAsUser, ptr.Deref(catalog.RunAsGroup, *catalog.RunAsUser)
	}
	if spec.SecurityContext == nil {
		spec.SecurityContext = &corev1.PodSecurityContext{}
	}
	ours := map[string]bool{}
	for _, c := range append(append([]corev1.Container{}, own.InitContainers...), own.Containers...) {
		ours[c.Name] = true
	}
	for _, list := range [][]corev1.Container{spec.InitContainers, spec.Containers} {
		for i := range list {
			c := &list[i]
			switch {
			case !ours[c.Name]: // the user's own, of which nobody here knows what it needs
			case c.Name == ContainerExporter:
				restrict(spec.SecurityContext, c)
				runAs(spec.SecurityContext, c.SecurityContext, nobody, nobody)
			default:
				restrict(spec.SecurityContext, c)
				runAs(spec.SecurityContext, c.SecurityContext, user, group)
			}
			fillResources(&c.Resources, p.Resources[c.Name])
			if c.Name == own.Containers[0].Name {
				fillProbe(&c.ReadinessProbe, p.Readiness)
			}
		}
	}
	fillPod(spec, user, b.selector(p))
}

// nobody is who an exporter runs as. Its image names a user, where the kubelet wants a number to be sure that it is not root.
const nobody = int64(65534)

// fillPod lets the pod's group into its volumes and asks the scheduler, without insisting, to spread the pods over nodes.
func fillPod(spec *corev1.PodSpec, fsGroup int64, selector *metav1.LabelSelector) {
	security := spec.SecurityContext
	unset(&security.FSGroup, fsGroup) // the user's number, as KubeDB has it
	// Changing the owner of every file again at each start would make a restart as long as the volume is large.
	unset(&security.FSGroupChangePolicy, corev1.FSGroupChangeOnRootMismatch)
	unset(&security.SeccompProfile, corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault})
	if spec.Affinity == nil {
		spec.Affinity = &corev1.Affinity{}
	}
	unset(&spec.Affinity.PodAntiAffinity, corev1.PodAntiAffinity{
		PreferredDuringSchedulingIgnoredDuringExecution: []corev1.WeightedPodAffinityTerm{{
			Weight:          100,
			PodAffinityTerm: corev1.PodAffinityTerm{LabelSelector: selector, TopologyKey: corev1.LabelHostname},
		}},
	})
}

// restrict asks for the "restricted" pod security standard where neither the container nor its pod decides otherwise.
func restrict(pod *corev1.PodSecurityContext, c *corev1.Container) {
	if c.SecurityContext == nil {
		c.SecurityContext = &corev1.SecurityContext{}
	}
	s := c.SecurityContext
	if pod.RunAsNonRoot == nil {
		unset(&s.RunAsNonRoot, true)
	}
	if pod.SeccompProfile == nil {
		unset(&s.SeccompProfile, corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault})
	}
	if ptr.Deref(s.Privileged, false) {
		return // the API server refuses a privileged container that is restricted in what follows
	}
	if s.Capabilities == nil {
		s.Capabilities = &corev1.Capabilities{}
	}
	if s.Capabilities.Drop == nil {
		s.Capabilities.Drop = []corev1.Capability{"ALL"}
	}
	if !addsAdmin(s.Capabilities.Add) {
		unset(&s.AllowPrivilegeEscalation, false)
	}
}

// addsAdmin tells whether the container asks for the capability that implies privilege escalation.
func addsAdmin(capabilities []corev1.Capability) bool {
	for _, c := range capabilities {
		if c == "SYS_ADMIN" || c == "CAP_SYS_ADMIN" {
			return true
		}
	}
	return false
}

func runAs(pod *corev1.PodSecurityContext, s *corev1.SecurityContext, user, group int64) {
	if pod.RunAsUser == nil {
		unset(&s.RunAsUser, user)
	}
	if pod.RunAsGroup == nil {
		unset(&s.RunAsGroup, group)
	}
}

// fillResources takes the default for each resource that the container says nothing about, neither as a request nor
// as a limit: half of a user's pair with half of ours could ask for more than it allows.
func fillResources(r *corev1.ResourceRequirements, defaults corev1.ResourceRequirements) {
	said := map[corev1.ResourceName]bool{}
	for _, list := range []corev1.ResourceList{r.Requests, r.Limits} {
		for name := range list {
			said[name] = true
		}
	}
	take := func(to *corev1.ResourceList, from corev1.ResourceList) {
		for name, quantity := range from {
			if said[name] {
				continue
			}
			if *to == nil {
				*to = corev1.ResourceList{}
			}
			(*to)[name] = quantity.DeepCopy()
		}
	}
	take(&r.Requests, defaults.Requests)
	take(&r.Limits, defaults.Limits)
}

// fillProbe takes the default probe; a probe of the user's without a handler only tunes the default one's times.
func fillProbe(to **corev1.Probe, defaults *corev1.Probe) {
	if *to == nil {
		*to = defaults.DeepCopy()
		return
	}
	p := *to
	if p.ProbeHandler == (corev1.ProbeHandler{}) {
		p.ProbeHandler = defaults.DeepCopy().ProbeHandler
	}
	p.InitialDelaySeconds = cmp.Or(p.InitialDelaySeconds, defaults.InitialDelaySeconds)
	p.TimeoutSeconds = cmp.Or(p.TimeoutSeconds, defaults.TimeoutSeconds)
	p.PeriodSeconds = cmp.Or(p.PeriodSeconds, defaults.PeriodSeconds)
	p.FailureThreshold = cmp.Or(p.FailureThreshold, defaults.FailureThreshold)
}

// CoordinatorResources are the defaults of coordinator sidecars.
func CoordinatorResources() corev1.ResourceRequirements {
	return corev1.ResourceRequirements{
		Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("200m"), corev1.ResourceMemory: resource.MustParse("256Mi")},
		Limits:   corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("256Mi")},
	}
}

// InitResources are the defaults of init containers.
func InitResources() corev1.ResourceRequirements {
	return corev1.ResourceRequirements{
		Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("200m"), corev1.ResourceMemory: resource.MustParse("256Mi")},
		Limits:   corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("512Mi")},
	}
}
