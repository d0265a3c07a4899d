//go:build lab

package tls

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/test/framework"
)

// arena is the namespace of one spec, with two authorities in it: issuers "one" and "two".
type arena struct {
	*framework.Space
	issued *issuances
}

func newArena(ctx context.Context) *arena {
	GinkgoHelper()
	space, err := lab.NewSpace(ctx)
	Expect(err).NotTo(HaveOccurred())
	a := &arena{Space: space}
	a.issued = a.countIssuances()
	DeferCleanup(a.close)
	a.faults(ctx)
	a.create(ctx, &corev1.Secret{ObjectMeta: a.named("license"), StringData: map[string]string{"password": "not a real licence"}})
	Expect(a.Issuers(ctx, "one", "two")).To(Succeed())
	return a
}

func (a *arena) named(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: a.Name, Name: name}
}

func (a *arena) create(ctx context.Context, objects ...client.Object) {
	GinkgoHelper()
	for _, o := range objects {
		Expect(a.Client.Create(ctx, o)).To(Succeed(), o.GetName())
	}
}

// leaving are the namespaces of specs that are over.
var leaving []*framework.Space

// keys are the private keys that this process has seen; the operator's log must not show one. (That events and conditions do not
// is looked at at every event.)
var keys = map[string]string{}

var _ = AfterSuite(func(ctx SpecContext) {
	for _, space := range leaving {
		Expect(space.Delete(ctx, 2*time.Minute)).To(Succeed())
	}
	if lab == nil {
		return
	}
	log, err := lab.Log()
	Expect(err).NotTo(HaveOccurred())
	for key, where := range keys {
		quoted, err := json.Marshal(key) // as a logger writes it
		Expect(err).NotTo(HaveOccurred())
		Expect(strings.Contains(log, key) || strings.Contains(log, strings.Trim(string(quoted), `"`))).To(BeFalse(), "the operator's log shows "+where)
	}
	Expect(log).NotTo(ContainSubstring("panic"), "the operator has panicked")
})

// close checks what must have held at every event. That the namespace goes away is waited for at the end.
func (a *arena) close(ctx SpecContext) {
	synced := a.Sync(ctx)
	a.Record.Seal()
	a.issued.stop()
	story := a.Record.Story()
	for value, where := range story.Secrets() {
		if strings.HasSuffix(where, ".key") {
			keys[value] = where
		}
	}
	Expect(a.Client.Delete(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: a.Name}})).To(Succeed())
	a.Record.Stop()
	leaving = append(leaving, a.Space)
	Expect(synced).To(Succeed())
	var broken []string
	for _, v := range story.Violations() {
		broken = append(broken, v.String())
	}
	Expect(append(broken, story.Strangers()...)).To(BeEmpty(), "what must hold at every event in "+a.Name)
}

// provision makes the database and waits until it is Ready.
func (a *arena) provision(ctx context.Context, db framework.Database) {
	GinkgoHelper()
	a.create(ctx, db)
	Eventually(ctx, a.phase(db)).Should(Equal(kubedbv1.PhaseReady), func() string { return a.tell(db) })
}

func (a *arena) phase(db framework.Database) func() kubedbv1.DatabasePhase {
	return func() kubedbv1.DatabasePhase {
		if now, ok := a.Record.See(db).(framework.Database); ok {
			return now.DatabaseStatus().Phase
		}
		return ""
	}
}

// says reads a condition of an object as it was recorded last.
func (a *arena) says(o client.Object, kind string) func() metav1.Condition {
	return func() metav1.Condition { return framework.Condition(a.conditions(o), kind) }
}

func (a *arena) conditions(o client.Object) []metav1.Condition {
	switch now := a.Record.See(o).(type) {
	case framework.Database:
		return now.DatabaseStatus().Conditions
	case framework.Request:
		return now.RequestStatus().Conditions
	}
	return nil
}

// tell is everything that an object says of itself.
func (a *arena) tell(o client.Object) string {
	var b strings.Builder
	for _, c := range a.conditions(o) {
		fmt.Fprintf(&b, "%s=%s %s: %s\n", c.Type, c.Status, c.Reason, c.Message)
	}
	return b.String()
}

// run makes a ReconfigureTLS request and waits until it has ended.
func (a *arena) run(ctx context.Context, s sample, name string, change opsv1.PerconaXtraDBTLSSpec, options ...func(*opsv1.OpsRequestSpec)) framework.Request {
	GinkgoHelper()
	r := s.request(a, name, change, options...)
	a.create(ctx, r)
	Eventually(ctx, func() bool {
		now, ok := a.Record.See(r).(framework.Request)
		return ok && framework.Finished(now)
	}).Should(BeTrue(), func() string { return name + "\n" + a.tell(r) })
	return a.Record.See(r).(framework.Request)
}

// succeeds is run for requests that end well.
func (a *arena) succeeds(ctx context.Context, s sample, name string, change opsv1.PerconaXtraDBTLSSpec, options ...func(*opsv1.OpsRequestSpec)) {
	GinkgoHelper()
	r := a.run(ctx, s, name, change, options...)
	Expect(r.RequestStatus().Phase).To(Equal(opsv1.PhaseSuccessful), name+"\n"+a.tell(r))
	Expect(a.Sync(ctx)).To(Succeed())
}

// version is how far the story has been written.
func (a *arena) version(ctx context.Context) uint64 {
	GinkgoHelper()
	Expect(a.Sync(ctx)).To(Succeed())
	return a.Record.Story().Version()
}

// faults replaces the rules by which pods misbehave.
func (a *arena) faults(ctx context.Context, rules ...string) {
	GinkgoHelper()
	Expect(a.Faults(ctx, rules...)).To(Succeed())
}
