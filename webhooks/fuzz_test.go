package webhooks_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	admissionv1 "k8s.io/api/admission/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"
	kjson "sigs.k8s.io/json"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	kubedbv1alpha2 "github.com/drydock-db/drydock/apis/kubedb/v1alpha2"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/engines"
	"github.com/drydock-db/drydock/internal/admit"
)

// seeds are specs of all shapes, good and bad; a fuzzer makes more.
var (
	requestSeeds = []string{
		`{"type":"Restart","databaseRef":{"name":"sdb"},"timeout":"10m","apply":"Always","maxRetries":3}`,
		`{"type":"Reconfigure","databaseRef":{"name":"sdb"},"configuration":{"leaf":{"configSecret":{"name":"good"},"restart":"true"},"aggregator":{"applyConfig":{"a.cnf":"[server]\nx=1"},"removeCustomConfig":true}}}`,
		`{"type":"Reconfigure","databaseRef":{"name":"pxc"},"configuration":{"configSecret":{"name":"broken"},"applyConfig":{"a.cnf":"[mysqld]\nx=1","../b":"!include"}}}`,
		`{"type":"ReconfigureTLS","databaseRef":{"name":"one"},"tls":{"issuerRef":{"apiGroup":"cert-manager.io","kind":"Issuer","name":"ca"},"certificates":[{"alias":"server","secretName":"x","duration":"1h","renewBefore":"2h","dnsNames":["*"],"ipAddresses":["::1"]}]}}`,
		`{"type":"ReconfigureTLS","databaseRef":{"name":"pxt"},"tls":{"requireSSL":true,"remove":true,"rotateCertificates":true}}`,
		`{"type":"VolumeExpansion","databaseRef":{"name":"sdb"},"volumeExpansion":{"mode":"Online","leaf":"11Gi","aggregator":1e30,"node":-1}}`,
		`{"type":"VolumeExpansion","databaseRef":{"name":"pxc"},"volumeExpansion":{"mode":"Offline","perconaxtradb":"1.5"}}`,
		`{"type":"VolumeExpansion","databaseRef":{"name":"sdb"},"volumeExpansion":{"mode":"Online","leaf":"1e999999999","aggregator":"1e-999999999"}}`,
		`{"type":"VolumeExpansion","databaseRef":{"name":"pxc"},"volumeExpansion":{"mode":"Online","perconaxtradb":"e2147483647"}}`,
		`{"type":"","databaseRef":{},"timeout":"-1ns","maxRetries":-1,"tls":{},"volumeExpansion":{},"configuration":{}}`,
		`{"TYPE":"Restart","databaseref":{"name":"sdb"}}`, // names of fields have a case
		`{}`, `null`, `[]`, `7`,
	}
	databaseSeeds = []string{
		`{"version":"8.9.3","licenseSecret":{"name":"licence"},"topology":{"aggregator":{"replicas":1,"storage":{"resources":{"requests":{"storage":"1Gi"}}}},"leaf":{"suffix":"x","storage":{"storageClassName":"gone"},"configuration":{"inline":{"a.cnf":"x"}}}}}`,
		`{"version":"8.4.3","replicas":2147483647,"storage":{"resources":{"requests":{"storage":"1Gi"}}},"tls":{"issuerRef":{"kind":"ClusterIssuer","name":"company"}},"requireSSL":true}`,
		`{"version":"8.4.3","storage":{"resources":{"requests":{"storage":"1e-999999999"}}},"podTemplate":{"spec":{"containers":[{"resources":{"limits":{"cpu":"1e2147483647"}}}]}}}`,
		`{"topology":{"leaf":{"storage":{"resources":{"requests":{"storage":"1e999999999"}}}},"aggregator":{"storage":{"resources":{"requests":{"storage":"1e30"}}}}}}`,
		`{"topology":{}}`, `{"topology":{"leaf":{},"aggregator":null}}`, `{"storageType":"Ephemeral","halted":true,"deletionPolicy":"Halt"}`,
		`{"tls":{},"monitor":{"prometheus":{"exporter":{"port":1}}},"authSecret":{"externallyManaged":true},"serviceTemplates":[{},{}],"init":{"script":{"git":{}}}}`,
		`{"configSecret":{"name":"good"},"terminationPolicy":"WipeOut","podTemplate":{"spec":{"volumes":[{"name":"data"}],"containers":[{}],"env":[{}]}},"healthChecker":{"periodSeconds":0}}`,
		`{"Topology":{},"topology":{"Leaf":{}}}`, // names of fields have a case
		`{}`, `null`, `[]`, `7`,
	}
)

