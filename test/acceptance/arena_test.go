//go:build lab

package acceptance

import (
	"context"
	"fmt"
	"os"
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

// envPatience is how long anything may take that has to happen, for example 3m on a machine that has other things to do.
const envPatience = "DRYDOCK_TEST_PATIENCE"

var patience = patienceOf(os.Getenv(envPatience))

func patienceOf(text string) time.Duration {
	if d, err := time.ParseDuration(text); err == nil {
		return d
	}
	return time.Minute
}

// licence is the name of the Secret with SingleStore's licence in every arena.
const licence = "license-secret"

// arena is the namespace of one spec. When the spec is over it is deleted, must go away, and what was recorded in it must
// have broken no invariant, and no answer may have told the value of a Secret.
type arena struct {
	*framework.Space
	// answers are refusals, and what kubectl printed besides what it was asked for: warnings and errors.
	answers []string
}

func newArena(ctx context.Context) *arena {
	GinkgoHelper()
	space, err := lab.NewSpace(ctx)
	Expect(err).NotTo(HaveOccurred())
	a := &arena{Space: space}
	DeferCleanup(a.close)
	a.faults(ctx)
	a.create(ctx, a.secret(licence, map[string]string{"username": "license", "password": "not a real licence"}))
	return a
}

func (a *arena) close(ctx SpecContext) {
	synced := a.Sync(ctx)
	a.Record.Seal()
	story := a.Record.Story()
	if CurrentSpecReport().Failed() {
		AddReportEntry("what happened in "+a.Name, transcript(story), ReportEntryVisibilityFailureOrVerbose)
	}
	a.remember()
	Expect(a.Delete(ctx, patience)).To(Succeed())
	Expect(synced).To(Succeed())
	broken := []string{}
	for _, v := range story.Violations() {
		broken = append(broken, v.String())
	}
	Expect(broken).To(BeEmpty(), "invariants that did not hold at every event in "+a.Name+":\n"+transcript(story))
	for value, where := range story.Secrets() {
		for _, answer := range a.answers {
			Expect(strings.Contains(answer, value)).To(BeFalse(), "an answer tells the value of "+where)
		}
	}
}

// remember keeps the generated passwords for the look into the operator's log.
func (a *arena) remember() {
	for _, s := range allSecrets(a) {
		if s.Type == corev1.SecretTypeBasicAuth {
			passwords[string(s.Data[corev1.BasicAuthPasswordKey])] = a.Name + "/" + s.Name
		}
	}
}

// transcript is a story for people: one line for each event of those objects that explain the others.
func transcript(s framework.Story) string {
	var b strings.Builder
	for _, e := range s.Events {
		switch o := e.Object.(type) {
		case *corev1.Pod:
			fmt.Fprintf(&b, "%s %d %-8s pod %s (%s) ready=%t leaving=%t\n", e.Seen.Format("05.000"), e.Version, e.Type, o.Name,
				o.UID[:4], framework.Ready(o), o.DeletionTimestamp != nil)
		case framework.Database:
			fmt.Fprintf(&b, "%s %d %-8s database %s generation %d %s %s\n", e.Seen.Format("05.000"), e.Version, e.Type, o.GetName(),
				o.GetGeneration(), o.DatabaseStatus().Phase, words(o.DatabaseStatus().Conditions))
		case framework.Request:
			fmt.Fprintf(&b, "%s %d %-8s request %s %s %s %s\n", e.Seen.Format("05.000"), e.Version, e.Type, o.GetName(),
				o.RequestStatus().Phase, o.RequestStatus().Progress, words(o.RequestStatus().Conditions))
		}
	}
	return b.String()
}

// words are the conditions in short.
func words(conditions []metav1.Condition) string {
	var list []string
	for _, c := range conditions {
		list = append(list, fmt.Sprintf("%s=%s(%s: %s)", c.Type, c.Status, c.Reason, c.Message))
	}
	return strings.Join(list, " ")
}

// create makes objects that have to be admitted.
func (a *arena) create(ctx context.Context, objects ...client.Object) {
	GinkgoHelper()
	for _, o := range objects {
		Expect(a.Client.Create(ctx, o)).To(Succeed(), o.GetName())
	}
}

// refuses expects that the object is not admitted and that the answer holds all fragments.
func (a *arena) refuses(ctx context.Context, o client.Object, fragments ...string) {
	GinkgoHelper()
	err := a.Client.Create(ctx, o)
	Expect(err).To(HaveOccurred(), "%T %s was admitted", o, o.GetName())
	a.answers = append(a.answers, err.Error())
	for _, f := range fragments {
		Expect(err).To(MatchError(ContainSubstring(f)))
	}
}

// secret is a Secret of the user's.
func (a *arena) secret(name string, data map[string]string) *corev1.Secret {
	return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: a.Name, Name: name}, StringData: data}
}

