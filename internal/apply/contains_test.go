package apply

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/intstr"
)

func probe(successes int32) *corev1.Probe {
	return &corev1.Probe{
		ProbeHandler:     corev1.ProbeHandler{TCPSocket: &corev1.TCPSocketAction{Port: intstr.FromInt32(3306)}},
		SuccessThreshold: successes,
	}
}

func TestContains(t *testing.T) {
	container := func(change func(*corev1.Container)) *corev1.PodSpec {
		c := corev1.Container{Name: "db", Image: "db:1", ReadinessProbe: probe(0), Resources: corev1.ResourceRequirements{
			Requests: corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("1024Mi")}}}
		if change != nil {
			change(&c)
		}
		return &corev1.PodSpec{Containers: []corev1.Container{c}}
	}
	live := container(func(c *corev1.Container) {
		c.ReadinessProbe, c.TerminationMessagePath = probe(1), "/dev/termination-log"
		c.Resources.Requests[corev1.ResourceMemory] = resource.MustParse("1Gi")
	})
	for name, c := range map[string]struct {
		desired *corev1.PodSpec
		want    bool
	}{
		"what the server filled in does not count": {container(nil), true},
		"another image":   {container(func(c *corev1.Container) { c.Image = "db:2" }), false},
		"a variable more": {container(func(c *corev1.Container) { c.Env = []corev1.EnvVar{{Name: "A", Value: "b"}} }), false},
		"other memory": {container(func(c *corev1.Container) {
			c.Resources.Requests[corev1.ResourceMemory] = resource.MustParse("2Gi")
		}), false},
		"a container less": {&corev1.PodSpec{Containers: []corev1.Container{{Name: "db"}, {Name: "two"}}}, false},
		"nothing asked":    {&corev1.PodSpec{}, true},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Contains(live, c.desired); got != c.want {
				t.Errorf("Contains is %t, want %t", got, c.want)
			}
		})
	}
}