func FuzzAdmitSinglestoreOps(f *testing.F) {
	fuzz(f, requestSeeds, mutateSdbOps, validateSdbOps, requestVerdict(sdb), func(a *admit.Admission) *admission.Webhook {
		return admission.WithValidator(scheme, usual[*opsv1.SinglestoreOpsRequest]{engine: sdb, admission: a})
	})
}

func FuzzAdmitPerconaXtraDBOps(f *testing.F) {
	fuzz(f, requestSeeds, mutatePxcOps, validatePxcOps, requestVerdict(pxc), func(a *admit.Admission) *admission.Webhook {
		return admission.WithValidator(scheme, usual[*opsv1.PerconaXtraDBOpsRequest]{engine: pxc, admission: a})
	})
}

func FuzzAdmitSinglestore(f *testing.F) {
	fuzz(f, databaseSeeds, mutateSdb, validateSdb, databaseVerdict(sdb), func(a *admit.Admission) *admission.Webhook {
		return admission.WithValidator(scheme, usual[*kubedbv1alpha2.Singlestore]{engine: sdb, admission: a})
	})
}

func FuzzAdmitPerconaXtraDB(f *testing.F) {
	fuzz(f, databaseSeeds, mutatePxc, validatePxc, databaseVerdict(pxc), func(a *admit.Admission) *admission.Webhook {
		return admission.WithValidator(scheme, usual[*kubedbv1.PerconaXtraDB]{engine: pxc, admission: a})
	})
}

// verdict is what admission says when the controller asks it.
type verdict func(t *testing.T, a *admit.Admission, object []byte) admit.Verdict

