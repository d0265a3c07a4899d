//go:build lab

package acceptance

import (
	"context"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	kubedbv1alpha2 "github.com/drydock-db/drydock/apis/kubedb/v1alpha2"
)

// bad is a manifest that must not be admitted, and what the answer has to hold.
type bad struct {
	title, manifest string
	fragments       []string
}

// ops makes an OpsRequest of a kind and the lines of its spec.
func ops(kind, spec string) string {
	return "apiVersion: ops.kubedb.com/v1alpha1\nkind: " + kind + "OpsRequest\nmetadata: {name: bad}\nspec:\n  " +
		strings.ReplaceAll(strings.TrimSpace(spec), "\n", "\n  ") + "\n"
}

func singlestore(spec string) string { return ops("Singlestore", spec) }
func perconaOps(spec string) string  { return ops("PerconaXtraDB", spec) }

// badRequests are requests of every type that can never succeed.
var badRequests = []bad{
	{"no database", perconaOps("type: Restart\ndatabaseRef: {name: ''}"), []string{"spec.databaseRef.name: Required value"}},
	{"a database that is not there", perconaOps("type: Restart\ndatabaseRef: {name: ghost}"), []string{"spec.databaseRef.name: Not found", "ghost", "create it first"}},
	{"an operation that is not carried out here", perconaOps("type: HorizontalScaling\ndatabaseRef: {name: px}"), []string{"spec.type: Unsupported value", `"Reconfigure"`}},
	{"an operation that does not exist", perconaOps("type: Reboot\ndatabaseRef: {name: px}"), []string{"spec.type: Unsupported value"}},
	{"a database that is halted", perconaOps("type: Restart\ndatabaseRef: {name: halted}"), []string{"spec.databaseRef.name: Forbidden", "spec.halted"}},
	{"no section", perconaOps("type: Reconfigure\ndatabaseRef: {name: px}"), []string{"spec.configuration: Required value"}},
	{"the section of another type", perconaOps("type: Restart\ndatabaseRef: {name: px}\ntls: {remove: true}"), []string{"spec.tls: Forbidden"}},
	{"a timeout of nothing", perconaOps("type: Restart\ndatabaseRef: {name: px}\ntimeout: 0s"), []string{"spec.timeout: Invalid value"}},
	{"values of wrong types", perconaOps("type: Restart\ndatabaseRef: {name: px}\ntimeout: 300\nmaxRetries: \"1\""),
		[]string{"spec.timeout: Invalid value", "spec.maxRetries: Invalid value"}},
	{"a timeout that is no duration", perconaOps("type: Restart\ndatabaseRef: {name: px}\ntimeout: 1d"), []string{"spec.timeout: Invalid value", "10m or 1h30m"}},
	{"negative retries", perconaOps("type: Restart\ndatabaseRef: {name: px}\nmaxRetries: -1"), []string{"spec.maxRetries: Invalid value"}},
	{"node on a cluster", singlestore("type: Reconfigure\ndatabaseRef: {name: sdb}\nconfiguration: {node: {removeCustomConfig: true}}"),
		[]string{"spec.configuration.node: Forbidden", "aggregator"}},
	{"leaf on a standalone database", singlestore("type: Reconfigure\ndatabaseRef: {name: one}\nconfiguration: {leaf: {removeCustomConfig: true}}"),
		[]string{"spec.configuration.leaf: Forbidden", "node"}},
	{"a component without a change", singlestore("type: Reconfigure\ndatabaseRef: {name: sdb}\nconfiguration: {aggregator: {}}"),
		[]string{"spec.configuration.aggregator: Required value", "applyConfig"}},
	{"a Secret that is not there", perconaOps("type: Reconfigure\ndatabaseRef: {name: px}\nconfiguration: {configSecret: {name: ghost}}"),
		[]string{"spec.configuration.configSecret.name: Not found", "ghost"}},
	{"a Secret without configuration", perconaOps("type: Reconfigure\ndatabaseRef: {name: px}\nconfiguration: {configSecret: {name: empty}}"),
		[]string{"spec.configuration.configSecret.name: Invalid value", ".cnf"}},
	{"a Secret that cannot be read as configuration", perconaOps("type: Reconfigure\ndatabaseRef: {name: px}\nconfiguration: {configSecret: {name: garbage}}"),
		[]string{"spec.configuration.configSecret.name: Invalid value", "line 2"}},
	{"a setting that the operator owns", perconaOps("type: Reconfigure\ndatabaseRef: {name: px}\nconfiguration: {applyConfig: {a.cnf: \"[mysqld]\\ndatadir = /tmp\\n\"}}"),
		[]string{"spec.configuration.applyConfig[a.cnf]: Invalid value", "datadir"}},
	{"an include", perconaOps("type: Reconfigure\ndatabaseRef: {name: px}\nconfiguration: {applyConfig: {a.cnf: \"!include /etc/passwd\\n\"}}"),
		[]string{"spec.configuration.applyConfig[a.cnf]: Invalid value", "!include"}},
	{"a file that no server reads", perconaOps("type: Reconfigure\ndatabaseRef: {name: px}\nconfiguration: {applyConfig: {a.txt: \"wait_timeout = 1\"}}"),
		[]string{"spec.configuration.applyConfig[a.txt]: Invalid value", ".cnf"}},
	{"rotation without TLS", perconaOps("type: ReconfigureTLS\ndatabaseRef: {name: px}\ntls: {rotateCertificates: true}"),
		[]string{"spec.tls.rotateCertificates: Forbidden", "has no TLS"}},
	{"removal without TLS", singlestore("type: ReconfigureTLS\ndatabaseRef: {name: sdb}\ntls: {remove: true}"), []string{"spec.tls.remove: Forbidden", "has no TLS"}},
	{"requireSSL without TLS", perconaOps("type: ReconfigureTLS\ndatabaseRef: {name: px}\ntls: {requireSSL: true}"), []string{"spec.tls.issuerRef: Required value"}},
	{"two changes of TLS in one", perconaOps("type: ReconfigureTLS\ndatabaseRef: {name: px}\ntls: {remove: true, rotateCertificates: true}"),
		[]string{"spec.tls: Forbidden", "exclude each other"}},
	{"an issuer that is not there", perconaOps("type: ReconfigureTLS\ndatabaseRef: {name: px}\ntls: {issuerRef: {apiGroup: cert-manager.io, kind: Issuer, name: ghost}}"),
		[]string{"spec.tls.issuerRef.name: Not found", "ghost"}},
	{"an issuer of a wrong kind", perconaOps("type: ReconfigureTLS\ndatabaseRef: {name: px}\ntls: {issuerRef: {apiGroup: cert-manager.io, kind: Signer, name: x}}"),
		[]string{"spec.tls.issuerRef.kind: Unsupported value", "ClusterIssuer"}},
	{"one certificate twice", perconaOps("type: ReconfigureTLS\ndatabaseRef: {name: px}\ntls: {certificates: [{alias: server}, {alias: server}]}"),
		[]string{"spec.tls.certificates[1].alias: Duplicate value"}},
	{"a certificate that the kind does not have", singlestore("type: ReconfigureTLS\ndatabaseRef: {name: sdb}\ntls: {certificates: [{alias: gossip}]}"),
		[]string{"spec.tls.certificates[0].alias: Unsupported value", `"server"`}},
	{"volumes that would shrink", singlestore("type: VolumeExpansion\ndatabaseRef: {name: sdb}\nvolumeExpansion: {mode: Online, leaf: 1Gi}"),
		[]string{"spec.volumeExpansion.leaf: Invalid value", "2Gi", "cannot shrink"}},
	{"sizes that take forever to compare", singlestore("type: VolumeExpansion\ndatabaseRef: {name: sdb}\n" +
		"volumeExpansion: {mode: Online, leaf: \"1e999999999\", aggregator: \"1e-999999999\"}"),
		[]string{"spec.volumeExpansion.leaf: Invalid value", "spec.volumeExpansion.aggregator: Invalid value", "exponent"}},
	{"volumes of the size that they have", perconaOps("type: VolumeExpansion\ndatabaseRef: {name: px}\nvolumeExpansion: {mode: Online, perconaxtradb: 1Gi}"),
		[]string{"spec.volumeExpansion.perconaxtradb: Invalid value", "larger"}},
	{"volumes of a class that cannot expand", singlestore("type: VolumeExpansion\ndatabaseRef: {name: fixed}\nvolumeExpansion: {mode: Online, node: 5Gi}"),
		[]string{"spec.volumeExpansion.node: Invalid value", `"fixed"`, "allowVolumeExpansion"}},
	{"volumes of an Ephemeral database", singlestore("type: VolumeExpansion\ndatabaseRef: {name: fleeting}\nvolumeExpansion: {mode: Online, node: 5Gi}"),
		[]string{"spec.volumeExpansion: Forbidden", "Ephemeral"}},
	{"volumes beyond the quota", perconaOps("type: VolumeExpansion\ndatabaseRef: {name: px}\nvolumeExpansion: {mode: Online, perconaxtradb: 500Gi}"),
		[]string{"spec.volumeExpansion", "ResourceQuota", "storage"}},
	{"an expansion without a mode", perconaOps("type: VolumeExpansion\ndatabaseRef: {name: px}\nvolumeExpansion: {perconaxtradb: 5Gi}"), []string{"spec.volumeExpansion.mode"}},
}

