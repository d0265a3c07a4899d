//go:build lab

package acceptance

import (
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	kubedbv1alpha2 "github.com/drydock-db/drydock/apis/kubedb/v1alpha2"
)

// older is a manifest as guides printed it before 2026, for the older version of the API.
const older = `
apiVersion: kubedb.com/v1alpha2
kind: PerconaXtraDB
metadata:
  name: px
spec:
  version: "8.0.40"
  replicas: 3
  configSecret:
    name: px-configuration
  storageType: Durable
  storage:
    accessModes:
      - ReadWriteOnce
    resources:
      requests:
        storage: 1Gi
  podTemplate:
    spec:
      terminationGracePeriodSeconds: 1
  terminationPolicy: WipeOut
`

var _ = Describe("Older manifests", func() {
	It("keep a PerconaXtraDB's configuration when it is read and written in v1alpha2", func(ctx SpecContext) {
		a := newArena(ctx)
		a.create(ctx, a.secret("px-configuration", map[string]string{"my.cnf": "[mysqld]\nmax_connections = 200\n"}))
		a.mustKubectl(ctx, older, "apply", "-f", "-")
		db := percona.database(a.Name)
		a.becomes(ctx, db, kubedbv1.PhaseReady)
		stored := see(a, db).(*kubedbv1.PerconaXtraDB)
		Expect(stored.Spec.ConfigSecret).To(BeNil())
		Expect(stored.Spec.Configuration).To(Equal(&kubedbv1.ConfigurationSpec{SecretName: "px-configuration"}))
		Expect(stored.Spec.DeletionPolicy).To(Equal(kubedbv1.DeletionWipeOut))
		Expect(stored.Spec.TerminationPolicy).To(BeEmpty())
		a.runs(ctx, percona, "perconaxtradb", "max_connections", "200")

		a.succeeds(ctx, percona.reconfigure(a, "apply", changes{"perconaxtradb": inline("more.cnf", "[mysqld]\nmax_connections = 230\n")}))
		Eventually(ctx, func() error { // again, if the operator writes a status in between
			var read kubedbv1alpha2.PerconaXtraDB
			a.reads(ctx, "px", &read)
			read.Annotations["example.org/seen"] = "yes"
			return a.Client.Update(ctx, &read)
		}).Should(Succeed())
		a.now(ctx)
		after := see(a, db).(*kubedbv1.PerconaXtraDB)
		Expect(after.Spec.Configuration.SecretName).To(Equal("px-configuration"))
		Expect(after.Spec.Configuration.Inline).To(HaveKeyWithValue("more.cnf", ContainSubstring("max_connections = 230")))

		// The older manifest once more, as GitOps would: it gives a clear answer and loses nothing.
		out, err := a.Kubectl().Run(ctx, older, "apply", "-f", "-")
		Expect(err).NotTo(HaveOccurred())
		Expect(out).To(And(HaveField("Code", 0), HaveField("Stdout", ContainSubstring("perconaxtradb.kubedb.com/px"))))
		Expect(out.Stderr).NotTo(ContainSubstring("is not used"), "the same said again is no reason to warn")
		out, err = a.Kubectl().Run(ctx, strings.ReplaceAll(older, "px-configuration", "px-other"), "apply", "-f", "-")
		Expect(err).NotTo(HaveOccurred())
		Expect(out).To(HaveField("Code", 0))
		Expect(out.Stderr).To(ContainSubstring(
			"Warning: spec.configSecret: px-other is not used: spec.configuration.secretName is set, to px-configuration, and wins"))
		a.now(ctx)
		stored = see(a, db).(*kubedbv1.PerconaXtraDB)
		Expect(stored.Spec.Configuration.SecretName).To(Equal("px-configuration"))
		Expect(stored.Spec.Configuration.Inline).To(HaveKey("more.cnf"))
	})

	It("have the Singlestore's configSecret moved to configuration.secretName", func(ctx SpecContext) {
		a := newArena(ctx)
		a.create(ctx, a.secret("sdb-configuration", map[string]string{"sdb.cnf": "[server]\nmax_connections = 250\n"}))
		db := cluster.database(a.Name).(*kubedbv1alpha2.Singlestore)
		db.Spec.Topology.Aggregator.ConfigSecret = &corev1.LocalObjectReference{Name: "sdb-configuration"}
		a.provision(ctx, db)
		aggregator := see(a, db).Spec.Topology.Aggregator
		Expect(aggregator.ConfigSecret).To(BeNil())
		Expect(aggregator.Configuration).To(Equal(&kubedbv1.ConfigurationSpec{SecretName: "sdb-configuration"}))
		a.runs(ctx, cluster, "aggregator", "max_connections", "250")
		a.runs(ctx, cluster, "leaf", "max_connections", "")
	})

	It("can be applied under both spellings of the fields that were renamed", func(ctx SpecContext) {
		a := newArena(ctx)
		newer := strings.NewReplacer("kubedb.com/v1alpha2", "kubedb.com/v1", "terminationPolicy", "deletionPolicy",
			"configSecret:\n    name:", "configuration:\n    secretName:").Replace(older)
		a.create(ctx, a.secret("px-configuration", map[string]string{"my.cnf": "[mysqld]\nmax_connections = 200\n"}))
		a.mustKubectl(ctx, newer, "apply", "-f", "-")
		a.becomes(ctx, percona.database(a.Name), kubedbv1.PhaseReady)
		generation := see(a, percona.database(a.Name)).GetGeneration()
		a.mustKubectl(ctx, older, "apply", "-f", "-")
		a.now(ctx)
		Expect(see(a, percona.database(a.Name)).GetGeneration()).To(Equal(generation), "the same said in other words is a change")
	})
})
