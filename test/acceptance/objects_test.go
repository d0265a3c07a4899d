//go:build lab

package acceptance

import (
	"context"
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/drydock-db/drydock/test/framework"
)

// looks is what a kind's pods look like: the names, ports and paths that users of KubeDB rely on.
type looks struct {
	containers, init []string
	// mounts of the first container, by path.
	mounts map[string]string
	env    []string
	// ports of the primary Service.
	ports map[string]int32
	// secrets with credentials.
	secrets []string
}

var looksOf = map[string]looks{
	standalone.title: {
		containers: []string{"singlestore"}, init: []string{"singlestore-init"},
		mounts: map[string]string{"/var/lib/memsql": "data", "/etc/memsql/conf.d": "custom-config", "/scripts": "init-scripts"},
		env:    []string{"ROOT_USERNAME", "ROOT_PASSWORD", "SINGLESTORE_LICENSE", "LICENSE_KEY", "HOST_IP"},
		ports:  map[string]int32{"db": 3306, "studio": 8081}, secrets: []string{"one-auth"},
	},
	cluster.title: {
		containers: []string{"singlestore", "singlestore-coordinator"}, init: []string{"singlestore-init"},
		mounts: map[string]string{"/var/lib/memsql": "data", "/etc/memsql/conf.d": "custom-config", "/scripts": "init-scripts"},
		env:    []string{"ROOT_USERNAME", "ROOT_PASSWORD", "SINGLESTORE_LICENSE", "LICENSE_KEY", "HOST_IP"},
		ports:  map[string]int32{"db": 3306, "studio": 8081}, secrets: []string{"sdb-auth"},
	},
	percona.title: {
		containers: []string{"perconaxtradb", "px-coordinator"}, init: []string{"px-init"},
		mounts: map[string]string{
			"/var/lib/mysql": "data", "/etc/mysql/custom.conf.d": "custom-config", "/scripts": "init-scripts", "/run-script": "run-script",
		},
		env:   []string{"MYSQL_ROOT_USERNAME", "MYSQL_ROOT_PASSWORD"},
		ports: map[string]int32{"db": 3306}, secrets: []string{"px-auth", "px-replication", "px-monitor"},
	},
}

var _ = Describe("What a database consists of", func() {
	for _, s := range samples {
		It("has the reference's names, labels, ports and paths for "+s.title, func(ctx SpecContext) {
			a := newArena(ctx)
			db := withVersion(s.database(a.Name), a.fullVersion(ctx, s))
			a.provision(ctx, db)
			a.now(ctx)
			Expect(see(a, db).GetFinalizers()).To(ContainElement("kubedb.com"))
			a.hasServices(ctx, s)
			a.hasCredentials(s)
			account := &corev1.ServiceAccount{}
			a.reads(ctx, s.name, account)
			Expect(account.Labels).To(Equal(s.labels()))
			for _, g := range s.groups {
				a.hasWorkload(s, g, see(a, db))
				a.hasBudget(g)
				for ordinal := range g.replicas {
					a.hasPod(s, g, fmt.Sprintf("%s-%d", g.workload, ordinal))
				}
			}
		})
	}
})

// labels are those that every object of the sample carries.
func (s sample) labels() map[string]string {
	return map[string]string{
		"app.kubernetes.io/name": s.label, "app.kubernetes.io/instance": s.name,
		"app.kubernetes.io/managed-by": "kubedb.com", "app.kubernetes.io/component": "database",
	}
}

// podLabels are the labels by which the group's pods are told from others.
func (g group) podLabels() map[string]string {
	if g.petset == "" {
		return nil
	}
	return map[string]string{"kubedb.com/petset": g.petset}
}

func haveLabels(labels map[string]string) OmegaMatcher {
	var each []OmegaMatcher
	for k, v := range labels {
		each = append(each, HaveKeyWithValue(k, v))
	}
	return HaveField("GetLabels()", And(each...))
}

func (a *arena) reads(ctx context.Context, name string, o client.Object) {
	GinkgoHelper()
	Expect(a.Client.Get(ctx, client.ObjectKey{Namespace: a.Name, Name: name}, o)).To(Succeed())
}

