//go:build lab

package acceptance

import (
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	catalogv1 "github.com/drydock-db/drydock/apis/catalog/v1alpha1"
)

// database makes a manifest of a kind and the lines of its spec.
func manifestOf(kind, version, spec string) string {
	return "apiVersion: kubedb.com/" + version + "\nkind: " + kind + "\nmetadata: {name: bad}\nspec:\n  " +
		strings.ReplaceAll(strings.TrimSpace(spec), "\n", "\n  ") + "\n"
}

func sdbOf(spec string) string { return manifestOf("Singlestore", "v1alpha2", spec) }
func pxOf(spec string) string  { return manifestOf("PerconaXtraDB", "v1", spec) }

const (
	volume  = "storage: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}"
	license = "version: 8.9.3\nlicenseSecret: {name: license-secret}\n"
)

// badDatabases are databases that cannot work.
var badDatabases = []bad{
	{"an unknown version", sdbOf("version: 0.0.1\nlicenseSecret: {name: license-secret}\n" + volume), []string{"spec.version: Not found", "kubectl get"}},
	{"no version", sdbOf("licenseSecret: {name: license-secret}\n" + volume), []string{"spec.version: Required value"}},
	{"an empty topology", sdbOf(license + "topology: {}"), []string{"spec.topology.aggregator: Required value", "spec.topology.leaf: Required value"}},
	{"half a topology", sdbOf(license + "topology: {aggregator: {" + volume + "}}"), []string{"spec.topology.leaf: Required value"}},
	{"no pods", sdbOf(license + "topology: {aggregator: {replicas: 0, " + volume + "}, leaf: {" + volume + "}}"), []string{"spec.topology.aggregator.replicas: Invalid value"}},
	{"fields of a standalone database on a cluster", sdbOf(license + volume + "\ntopology: {aggregator: {" + volume + "}, leaf: {" + volume + "}}"),
		[]string{"spec.storage: Forbidden", "spec.topology.aggregator.storage"}},
	{"no volumes", pxOf("version: 8.0.40"), []string{"spec.storage: Required value", "Ephemeral"}},
	{"an unknown StorageClass", pxOf("version: 8.0.40\nstorage: {storageClassName: ghost, resources: {requests: {storage: 1Gi}}}"),
		[]string{"spec.storage.storageClassName: Not found", "ghost"}},
	{"fewer than three Galera nodes", pxOf("version: 8.0.40\nreplicas: 2\n" + volume), []string{"spec.replicas: Invalid value", "3"}},
	{"a volume of the operator's name", pxOf("version: 8.0.40\n" + volume + "\npodTemplate: {spec: {volumes: [{name: custom-config, emptyDir: {}}]}}"),
		[]string{"spec.podTemplate.spec.volumes[0].name: Forbidden", "custom-config"}},
	{"a mount in the data directory", pxOf("version: 8.0.40\n" + volume +
		"\npodTemplate: {spec: {containers: [{name: perconaxtradb, volumeMounts: [{name: x, mountPath: /var/lib/mysql/x}]}], volumes: [{name: x, emptyDir: {}}]}}"),
		[]string{"mountPath: Forbidden", "/var/lib/mysql"}},
	{"the root password in the environment", pxOf("version: 8.0.40\n" + volume +
		"\npodTemplate: {spec: {containers: [{name: perconaxtradb, env: [{name: MYSQL_ROOT_PASSWORD, value: x}]}]}}"),
		[]string{"env[0].name: Forbidden", "MYSQL_ROOT_PASSWORD"}},
	{"requireSSL without TLS", pxOf("version: 8.0.40\nrequireSSL: true\n" + volume), []string{"spec.tls: Required value"}},
	{"configuration that the operator owns", pxOf("version: 8.0.40\nconfiguration: {inline: {a.cnf: \"[mysqld]\\nport = 1\\n\"}}\n" + volume),
		[]string{"spec.configuration.inline[a.cnf]: Invalid value", "port"}},
	{"halted and DoNotTerminate", pxOf("version: 8.0.40\nhalted: true\ndeletionPolicy: DoNotTerminate\n" + volume), []string{"spec.halted: Forbidden", "DoNotTerminate"}},
	{"an Ephemeral database with Halt", pxOf("version: 8.0.40\nstorageType: Ephemeral\ndeletionPolicy: Halt"), []string{"spec.deletionPolicy: Invalid value", "Ephemeral"}},
}

