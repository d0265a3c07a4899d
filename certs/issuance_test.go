package certs

import (
	"cmp"
	"testing"
	"time"

	cmv1 "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	cmmeta "github.com/cert-manager/cert-manager/pkg/apis/meta/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// certificate is a Certificate of generation 2 in some state.
type state struct {
	uid                types.UID
	revision, failures int
	failedAt           *metav1.Time
	ready, issuing     cmmeta.ConditionStatus
	// observed is the generation that Ready is about; 2 if not given.
	observed int64
}

func (s state) certificate() *cmv1.Certificate {
	c := &cmv1.Certificate{ObjectMeta: metav1.ObjectMeta{Name: "c", UID: s.uid, Generation: 2}}
	if c.UID == "" {
		c.UID = "u1"
	}
	if s.revision > 0 {
		c.Status.Revision = &s.revision
	}
	if s.failures > 0 {
		c.Status.FailedIssuanceAttempts = &s.failures
	}
	c.Status.LastFailureTime = s.failedAt
	if s.ready != "" {
		c.Status.Conditions = append(c.Status.Conditions, cmv1.CertificateCondition{
			Type: cmv1.CertificateConditionReady, Status: s.ready, ObservedGeneration: cmp.Or(s.observed, 2), Message: "ready says",
		})
	}
	if s.issuing != "" {
		c.Status.Conditions = append(c.Status.Conditions, cmv1.CertificateCondition{
			Type: cmv1.CertificateConditionIssuing, Status: s.issuing, Message: "issuing says",
		})
	}
	return c
}

const (
	yes = cmmeta.ConditionTrue
	no  = cmmeta.ConditionFalse
)

func TestLook(t *testing.T) {
	earlier, later := metav1.NewTime(start), metav1.NewTime(start.Add(time.Minute))
	rotation := Record{UID: "u1", Revision: 3, Reissue: true}
	update := Record{UID: "u1", Revision: 3}
	for _, c := range []struct {
		name     string
		state    state
		record   Record
		attempts int
		want     Progress
	}{
		{"a rotation begins", state{revision: 3, ready: yes}, rotation, 0, Trigger},
		{"it is under way", state{revision: 3, ready: yes, issuing: yes}, rotation, 0, Waiting},
		{"the key is there and the revision is not", state{revision: 3, ready: no, issuing: yes}, rotation, 0, Waiting},
		{"it is done", state{revision: 4, ready: yes}, rotation, 0, Issued},
		{"it is issued and Ready is about to be seen", state{revision: 4, ready: no}, rotation, 0, Waiting},
		{"somebody renews again", state{revision: 4, ready: yes, issuing: yes}, rotation, 0, Waiting},
		{"it has failed", state{revision: 3, ready: yes, issuing: no, failures: 1, failedAt: &later}, rotation, 0, Failed},
		{"it is tried again", state{revision: 3, ready: yes, issuing: no, failures: 1, failedAt: &later}, rotation, 1, Trigger},
		{"it has failed again", state{revision: 3, ready: yes, issuing: no, failures: 2, failedAt: &later}, rotation, 1, Failed},
		{"an old failure is none of ours", state{revision: 3, ready: yes, issuing: no, failures: 2, failedAt: &earlier},
			Record{UID: "u1", Revision: 3, Failures: 2, Failed: &earlier, Reissue: true}, 0, Trigger},
		{"a cert-manager that does not count", state{revision: 3, ready: yes, issuing: no, failedAt: &later},
			Record{UID: "u1", Revision: 3, Failed: &earlier, Reissue: true}, 1, Failed},
		{"a renewal by itself counts as the rotation", state{revision: 4, ready: yes}, rotation, 0, Issued},
		{"made again during a rotation, with its Secret", state{uid: "u2", ready: yes}, rotation, 0, Trigger},
		{"made again and issued", state{uid: "u2", revision: 1, ready: yes}, rotation, 0, Issued},

		{"an update that cert-manager has not seen", state{revision: 3, ready: yes, observed: 1}, update, 0, Waiting},
		{"an update that it issues", state{revision: 3, ready: no, issuing: yes}, update, 0, Waiting},
		{"an update that it is about to issue", state{revision: 3, ready: no}, update, 0, Waiting},
		{"an update that shows in no certificate", state{revision: 3, ready: yes}, update, 0, Issued},
		{"an update that fails", state{revision: 3, ready: no, issuing: no, failures: 1, failedAt: &later}, update, 0, Failed},
		{"resting since before the operation", state{revision: 3, ready: no, issuing: no, failures: 1, failedAt: &earlier},
			Record{UID: "u1", Revision: 3, Failures: 1, Failed: &earlier}, 0, Trigger},
		{"resting, and the spec is new", state{revision: 3, ready: no, issuing: no, observed: 1, failures: 1, failedAt: &earlier},
			Record{UID: "u1", Revision: 3, Failures: 1, Failed: &earlier}, 0, Waiting},

		{"brand new", state{}, Record{}, 0, Waiting},
		{"new and issued", state{revision: 1, ready: yes}, Record{}, 0, Issued},
		{"new and failing", state{ready: no, issuing: no, failures: 1, failedAt: &later}, Record{}, 0, Failed},
		{"a failure after a success since", state{revision: 5, ready: no, issuing: no, failures: 1, failedAt: &later},
			Record{UID: "u1", Revision: 3, Failures: 4}, 0, Failed},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, why := Look(c.state.certificate(), c.record, c.attempts)
			if got != c.want {
				t.Errorf("got %v (%s), want %v", got, why, c.want)
			}
			if got == Failed && why != "issuing says" {
				t.Errorf("a failure is explained by %q", why)
			}
		})
	}
}