// see returns the object as it was recorded last. It fails the spec when there is none.
func see[T client.Object](a *arena, like T) T {
	GinkgoHelper()
	o := a.Record.See(like)
	Expect(o).NotTo(BeNil(), "there is no %T %s", like, like.GetName())
	return o.(T)
}

// phase is the database's phase as it was recorded last.
func (a *arena) phase(db framework.Database) func() kubedbv1.DatabasePhase {
	return func() kubedbv1.DatabasePhase {
		if now, ok := a.Record.See(db).(framework.Database); ok {
			return now.DatabaseStatus().Phase
		}
		return ""
	}
}

// provision makes the database and waits until it is Ready.
func (a *arena) provision(ctx context.Context, db framework.Database) {
	GinkgoHelper()
	a.create(ctx, db)
	a.becomes(ctx, db, kubedbv1.PhaseReady)
}

// becomes waits until the database has that phase.
func (a *arena) becomes(ctx context.Context, db framework.Database, phase kubedbv1.DatabasePhase) {
	GinkgoHelper()
	Eventually(ctx, a.phase(db)).Should(Equal(phase), "phase of "+db.GetName())
}

// ends waits until the request has ended in that phase and returns it.
func (a *arena) ends(ctx context.Context, r framework.Request, phase opsv1.OpsPhase) framework.Request {
	GinkgoHelper()
	Eventually(ctx, func() opsv1.OpsPhase {
		now, ok := a.Record.See(r).(framework.Request)
		if !ok {
			return ""
		}
		if now.RequestStatus().Phase == opsv1.PhaseFailed && phase != opsv1.PhaseFailed {
			StopTrying("the request failed: " + words(now.RequestStatus().Conditions)).Now()
		}
		return now.RequestStatus().Phase
	}).Should(Equal(phase), "phase of "+r.GetName())
	return see[client.Object](a, r).(framework.Request)
}

// succeeds makes the request and waits until it is Successful.
func (a *arena) succeeds(ctx context.Context, r framework.Request) framework.Request {
	GinkgoHelper()
	a.create(ctx, r)
	return a.ends(ctx, r, opsv1.PhaseSuccessful)
}

// fails makes the request and waits until it has failed for that reason.
func (a *arena) fails(ctx context.Context, r framework.Request, reason string) framework.Request {
	GinkgoHelper()
	a.create(ctx, r)
	ended := a.ends(ctx, r, opsv1.PhaseFailed)
	Expect(condition(ended, opsv1.ConditionFailed).Reason).To(Equal(reason), words(ended.RequestStatus().Conditions))
	return ended
}

// condition of a request.
func condition(r framework.Request, kind string) metav1.Condition {
	return framework.Condition(r.RequestStatus().Conditions, kind)
}

// says returns a function for Eventually that reads a condition of an object as it was recorded last.
func (a *arena) says(o client.Object, kind string) func() metav1.Condition {
	return func() metav1.Condition {
		switch now := a.Record.See(o).(type) {
		case framework.Database:
			return framework.Condition(now.DatabaseStatus().Conditions, kind)
		case framework.Request:
			return condition(now, kind)
		}
		return metav1.Condition{}
	}
}

// now is the version up to which the story has been written; what comes after is what the spec did next.
func (a *arena) now(ctx context.Context) uint64 {
	GinkgoHelper()
	Expect(a.Sync(ctx)).To(Succeed())
	return a.Record.Story().Version()
}

// restarted are the pods that have been taken down since then, not counting those that the spec deleted.
func (a *arena) restarted(ctx context.Context, since uint64) []string {
	GinkgoHelper()
	Expect(a.Sync(ctx)).To(Succeed())
	return a.Record.Story().Restarted(since)
}

// allSecrets are the Secrets of the arena as they were recorded last.
func allSecrets(a *arena) []*corev1.Secret { return framework.All[*corev1.Secret](a.Record) }