var _ = Describe("Admission of requests", Ordered, func() {
	var a *arena
	BeforeAll(func(ctx SpecContext) {
		a = newArena(ctx)
		a.create(ctx, a.secret("empty", map[string]string{"readme": "nothing"}),
			a.secret("garbage", map[string]string{"a.cnf": "[mysqld]\n= = =\n"}), quota(a, "100Gi"))
		fixed := standalone.database(a.Name).(*kubedbv1alpha2.Singlestore)
		fixed.Name, fixed.Spec.Storage.StorageClassName = "fixed", new("fixed")
		fleeting := standalone.database(a.Name).(*kubedbv1alpha2.Singlestore)
		fleeting.Name, fleeting.Spec.Storage, fleeting.Spec.StorageType = "fleeting", nil, kubedbv1.StorageEphemeral
		asleep := percona.database(a.Name).(*kubedbv1.PerconaXtraDB)
		asleep.Name, asleep.Spec.Halted = "halted", true
		a.create(ctx, fixed, fleeting, asleep)
		for _, s := range samples {
			a.provision(ctx, s.database(a.Name))
		}
	})

	for _, b := range badRequests {
		It("refuses "+b.title, func(ctx SpecContext) {
			a.refuses(ctx, a.object(b.manifest), b.fragments...)
			dry := a.Client.Create(ctx, a.object(b.manifest), client.DryRunAll)
			Expect(dry).To(MatchError(ContainSubstring(b.fragments[0])), "a dry run is answered in another way")
		})
	}

	It("says everything that is wrong at once", func(ctx SpecContext) {
		a.refuses(ctx, a.object(perconaOps("type: Reconfigure\ndatabaseRef: {name: px}\ntimeout: -5s\nmaxRetries: -2\ntls: {remove: true}\n"+
			"configuration: {configSecret: {name: ghost}, applyConfig: {a.txt: x, b.cnf: \"port = 1\"}}")),
			"spec.timeout", "spec.maxRetries", "spec.tls: Forbidden", "spec.configuration.configSecret.name: Not found",
			"spec.configuration.applyConfig[a.txt]", "spec.configuration.applyConfig[b.cnf]")
	})

	It("refuses any change of a request's spec, and lets its metadata change", func(ctx SpecContext) {
		r := percona.restart(a, "fixed-for-good", always)
		a.create(ctx, r)
		out := a.kubectl(ctx, "", "patch", "pxcops/fixed-for-good", "--type=merge", "-p", `{"spec":{"timeout":"1h"}}`)
		Expect(out.Failed()).To(BeTrue(), "the spec of a request was changed")
		Expect(out.String()).To(And(ContainSubstring("cannot change"), ContainSubstring("create another")))
		a.mustKubectl(ctx, "", "label", "pxcops/fixed-for-good", "team=payments")
		out = a.kubectl(ctx, "", "annotate", "pxcops/fixed-for-good", "--overwrite", "ops.kubedb.com/requested-by={}")
		Expect(out.Failed()).To(BeTrue(), "who asked for an operation was forged")
		a.ends(ctx, r, "Successful")
	})

	It("is strict about fields, as kubectl is", func(ctx SpecContext) {
		out := a.kubectl(ctx, perconaOps("type: Restart\ndatabaseRef: {name: px}\ntimeOut: 5m"), "apply", "-f", "-")
		Expect(out.Failed()).To(BeTrue(), "an unknown field was admitted")
		Expect(out.String()).To(ContainSubstring(`unknown field "spec.timeOut"`))
	})

	It("warns about what may come right by itself", func(ctx SpecContext) {
		a.breakPod(ctx, "one-0")
		a.becomes(ctx, standalone.database(a.Name), kubedbv1.PhaseNotReady)
		out := a.mustKubectl(ctx, strings.ReplaceAll(singlestore("type: Restart\ndatabaseRef: {name: one}"), "name: bad", "name: waits"), "apply", "-f", "-")
		Expect(out).To(And(ContainSubstring("Warning"), ContainSubstring("not Ready"), ContainSubstring("apply: Always")))
		a.faults(ctx)
		a.ends(ctx, standalone.restart(a, "waits"), "Successful")
	})
})

