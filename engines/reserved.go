package engines

import (
	"path"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
)

// Reserved names what belongs to the operator in the pods of a kind.
type Reserved struct {
	// Volumes that a template may not define.
	Volumes []string
	// MountPaths that a template may not mount anything at.
	MountPaths []string
	// MountTrees that a template may not mount anything at or below.
	MountTrees []string
	// Env are variables that a template may not set.
	Env []string
	// Containers and InitContainers that the operator makes. A template may override them; any other needs an image. The
	// first container is the database, which is always there.
	Containers, InitContainers []string
	// Ports that the database itself listens at, where no exporter can.
	Ports []int32
	// ServicePorts are the names of the primary Service's ports.
	ServicePorts []string
}

// CheckPodTemplates returns what is wrong with the podTemplates of a database: what they may not touch, and what the
// workload would refuse.
func CheckPodTemplates(e Engine, s Settings) field.ErrorList {
	var errs field.ErrorList
	reserved := e.Reserved()
	if _, initial := InitialScript(s); len(initial) > 0 { // without a script the path is the user's
		reserved.MountPaths = append(slices.Clone(reserved.MountPaths), InitialScriptPath)
	}
	for _, g := range s.Groups {
		c := templateCheck{reserved: reserved, path: g.Path.Child("podTemplate", "spec")}
		c.check(g.PodTemplate())
		errs = append(errs, c.errs...)
	}
	return errs
}

// templateCheck collects what is wrong with one template.
type templateCheck struct {
	reserved Reserved
	path     *field.Path
	errs     field.ErrorList
}

func (c *templateCheck) check(t *kubedbv1.PodTemplateSpec) {
	c.lifetime(&t.Spec)
	for i, v := range t.Spec.Volumes {
		if slices.Contains(c.reserved.Volumes, v.Name) {
			c.forbid(c.path.Child("volumes").Index(i).Child("name"),
				"the operator has a volume of the name "+v.Name+": choose another")
		}
	}
	c.env(c.path.Child("env"), t.Spec.Env)
	c.mounts(c.path.Child("volumeMounts"), t.Spec.VolumeMounts)
	c.containers(c.path.Child("initContainers"), t.Spec.InitContainers, c.reserved.InitContainers)
	c.containers(c.path.Child("containers"), t.Spec.Containers, c.reserved.Containers)
	c.apart(&t.Spec)
	for _, key := range directives(t.Spec) {
		c.forbid(c.path, "the key "+key+" begins with $, which no key here may")
	}
}

// lifetime refuses what a workload cannot have: its pods always restart and never end.
func (c *templateCheck) lifetime(s *kubedbv1.PodSpec) {
	if s.RestartPolicy != "" && s.RestartPolicy != corev1.RestartPolicyAlways {
		c.errs = append(c.errs, field.NotSupported(c.path.Child("restartPolicy"), s.RestartPolicy,
			[]corev1.RestartPolicy{corev1.RestartPolicyAlways}))
	}
	if s.ActiveDeadlineSeconds != nil {
		c.forbid(c.path.Child("activeDeadlineSeconds"), "a database's pods have no deadline: leave it out")
	}
}

func (c *templateCheck) containers(at *field.Path, list []corev1.Container, own []string) {
	seen := map[string]bool{}
	for i, container := range list {
		item := at.Index(i)
		if seen[container.Name] {
			c.errs = append(c.errs, field.Invalid(item.Child("name"), container.Name,
				"another container of the list has that name: give each its own"))
		}
		seen[container.Name] = true
		if container.Image == "" && !slices.Contains(own, container.Name) {
			c.errs = append(c.errs, field.Required(item.Child("image"),
				"the container "+container.Name+" is not one of the operator's ("+strings.Join(own, ", ")+") and needs an image"))
		}
		c.env(item.Child("env"), container.Env)
		c.mounts(item.Child("volumeMounts"), container.VolumeMounts)
	}
}

// apart wants no name in both lists: a pod has one container of a name.
func (c *templateCheck) apart(s *kubedbv1.PodSpec) {
	taken := map[string]bool{c.reserved.Containers[0]: true}
	for _, container := range s.Containers {
		taken[container.Name] = true
	}
	for i, container := range s.InitContainers {
		if taken[container.Name] {
			c.errs = append(c.errs, field.Invalid(c.path.Child("initContainers").Index(i).Child("name"), container.Name,
				"a container has that name: give each its own"))
		}
	}
}

func (c *templateCheck) env(at *field.Path, list []corev1.EnvVar) {
	for i, v := range list {
		if slices.Contains(c.reserved.Env, v.Name) {
			c.forbid(at.Index(i).Child("name"),
				"the operator decides on "+v.Name+": put credentials into the Secret that spec.authSecret names")
		}
	}
}

func (c *templateCheck) mounts(at *field.Path, list []corev1.VolumeMount) {
	for i, m := range list {
		if taken, ok := c.reserved.mount(m.MountPath); ok {
			c.forbid(at.Index(i).Child("mountPath"), "the operator mounts its own volume at "+taken+": choose another path")
		}
	}
}

func (c *templateCheck) forbid(at *field.Path, why string) {
	c.errs = append(c.errs, field.Forbidden(at, why))
}

// mount returns the reserved path that a mount collides with.
func (r Reserved) mount(at string) (string, bool) {
	if at == "" {
		return "", false
	}
	at = path.Clean(at)
	if slices.Contains(r.MountPaths, at) {
		return at, true
	}
	for _, tree := range r.MountTrees {
		if at == tree || strings.HasPrefix(at, tree+"/") {
			return tree, true
		}
	}
	return "", false
}
