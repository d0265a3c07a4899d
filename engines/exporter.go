package engines

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
)

// Exporter is what the metrics sidecar of a kind needs to know.
type Exporter struct {
	// Secret with the credentials that it logs in with.
	Secret string
	// Volumes and Mounts that it needs besides the pod's.
	Volumes []corev1.Volume
	Mounts  []corev1.VolumeMount
}

const (
	// ContainerExporter is the name of the metrics sidecar.
	ContainerExporter = "exporter"
	// PortMetrics is the name of its port, in pods and in the stats Service.
	PortMetrics = "metrics"

	defaultMetricsPort int32 = 9104
)

func exporterPort(monitor *kubedbv1.AgentSpec) int32 {
	if monitor.Prometheus != nil && monitor.Prometheus.Exporter.Port != 0 {
		return monitor.Prometheus.Exporter.Port
	}
	return defaultMetricsPort
}

// exporter is the metrics sidecar; none when the user asks for no monitoring, or the version names no image for it.
func (b Blueprint) exporter() []corev1.Container {
	monitor := inner(b.Settings.Monitor)
	if monitor == nil || b.Inputs.Version.Exporter == nil {
		return nil
	}
	var user kubedbv1.PrometheusExporterSpec
	if monitor.Prometheus != nil {
		user = *monitor.Prometheus.Exporter.DeepCopy()
	}
	port := exporterPort(monitor)
	args := []string{
		fmt.Sprintf("--web.listen-address=:%d", port),
		fmt.Sprintf("--mysqld.address=127.0.0.1:%d", DatabasePort),
		"--mysqld.username=$(EXPORTER_USERNAME)",
	}
	if b.Inputs.TLSSecret != "" {
		// The server's certificate is not made for 127.0.0.1 in every case, and this connection never leaves the pod.
		args = append(args, "--tls.insecure-skip-verify")
	}
	return []corev1.Container{{
		Name:  ContainerExporter,
		Image: b.Inputs.Version.Exporter.Image,
		Args:  append(args, user.Args...),
		Ports: []corev1.ContainerPort{{Name: PortMetrics, ContainerPort: port, Protocol: corev1.ProtocolTCP}},
		Env: append([]corev1.EnvVar{
			SecretEnv("EXPORTER_USERNAME", b.Exporter.Secret, corev1.BasicAuthUsernameKey),
			SecretEnv("MYSQLD_EXPORTER_PASSWORD", b.Exporter.Secret, corev1.BasicAuthPasswordKey),
		}, user.Env...),
		Resources:       user.Resources,
		SecurityContext: user.SecurityContext,
		VolumeMounts:    b.Exporter.Mounts,
	}}
}
