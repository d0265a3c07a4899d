//go:build lab

package petset

import (
	"context"
	"fmt"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	petsetv1 "github.com/drydock-db/drydock/apis/apps/v1"
	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/test/framework"
)

// patience is how long anything may take that has to happen.
const patience = 90 * time.Second

// quiet is how long a database is watched for restarts that nobody asked for.
const quiet = 2 * time.Second

// arena is the namespace of one spec. When the spec is over, what was recorded in it must have broken no invariant.
type arena struct{ *framework.Space }

func newArena(ctx context.Context) *arena {
	GinkgoHelper()
	space, err := lab.NewSpace(ctx)
	Expect(err).NotTo(HaveOccurred())
	a := &arena{space}
	DeferCleanup(a.close)
	Expect(a.Faults(ctx)).To(Succeed())
	a.create(ctx, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: a.Name, Name: licence},
		StringData: map[string]string{"username": "license", "password": "not a real licence"},
	})
	return a
}

func (a *arena) close(ctx SpecContext) {
	synced := a.Sync(ctx)
	a.Record.Seal()
	story := a.Record.Story()
	if CurrentSpecReport().Failed() {
		AddReportEntry("what happened in "+a.Name, transcript(story), ReportEntryVisibilityFailureOrVerbose)
	}
	// Namespaces go while the next spec runs; the suite waits for the databases at its end.
	Expect(a.Client.Delete(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: a.Name}})).To(Succeed())
	a.Record.Stop()
	Expect(synced).To(Succeed())
	broken := []string{}
	for _, v := range story.Violations() {
		broken = append(broken, v.String())
	}
	broken = append(broken, story.Strangers()...)
	Expect(broken).To(BeEmpty(), "invariants that did not hold at every event in "+a.Name+":\n"+transcript(story))
}

// transcript is a story for people.
func transcript(s framework.Story) string {
	var b strings.Builder
	for _, e := range s.Events {
		fmt.Fprintf(&b, "%s %d %-8s %T %s", e.Seen.Format("05.000"), e.Version, e.Type, e.Object, e.Object.GetName())
		switch o := e.Object.(type) {
		case *corev1.Pod:
			fmt.Fprintf(&b, " (%s) ready=%t leaving=%t", o.UID[:4], framework.Ready(o), o.DeletionTimestamp != nil)
		case *petsetv1.PetSet:
			fmt.Fprintf(&b, " (%s) leaving=%t", o.UID[:4], o.DeletionTimestamp != nil)
		case framework.Database:
			fmt.Fprintf(&b, " %s %s", o.DatabaseStatus().Phase, words(o.DatabaseStatus().Conditions))
		case framework.Request:
			fmt.Fprintf(&b, " %s %s", o.RequestStatus().Phase, words(o.RequestStatus().Conditions))
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// words are the conditions in short.
func words(conditions []metav1.Condition) string {
	list := make([]string, len(conditions))
	for i, c := range conditions {
		list[i] = fmt.Sprintf("%s=%s(%s: %s)", c.Type, c.Status, c.Reason, c.Message)
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

// edit changes the database.
func (a *arena) edit(ctx context.Context, db framework.Database, change func(framework.Database)) {
	GinkgoHelper()
	Eventually(ctx, func() error {
		if err := a.Client.Get(ctx, client.ObjectKeyFromObject(db), db); err != nil {
			return err
		}
		change(db)
		return a.Client.Update(ctx, db)
	}).Should(Succeed())
}

// becomes waits until the database has that phase.
func (a *arena) becomes(ctx context.Context, db framework.Database, phase kubedbv1.DatabasePhase) {
	GinkgoHelper()
	Eventually(ctx, func() kubedbv1.DatabasePhase {
		if now, ok := a.Record.See(db).(framework.Database); ok {
			return now.DatabaseStatus().Phase
		}
		return ""
	}).Should(Equal(phase), "phase of "+db.GetName())
}

// provision makes the database, with those changes, and waits until it is Ready.
func (a *arena) provision(ctx context.Context, s sample, changes ...func(framework.Database)) framework.Database {
	GinkgoHelper()
	db := s.database(a.Name)
	for _, change := range changes {
		change(db)
	}
	a.create(ctx, db)
	a.becomes(ctx, db, kubedbv1.PhaseReady)
	return db
}

// says is a condition of the database as it was recorded last.
func (a *arena) says(db framework.Database, kind string) func() metav1.Condition {
	return func() metav1.Condition {
		if now, ok := a.Record.See(db).(framework.Database); ok {
			return framework.Condition(now.DatabaseStatus().Conditions, kind)
		}
		return metav1.Condition{}
	}
}

// ends makes the request and waits until it has ended in that phase.
func (a *arena) ends(ctx context.Context, r framework.Request, phase opsv1.OpsPhase) framework.Request {
	GinkgoHelper()
	a.create(ctx, r)
	return a.comes(ctx, r, phase)
}

// comes waits until the request has ended in that phase.
func (a *arena) comes(ctx context.Context, r framework.Request, phase opsv1.OpsPhase) framework.Request {
	GinkgoHelper()
	var last framework.Request
	Eventually(ctx, func() bool {
		last, _ = a.Record.See(r).(framework.Request)
		return last != nil && framework.Finished(last)
	}).Should(BeTrue(), "%s does not end", r.GetName())
	Expect(last.RequestStatus().Phase).To(Equal(phase), words(last.RequestStatus().Conditions))
	return last
}

// now is the version up to which the story has been written.
func (a *arena) now(ctx context.Context) uint64 {
	GinkgoHelper()
	Expect(a.Sync(ctx)).To(Succeed())
	return a.Record.Story().Version()
}

// restarted are the pods that have been taken down since then, once the database has been left alone for a while.
func (a *arena) restarted(ctx context.Context, since uint64) []string {
	GinkgoHelper()
	time.Sleep(quiet)
	Expect(a.Sync(ctx)).To(Succeed())
	return a.Record.Story().Restarted(since)
}

// sets are the UIDs that the sample's PetSets have had since then, by name.
func (a *arena) sets(ctx context.Context, since uint64) map[string][]types.UID {
	GinkgoHelper()
	Expect(a.Sync(ctx)).To(Succeed())
	seen, uids := map[types.UID]bool{}, map[string][]types.UID{}
	for _, e := range a.Record.Story().Events {
		if set, ok := e.Object.(*petsetv1.PetSet); ok && e.Version > since && !seen[set.UID] {
			seen[set.UID] = true
			uids[set.Name] = append(uids[set.Name], set.UID)
		}
	}
	return uids
}

// set is the PetSet as it was recorded last.
func (a *arena) set(name string) *petsetv1.PetSet {
	GinkgoHelper()
	set, ok := framework.Latest[*petsetv1.PetSet](a.Record, name)
	Expect(ok).To(BeTrue(), "there is no PetSet "+name)
	return set
}
