package webhooks_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	kubedbv1alpha2 "github.com/drydock-db/drydock/apis/kubedb/v1alpha2"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/internal/admit"
	"github.com/drydock-db/drydock/webhooks"
)

const restart = `{"apiVersion":"ops.kubedb.com/v1alpha1","kind":"SinglestoreOpsRequest","metadata":{"name":"r","namespace":"demo"},` +
	`"spec":{"type":"Restart","databaseRef":{"name":"sdb"}}}`

func TestDefaultOpsRequest(t *testing.T) {
	s := serve(t, newAdmission(newClient(t)))
	answer := s.review(mutateSdbOps, []byte(restart), nil, false)
	want := `[{"op":"add","path":"/metadata/annotations","value":{"ops.kubedb.com/requested-by":` +
		`"{\"username\":\"alice\",\"uid\":\"1\",\"groups\":[\"devs\",\"system:authenticated\"],\"extra\":{\"example.org/team\":[\"a\",\"b\"]}}"}},` +
		`{"op":"add","path":"/metadata/finalizers","value":["ops.kubedb.com/operation"]},` +
		`{"op":"add","path":"/spec/apply","value":"IfReady"},{"op":"add","path":"/spec/maxRetries","value":1}]`
	if diff := cmp.Diff(want, string(answer.Patch)); diff != "" {
		t.Error(diff)
	}
	defaulted := apply(t, []byte(restart), answer)
	if again := s.review(mutateSdbOps, defaulted, nil, false); len(again.Patch) > 0 {
		t.Errorf("defaulting twice changes %s", again.Patch)
	}
	if verdict := s.review(validateSdbOps, defaulted, nil, false); !verdict.Allowed {
		t.Error(verdict.Result)
	}
	if edit := s.review(mutateSdbOps, []byte(restart), []byte(restart), false); len(edit.Patch) > 0 {
		t.Errorf("an edit is changed by %s", edit.Patch)
	}
}

func TestStampCannotBeForged(t *testing.T) {
	s := serve(t, newAdmission(newClient(t)))
	forged := edited(t, []byte(restart), `{"username":"root"}`, "metadata", "annotations", opsv1.AnnotationRequestedBy)
	if verdict := s.review(validateSdbOps, forged, nil, false); verdict.Allowed || !strings.Contains(verdict.Result.Message, `it names "root" and the requester is "alice"`) {
		t.Error(verdict)
	}
	defaulted := apply(t, forged, s.review(mutateSdbOps, forged, nil, false))
	if verdict := s.review(validateSdbOps, defaulted, nil, false); !verdict.Allowed {
		t.Error("the stamp was not overwritten", verdict.Result)
	}
	if verdict := s.review(validateSdbOps, forged, defaulted, false); verdict.Allowed || !strings.Contains(verdict.Result.Message, "it records who created the request and cannot change") {
		t.Error(verdict)
	}
	if verdict := s.review(validateSdbOps, []byte(restart), nil, false); verdict.Allowed || !strings.Contains(verdict.Result.Message, "was not created through admission") {
		t.Error(verdict)
	}
}

func TestEditedOpsRequest(t *testing.T) {
	s := serve(t, newAdmission(newClient(t)))
	// Stored under older rules: nothing in it would be admitted today.
	old := []byte(`{"metadata":{"name":"r","namespace":"demo"},"spec":{"type":"Repaint","timeout":"-1s","databaseRef":{"name":"gone"}}}`)
	for name, object := range map[string][]byte{
		"the same":   old,
		"a label":    edited(t, old, "b", "metadata", "labels", "a"),
		"finalizers": edited(t, old, []any{}, "metadata", "finalizers"),
		"status":     edited(t, old, "Failed", "status", "phase"),
		"deletion":   edited(t, old, "2026-01-01T00:00:00Z", "metadata", "deletionTimestamp"),
	} {
		if verdict := s.review(validateSdbOps, object, old, false); !verdict.Allowed {
			t.Errorf("%s: %v", name, verdict.Result)
		}
	}
	verdict := s.review(validateSdbOps, edited(t, old, "Restart", "spec", "type"), old, false)
	if verdict.Allowed || verdict.Result.Code != 422 ||
		verdict.Result.Details.Causes[0].Message != "Forbidden: the spec of an OpsRequest cannot change: delete the request to cancel it, and create another" {
		t.Error(verdict.Result)
	}
}

