package steps

import (
	"strings"
	"testing"
	"time"

	cmv1 "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/certs"
	"github.com/drydock-db/drydock/certs/certstest"
	"github.com/drydock-db/drydock/ops"
)

var (
	issue  = ops.IssueCertificates{To: ops.After}
	groups = []string{"perconaxtradb"}
)

// secured is a world whose pods mount a copy of certificates that the authority has signed, and an operation that leads
// to another issuer's.
func secured(t *testing.T, a certstest.Authority, issuer string) *tlsWorld {
	t.Helper()
	w := newTLSWorld(t, "", "one")
	w.must(issue, ops.Waiting)
	w.issues(a)
	w.must(issue, ops.Done)
	mounted := w.target.Saved.Copies.After
	w.target.Request.Name, w.target.Request.UID, w.target.Saved.Request = "r2", "abcdefghij", "abcdefghij"
	w.target.Saved.Before.Spec, w.target.Saved.After.Spec = []byte(spec("one")), []byte(spec(issuer))
	w.target.Saved.Before.Workloads["perconaxtradb"] = mounting(mounted)
	pending, err := Mounting("px", mounting(mounted), certs.PendingCopy("px"), "")
	if err != nil {
		t.Fatal(err)
	}
	w.target.Saved.Trust = map[string]*appsv1.StatefulSet{"perconaxtradb": pending}
	w.target.Saved.TLS = &TLS{Certificates: aliases, Records: map[string]certs.Record{}}
	w.records(false)
	w.triggers, w.writes = 0, 0
	return w
}

func TestCertificatesAreIssuedAndCopied(t *testing.T) {
	w, one := newTLSWorld(t, "", "one"), newAuthority("one")
	out := w.must(issue, ops.Waiting)
	if out.Message != "waiting for cert-manager to issue the certificates server, client, metrics-exporter" {
		t.Errorf("message %q", out.Message)
	}
	w.must(issue, ops.Waiting)
	w.issues(one)
	w.must(issue, ops.Done)
	names := w.target.Saved.Copies
	data := w.copyData(names.After)
	if len(data) != 7 || !trusts(data, one) || len(data["server.crt"]) == 0 || len(data["client.key"]) == 0 {
		t.Errorf("the copy has %d keys", len(data))
	}
	writes := w.writes
	for range 5 {
		w.must(issue, ops.Done)
	}
	if w.triggers != 0 {
		t.Errorf("%d triggers for certificates that cert-manager issues by itself", w.triggers)
	}
	// Looking again tries to create what exists, which changes nothing.
	if again := w.writes - writes; again != 5*2 {
		t.Errorf("%d writes to look five times", again)
	}
	// What is mounted is what was recorded, whatever cert-manager does meanwhile.
	w.issues(one)
	w.must(ops.ApplyObjects{To: ops.After, Groups: groups}, ops.Done)
	var set appsv1.StatefulSet
	if !w.get("px", &set) || CopyOf("px", &set) != names.After || set.Annotations[opsv1.AnnotationCertificates] != names.Mounted {
		t.Errorf("the workload mounts %q", CopyOf("px", &set))
	}
}

func TestARotationTriggersOnceWhateverCrashes(t *testing.T) {
	one := newAuthority("one")
	w := secured(t, one, "one")
	w.target.Request.TLS = &ops.TLSChange{Rotate: true}
	w.records(true)
	for range 10 { // each is an operator of its own
		out := w.must(issue, ops.Waiting)
		if strings.Contains(out.Message, "BEGIN") {
			t.Errorf("message %q", out.Message)
		}
	}
	if w.triggers != 3 {
		t.Fatalf("%d triggers for three certificates", w.triggers)
	}
	w.issues(one)
	for range 10 {
		w.must(issue, ops.Done)
	}
	if w.triggers != 3 {
		t.Errorf("%d triggers after the certificates were issued", w.triggers)
	}
	if before := CopyOf("px", w.target.Saved.Before.Workloads["perconaxtradb"]); w.target.Saved.Copies.Trust["perconaxtradb"] != before {
		t.Error("pods would restart to trust what they trust already")
	}
}

func TestAFailedIssuanceIsTriggeredOncePerAttempt(t *testing.T) {
	w := secured(t, newAuthority("one"), "one")
	w.records(true)
	w.must(issue, ops.Waiting)
	w.fails("denied by policy")
	for range 5 {
		out := w.must(issue, ops.Failed)
		if out.Reason != ReasonIssuanceFailed || out.Message != "certificate server: denied by policy" {
			t.Errorf("%+v", out)
		}
	}
	if w.triggers != 3 {
		t.Fatalf("%d triggers in the first attempt", w.triggers)
	}
	w.target.Attempts = 1
	if out := w.must(issue, ops.Waiting); w.triggers != 3 || out.After != time.Second {
		t.Errorf("triggered in the second of the failure, which cert-manager takes for a failure of the new attempt: %+v", out)
	}
	w.executor.now = func() time.Time { return noon.Add(time.Second) }
	w.must(issue, ops.Waiting)
	w.must(issue, ops.Waiting)
	w.fails("denied again")
	w.must(issue, ops.Failed)
	if w.triggers != 6 {
		t.Errorf("%d triggers in two attempts", w.triggers)
	}
}

