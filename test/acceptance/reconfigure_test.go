//go:build lab

package acceptance

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/test/framework"
)

var _ = Describe("Reconfigure, with the numbers of the guides", func() {
	It("takes a PerconaXtraDB from 200 over 250 and 230 back to the default", func(ctx SpecContext) {
		a := newArena(ctx)
		const group = "perconaxtradb"
		a.create(ctx, a.secret("px-configuration", map[string]string{"px-config.cnf": "[mysqld]\nmax_connections = 200\nread_buffer_size = 1048576\n"}))
		a.create(ctx, a.secret("new-px-configuration", map[string]string{"new-px-config.cnf": "[mysqld]\nmax_connections = 250\nread_buffer_size = 122880\n"}))
		a.provision(ctx, configured(percona.database(a.Name), group, kubedbv1.ConfigurationSpec{SecretName: "px-configuration"}))
		a.runs(ctx, percona, group, "max_connections", "200")
		a.runs(ctx, percona, group, "read_buffer_size", "1048576")

		a.succeeds(ctx, percona.reconfigure(a, "replace", changes{group: fromSecret("new-px-configuration")}))
		a.runs(ctx, percona, group, "max_connections", "250")
		a.runs(ctx, percona, group, "read_buffer_size", "122880")

		// The guide's page and its manifest file use different keys: one is the Secret's own, the other a second file.
		a.succeeds(ctx, percona.reconfigure(a, "apply", changes{group: {ApplyConfig: map[string]string{
			"new-px-config.cnf": "[mysqld]\nmax_connections = 230\nread_buffer_size = 1064960\n",
			"second.cnf":        "[mysqld]\nwait_timeout = 600\n",
		}}}))
		a.runs(ctx, percona, group, "max_connections", "230")
		a.runs(ctx, percona, group, "read_buffer_size", "1064960")
		a.runs(ctx, percona, group, "wait_timeout", "600")

		a.succeeds(ctx, percona.reconfigure(a, "remove", changes{group: {RemoveCustomConfig: true}}))
		for _, key := range []string{"max_connections", "read_buffer_size", "wait_timeout"} {
			a.runs(ctx, percona, group, key, "")
		}
		Expect(configuration(see(a, percona.database(a.Name)), group)).To(Equal(kubedbv1.ConfigurationSpec{}))
	})

	It("takes the aggregators of a Singlestore from 250 over 550 back to the default, and leaves the leaves alone", func(ctx SpecContext) {
		a := newArena(ctx)
		a.create(ctx, a.secret("sdb-configuration", map[string]string{"sdb-config.cnf": "[server]\nmax_connections = 250\n"}))
		a.provision(ctx, configured(cluster.database(a.Name), "aggregator", kubedbv1.ConfigurationSpec{SecretName: "sdb-configuration"}))
		a.runs(ctx, cluster, "aggregator", "max_connections", "250")
		since := a.now(ctx)

		// Without a section header, as the guide has it.
		a.succeeds(ctx, cluster.reconfigure(a, "apply", changes{"aggregator": inline("sdb-apply.cnf", "max_connections = 550")}))
		a.runs(ctx, cluster, "aggregator", "max_connections", "550")
		a.succeeds(ctx, cluster.reconfigure(a, "remove", changes{"aggregator": {RemoveCustomConfig: true}}))
		a.runs(ctx, cluster, "aggregator", "max_connections", "")
		a.runs(ctx, cluster, "leaf", "max_connections", "")
		aggregators := cluster.pods("aggregator")
		Expect(a.restarted(ctx, since)).To(Equal(append(aggregators, aggregators...)), "only the component that was named restarts")
	})
})

// state is a configuration and what a server makes of it.
type state struct {
	secret string
	inline map[string]string // file name to a fragment of its content
	values map[string]string
}

