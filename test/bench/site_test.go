//go:build lab

package bench

import (
	"context"
	"fmt"
	"testing"
	"time"

	cmv1 "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/certs"
	"github.com/drydock-db/drydock/test/framework"
)

// patience is how long one thing may take.
const patience = 5 * time.Minute

// database is the name of the database that is measured.
const database = "db"

// site is a namespace with a database, and with what it is compared with.
type site struct {
	*framework.Space
	// copies are the names of the StatefulSets that are equal to the database's.
	copies []string
	// audit and since begin where all that is ready.
	audit *framework.Audit
	since uint64
}

// newSite makes all that the operation needs and waits until nothing moves.
func newSite(b *testing.B, o operation, pods int32) *site {
	s := &site{Space: newSpace(b)}
	s.create(b, &corev1.Secret{ObjectMeta: s.named(licence), StringData: map[string]string{"password": "not a real licence"}})
	if o.issues() {
		s.authorities(b, "one", "two")
	}
	var tls *kubedbv1.TLSConfig
	if o.tls {
		tls = new(from("one"))
	}
	s.provision(b, o.on.database(pods, tls))
	if o.rolls > 0 {
		s.copyWorkloads(b)
	}
	var err error
	if s.audit, err = s.Audit(); err != nil {
		b.Fatal(err)
	}
	s.since = s.Record.Story().Version()
	return s
}

func newSpace(b *testing.B) *framework.Space {
	lab, err := framework.Connect(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	s, err := lab.NewSpace(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := s.Delete(ctx, patience); err != nil {
			b.Error(err)
		}
	})
	if err := s.Faults(b.Context()); err != nil {
		b.Fatal(err)
	}
	return s
}

func (s *site) named(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: s.Name, Name: name}
}

func (s *site) create(b *testing.B, objects ...client.Object) {
	for _, o := range objects {
		if err := s.Client.Create(b.Context(), o); err != nil {
			b.Fatal(err)
		}
	}
}

// until polls what was recorded: waiting costs the API server nothing.
func (s *site) until(b *testing.B, what string, done func() bool) {
	for deadline := time.Now().Add(patience); !done(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			b.Fatalf("%s: not within %s", what, patience)
		}
	}
}

// quiet waits until nothing has happened for a while, so that what is counted belongs to what was started.
func (s *site) quiet(b *testing.B) {
	for last, since := -1, time.Now(); time.Since(since) < time.Second; time.Sleep(50 * time.Millisecond) {
		if n := s.Record.Len(); n != last {
			last, since = n, time.Now()
		}
		if b.Context().Err() != nil {
			b.Fatal("interrupted")
		}
	}
}

// provision makes the database and waits until it is Ready.
func (s *site) provision(b *testing.B, db framework.Database) {
	db.SetNamespace(s.Name)
	db.SetName(database)
	s.create(b, db)
	s.until(b, "the database becomes Ready", func() bool {
		now, ok := s.Record.See(db).(framework.Database)
		return ok && now.DatabaseStatus().Phase == kubedbv1.PhaseReady
	})
	s.quiet(b)
}

// authorities makes issuers, each with an authority of its own, and waits until they have it. cert-manager sometimes issues a
// certificate a second time at once, with another key. What the first has signed would be of another authority then, and a rotation a
// change of issuer; so nothing may be under way for half a second.
func (s *site) authorities(b *testing.B, names ...string) {
	self := &cmv1.Issuer{ObjectMeta: s.named("self")}
	self.Spec.SelfSigned = &cmv1.SelfSignedIssuer{}
	s.create(b, self)
	for _, name := range names {
		authority := &cmv1.Certificate{ObjectMeta: s.named("authority-" + name)}
		authority.Spec.IsCA, authority.Spec.CommonName, authority.Spec.SecretName = true, s.Name+"-"+name, authority.Name
		authority.Spec.IssuerRef.Name = self.Name
		issuer := &cmv1.Issuer{ObjectMeta: s.named(name)}
		issuer.Spec.CA = &cmv1.CAIssuer{SecretName: authority.Spec.SecretName}
		s.create(b, authority, issuer)
	}
	began, ready := time.Now(), 0
	for ; ready < 5; time.Sleep(100 * time.Millisecond) {
		if ready++; !s.issued(b, names) {
			ready = 0
		}
		if time.Since(began) > patience {
			b.Fatalf("the authorities %v are not issued within %s", names, patience)
		}
	}
}

// issued tells whether the authorities are issued and none is being issued. Certificates are not recorded.
func (s *site) issued(b *testing.B, names []string) bool {
	for _, name := range names {
		var c cmv1.Certificate
		if err := s.Client.Get(b.Context(), client.ObjectKey{Namespace: s.Name, Name: "authority-" + name}, &c); err != nil {
			b.Fatal(err)
		}
		if !certs.Ready(&c) {
			return false
		}
	}
	return true
}

// carryOut makes the n-th request, waits until it is Successful and returns how long that took.
func (s *site) carryOut(b *testing.B, r framework.Request, n int) time.Duration {
	r.SetNamespace(s.Name)
	r.SetName(fmt.Sprintf("run-%d", n))
	r.RequestSpec().DatabaseRef.Name = database
	began := time.Now()
	s.create(b, r)
	s.until(b, r.GetName()+" is Successful", func() bool {
		now, ok := s.Record.See(r).(framework.Request)
		if ok && now.RequestStatus().Phase == opsv1.PhaseFailed {
			b.Fatalf("%s failed: %v", r.GetName(), now.RequestStatus().Conditions)
		}
		return ok && now.RequestStatus().Phase == opsv1.PhaseSuccessful
	})
	return time.Since(began)
}

// tell adds to the row what the operator has done since the site was ready.
func (s *site) tell(b *testing.B, r *row) {
	s.quiet(b)
	calls, err := s.audit.Calls(framework.OperatorUser, s.Name)
	if err != nil {
		b.Fatal(err)
	}
	r.calls = append(r.calls, calls...)
	r.reactions = append(r.reactions, reactions(s.Record.Story(), s.since)...)
}