func TestAnotherAuthorityIsTrustedFirst(t *testing.T) {
	one, two := newAuthority("one"), newAuthority("two")
	w := secured(t, one, "two")
	w.must(issue, ops.Waiting) // the Certificates change
	w.must(issue, ops.Waiting) // and cert-manager has not seen it
	w.issues(two)
	w.must(issue, ops.Done)
	names := w.target.Saved.Copies
	before := w.copyData(CopyOf("px", w.target.Saved.Before.Workloads["perconaxtradb"]))
	trust, after := w.copyData(names.Trust["perconaxtradb"]), w.copyData(names.After)
	for name, data := range map[string]map[string][]byte{"Trust": trust, "After": after} {
		if !trusts(data, one) || !trusts(data, two) {
			t.Errorf("%s does not trust both authorities", name)
		}
	}
	if string(trust["server.crt"]) != string(before["server.crt"]) || string(after["server.crt"]) == string(before["server.crt"]) {
		t.Error("leaves change too early, or not at all")
	}
	// The last one is by an operator to whom nobody has said how far its predecessor came.
	for i, c := range []struct {
		side ops.Side
		want string
	}{{ops.Trust, names.Trust["perconaxtradb"]}, {ops.After, names.After}, {ops.Trust, names.After}} {
		w.must(ops.ApplyObjects{To: c.side, Groups: groups}, ops.Done)
		var set appsv1.StatefulSet
		if w.get("px", &set); CopyOf("px", &set) != c.want {
			t.Errorf("%d: %s mounts %s, want %s", i, c.side, CopyOf("px", &set), c.want)
		}
	}
	w.must(ops.RollPods{To: ops.Trust, Group: groups[0]}, ops.Done)
	if w.triggers != 0 {
		t.Errorf("%d triggers for a change that cert-manager sees by itself", w.triggers)
	}
}

func TestARecordWithoutCopiesIsMadeAnew(t *testing.T) {
	one := newAuthority("one")
	w := newTLSWorld(t, "", "one")
	w.must(issue, ops.Waiting)
	w.issues(one)
	if _, err := w.do(issue); err != nil {
		t.Fatal(err)
	}
	first := w.target.Saved.Copies.After
	// The operator died after the record and before the copy, and then cert-manager renewed.
	var secret corev1.Secret
	w.get(first, &secret)
	if err := w.client.Delete(t.Context(), &secret, client.Preconditions{UID: &secret.UID}); err != nil {
		t.Fatal(err)
	}
	w.issues(one)
	if _, err := w.do(issue); err == nil {
		t.Fatal("the old record is not given up")
	}
	w.must(issue, ops.Done)
	if w.target.Saved.Copies.After == first || len(w.copyData(w.target.Saved.Copies.After)) != 7 {
		t.Error("the new certificates are not copied")
	}
	// Once the copies are there, the record stays.
	second := w.target.Saved.Copies.After
	w.issues(one)
	w.must(issue, ops.Done)
	if w.target.Saved.Copies.After != second {
		t.Error("a renewal changed what is mounted")
	}
}

func TestNothingForeignIsTouched(t *testing.T) {
	users := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "px-client-cert", UID: "mine"}, Data: map[string][]byte{"a": nil}}
	theirs := &cmv1.Certificate{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "px-server-cert", UID: "theirs"}}
	for name, c := range map[string]struct {
		object client.Object
		want   string
	}{
		"a Secret":      {users, "Secret px-client-cert exists and is not controlled by cert-manager for Certificate px-client-cert: rename or delete it"},
		"a Certificate": {theirs, "Certificate px-server-cert exists and is not controlled by PerconaXtraDB px: rename or delete it"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newTLSWorld(t, "", "one", c.object)
			out := w.must(issue, ops.Failed)
			if out.Reason != ReasonNameTaken || out.Message != c.want {
				t.Errorf("%+v", out)
			}
			w.target.Side = ops.Before
			w.must(ops.RemoveCertificates{}, ops.Done)
			if !w.get(c.object.GetName(), c.object.DeepCopyObject().(client.Object)) {
				t.Error("it was removed")
			}
			for _, alias := range aliases {
				var left cmv1.Certificate
				if w.get(certs.Name("px", alias), &left) && left.UID != "theirs" {
					t.Errorf("certificate %s is left", alias)
				}
			}
		})
	}
}

