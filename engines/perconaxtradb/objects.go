package perconaxtradb

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	"github.com/drydock-db/drydock/engines"
	"github.com/drydock-db/drydock/ops/mycnf"
)

// Names and paths of pods.
const (
	containerDatabase    = "perconaxtradb"
	containerCoordinator = "px-coordinator"
	containerInit        = "px-init"

	volumeRunScript = "run-script"

	dataPath      = "/var/lib/mysql"
	configPath    = "/etc/mysql/custom.conf.d"
	runScriptPath = "/run-script"
	certsPath     = "/etc/mysql/certs"

	envRootUser     = "MYSQL_ROOT_USERNAME"
	envRootPassword = "MYSQL_ROOT_PASSWORD"
)

// Ports besides that of clients where a node listens unless it is told otherwise.
const (
	portCopy    int32 = 4444 // a copy of all data (SST)
	portCluster int32 = 4567
	portCatchUp int32 = 4568 // what a node has missed (IST)
	portX       int32 = 33060
)

// The processes' user and group where the catalog does not say.
const databaseUser int64 = 1001

var databasePort, databaseService = engines.Port("db", engines.DatabasePort)

func certificateVolume(alias string) string { return "tls-" + alias + "-config" }

func certificatePath(alias string) string { return certsPath + "/" + alias }

func (e engine) Render(db engines.Database, in engines.Inputs) (engines.Objects, error) {
	return e.blueprint(db.(*kubedbv1.PerconaXtraDB), in).Render()
}

func (e engine) blueprint(db *kubedbv1.PerconaXtraDB, in engines.Inputs) engines.Blueprint {
	s := e.Settings(db)
	role := map[string]string{engines.LabelRole: "Primary"} // every Galera node takes writes
	var replication, monitor *kubedbv1.SecretReference
	if users := db.Spec.SystemUserSecrets; users != nil {
		replication, monitor = users.ReplicationUserSecret, users.MonitorUserSecret
	}
	b := engines.Blueprint{
		Database: db, Kind: e.Kind(), Settings: s, Inputs: in, Dialect: e.Dialect(&in.Version),
		User: databaseUser, Group: databaseUser,
		Ports:   []corev1.ServicePort{databaseService},
		Primary: role,
		Exporter: engines.Exporter{
			Secret: userSecret(db, monitor, "monitor"),
		},
	}
	b.AuthSecrets = slices.Concat(b.Credentials(replication, "replication", "repl"), b.Credentials(monitor, "monitor", "monitor"))
	if in.TLSSecret != "" {
		volume, mount := certificate(in.TLSSecret, kubedbv1.AliasMetricsExporter)
		b.Exporter.Volumes, b.Exporter.Mounts = []corev1.Volume{volume}, []corev1.VolumeMount{mount}
	}
	p := pods(in, s, env(db, s, replication, monitor))
	p.ExtraLabels = role
	p.Overlays = overlays(db.Spec.Coordinator)
	p.ConfigFile = config(b.Dialect, in.TLSSecret != "", db.Spec.RequireSSL)
	b.Pods = []engines.Pods{p}
	return b
}

// userSecret is the name of the Secret of an internal user: the one that the user names, else the operator's own.
func userSecret(db *kubedbv1.PerconaXtraDB, ref *kubedbv1.SecretReference, suffix string) string {
	if ref != nil && ref.Name != "" {
		return ref.Name
	}
	return engines.Suffixed(db.Name, suffix)
}

func pods(in engines.Inputs, s engines.Settings, env []corev1.EnvVar) engines.Pods {
	volumes := []corev1.Volume{engines.ScratchVolume(engines.VolumeScripts), engines.ScratchVolume(volumeRunScript)}
	shared := []corev1.VolumeMount{
		{Name: engines.VolumeData, MountPath: dataPath},
		{Name: engines.VolumeScripts, MountPath: engines.ScriptsPath},
		{Name: volumeRunScript, MountPath: runScriptPath},
	}
	if in.TLSSecret != "" {
		for _, alias := range []string{kubedbv1.AliasServer, kubedbv1.AliasClient} {
			volume, mount := certificate(in.TLSSecret, alias)
			volumes, shared = append(volumes, volume), append(shared, mount)
		}
	}
	initial, initialMounts := engines.InitialScript(s)
	p := engines.Pods{
		Group:     s.Groups[0],
		Volumes:   append(volumes, initial...),
		Resources: resources(),
		Readiness: readiness(),
		Containers: []corev1.Container{{
			Name:  containerDatabase,
			Image: in.Version.DB.Image,
			Ports: []corev1.ContainerPort{databasePort},
			Env:   env,
			VolumeMounts: slices.Concat(shared, initialMounts,
				[]corev1.VolumeMount{{Name: engines.VolumeConfig, MountPath: configPath, ReadOnly: true}}),
		}},
	}
	if image := in.Version.Coordinator; image != nil {
		p.Containers = append(p.Containers, corev1.Container{
			Name: containerCoordinator, Image: image.Image, Env: env, VolumeMounts: shared,
		})
	}
	if image := in.Version.InitContainer; image != nil {
		p.InitContainers = []corev1.Container{{Name: containerInit, Image: image.Image, Env: env, VolumeMounts: shared}}
	}
	return p
}

