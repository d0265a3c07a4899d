//go:build lab

package bench

import (
	"fmt"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
)

// operation is what is measured.
type operation struct {
	name string
	// tls tells that the database needs it.
	tls bool
	// restarts tells that the pods restart one after the other, so that a rollout of an equal StatefulSet compares.
	restarts bool
	// ask fills the n-th request.
	ask func(spec *opsv1.PerconaXtraDBOpsRequestSpec, n int)
	// own are the writes that such an operation on that many pods must make besides those of every operation.
	own func(pods int) floor
}

// floor counts the writes that cannot be left out.
type floor map[string]int

// everyOperation are the writes of any operation on that many pods: a progress patch for each pod, the first and the last
// status, pause and resume, the saved revision, the finalizer's removal and two events.
func everyOperation(pods int) floor {
	return floor{"progress": pods, "first and last status": 2, "pause and resume": 2, "saved revision": 1, "finalizer": 1, "events": 2}
}

func (o operation) floor(pods int) int {
	total := 0
	for _, part := range []floor{everyOperation(pods), o.own(pods)} {
		for _, n := range part {
			total += n
		}
	}
	return total
}

func (o operation) request(namespace string, n int) *opsv1.PerconaXtraDBOpsRequest {
	r := &opsv1.PerconaXtraDBOpsRequest{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: fmt.Sprintf("run-%d", n)}}
	r.Spec.DatabaseRef.Name = database
	o.ask(&r.Spec, n)
	return r
}

// aliases is the number of certificates of a PerconaXtraDB.
const aliases = 3

var operations = []operation{
	{
		name: "Restart", restarts: true,
		ask: func(s *opsv1.PerconaXtraDBOpsRequestSpec, _ int) { s.Type = opsv1.Restart },
		own: func(pods int) floor { return floor{"evictions": pods, "workload": 1} },
	},
	{
		name: "Reconfigure", restarts: true,
		ask: func(s *opsv1.PerconaXtraDBOpsRequestSpec, n int) {
			s.Type = opsv1.Reconfigure
			s.Configuration = &opsv1.ReconfigurationSpec{
				ApplyConfig: map[string]string{"bench.cnf": fmt.Sprintf("[mysqld]\nmax_connections = %d\n", 200+n)},
			}
		},
		own: func(pods int) floor { return floor{"evictions": pods, "workload": 1, "config Secret": 1, "spec": 1} },
	},
	{
		name: "ReconfigureTLS-rotate", tls: true, restarts: true,
		ask: func(s *opsv1.PerconaXtraDBOpsRequestSpec, _ int) {
			s.Type, s.TLS = opsv1.ReconfigureTLS, &opsv1.PerconaXtraDBTLSSpec{}
			s.TLS.RotateCertificates = true
		},
		// The record of what was issued is what keeps a rotation from being repeated after a crash.
		own: func(pods int) floor {
			return floor{"evictions": pods, "workload": 1, "certificates": aliases, "copy": 1, "record": 1}
		},
	},
	{
		name: "VolumeExpansion-Online",
		ask:  expand(opsv1.ModeOnline),
		own: func(pods int) floor {
			return floor{"claims": pods, "spec": 1, "workload deleted": 1, "workload": 1}
		},
	},
	{
		name: "VolumeExpansion-Offline",
		ask:  expand(opsv1.ModeOffline),
		own: func(pods int) floor {
			return floor{"claims": pods, "pods deleted": pods, "pods brought back": pods, "spec": 1, "workload deleted": 1, "workload": 1}
		},
	},
}

func expand(mode opsv1.VolumeExpansionMode) func(*opsv1.PerconaXtraDBOpsRequestSpec, int) {
	return func(s *opsv1.PerconaXtraDBOpsRequestSpec, n int) {
		s.Type = opsv1.VolumeExpansion
		s.VolumeExpansion = &opsv1.PerconaXtraDBVolumeExpansion{Mode: mode, PerconaXtraDB: new(resource.MustParse(fmt.Sprintf("%dGi", 2+n)))}
	}
}