// object reads a manifest into the arena's namespace.
func (a *arena) object(manifest string) *unstructured.Unstructured {
	GinkgoHelper()
	o := &unstructured.Unstructured{}
	Expect(yaml.Unmarshal([]byte(manifest), &o.Object)).To(Succeed())
	o.SetNamespace(a.Name)
	return o
}

func quota(a *arena, size string) *corev1.ResourceQuota {
	q := &corev1.ResourceQuota{}
	q.Namespace, q.Name = a.Name, "storage"
	q.Spec.Hard = corev1.ResourceList{"requests.storage": resource.MustParse(size)}
	return q
}

var _ = Describe("Admission and the requester's rights", func() {
	It("does not let a request read what its author may not read", func(ctx SpecContext) {
		a := newArena(ctx)
		a.create(ctx, a.secret("not-yours", map[string]string{"a.cnf": "[mysqld]\nwait_timeout = 1\n"}))
		a.provision(ctx, percona.database(a.Name))
		a.mustKubectl(ctx, "", "create", "rolebinding", "alice", "--clusterrole=drydock-edit", "--user=alice")
		alice, err := lab.As("alice")
		Expect(err).NotTo(HaveOccurred())
		r := percona.reconfigure(a, "peek", changes{"perconaxtradb": fromSecret("not-yours")})
		Expect(alice.Create(ctx, r)).To(MatchError(And(
			ContainSubstring("spec.configuration.configSecret.name: Forbidden"), ContainSubstring("alice"), ContainSubstring("get secrets"))))
		a.mustKubectl(ctx, "", "create", "role", "secrets", "--verb=get", "--resource=secrets", "--resource-name=not-yours")
		a.mustKubectl(ctx, "", "create", "rolebinding", "secrets", "--role=secrets", "--user=alice")
		Eventually(ctx, func(ctx context.Context) error { return alice.Create(ctx, r.DeepCopyObject().(client.Object)) }).Should(Succeed())
		a.ends(ctx, r, "Successful")
	})
})