// certificate is the volume with one certificate and its mount, in a directory of its own.
func certificate(secret, alias string) (corev1.Volume, corev1.VolumeMount) {
	name := certificateVolume(alias)
	volume := engines.SecretVolume(name, secret,
		engines.SecretFile{Key: "ca.crt", Path: "ca.crt"},
		engines.SecretFile{Key: alias + ".crt", Path: "tls.crt"},
		engines.SecretFile{Key: alias + ".key", Path: "tls.key"})
	return volume, corev1.VolumeMount{Name: name, MountPath: certificatePath(alias), ReadOnly: true}
}

// env is what the images read: who the users are, and where the pod finds its peers.
func env(db *kubedbv1.PerconaXtraDB, s engines.Settings, replication, monitor *kubedbv1.SecretReference) []corev1.EnvVar {
	auth := engines.AuthSecretName(db, s)
	repl, mon := userSecret(db, replication, "replication"), userSecret(db, monitor, "monitor")
	return []corev1.EnvVar{
		engines.SecretEnv(envRootUser, auth, corev1.BasicAuthUsernameKey),
		engines.SecretEnv(envRootPassword, auth, corev1.BasicAuthPasswordKey),
		engines.SecretEnv("REPLICATION_USERNAME", repl, corev1.BasicAuthUsernameKey),
		engines.SecretEnv("REPLICATION_PASSWORD", repl, corev1.BasicAuthPasswordKey),
		engines.SecretEnv("MONITOR_USERNAME", mon, corev1.BasicAuthUsernameKey),
		engines.SecretEnv("MONITOR_PASSWORD", mon, corev1.BasicAuthPasswordKey),
		engines.FieldEnv("POD_NAME", "metadata.name"),
		engines.FieldEnv("POD_NAMESPACE", "metadata.namespace"),
		engines.FieldEnv("POD_IP", "status.podIP"),
		{Name: "CLUSTER_NAME", Value: db.Name},
		{Name: "GOVERNING_SERVICE", Value: engines.HeadlessService(db.Name)},
	}
}

// ready asks the node itself whether it takes queries: that is so when it has caught up, also while it feeds another
// node, and not when it is cut off from the majority. The password goes through the environment, so that it shows in no
// list of processes.
const ready = `MYSQL_PWD="$` + envRootPassword + `" mysql -h127.0.0.1 -u"$` + envRootUser +
	`" -NBe "SHOW GLOBAL STATUS LIKE 'wsrep_ready'" | grep -qw ON`

// readiness has no liveness probe beside it: a node that receives a full copy of the data is slow and not sick.
func readiness() *corev1.Probe {
	return &corev1.Probe{
		ProbeHandler:     corev1.ProbeHandler{Exec: &corev1.ExecAction{Command: []string{"/bin/sh", "-c", ready}}},
		TimeoutSeconds:   5,
		PeriodSeconds:    5,
		FailureThreshold: 3,
	}
}

func resources() map[string]corev1.ResourceRequirements {
	return map[string]corev1.ResourceRequirements{
		containerDatabase: {
			Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("500m"), corev1.ResourceMemory: resource.MustParse("1Gi")},
			Limits:   corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("1Gi")},
		},
		containerCoordinator: engines.CoordinatorResources(),
		containerInit:        engines.InitResources(),
	}
}

// overlays are settings of the coordinator in the older shape.
func overlays(c *kubedbv1.CoordinatorSpec) []corev1.Container {
	if c == nil {
		return nil
	}
	return []corev1.Container{{Name: containerCoordinator, Resources: c.Resources, SecurityContext: c.SecurityContext}}
}

// config is the lowest layer of the configuration. Percona's build encrypts the traffic between nodes with the server's
// certificate as soon as there is one, and then only with nodes that do the same; that would make it impossible to turn
// client TLS on node by node, so the two are kept apart from the start.
func config(d mycnf.Dialect, tls, requireSSL bool) string {
	lines := []string{"# Written by the operator. Files that sort after this one win.", "[" + d.Section + "]"}
	if d.Name == mycnf.MySQL.Name {
		lines = append(lines, "pxc_encrypt_cluster_traffic = OFF")
	}
	if tls {
		path := certificatePath(kubedbv1.AliasServer)
		lines = append(lines, "ssl_ca = "+path+"/ca.crt", "ssl_cert = "+path+"/tls.crt", "ssl_key = "+path+"/tls.key")
	}
	if tls && requireSSL {
		lines = append(lines, "require_secure_transport = ON")
	}
	return strings.Join(lines, "\n") + "\n"
}