func TestRefusalNamesEveryField(t *testing.T) {
	s := serve(t, newAdmission(newClient(t)))
	bad := []byte(`{"metadata":{"name":"r","namespace":"demo"},"spec":{"type":"Restart","timeout":"0s","maxRetries":-1,"databaseRef":{"name":"gone"},"tls":{}}}`)
	bad = apply(t, bad, s.review(mutateSdbOps, bad, nil, false))
	wet, dry := s.review(validateSdbOps, bad, nil, false), s.review(validateSdbOps, bad, nil, true)
	if diff := cmp.Diff(wet, dry); diff != "" {
		t.Error("a dry run answers something else", diff)
	}
	result := wet.Result
	if wet.Allowed || result.Code != http.StatusUnprocessableEntity || result.Reason != metav1.StatusReasonInvalid ||
		result.Details.Kind != "SinglestoreOpsRequest" || result.Details.Group != "ops.kubedb.com" || result.Details.Name != "r" {
		t.Error(result)
	}
	var fields []string
	for _, cause := range result.Details.Causes {
		fields = append(fields, cause.Field)
	}
	if diff := cmp.Diff([]string{"spec.timeout", "spec.maxRetries", "spec.tls", "spec.databaseRef.name"}, fields); diff != "" {
		t.Error(diff)
	}
}

// TestOlderFields: an older manifest that is applied again says what became of the fields that have other names now.
func TestOlderFields(t *testing.T) {
	s := serve(t, newAdmission(newClient(t)))
	pxc := []byte(`{"metadata":{"name":"pxc","namespace":"demo"},"spec":{"version":"8.4.3","deletionPolicy":"Delete",` +
		`"configuration":{"secretName":"good"},"storage":{"resources":{"requests":{"storage":"10Gi"}}}}}`)
	sdb := []byte(`{"metadata":{"name":"sdb","namespace":"demo"},"spec":{"version":"8.9.3","topology":{` +
		`"leaf":{"configuration":{"secretName":"good"}}}}}`)
	const changed = ": mixed is not used: %[1]sconfiguration.secretName is set, to good, and wins over the older field; change it there, by a %[2]s of type Reconfigure"
	for name, c := range map[string]struct {
		path, field string
		object      []byte
		value       any
		want        []string
	}{
		"another Secret": {mutatePxc, "spec.configSecret", pxc, map[string]any{"name": "mixed"},
			[]string{"spec.configSecret" + fmt.Sprintf(changed, "spec.", "PerconaXtraDBOpsRequest")}},
		"another Secret of one group": {mutateSdb, "spec.topology.leaf.configSecret", sdb, map[string]any{"name": "mixed"},
			[]string{"spec.topology.leaf.configSecret" + fmt.Sprintf(changed, "spec.topology.leaf.", "SinglestoreOpsRequest")}},
		"the same Secret": {mutatePxc, "spec.configSecret", pxc, map[string]any{"name": "good"}, nil},
		"no Secret":       {mutatePxc, "spec.configSecret", pxc, map[string]any{"name": ""}, nil},
		"another policy": {mutatePxc, "spec.terminationPolicy", pxc, "WipeOut",
			[]string{"spec.terminationPolicy: the older field wins: deletionPolicy changes from Delete to WipeOut; leave terminationPolicy out to set deletionPolicy"}},
		"the same policy": {mutatePxc, "spec.terminationPolicy", pxc, "Delete", nil},
	} {
		t.Run(name, func(t *testing.T) {
			sent := edited(t, c.object, c.value, strings.Split(c.field, ".")...)
			for _, old := range [][]byte{nil, c.object} {
				if diff := cmp.Diff(c.want, s.review(c.path, sent, old, false).Warnings); diff != "" {
					t.Error(diff)
				}
			}
			if again := s.review(c.path, sent, sent, false).Warnings; len(again) > 0 {
				t.Errorf("an edit elsewhere warns: %v", again)
			}
		})
	}
}

