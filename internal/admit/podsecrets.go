package admit

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	"github.com/drydock-db/drydock/engines"
)

// secretsOfPods lists the Secrets that pod templates and initial scripts bring into pods. A pod shows its Secrets to
// whoever can run a command in it, so a database must not be a way around the right to read them.
func secretsOfPods(s engines.Settings) []secretRef {
	var c secretCollector
	if init := inner(s.Init); init != nil && init.Script != nil {
		at := specPath.Child("init", "script")
		c.source(at, init.Script.VolumeSource)
		if git := init.Script.Git; git != nil {
			c.env(at.Child("git", "env"), git.Env, forOpening)
			if git.AuthSecret != nil {
				c.add(at.Child("git", "authSecret", "name"), git.AuthSecret.Name, forOpening)
			}
		}
	}
	if m := inner(s.Monitor); m != nil && m.Prometheus != nil {
		c.env(specPath.Child("monitor", "prometheus", "exporter", "env"), m.Prometheus.Exporter.Env, forPods)
	}
	for _, g := range s.Groups {
		c.template(g.Path.Child("podTemplate", "spec"), &g.PodTemplate().Spec)
	}
	return c.refs
}

type secretCollector struct{ refs []secretRef }

func (c *secretCollector) add(at *field.Path, name string, use purpose) {
	if name != "" {
		c.refs = append(c.refs, secretRef{at, name, use})
	}
}

func (c *secretCollector) template(at *field.Path, s *kubedbv1.PodSpec) {
	for i, v := range s.Volumes {
		c.source(at.Child("volumes").Index(i), v.VolumeSource)
	}
	c.containers(at.Child("initContainers"), s.InitContainers)
	c.containers(at.Child("containers"), s.Containers)
	c.env(at.Child("env"), s.Env, forPods)
	for i, pull := range s.ImagePullSecrets {
		c.add(at.Child("imagePullSecrets").Index(i).Child("name"), pull.Name, forOpening)
	}
}

func (c *secretCollector) containers(at *field.Path, list []corev1.Container) {
	for i, container := range list {
		c.env(at.Index(i).Child("env"), container.Env, forPods)
		for j, from := range container.EnvFrom {
			if from.SecretRef != nil {
				c.add(at.Index(i).Child("envFrom").Index(j).Child("secretRef", "name"), from.SecretRef.Name, forPods)
			}
		}
	}
}

func (c *secretCollector) env(at *field.Path, list []corev1.EnvVar, use purpose) {
	for i, v := range list {
		if v.ValueFrom != nil && v.ValueFrom.SecretKeyRef != nil {
			c.add(at.Index(i).Child("valueFrom", "secretKeyRef", "name"), v.ValueFrom.SecretKeyRef.Name, use)
		}
	}
}

// source looks into every kind of volume that can hold or be opened by a Secret of the namespace.
func (c *secretCollector) source(at *field.Path, v corev1.VolumeSource) {
	if v.Secret != nil {
		c.add(at.Child("secret", "secretName"), v.Secret.SecretName, forPods)
	}
	if v.Projected != nil {
		for i, p := range v.Projected.Sources {
			if p.Secret != nil {
				c.add(at.Child("projected", "sources").Index(i).Child("secret", "name"), p.Secret.Name, forPods)
			}
		}
	}
	if v.AzureFile != nil {
		c.add(at.Child("azureFile", "secretName"), v.AzureFile.SecretName, forOpening)
	}
	if kind, name, ref := opener(v); ref != nil {
		c.add(at.Child(kind, name, "name"), ref.Name, forOpening)
	}
}

// opener is the reference to what opens a volume that is elsewhere, and where it is. A volume is of one kind.
func opener(v corev1.VolumeSource) (kind, name string, ref *corev1.LocalObjectReference) {
	const secretRef = "secretRef"
	switch {
	case v.CSI != nil:
		return "csi", "nodePublishSecretRef", v.CSI.NodePublishSecretRef
	case v.ISCSI != nil:
		return "iscsi", secretRef, v.ISCSI.SecretRef
	case v.FlexVolume != nil:
		return "flexVolume", secretRef, v.FlexVolume.SecretRef
	case v.CephFS != nil:
		return "cephfs", secretRef, v.CephFS.SecretRef
	case v.Cinder != nil:
		return "cinder", secretRef, v.Cinder.SecretRef
	case v.RBD != nil:
		return "rbd", secretRef, v.RBD.SecretRef
	case v.ScaleIO != nil:
		return "scaleIO", secretRef, v.ScaleIO.SecretRef
	case v.StorageOS != nil:
		return "storageos", secretRef, v.StorageOS.SecretRef
	}
	return "", "", nil
}
