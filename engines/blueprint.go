package engines

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/drydock-db/drydock/ops/mycnf"
)

// Blueprint is what one kind tells the renderer, which is the same for all kinds. Everything in it belongs to the
// kind; everything that two kinds would have in common is added by Render.
type Blueprint struct {
	Database Database
	Kind     Kind
	Settings Settings
	Inputs   Inputs
	Dialect  mycnf.Dialect
	// User and Group that the processes run as where the catalog does not say.
	User, Group int64
	// Ports of the primary Service; the first is the database's own.
	Ports []corev1.ServicePort
	// Primary are the labels by which the primary Service selects among the database's pods.
	Primary map[string]string
	// AuthSecrets besides the administrator's; see Credentials.
	AuthSecrets []AuthSecret
	// Exporter is what the metrics sidecar needs, which is there only when the user asks for monitoring.
	Exporter Exporter
	// Pods in the order in which operations restart them.
	Pods []Pods
}

// Pods is what is special about the pods of one group.
type Pods struct {
	Group GroupSettings
	// Labels tell this group's pods from the others; they are part of every selector and cannot change.
	Labels map[string]string
	// ExtraLabels are put on the pods and are part of no selector of a workload.
	ExtraLabels map[string]string
	// Component is the word in the name of the configuration Secret; empty where the database has one group.
	Component string
	// InitContainers, Containers and Volumes are the kind's own; the first container runs the database.
	InitContainers, Containers []corev1.Container
	Volumes                    []corev1.Volume
	// Resources by container name, for what the user leaves open.
	Resources map[string]corev1.ResourceRequirements
	// Readiness of the database container.
	Readiness *corev1.Probe
	// Overlays are fields of older API shapes that belong to a container, by container name. The podTemplate wins over them.
	Overlays []corev1.Container
	// ConfigFile is the lowest layer of the configuration.
	ConfigFile string
}

// Names of volumes that all kinds have.
const (
	VolumeData    = "data"
	VolumeConfig  = "custom-config"
	VolumeScripts = "init-scripts"
	VolumeInitial = "initial-script"
)

// InitialScriptPath is where the database looks for scripts to run on its first start.
const InitialScriptPath = "/docker-entrypoint-initdb.d"

// ScriptsPath is where the init container leaves its scripts for the others.
const ScriptsPath = "/scripts"

// DatabasePort is the port of the MySQL protocol, which all kinds speak.
const DatabasePort int32 = 3306

// Port returns a container port and the Service port that leads to it, under one name. It leads there by number, since a
// user's template may rename the container's port.
func Port(name string, number int32) (corev1.ContainerPort, corev1.ServicePort) {
	return corev1.ContainerPort{Name: name, ContainerPort: number, Protocol: corev1.ProtocolTCP},
		corev1.ServicePort{Name: name, Port: number, TargetPort: intstr.FromInt32(number), Protocol: corev1.ProtocolTCP}
}

// SecretEnv takes an environment variable from a key of a Secret.
func SecretEnv(name, secret, key string) corev1.EnvVar {
	return corev1.EnvVar{Name: name, ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{
		LocalObjectReference: corev1.LocalObjectReference{Name: secret}, Key: key,
	}}}
}

// FieldEnv takes an environment variable from a field of the pod.
func FieldEnv(name, path string) corev1.EnvVar {
	return corev1.EnvVar{Name: name, ValueFrom: &corev1.EnvVarSource{
		FieldRef: &corev1.ObjectFieldSelector{APIVersion: "v1", FieldPath: path},
	}}
}

// ScratchVolume is a volume that lives as long as its pod.
func ScratchVolume(name string) corev1.Volume {
	return corev1.Volume{Name: name, VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}}
}

// secretMode lets the pod's group read a Secret's files and nobody else: they are keys and configuration.
const secretMode int32 = 0o440

// SecretFile is a key of a Secret and the file that it becomes.
type SecretFile struct{ Key, Path string }

// SecretVolume holds the named keys of a Secret as files; all of them when none is named.
func SecretVolume(name, secret string, files ...SecretFile) corev1.Volume {
	source := &corev1.SecretVolumeSource{SecretName: secret, DefaultMode: new(secretMode)}
	for _, f := range files {
		source.Items = append(source.Items, corev1.KeyToPath{Key: f.Key, Path: f.Path})
	}
	return corev1.Volume{Name: name, VolumeSource: corev1.VolumeSource{Secret: source}}
}

// InitialScript is the volume with the user's first scripts and its mount; none when the user gives no volume.
// A git repository is not a volume source and is not acted on.
func InitialScript(s Settings) ([]corev1.Volume, []corev1.VolumeMount) {
	init := inner(s.Init)
	if init == nil || init.Script == nil || init.Script.VolumeSource == (corev1.VolumeSource{}) {
		return nil, nil
	}
	return []corev1.Volume{{Name: VolumeInitial, VolumeSource: *init.Script.VolumeSource.DeepCopy()}},
		[]corev1.VolumeMount{{Name: VolumeInitial, MountPath: InitialScriptPath, ReadOnly: true}}
}