func TestDefaultDatabase(t *testing.T) {
	s := serve(t, newAdmission(newClient(t)))
	bare := []byte(`{"metadata":{"name":"new","namespace":"demo"},"spec":{"version":"8.4.3","terminationPolicy":"WipeOut","configSecret":{"name":"good"},` +
		`"tls":{"issuerRef":{"kind":"Issuer","name":"ca"}},"storage":{"resources":{"requests":{"storage":"1Gi"}}}}}`)
	answer := s.review(mutatePxc, bare, nil, false)
	want := `[{"op":"add","path":"/metadata/finalizers","value":["` + kubedbv1.Finalizer + `"]},{"op":"add","path":"/spec/authSecret","value":{"kind":"Secret"}},` +
		`{"op":"add","path":"/spec/configuration","value":{"secretName":"good"}},{"op":"add","path":"/spec/deletionPolicy","value":"WipeOut"},` +
		`{"op":"add","path":"/spec/healthChecker","value":{"failureThreshold":1,"periodSeconds":10,"timeoutSeconds":10}},` +
		`{"op":"add","path":"/spec/replicas","value":3},{"op":"add","path":"/spec/storageType","value":"Durable"},` +
		`{"op":"add","path":"/spec/tls/certificates","value":[{"alias":"server","secretName":"new-server-cert"},` +
		`{"alias":"client","secretName":"new-client-cert"},{"alias":"metrics-exporter","secretName":"new-metrics-exporter-cert"}]},` +
		`{"op":"remove","path":"/spec/configSecret"},{"op":"remove","path":"/spec/terminationPolicy"}]`
	if diff := cmp.Diff(want, string(answer.Patch)); diff != "" {
		t.Error(diff)
	}
	defaulted := apply(t, bare, answer)
	if verdict := s.review(validatePxc, defaulted, nil, false); !verdict.Allowed {
		t.Error(verdict.Result)
	}
	// Stored before there were defaults: a label does not change its spec, an edit of the spec does.
	if label := s.review(mutatePxc, edited(t, bare, "b", "metadata", "labels", "a"), bare, false); len(label.Patch) > 0 {
		t.Errorf("a label comes with %s", label.Patch)
	}
	edit := edited(t, bare, "Halt", "spec", "deletionPolicy")
	if answer := s.review(mutatePxc, edit, bare, false); len(answer.Patch) == 0 {
		t.Error("an edited spec is not defaulted")
	}
	deleting := edited(t, edit, "2026-01-01T00:00:00Z", "metadata", "deletionTimestamp")
	if answer := s.review(mutatePxc, deleting, bare, false); len(answer.Patch) > 0 {
		t.Errorf("an object that is being deleted is changed by %s", answer.Patch)
	}
}

func TestPausedGate(t *testing.T) {
	c := newClient(t)
	db := &kubedbv1alpha2.Singlestore{}
	if err := json.Unmarshal(stored(t, c, db, "sdb"), db); err != nil {
		t.Fatal(err)
	}
	meta.SetStatusCondition(&db.Status.Conditions, metav1.Condition{
		Type: kubedbv1.ConditionPaused, Status: metav1.ConditionTrue, Reason: kubedbv1.ReasonOperationInProgress, Message: "X y (z) holds this database",
	})
	old, err := json.Marshal(db)
	if err != nil {
		t.Fatal(err)
	}
	s := serve(t, newAdmission(c))
	edit := edited(t, old, true, "spec", "halted")
	if verdict := s.review(validateSdb, edit, old, false); verdict.Allowed ||
		!strings.Contains(verdict.Result.Message, "X y (z) holds this database") ||
		!strings.Contains(verdict.Result.Message, "kubectl delete singlestoreopsrequests.ops.kubedb.com") {
		t.Error(verdict.Result)
	}
	for name, object := range map[string][]byte{
		"label":    edited(t, old, "b", "metadata", "labels", "a"),
		"deletion": edited(t, edit, "2026-01-01T00:00:00Z", "metadata", "deletionTimestamp"),
	} {
		if verdict := s.review(validateSdb, object, old, false); !verdict.Allowed {
			t.Errorf("%s: %v", name, verdict.Result)
		}
	}
	s.user.Username = operator
	if verdict := s.review(validateSdb, edit, old, false); !verdict.Allowed {
		t.Error("the operator is refused", verdict.Result)
	}
}

func TestUnreadable(t *testing.T) {
	s := serve(t, newAdmission(newClient(t)))
	for name, c := range map[string]struct {
		body string
		code int
	}{
		"nothing":        {``, 400},
		"not JSON":       {`kind: AdmissionReview`, 400},
		"a list":         {`[]`, 400},
		"no request":     {`{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview"}`, 400},
		"null request":   {`{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":null}`, 400},
		"no uid":         {`{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"operation":"CREATE"}}`, 400},
		"older version":  {`{"apiVersion":"admission.k8s.io/v1beta1","kind":"AdmissionReview","request":{"uid":"u-1"}}`, 400},
		"cut short":      {`{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"u-1","object":{`, 400},
		"delete":         {`{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"u-1","operation":"DELETE","object":null,"oldObject":{}}}`, 200},
		"too large":      {`{"apiVersion":"` + strings.Repeat("x", 8<<20), 413},
		"deeply nested":  {strings.Repeat(`{"a":`, 100000), 400},
		"not a database": {`{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"u-1","operation":"CREATE","object":{"spec":7}}}`, 200},
	} {
		for path := range s.handlers {
			w := s.post(path, []byte(c.body))
			if w.Code != c.code {
				t.Errorf("%s at %s: status %d: %s", name, path, w.Code, w.Body)
			}
			if strings.Contains(w.Body.String(), "goroutine") {
				t.Errorf("%s at %s shows a stack", name, path)
			}
		}
	}
	for _, object := range []string{`null`, `7`, `[]`, `"x"`, `{"spec":7}`, `{"metadata":[]}`, `{"spec":{"timeout":"soon"}}`, `{"spec":{"storage":{"resources":{"requests":{"storage":"many"}}}}}`} {
		verdict := s.review(validatePxc, []byte(object), nil, false)
		if verdict.Allowed {
			t.Errorf("%s is admitted", object)
		}
	}
	r := httptest.NewRequest(http.MethodGet, validatePxc, http.NoBody)
	w := httptest.NewRecorder()
	s.handlers[validatePxc].ServeHTTP(w, r)
	if w.Code != http.StatusMethodNotAllowed {
		t.Error(w.Code)
	}
	r = httptest.NewRequest(http.MethodPost, validatePxc, strings.NewReader("{}"))
	r.Header.Set("Content-Type", "text/plain")
	w = httptest.NewRecorder()
	s.handlers[validatePxc].ServeHTTP(w, r)
	if w.Code != http.StatusUnsupportedMediaType {
		t.Error(w.Code)
	}
}

