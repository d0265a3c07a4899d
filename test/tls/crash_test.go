//go:build lab

package tls

import (
	"context"
	"fmt"
	"strings"
	"time"

	cmv1 "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/test/framework"
)

// crashPoints are how many recorded events after the request the operator is killed: closer together where certificates
// are issued and copied. A change of issuer records between 90 and 120 events.
var crashPoints = []int{2, 5, 8, 12, 16, 25, 45, 70}

var _ = Describe("A crash of the operator", Serial, func() {
	It("in the middle of a change of issuer or of a rotation changes nothing about how it ends", func(ctx SpecContext) {
		operator, err := lab.Operator(ctx)
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(func(ctx SpecContext) {
			Expect(operator.Start(ctx)).To(Succeed())
			Expect(operator.Close()).To(Succeed())
		})
		arenas := map[string]*arena{}
		for _, s := range samples {
			arenas[s.name] = newArena(ctx)
			a := arenas[s.name]
			a.create(ctx, s.database(a.Name, &kubedbv1.TLSConfig{IssuerRef: by("Issuer", "one")}))
			for round := range crashPoints {
				a.create(ctx, a.Authority(fmt.Sprint(round)), a.Issuer(fmt.Sprint("issuer-", round), fmt.Sprint("authority-", round)))
			}
		}
		for _, s := range samples {
			a := arenas[s.name]
			Eventually(ctx, a.phase(s.database(a.Name, nil))).Should(Equal(kubedbv1.PhaseReady))
		}
		for round, events := range crashPoints {
			By(fmt.Sprintf("round %d: a crash after %d events", round, events))
			var trials []*trial
			for i, s := range samples {
				trials = append(trials, arenas[s.name].try(ctx, s, round, (round+i)%2 == 0))
			}
			trials[round/2%2].reach(ctx, events)
			Expect(operator.Kill(ctx)).To(Succeed())
			Expect(operator.Start(ctx)).To(Succeed())
			if round%2 == 1 { // and once more, soon after it is back
				time.Sleep(time.Duration(round) * 100 * time.Millisecond)
				Expect(operator.Kill(ctx)).To(Succeed())
				Expect(operator.Start(ctx)).To(Succeed())
			}
			for _, t := range trials {
				t.finish(ctx)
			}
		}
	})
})

// trial is one operation during which the operator crashes.
type trial struct {
	*arena
	sample
	made   framework.Request
	since  uint64
	events int
	issued map[string]int
	pods   []string
	// begins is how often cert-manager begins an issuance of each certificate by itself.
	begins int
}

// try changes the issuer, or rotates.
func (a *arena) try(ctx context.Context, s sample, round int, changes bool) *trial {
	GinkgoHelper()
	t := &trial{arena: a, sample: s, since: a.version(ctx), events: a.Record.Len(), issued: a.issued.of(s), pods: s.pods}
	t.made = s.request(a, fmt.Sprintf("round-%d", round), rotate)
	if changes {
		t.made = s.request(a, fmt.Sprintf("round-%d", round), change(kubedbv1.TLSConfig{IssuerRef: by("Issuer", fmt.Sprint("issuer-", round))}))
		t.pods, t.begins = twice(s.pods), 1
	}
	a.create(ctx, t.made)
	return t
}

// reach returns when so many events have followed the request, or when it has ended before.
func (t *trial) reach(ctx context.Context, events int) {
	GinkgoHelper()
	Eventually(ctx, func() bool {
		r, ok := t.Record.See(t.made).(framework.Request)
		return t.Record.Len()-t.events >= events || (ok && framework.Finished(r))
	}).WithPolling(2 * time.Millisecond).Should(BeTrue())
}

// finish expects what is expected without a crash: every pod restarted once a roll, every certificate issued once.
func (t *trial) finish(ctx context.Context) {
	GinkgoHelper()
	Eventually(ctx, func() bool {
		r, ok := t.Record.See(t.made).(framework.Request)
		return ok && framework.Finished(r)
	}).Should(BeTrue(), func() string { return t.tell(t.made) })
	Expect(t.Record.See(t.made).(framework.Request).RequestStatus().Phase).To(Equal(opsv1.PhaseSuccessful), t.tell(t.made))
	t.serves(ctx, t.database(t.arena.Name, nil))
	again := false
	for alias, n := range t.issued {
		more := t.again(alias)
		again = again || more > 0
		t.issued[alias] = n + 1 + more
	}
	Expect(t.arena.issued.of(t.sample)).To(Equal(t.issued), func() string { return "CertificateRequests; cert-manager says:\n" + t.whyIssued() })
	Expect(t.Record.Story().Restarted(t.since)).To(Equal(t.pods))
	if again { // the pods may mount what was issued first
		restart := t.sample.restart(t.arena, t.made.GetName()+"-once-more")
		t.create(ctx, restart)
		Eventually(ctx, t.says(restart, opsv1.ConditionSuccessful)).Should(HaveField("Status", metav1.ConditionTrue))
		Expect(t.Sync(ctx)).To(Succeed())
	}
	t.mounts(ctx, t.sample)
	Expect(t.spare()).To(BeNumerically("<=", 3), "copies that nobody collects")
}

// again is how often cert-manager has begun the same issuance once more by itself: one that is behind, on a machine that is busy,
// sees the Secret of before when it has just issued. It tells so; of an issuance that the operator asks for it does not.
func (t *trial) again(alias string) int {
	begun := 0
	for _, e := range t.Record.Story().Events {
		told, ok := e.Object.(*eventsv1.Event)
		if ok && e.Version > t.since && told.Regarding.Kind == cmv1.CertificateKind && told.Regarding.Name == t.sample.name+"-"+alias+"-cert" &&
			strings.HasPrefix(told.Note, "Issuing certificate as ") {
			begun++
		}
	}
	return max(0, begun-t.begins)
}

// spare is how many copies of certificates there are.
func (t *trial) spare() int {
	n := 0
	for _, secret := range framework.All[*corev1.Secret](t.Record) {
		if strings.Contains(secret.Name, "-tls-") {
			n++
		}
	}
	return n
}