func TestWhatIsDeletedInTheMiddleComesBack(t *testing.T) {
	one := newAuthority("one")
	w := secured(t, one, "one")
	w.records(true)
	w.must(issue, ops.Waiting)
	var c cmv1.Certificate
	w.get("px-server-cert", &c)
	if err := w.client.Delete(t.Context(), &c, client.Preconditions{UID: &c.UID}); err != nil {
		t.Fatal(err)
	}
	w.must(issue, ops.Waiting) // it is made again
	w.must(issue, ops.Waiting) // and asked to be issued, since its Secret is there
	w.issues(one)
	var secret corev1.Secret
	w.get("px-client-cert", &secret)
	if err := w.client.Delete(t.Context(), &secret, client.Preconditions{UID: &secret.UID}); err != nil {
		t.Fatal(err)
	}
	if out := w.must(issue, ops.Waiting); out.Message != "Secret px-client-cert of certificate client is gone; cert-manager makes it again" {
		t.Errorf("message %q", out.Message)
	}
	w.issues(one)
	w.must(issue, ops.Done)
	if w.triggers != 4 {
		t.Errorf("%d triggers, want one for each Certificate and one for that made again", w.triggers)
	}
}

func TestTheMountedCopyIsGone(t *testing.T) {
	one := newAuthority("one")
	w := secured(t, one, "one")
	var secret corev1.Secret
	w.get(CopyOf("px", w.target.Saved.Before.Workloads["perconaxtradb"]), &secret)
	if err := w.client.Delete(t.Context(), &secret, client.Preconditions{UID: &secret.UID}); err != nil {
		t.Fatal(err)
	}
	if out := w.must(issue, ops.Failed); out.Reason != ReasonCopyMissing || !strings.Contains(out.Message, secret.Name) {
		t.Errorf("%+v", out)
	}
}

func TestTheWayBackLeadsThroughTrustOnlyIfAPodHasGoneFurther(t *testing.T) {
	one, two := newAuthority("one"), newAuthority("two")
	back := ops.ApplyObjects{To: ops.Trust, Groups: groups}
	w := secured(t, one, "two")
	w.target.Side = ops.Before
	if out := w.must(back, ops.Done); out.Message != "no pod has gone further" {
		t.Errorf("nothing was issued, and: %+v", out)
	}
	w.target.Side = ops.After
	w.must(issue, ops.Waiting)
	w.issues(two)
	w.must(issue, ops.Done)
	names := *w.target.Saved.Copies
	w.target.Side = ops.Before
	for _, c := range []struct {
		secret string
		ready  bool
		skips  bool
	}{{names.Trust["perconaxtradb"], true, true}, {names.After, false, false}, {names.After, true, false}} {
		p := pod(2, "new", c.ready)
		p.Spec.Volumes[0].Secret.SecretName = c.secret
		if err := w.client.Create(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		if out := w.must(back, ops.Done); (out.Message == "no pod has gone further") != c.skips {
			t.Errorf("with a pod that mounts %s and is ready: %v: %+v", c.secret, c.ready, out)
		}
		if err := w.client.Delete(t.Context(), p, client.Preconditions{UID: &p.UID}); err != nil {
			t.Fatal(err)
		}
	}
}

// The first pod that goes further is evicted and not there again when the request is deleted. It comes up with what its workload
// named when it was made, so nobody may go straight back before that is known.
func TestTheWayBackWaitsForAPodThatMayComeUpFurther(t *testing.T) {
	one, two := newAuthority("one"), newAuthority("two")
	w := secured(t, one, "two")
	w.must(issue, ops.Waiting)
	w.issues(two)
	w.must(issue, ops.Done)
	trust, after := w.target.Saved.Copies.Trust["perconaxtradb"], w.target.Saved.Copies.After
	named := func(n int32, secret string) {
		p := pod(n, "new", true)
		p.Spec.Volumes[0].Secret.SecretName = secret
		if err := w.client.Create(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	named(0, trust)
	named(1, trust)
	skips := func(want bool, when string) {
		t.Helper()
		for _, to := range []ops.Action{ops.ApplyObjects{To: ops.Trust, Groups: groups}, ops.RollPods{To: ops.Trust, Group: groups[0]}} {
			if out, err := w.do(to); err != nil || (out.Message == "no pod has gone further") != want {
				t.Errorf("%s, %T: %+v, %v", when, to, out, err)
			}
		}
	}
	w.must(ops.ApplyObjects{To: ops.After, Groups: groups}, ops.Done)
	w.target.Side = ops.Before
	var set appsv1.StatefulSet
	if w.get("px", &set); CopyOf("px", &set) != after {
		t.Fatalf("the workload names %s, not %s", CopyOf("px", &set), after)
	}
	skips(false, "the pod is away and the workload names the new certificate")
	if w.get("px", &set); CopyOf("px", &set) != trust {
		t.Errorf("the workload names %s, not %s", CopyOf("px", &set), trust)
	}
	skips(false, "the pod is away and may have been made from what the workload was")
	named(2, trust)
	skips(true, "every pod is there and none has gone further")
}
