//go:build lab

package bench

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/test/framework"
)

// operation is what is measured. A new one is one entry in operations.
type operation struct {
	name string
	on   subject
	// tls tells that the database has certificates when the operation begins; they are from issuer one.
	tls bool
	// once tells that the operation changes the database for good, so that each run needs a new one.
	once bool
	// rolls is how often each pod restarts, one after the other. As often an equal StatefulSet is rolled out beside it; where no
	// pod restarts, nothing is.
	rolls int
	// beyond is what the operation does in its time that those rollouts do not.
	beyond string
	// ask makes the n-th request.
	ask func(n int) framework.Request
	// own are the writes that such an operation on that many pods must make besides those that floor knows.
	own func(pods int) floor
}

// aliases is the number of certificates of a PerconaXtraDB.
const aliases = 3

// operations are the rows of the table. internal/steps is where what they write is written.
var operations = []operation{
	{
		name: "Restart", on: percona, rolls: 1,
		ask: func(int) framework.Request { return px(opsv1.Restart, pxSpec{}) },
	},
	{
		name: "Restart-Singlestore", on: cluster, rolls: 1, // leaves and aggregators are two workloads
		ask: func(int) framework.Request {
			r := &opsv1.SinglestoreOpsRequest{}
			r.Spec.Type = opsv1.Restart
			return r
		},
	},
	{
		name: "Reconfigure", on: percona, rolls: 1,
		ask: func(n int) framework.Request {
			settings := map[string]string{"bench.cnf": fmt.Sprintf("[mysqld]\nmax_connections = %d\n", 200+n)}
			return px(opsv1.Reconfigure, pxSpec{Configuration: &opsv1.ReconfigurationSpec{ApplyConfig: settings}})
		},
		own: func(int) floor { return floor{"config Secret": 1, "spec": 1} },
	},
	{
		name: "ReconfigureTLS-add", on: percona, once: true, rolls: 1, beyond: "issuing certificates",
		ask: reconfigureTLS(opsv1.TLSSpec{TLSConfig: from("one")}),
		// A Certificate for each alias, one Secret with all that was issued for the pods to mount, and the record of its name,
		// which is not known before. The configuration names the files, so it is a new Secret too.
		own: func(int) floor {
			return floor{"spec": 1, "Certificates made": aliases, "copy": 1, "record": 1, "config Secret": 1}
		},
	},
	{
		name: "ReconfigureTLS-rotate", on: percona, tls: true, rolls: 1, beyond: "issuing certificates",
		ask: reconfigureTLS(opsv1.TLSSpec{RotateCertificates: true}),
		// cert-manager has to be told for each alias. The spec and the configuration stay; the authority does too, so that pods
		// restart once. The record keeps a rotation from being repeated after a crash.
		own: func(int) floor { return floor{"Certificates triggered": aliases, "copy": 1, "record": 1} },
	},
	{
		name: "ReconfigureTLS-issuer", on: percona, tls: true, once: true, rolls: 2,
		beyond: "issuing certificates; pods restart twice, beside two rollouts",
		ask:    reconfigureTLS(opsv1.TLSSpec{TLSConfig: from("two")}),
		// Each pod restarts twice: to trust the new authority, and to present a certificate of it. So there are two copies: the
		// old certificates beside both authorities, then the new ones. cert-manager notices the other issuer by itself.
		own: func(int) floor { return floor{"spec": 1, "Certificates changed": aliases, "copies": 2, "record": 1} },
	},
	{
		name: "ReconfigureTLS-remove", on: percona, tls: true, once: true, rolls: 1, beyond: "removing certificates",
		ask: reconfigureTLS(opsv1.TLSSpec{Remove: true}),
		// cert-manager leaves the Secret of a Certificate that is deleted, and nobody but the operator knows the copy that pods
		// mounted. The configuration no longer names the files.
		own: func(int) floor {
			return floor{"spec": 1, "config Secret": 1, "Certificates deleted": aliases, "their Secrets deleted": aliases, "copy deleted": 1}
		},
	},
	{
		name: "VolumeExpansion-Online", on: percona,
		ask: expand(opsv1.ModeOnline),
		// No pod restarts. The claim templates of a StatefulSet cannot change, so it is deleted and made again around its pods.
		own: func(pods int) floor { return floor{"claims": pods, "spec": 1, "workload deleted": 1, "workload": 1} },
	},
	{
		name: "VolumeExpansion-Offline", on: percona, rolls: 1, beyond: "growing each volume while its pod is away",
		ask: expand(opsv1.ModeOffline),
		// Pods are deleted, not evicted, while no workload would bring them back. Whoever detached the workload once and made the
		// pods itself could do with this; the operator detaches and applies the workload for each pod, which is one write more.
		own: func(pods int) floor {
			return floor{"claims": pods, "pods brought back": pods, "spec": 1, "workload deleted": 1}
		},
	},
}

// floor are writes that cannot be left out, by what they are for.
type floor map[string]int

// floor of the operation on that many pods. Any has the first and the last status, pause and resume, the saved revision, the
// finalizer's removal, two events and a progress patch for each pod. Each time that the pods restart, every one is told to leave,
// by an eviction as a rule, and that is worth a progress patch; before that, the template of every workload changes. The deletion
// of what the operation before has left is not in it, although every operation but the first has that to do.
func (o operation) floor(pods int) floor {
	f := floor{
		"first and last status": 2, "pause and resume": 2, "saved revision": 1, "finalizer removed": 1, "events": 2,
		"progress": max(o.rolls, 1) * pods,
	}
	if o.rolls > 0 {
		f["pods told to leave"] = o.rolls * pods
		f["workload"] = o.rolls * o.on.groups
	}
	if o.own != nil {
		for what, n := range o.own(pods) {
			f[what] += n
		}
	}
	return f
}

func (f floor) total() int {
	total := 0
	for _, n := range f {
		total += n
	}
	return total
}

type pxSpec = opsv1.PerconaXtraDBOpsRequestSpec

// px is a request about a PerconaXtraDB.
func px(kind opsv1.OpsType, spec pxSpec) framework.Request {
	spec.Type = kind
	return &opsv1.PerconaXtraDBOpsRequest{Spec: spec}
}

func reconfigureTLS(change opsv1.TLSSpec) func(int) framework.Request {
	return func(int) framework.Request {
		return px(opsv1.ReconfigureTLS, pxSpec{TLS: &opsv1.PerconaXtraDBTLSSpec{TLSSpec: change}})
	}
}

func expand(mode opsv1.VolumeExpansionMode) func(int) framework.Request {
	return func(n int) framework.Request {
		size := resource.MustParse(fmt.Sprintf("%dGi", 1+n))
		return px(opsv1.VolumeExpansion, pxSpec{VolumeExpansion: &opsv1.PerconaXtraDBVolumeExpansion{Mode: mode, PerconaXtraDB: &size}})
	}
}

// from are certificates of that issuer.
func from(issuer string) kubedbv1.TLSConfig {
	ref := &corev1.TypedLocalObjectReference{APIGroup: new("cert-manager.io"), Kind: "Issuer", Name: issuer}
	return kubedbv1.TLSConfig{IssuerRef: ref}
}

// issues tells whether the operation has to do with certificates, so that there have to be issuers.
func (o operation) issues() bool { return o.ask(1).RequestSpec().Type == opsv1.ReconfigureTLS }