// TestWrongTypes: what cannot be read is the schema's to refuse, which names every field; the error of reading names none. Where
// the schema has nothing against it, validation does.
func TestWrongTypes(t *testing.T) {
	s := serve(t, newAdmission(newClient(t)))
	for _, c := range []struct{ mutate, validate, object, want string }{
		{mutateSdbOps, validateSdbOps, `{"spec":{"type":"Restart","databaseRef":{"name":"sdb"},"timeout":300}}`, "number"},
		{mutateSdbOps, validateSdbOps, `{"spec":{"type":"Restart","databaseRef":{"name":"sdb"},"timeout":"soon"}}`, `invalid duration "soon"`},
		{mutateSdbOps, validateSdbOps, `{"spec":{"type":"Restart","databaseRef":{"name":"sdb"},"restart":true}}`, "bool"},
		{mutatePxcOps, validatePxcOps, `{"spec":{"type":"VolumeExpansion","databaseRef":{"name":"pxc"},"volumeExpansion":{"perconaxtradb":"many"}}}`, "quantities"},
		{mutatePxc, validatePxc, `{"spec":{"replicas":"3","storage":{"resources":{"requests":{"storage":"1Gi"}}}}}`, "string"},
		{mutateSdb, validateSdb, `{"spec":{"topology":[]}}`, "array"},
	} {
		for _, old := range [][]byte{nil, []byte(`{}`)} {
			if answer := s.review(c.mutate, []byte(c.object), old, false); !answer.Allowed || len(answer.Patch) > 0 {
				t.Errorf("%s: %v %s", c.object, answer.Result, answer.Patch)
			}
			answer := s.review(c.validate, []byte(c.object), old, false)
			if answer.Allowed || answer.Result.Code != http.StatusBadRequest || !strings.HasPrefix(answer.Result.Message, "the object cannot be read: ") ||
				!strings.Contains(answer.Result.Message, c.want) {
				t.Errorf("%s: %v", c.object, answer.Result)
			}
		}
	}
}

// broken answers nothing, one way or the other.
type broken struct{ panics bool }

func (b broken) Allowed(context.Context, authenticationv1.UserInfo, authorizationv1.ResourceAttributes) (bool, error) {
	if b.panics {
		panic("secret-word")
	}
	return false, errors.New("the API server is away")
}

func TestNoAnswerAdmitsNothing(t *testing.T) {
	c := newClient(t)
	object := apply(t, []byte(restart), serve(t, newAdmission(c)).review(mutateSdbOps, []byte(restart), nil, false))
	for _, b := range []broken{{panics: true}, {}} {
		s := serve(t, admit.New(admit.Config{Reader: c, Access: b}))
		verdict := s.review(validateSdbOps, object, nil, false)
		if verdict.Allowed || verdict.Result.Code != http.StatusInternalServerError || strings.Contains(verdict.Result.Message, "secret-word") {
			t.Error(verdict.Result)
		}
	}
}

// Large reviews have few places among them; the usual ones never wait for one.
func TestLargeReviewsWaitForAPlace(t *testing.T) {
	s := serve(t, newAdmission(newClient(t)))
	large := []byte(`{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"u-1","operation":"DELETE","name":"` +
		strings.Repeat("x", 300<<10) + `"}}`)
	free := webhooks.TakePlaces()
	answered := make(chan int)
	go func() { answered <- s.post(mutateSdbOps, large).Code }()
	if r := s.review(mutateSdbOps, []byte(restart), nil, false); !r.Allowed {
		t.Errorf("a usual review: %v", r.Result)
	}
	select {
	case code := <-answered:
		t.Errorf("a large review did not wait: status %d", code)
	default:
	}
	free()
	if code := <-answered; code != http.StatusOK {
		t.Errorf("status %d once there is a place", code)
	}
}
