package engines

import (
	"strconv"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
)

// Aliases of Services that serviceTemplates may override. The others of the API (standby, secondary, dashboard) name
// Services that the kinds here do not have.
const (
	AliasPrimary = "primary"
	AliasStats   = "stats"
)

// services are the headless one, the primary one and, when metrics are asked for, the stats one.
func (b Blueprint) services() []*corev1.Service {
	name := b.Database.GetName()
	headless := b.service(HeadlessService(name), b.Ports[:1], nil)
	headless.Spec.ClusterIP = corev1.ClusterIPNone
	// Pods find each other before they are ready; otherwise a cluster that is down altogether could never start.
	headless.Spec.PublishNotReadyAddresses = true

	primary := b.service(name, b.Ports, b.Primary)
	b.override(primary, AliasPrimary)
	services := []*corev1.Service{headless, primary}
	if inner(b.Settings.Monitor) != nil {
		services = append(services, b.stats())
	}
	return services
}

func (b Blueprint) service(name string, ports []corev1.ServicePort, among map[string]string) *corev1.Service {
	return &corev1.Service{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Service"},
		ObjectMeta: b.meta(name),
		Spec: corev1.ServiceSpec{
			Ports:    append([]corev1.ServicePort{}, ports...),
			Selector: with(SelectorLabels(b.Kind, b.Database), among),
		},
	}
}

// stats is what a Prometheus scrapes; it lists pods that are not ready too, since those are the interesting ones.
func (b Blueprint) stats() *corev1.Service {
	monitor := inner(b.Settings.Monitor)
	port := exporterPort(monitor)
	s := b.service(StatsService(b.Database.GetName()), []corev1.ServicePort{{
		Name: PortMetrics, Port: port, TargetPort: intstr.FromInt32(port), Protocol: corev1.ProtocolTCP,
	}}, nil)
	s.Labels[LabelRole] = AliasStats
	s.Spec.PublishNotReadyAddresses = true
	if monitor.Agent != "" {
		s.Annotations = map[string]string{"monitoring.appscode.com/agent": monitor.Agent}
	}
	if monitor.Agent == "prometheus.io/builtin" {
		s.Annotations["prometheus.io/scrape"] = "true"
		s.Annotations["prometheus.io/scheme"] = "http"
		s.Annotations["prometheus.io/path"] = "/metrics"
		s.Annotations["prometheus.io/port"] = strconv.Itoa(int(port))
	}
	b.override(s, AliasStats)
	return s
}

// override puts the user's templates of that alias over the Service. The operator's labels stay: they are how its
// objects are found.
func (b Blueprint) override(s *corev1.Service, alias string) {
	if b.Settings.ServiceTemplates == nil {
		return
	}
	for _, t := range *b.Settings.ServiceTemplates {
		if t.Alias != alias {
			continue
		}
		s.Labels = with(t.Labels, s.Labels)
		if len(t.Annotations) > 0 {
			s.Annotations = with(s.Annotations, t.Annotations)
		}
		overrideService(&s.Spec, t.Spec.DeepCopy())
	}
}

func overrideService(s *corev1.ServiceSpec, t *kubedbv1.ServiceSpec) {
	set(&s.Type, t.Type)
	set(&s.ClusterIP, t.ClusterIP)
	set(&s.LoadBalancerIP, t.LoadBalancerIP)
	set(&s.LoadBalancerClass, t.LoadBalancerClass)
	set(&s.ExternalTrafficPolicy, t.ExternalTrafficPolicy)
	set(&s.InternalTrafficPolicy, t.InternalTrafficPolicy)
	set(&s.HealthCheckNodePort, t.HealthCheckNodePort)
	if len(t.ExternalIPs) > 0 {
		s.ExternalIPs = t.ExternalIPs
	}
	if len(t.LoadBalancerSourceRanges) > 0 {
		s.LoadBalancerSourceRanges = t.LoadBalancerSourceRanges
	}
	if t.SessionAffinityConfig != nil {
		s.SessionAffinity, s.SessionAffinityConfig = corev1.ServiceAffinityClientIP, t.SessionAffinityConfig
	}
	for i := range s.Ports {
		overridePort(&s.Ports[i], t.Ports)
	}
}

// overridePort takes the numbers of the port of the same name. Ports of other names lead nowhere and are passed over,
// as KubeDB does: its guides print some.
func overridePort(p *corev1.ServicePort, templates []kubedbv1.ServicePort) {
	for _, t := range templates {
		if t.Name == p.Name {
			set(&p.Port, t.Port)
			set(&p.NodePort, t.NodePort)
		}
	}
}

// set writes the value unless it is the zero value, which means that the user left it open.
func set[T comparable](to *T, value T) {
	var zero T
	if value != zero {
		*to = value
	}
}