func (a *arena) hasServices(ctx context.Context, s sample) {
	GinkgoHelper()
	headless, primary := &corev1.Service{}, &corev1.Service{}
	a.reads(ctx, s.name+"-pods", headless)
	Expect(headless.Spec.ClusterIP).To(Equal(corev1.ClusterIPNone))
	Expect(headless.Spec.PublishNotReadyAddresses).To(BeTrue(), "pods have to find each other before they are ready")
	Expect(headless.Spec.Ports).To(ConsistOf(HaveField("Port", int32(3306))))
	a.reads(ctx, s.name, primary)
	ports := map[string]int32{}
	for _, p := range primary.Spec.Ports {
		ports[p.Name] = p.Port
	}
	Expect(ports).To(Equal(looksOf[s.title].ports))
	for _, service := range []*corev1.Service{headless, primary} {
		Expect(service).To(haveLabels(s.labels()))
	}
}

func (a *arena) hasCredentials(s sample) {
	GinkgoHelper()
	for _, name := range looksOf[s.title].secrets {
		secret, ok := framework.Latest[*corev1.Secret](a.Record, name)
		Expect(ok).To(BeTrue(), "there is no Secret "+name)
		Expect(secret.Type).To(Equal(corev1.SecretTypeBasicAuth))
		Expect(secret).To(haveLabels(s.labels()))
		Expect(secret.Data).To(And(HaveKey("username"), HaveKey("password")))
	}
}

func (a *arena) hasWorkload(s sample, g group, db client.Object) {
	GinkgoHelper()
	set, ok := framework.Latest[*appsv1.StatefulSet](a.Record, g.workload)
	Expect(ok).To(BeTrue(), "there is no StatefulSet "+g.workload)
	Expect(set).To(haveLabels(s.labels()))
	Expect(metav1.IsControlledBy(set, db)).To(BeTrue())
	Expect(*set.Spec.Replicas).To(BeEquivalentTo(g.replicas))
	Expect(set.Spec.ServiceName).To(Equal(s.name + "-pods"))
	Expect(set.Spec.UpdateStrategy.Type).To(Equal(appsv1.OnDeleteStatefulSetStrategyType), "only operations restart pods")
	Expect(set.Spec.PodManagementPolicy).To(Equal(appsv1.ParallelPodManagement), "a full stop must be repairable")
	Expect(set.Spec.VolumeClaimTemplates).To(ConsistOf(HaveField("Name", "data")))
}

func (a *arena) hasBudget(g group) {
	GinkgoHelper()
	budget, ok := framework.Latest[*policyv1.PodDisruptionBudget](a.Record, g.workload)
	Expect(ok).To(BeTrue(), "there is no PodDisruptionBudget "+g.workload)
	Expect(budget.Spec.MaxUnavailable).To(HaveValue(Equal(intstr.FromInt32(1))))
	Expect(budget.Spec.UnhealthyPodEvictionPolicy).To(HaveValue(Equal(policyv1.AlwaysAllow)))
}

func (a *arena) hasPod(s sample, g group, name string) {
	GinkgoHelper()
	pod := a.pod(name)
	Expect(pod).To(And(haveLabels(s.labels()), haveLabels(g.podLabels()), haveLabels(map[string]string{"statefulset.kubernetes.io/pod-name": name})))
	if s.section == "mysqld" {
		Expect(pod).To(haveLabels(map[string]string{"kubedb.com/role": "Primary"}))
	}
	want := looksOf[s.title]
	Expect(names(pod.Spec.Containers)).To(Equal(want.containers))
	Expect(names(pod.Spec.InitContainers)).To(Equal(want.init))
	mounts := map[string]string{}
	for _, m := range pod.Spec.Containers[0].VolumeMounts {
		mounts[m.MountPath] = m.Name
	}
	Expect(mounts).To(Equal(want.mounts))
	for _, variable := range want.env {
		Expect(pod.Spec.Containers[0].Env).To(ContainElement(HaveField("Name", variable)))
	}
	claim, ok := framework.Latest[*corev1.PersistentVolumeClaim](a.Record, "data-"+name)
	Expect(ok).To(BeTrue(), "there is no claim data-"+name)
	Expect(claim.Status.Phase).To(Equal(corev1.ClaimBound))

	_, secret := a.mounted(name)
	prefix := s.name
	if g.component != "" {
		prefix += "-" + g.component
	}
	Expect(secret).To(MatchRegexp(`^` + prefix + `-config-[0-9a-z]{10}$`))
	rendered, _ := framework.Latest[*corev1.Secret](a.Record, secret)
	Expect(rendered.Immutable).To(HaveValue(BeTrue()))
}

func names(containers []corev1.Container) []string {
	var list []string
	for _, c := range containers {
		list = append(list, c.Name)
	}
	return list
}

// conflict tells whether somebody else was faster.
func conflict(err error) bool { return apierrors.IsConflict(err) }
