package singlestore

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/intstr"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	kubedbv1alpha2 "github.com/drydock-db/drydock/apis/kubedb/v1alpha2"
	"github.com/drydock-db/drydock/engines"
)

// Names and paths of pods.
const (
	containerDatabase    = "singlestore"
	containerCoordinator = "singlestore-coordinator"
	containerInit        = "singlestore-init"

	volumeTLS = "tls-volume"

	dataPath   = "/var/lib/memsql"
	configPath = "/etc/memsql/conf.d"
	certsPath  = "/etc/memsql/certs"
)

// The processes' user and group where the catalog does not say.
const (
	databaseUser  int64 = 999
	databaseGroup int64 = 998
)

var (
	databasePort, databaseService = engines.Port("db", engines.DatabasePort)
	studioPort, studioService     = engines.Port("studio", 8081)
)

func (e engine) Render(db engines.Database, in engines.Inputs) (engines.Objects, error) {
	return e.blueprint(db.(*kubedbv1alpha2.Singlestore), in).Render()
}

func (e engine) blueprint(db *kubedbv1alpha2.Singlestore, in engines.Inputs) engines.Blueprint {
	s := e.Settings(db)
	auth := engines.AuthSecretName(db, s)
	primary := map[string]string{engines.LabelPetSet: "standalone"}
	if db.Spec.Topology != nil {
		// Leaves take no queries from clients.
		primary = map[string]string{engines.LabelPetSet: aggregator}
	}
	b := engines.Blueprint{
		Database: db, Kind: e.Kind(), Settings: s, Inputs: in, Dialect: e.Dialect(&in.Version),
		User: databaseUser, Group: databaseGroup,
		Ports:    []corev1.ServicePort{databaseService, studioService},
		Primary:  primary,
		Exporter: engines.Exporter{Secret: auth},
	}
	for _, g := range s.Groups {
		b.Pods = append(b.Pods, pods(db, in, s, g, auth))
	}
	return b
}

func pods(db *kubedbv1alpha2.Singlestore, in engines.Inputs, s engines.Settings, g engines.GroupSettings, auth string) engines.Pods {
	cluster := db.Spec.Topology != nil
	initial, initialMounts := engines.InitialScript(s)
	shared := []corev1.VolumeMount{{Name: engines.VolumeScripts, MountPath: engines.ScriptsPath}}
	volumes := append([]corev1.Volume{engines.ScratchVolume(engines.VolumeScripts)}, initial...)
	if in.TLSSecret != "" {
		volumes = append(volumes, engines.SecretVolume(volumeTLS, in.TLSSecret, certificates()...))
		shared = append(shared, corev1.VolumeMount{Name: volumeTLS, MountPath: certsPath, ReadOnly: true})
	}
	database := corev1.Container{
		Name:  containerDatabase,
		Image: in.Version.DB.Image,
		Ports: []corev1.ContainerPort{databasePort, studioPort},
		Env:   env(db, auth),
		VolumeMounts: append(append([]corev1.VolumeMount{
			{Name: engines.VolumeData, MountPath: dataPath},
			{Name: engines.VolumeConfig, MountPath: configPath, ReadOnly: true},
		}, shared...), initialMounts...),
	}
	p := engines.Pods{
		Group:      g,
		Labels:     map[string]string{engines.LabelPetSet: "standalone"},
		Volumes:    volumes,
		Resources:  resources(),
		Readiness:  readiness(),
		ConfigFile: config(in.TLSSecret != ""),
	}
	if image := in.Version.InitContainer; image != nil {
		data := corev1.VolumeMount{Name: engines.VolumeData, MountPath: dataPath}
		p.InitContainers = []corev1.Container{{
			Name: containerInit, Image: image.Image, Env: database.Env, VolumeMounts: slices.Concat([]corev1.VolumeMount{data}, shared),
		}}
	}
	if !cluster {
		if in.Version.Standalone != nil {
			database.Image = in.Version.Standalone.Image
		}
		p.Containers = []corev1.Container{database}
		return p
	}
	p.Labels, p.Component = map[string]string{engines.LabelPetSet: g.Name}, g.Name
	p.Containers = []corev1.Container{database}
	if image := in.Version.Coordinator; image != nil {
		p.Containers = append(p.Containers, corev1.Container{
			Name: containerCoordinator, Image: image.Image, Env: env(db, auth), VolumeMounts: shared,
		})
	}
	return p
}

// env is what the images read. A database without a licence is refused at admission; here it only goes without.
func env(db *kubedbv1alpha2.Singlestore, auth string) []corev1.EnvVar {
	list := []corev1.EnvVar{
		engines.SecretEnv("ROOT_USERNAME", auth, corev1.BasicAuthUsernameKey),
		engines.SecretEnv("ROOT_PASSWORD", auth, corev1.BasicAuthPasswordKey),
	}
	if licence := db.Spec.LicenseSecret; licence != nil && licence.Name != "" {
		list = append(list,
			engines.SecretEnv("SINGLESTORE_LICENSE", licence.Name, "password"),
			engines.SecretEnv("LICENSE_KEY", licence.Name, "password"))
	}
	return append(list, engines.FieldEnv("HOST_IP", "status.hostIP"))
}

// certificates lie flat in one directory under their aliases.
func certificates() []engines.SecretFile {
	files := []engines.SecretFile{{Key: "ca.crt", Path: "ca.crt"}}
	for _, alias := range []string{kubedbv1.AliasServer, kubedbv1.AliasClient} {
		files = append(files,
			engines.SecretFile{Key: alias + ".crt", Path: alias + ".crt"},
			engines.SecretFile{Key: alias + ".key", Path: alias + ".key"})
	}
	return files
}

// readiness asks whether the port answers. More than that is not to be had in every pod: standalone and cluster images
// bring different clients, and a leaf knows no password before the coordinator has added it to its cluster. There is no
// liveness probe: recovering a large database takes as long as it takes.
func readiness() *corev1.Probe {
	return &corev1.Probe{
		ProbeHandler:     corev1.ProbeHandler{TCPSocket: &corev1.TCPSocketAction{Port: intstr.FromInt32(engines.DatabasePort)}},
		TimeoutSeconds:   5,
		PeriodSeconds:    5,
		FailureThreshold: 3,
	}
}

func resources() map[string]corev1.ResourceRequirements {
	return map[string]corev1.ResourceRequirements{
		containerDatabase: {
			Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("600m"), corev1.ResourceMemory: resource.MustParse("2Gi")},
			Limits:   corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("2Gi")},
		},
		containerCoordinator: engines.CoordinatorResources(),
		containerInit:        engines.InitResources(),
	}
}

// config is the lowest layer of the configuration.
func config(tls bool) string {
	lines := []string{"# Written by the operator. Files that sort after this one win.", "[server]"}
	if tls {
		lines = append(lines,
			"ssl_ca = "+certsPath+"/ca.crt",
			"ssl_cert = "+certsPath+"/server.crt",
			"ssl_key = "+certsPath+"/server.key")
	}
	return strings.Join(lines, "\n") + "\n"
}