var _ = Describe("Reconfigure, each of its parts and all together", func() {
	present := kubedbv1.ConfigurationSpec{
		SecretName: "base", Inline: map[string]string{"app.cnf": "# mine\n[%]\nmax_connections = 210\nwait_timeout = 100\n"},
	}
	replace := &corev1.LocalObjectReference{Name: "other"}
	merge := map[string]string{"app.cnf": "[%]\nmax-connections = 220\n", "more.cnf": "[%]\nthread_cache_size = 7\n"}
	DescribeTable("changes the configuration, and the pods run the result",
		func(ctx SpecContext, change opsv1.ReconfigurationSpec, want state) {
			a := newArena(ctx)
			for _, s := range samples {
				a.create(ctx, a.secret("base-"+s.name, map[string]string{"base.cnf": dialect(s, "[%]\nread_buffer_size = 1\nmax_connections = 200\n")}))
				a.create(ctx, a.secret("other-"+s.name, map[string]string{"other.cnf": dialect(s, "[%]\nread_buffer_size = 2\nsort_buffer_size = 3\n")}))
				a.create(ctx, configured(s.database(a.Name), s.last().name, speak(s, present)))
			}
			for _, s := range samples {
				a.becomes(ctx, s.database(a.Name), kubedbv1.PhaseReady)
				a.create(ctx, s.reconfigure(a, "change-"+s.name, changes{s.last().name: speakChange(s, change)}))
			}
			for _, s := range samples {
				a.ends(ctx, s.request(a, "change-"+s.name, opsv1.Reconfigure), opsv1.PhaseSuccessful)
				a.is(ctx, s, want)
			}
		},
		Entry("configSecret replaces the Secret and keeps what is inline", opsv1.ReconfigurationSpec{ConfigSecret: replace},
			state{"other", map[string]string{"app.cnf": "max_connections = 210"}, map[string]string{
				"read_buffer_size": "2", "sort_buffer_size": "3", "max_connections": "210", "wait_timeout": "100"}}),
		Entry("applyConfig merges file by file and key by key", opsv1.ReconfigurationSpec{ApplyConfig: merge},
			state{"base", map[string]string{"app.cnf": "# mine", "more.cnf": "thread_cache_size = 7"}, map[string]string{
				"read_buffer_size": "1", "max_connections": "220", "wait_timeout": "100", "thread_cache_size": "7"}}),
		Entry("removeCustomConfig forgets both", opsv1.ReconfigurationSpec{RemoveCustomConfig: true},
			state{"", nil, map[string]string{"read_buffer_size": "", "max_connections": "", "wait_timeout": ""}}),
		Entry("configSecret and applyConfig", opsv1.ReconfigurationSpec{ConfigSecret: replace, ApplyConfig: merge},
			state{"other", map[string]string{"app.cnf": "wait_timeout = 100", "more.cnf": "thread_cache_size = 7"}, map[string]string{
				"read_buffer_size": "2", "max_connections": "220", "wait_timeout": "100", "thread_cache_size": "7"}}),
		Entry("removeCustomConfig, then configSecret", opsv1.ReconfigurationSpec{RemoveCustomConfig: true, ConfigSecret: replace},
			state{"other", nil, map[string]string{"read_buffer_size": "2", "max_connections": "", "wait_timeout": ""}}),
		Entry("removeCustomConfig, then applyConfig", opsv1.ReconfigurationSpec{RemoveCustomConfig: true, ApplyConfig: merge},
			state{"", map[string]string{"app.cnf": "max-connections = 220", "more.cnf": "thread_cache_size = 7"}, map[string]string{
				"read_buffer_size": "", "max_connections": "220", "wait_timeout": ""}}),
		Entry("all three", opsv1.ReconfigurationSpec{RemoveCustomConfig: true, ConfigSecret: replace, ApplyConfig: merge},
			state{"other", map[string]string{"app.cnf": "max-connections = 220", "more.cnf": "thread_cache_size = 7"}, map[string]string{
				"read_buffer_size": "2", "max_connections": "220", "wait_timeout": "", "thread_cache_size": "7"}}),
	)
})

// is expects that configuration in the spec of the sample's database, and its values in the pods.
func (a *arena) is(ctx SpecContext, s sample, want state) {
	GinkgoHelper()
	Expect(a.Sync(ctx)).To(Succeed())
	group := s.last().name
	c := configuration(see(a, s.database(a.Name)).(framework.Database), group)
	secret := want.secret
	if secret != "" {
		secret += "-" + s.name
	}
	Expect(c.SecretName).To(Equal(secret), s.title)
	Expect(c.Inline).To(HaveLen(len(want.inline)), s.title)
	for file, fragment := range want.inline {
		Expect(c.Inline).To(HaveKeyWithValue(file, ContainSubstring(fragment)), s.title)
	}
	for key, value := range want.values {
		a.runs(ctx, s, group, key, value)
	}
}