func TestTriggered(t *testing.T) {
	c := state{revision: 3, ready: yes, issuing: no}.certificate()
	asked := Triggered(c, "why", metav1.NewTime(start))
	if len(c.Status.Conditions) != 2 || Issuing(c) != nil {
		t.Error("the original is changed")
	}
	if Issuing(asked) == nil || !Issuing(asked).Equal(new(metav1.NewTime(start))) || len(asked.Status.Conditions) != 2 {
		t.Errorf("conditions %v", asked.Status.Conditions)
	}
	fresh := Triggered(state{revision: 3, ready: yes}.certificate(), "why", metav1.NewTime(start))
	if Issuing(fresh) == nil || !Valid(fresh) || Ready(fresh) {
		t.Errorf("conditions %v", fresh.Status.Conditions)
	}
}

func TestMounted(t *testing.T) {
	leaf := func(alias string, s state) Leaf { return Leaf{Alias: alias, Certificate: s.certificate()} }
	now := []Leaf{leaf("server", state{uid: "0123456789", revision: 2}), leaf("client", state{revision: 1}), leaf("late", state{})}
	m := ParseMounted(MountedFrom(now, true).String())
	if !m.OldAuthority || len(m.Renewed(now)) != 0 {
		t.Errorf("%+v is not what was mounted", m)
	}
	now[0], now[1] = leaf("server", state{uid: "0123456789", revision: 3}), leaf("client", state{uid: "u9", revision: 1})
	if got := m.Renewed(now); len(got) != 2 || got[0] != "client" || got[1] != "server" {
		t.Errorf("renewed are %v", got)
	}
	if got := ParseMounted("{").Renewed(nil); got != nil {
		t.Errorf("renewed are %v", got)
	}
	if Account(state{issuing: no, ready: no}.certificate()) != "issuing says" || Account(state{}.certificate()) == "" {
		t.Error("what cert-manager says is lost")
	}
}

func TestSettled(t *testing.T) {
	at := func(d time.Duration, life time.Duration, s state) Leaf {
		c := s.certificate()
		c.Status.RenewalTime = new(metav1.NewTime(start.Add(d)))
		c.Status.NotBefore, c.Status.NotAfter = new(metav1.NewTime(start)), new(metav1.NewTime(start.Add(life)))
		return Leaf{Certificate: c}
	}
	good := state{revision: 2, ready: yes}
	for _, c := range []struct {
		name   string
		leaves []Leaf
		want   bool
	}{
		{"all quiet", []Leaf{at(day, 90*day, good)}, true},
		{"one is being issued", []Leaf{at(day, 90*day, good), at(0, 90*day, state{revision: 2, ready: yes, issuing: yes})}, false},
		{"one is about to be", []Leaf{at(day, 90*day, good), at(time.Minute, 90*day, good)}, false},
		{"one is overdue", []Leaf{at(-time.Hour, 90*day, state{revision: 2, ready: no, issuing: no, failures: 3})}, true},
		{"one lives for minutes only", []Leaf{at(time.Minute, 10*time.Minute, good)}, true},
	} {
		if got, again := Settled(c.leaves, start); got != c.want || (again == 0) != got {
			t.Errorf("%s: %v, look again after %v", c.name, got, again)
		}
	}
}