func requestVerdict(e engines.Engine) verdict {
	return func(t *testing.T, a *admit.Admission, raw []byte) admit.Verdict {
		r := e.Kind().NewRequest()
		if err := kjson.UnmarshalCaseSensitivePreserveInts(raw, r); err != nil {
			t.Fatal(err)
		}
		who, err := admit.Requester(r)
		if err != nil {
			t.Fatal(err)
		}
		v, err := a.Request(t.Context(), e, r, nil, who)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func databaseVerdict(e engines.Engine) verdict {
	return func(t *testing.T, a *admit.Admission, raw []byte) admit.Verdict {
		db := e.Kind().NewDatabase()
		if err := kjson.UnmarshalCaseSensitivePreserveInts(raw, db); err != nil {
			t.Fatal(err)
		}
		v, err := a.Database(t.Context(), e, db, nil, alice)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// fuzz holds the webhooks to what is true of every object.
func fuzz(f *testing.F, seeds []string, mutate, validate string, direct verdict, newReference func(*admit.Admission) *admission.Webhook) {
	for _, spec := range seeds {
		f.Add([]byte(spec))
	}
	a := newAdmission(newClient(f))
	reference := newReference(a)
	f.Fuzz(func(t *testing.T, spec []byte) {
		if !json.Valid(spec) || bytes.Contains(spec, []byte(`\u0000`)) {
			return // no API server sends that
		}
		s := serve(t, a)
		object := []byte(`{"metadata":{"name":"x","namespace":"demo"},"spec":` + string(spec) + `}`)
		defaulted := s.review(mutate, object, nil, false)
		if !defaulted.Allowed {
			if !strings.Contains(defaulted.Result.Message, refusedQuantity) {
				t.Fatalf("%v", defaulted.Result)
			}
			if diff := cmp.Diff(defaulted, s.review(validate, object, nil, false)); diff != "" {
				t.Fatal("defaulting and validation refuse something else:", diff)
			}
			return // and nothing else may read it
		}
		object = apply(t, object, defaulted)
		if again := s.review(mutate, object, nil, false); len(again.Patch) > 0 {
			t.Fatalf("defaulting twice: %s", again.Patch)
		}
		wet := s.review(validate, object, nil, false)
		if !wet.Allowed && wet.Result.Code == http.StatusBadRequest {
			if len(defaulted.Patch) > 0 {
				t.Fatalf("changed by %s and not read: %v", defaulted.Patch, wet.Result)
			}
			return // no object of this kind
		}
		if diff := cmp.Diff(wet, s.review(validate, object, nil, true)); diff != "" {
			t.Fatal("dry run:", diff)
		}
		compare(t, direct(t, a, object), wet)
		if diff := cmp.Diff(wet, asReference(t, reference, s, object)); diff != "" {
			t.Fatal("the usual handler answers something else:", diff)
		}
		if same := s.review(validate, object, object, false); !same.Allowed {
			t.Fatalf("no change is refused: %v", same.Result)
		}
		if same := s.review(mutate, object, object, false); len(same.Patch) > 0 {
			t.Fatalf("no change is changed: %s", same.Patch)
		}
	})
}

// usual validates new objects behind controller-runtime's own handler, which has to know their type.
type usual[T engines.Object] struct {
	admission.Validator[T]
	engine    engines.Engine
	admission *admit.Admission
}

func (u usual[T]) ValidateCreate(ctx context.Context, object T) (admission.Warnings, error) {
	req, err := admission.RequestFromContext(ctx)
	if err != nil {
		return nil, err
	}
	var v admit.Verdict
	kind := u.engine.Kind().Database
	switch object := any(object).(type) {
	case engines.Database:
		v, err = u.admission.Database(ctx, u.engine, object, nil, req.UserInfo)
	case engines.OpsRequest:
		kind = u.engine.Kind().Request
		v, err = u.admission.Request(ctx, u.engine, object, nil, req.UserInfo)
	}
	if err == nil && len(v.Errors) > 0 {
		err = apierrors.NewInvalid(kind.GroupKind(), object.GetName(), v.Errors)
	}
	return v.Warnings, err
}

// asReference asks controller-runtime's own handler, which is slow and well known.
func asReference(t *testing.T, reference *admission.Webhook, s server, object []byte) *admissionv1.AdmissionResponse {
	t.Helper()
	response := reference.Handle(t.Context(), admission.Request{AdmissionRequest: admissionv1.AdmissionRequest{
		UID: "u-1", Namespace: "demo", Operation: admissionv1.Create, UserInfo: s.user, Object: runtime.RawExtension{Raw: object},
	}})
	answer := &response.AdmissionResponse
	answer.UID = "u-1"
	if answer.Allowed {
		answer.Result = nil // it says 200, which goes without saying
	}
	return answer
}

// compare holds the webhook to what the controller would say.
func compare(t *testing.T, v admit.Verdict, wet *admissionv1.AdmissionResponse) {
	t.Helper()
	if (len(v.Errors) == 0) != wet.Allowed || len(v.Warnings) != len(wet.Warnings) {
		t.Fatalf("the controller says %v and the webhook %v", v, wet)
	}
	if wet.Allowed {
		return
	}
	if wet.Result.Code != http.StatusUnprocessableEntity || len(wet.Result.Details.Causes) != len(v.Errors) {
		t.Fatalf("the controller says %v and the webhook %v", v, wet.Result)
	}
	for _, e := range v.Errors {
		if !strings.Contains(wet.Result.Message, e.Field) {
			t.Fatalf("%s is missing in %s", e.Field, wet.Result.Message)
		}
	}
}