// badEdits are edits of a database that admission refuses by name.
var badEdits = []struct {
	title, resource, patch string
	fragments              []string
}{
	{"the storage type", "px", `{"spec":{"storageType":"Ephemeral"}}`, []string{"spec.storageType: Forbidden"}},
	{"the version", "px", `{"spec":{"version":"8.4.3"}}`, []string{"spec.version: Forbidden", "UpdateVersion"}},
	{"the topology away", "sdb", `{"spec":{"topology":null,"storage":{"resources":{"requests":{"storage":"1Gi"}}}}}`, []string{"spec.topology: Forbidden"}},
	{"a suffix", "sdb", `{"spec":{"topology":{"leaf":{"suffix":"new"}}}}`, []string{"spec.topology.leaf.suffix: Forbidden"}},
	{"the StorageClass", "px", `{"spec":{"storage":{"storageClassName":"fixed"}}}`, []string{"spec.storage.storageClassName: Forbidden"}},
	{"a smaller volume", "px", `{"spec":{"storage":{"resources":{"requests":{"storage":"512Mi"}}}}}`, []string{"spec.storage.resources.requests.storage: Forbidden", "cannot shrink"}},
	{"a larger volume", "px", `{"spec":{"storage":{"resources":{"requests":{"storage":"5Gi"}}}}}`,
		[]string{"spec.storage.resources.requests.storage: Forbidden", "type: VolumeExpansion", "perconaxtradb: 5Gi"}},
}

var _ = Describe("Admission of databases", Ordered, func() {
	var a *arena
	BeforeAll(func(ctx SpecContext) {
		a = newArena(ctx)
		a.provision(ctx, percona.database(a.Name))
		a.provision(ctx, cluster.database(a.Name))
	})

	for _, b := range badDatabases {
		It("refuses "+b.title, func(ctx SpecContext) { a.refuses(ctx, a.object(b.manifest), b.fragments...) })
	}

	It("refuses a deprecated version", func(ctx SpecContext) {
		version := &catalogv1.SinglestoreVersion{ObjectMeta: metav1.ObjectMeta{Name: a.Name},
			Spec: catalogv1.VersionSpec{Version: "1.0.0", DB: catalogv1.Image{Image: "example.org/database:1"}, Deprecated: true}}
		a.create(ctx, version)
		DeferCleanup(func(ctx SpecContext) { Expect(client.IgnoreNotFound(lab.Client.Delete(ctx, version))).To(Succeed()) })
		old := a.object(sdbOf("version: " + a.Name + "\nlicenseSecret: {name: license-secret}\n" + volume))
		Eventually(ctx, func() error { return a.Client.Create(ctx, old, client.DryRunAll) }). // the catalog is read from a cache
													Should(MatchError(And(ContainSubstring("spec.version: Forbidden"), ContainSubstring("is deprecated"))))
	})

	for _, b := range badEdits {
		It("refuses to edit "+b.title, func(ctx SpecContext) {
			db := map[string]sample{"px": percona, "sdb": cluster}[b.resource].database(a.Name)
			err := a.Client.Patch(ctx, db, client.RawPatch(types.MergePatchType, []byte(b.patch)))
			Expect(err).To(HaveOccurred(), "the edit was admitted")
			for _, f := range b.fragments {
				Expect(err).To(MatchError(ContainSubstring(f)))
			}
		})
	}

	It("is strict about fields, as kubectl is", func(ctx SpecContext) {
		out := a.kubectl(ctx, pxOf("version: 8.0.40\nreplica: 3\n"+volume), "apply", "-f", "-")
		Expect(out.Failed()).To(BeTrue(), "an unknown field was admitted")
		Expect(out.String()).To(ContainSubstring(`unknown field "spec.replica"`))
	})
})
