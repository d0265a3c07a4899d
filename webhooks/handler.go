package webhooks

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"runtime/debug"
	"sync"
	"time"

	admissionv1 "k8s.io/api/admission/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	logf "sigs.k8s.io/controller-runtime/pkg/log"
	kjson "sigs.k8s.io/json"

	"github.com/drydock-db/drydock/engines"
)

// largestBody is more than twice the largest object that the API server stores, old and new together.
const largestBody = 7 << 20

// readWithin is how long a review may take to come in, and to find a place; the API server gives up after as long.
const readWithin = 5 * time.Second

// usualBody is what a review seldom exceeds. Those that do, or do not say, have few places among them: anything in the cluster
// may send them, and without a limit they could take all the memory there is. Reviews of the usual size never wait.
const usualBody = 256 << 10

var places = make(chan struct{}, 8)

// question is the part of an AdmissionReview that is looked at. The objects are decoded in the same pass: the fields
// hold pointers to the kind's own type before the decoder comes.
type question struct {
	UID       types.UID                 `json:"uid"`
	Namespace string                    `json:"namespace"`
	Operation admissionv1.Operation     `json:"operation"`
	UserInfo  authenticationv1.UserInfo `json:"userInfo"`
	Object    any                       `json:"object"`
	OldObject any                       `json:"oldObject"`
}

// answer is what a decision comes to.
type answer struct {
	err      error
	warnings []string
	patch    []byte
}

// handler serves one webhook of one kind: it reads reviews from the API server and answers each, whatever comes in.
type handler[O engines.Object] struct {
	kind   schema.GroupVersionKind
	create func() O
	decide func(ctx context.Context, q *question, object, old O, raw []byte) answer
	// mutates tells that the answer is a patch: decide gets the object as it was sent, besides the decoded one.
	mutates bool
}

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// ServeHTTP implements http.Handler.
func (h handler[O]) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(readWithin)) // where there is no connection, nothing can hang
	if r.ContentLength < 0 || r.ContentLength > usualBody {
		select {
		case places <- struct{}{}:
			defer func() { <-places }()
		case <-time.After(readWithin):
			http.Error(w, "too many large reviews at a time", http.StatusServiceUnavailable)
			return
		}
	}
	body, err := read(w, r)
	if err != nil {
		refuse(w, err)
		return
	}
	defer buffers.Put(body)
	content, refusal := h.sweep(body.Bytes())
	review := envelope[question]{Request: question{Object: h.create(), OldObject: h.create()}}
	known, decodeErr := decode(content, &review)
	q := &review.Request
	switch {
	case !known:
		http.Error(w, "the body is not an AdmissionReview of "+apiVersion+" with a request", http.StatusBadRequest)
	case refusal != nil:
		respond(w, q.UID, answer{err: refusal})
	case decodeErr != nil && h.mutates:
		respond(w, q.UID, answer{}) // the schema is asked next, and names every field of a wrong type
	case decodeErr != nil:
		respond(w, q.UID, answer{err: apierrors.NewBadRequest("the object cannot be read: " + decodeErr.Error())})
	default:
		respond(w, q.UID, h.answer(r.Context(), q, content))
	}
}

// decode reads a review in one pass. It returns whether there is a review at all, and what is wrong with its objects.
func decode(body []byte, review *envelope[question]) (known bool, err error) {
	err = kjson.UnmarshalCaseSensitivePreserveInts(body, review)
	if err != nil {
		// Decoding may have stopped before it came to the name of the question.
		var bare envelope[struct {
			UID types.UID `json:"uid"`
		}]
		if err := kjson.UnmarshalCaseSensitivePreserveInts(body, &bare); err != nil {
			return false, err
		}
		review.Request.UID = bare.Request.UID
		return bare.Request.UID != "" && bare.known(), err
	}
	return review.Request.UID != "" && review.known(), nil
}

// apiVersion of the reviews that are read and written.
var apiVersion = admissionv1.SchemeGroupVersion.String()

// envelope is an AdmissionReview around some part of its request.
type envelope[T any] struct {
	metav1.TypeMeta `json:",inline"`
	Request         T `json:"request"`
}

func (e envelope[T]) known() bool {
	return e.Kind == "AdmissionReview" && e.APIVersion == apiVersion
}

// refuse answers what is no review. The API server never sends such a thing.
func refuse(w http.ResponseWriter, err error) {
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		http.Error(w, fmt.Sprintf("the review is larger than %d bytes", tooLarge.Limit), http.StatusRequestEntityTooLarge)
	case errors.Is(err, errMethod):
		http.Error(w, err.Error(), http.StatusMethodNotAllowed)
	case errors.Is(err, errContentType):
		http.Error(w, err.Error(), http.StatusUnsupportedMediaType)
	default:
		http.Error(w, "the review could not be read", http.StatusBadRequest)
	}
}

var (
	errMethod      = errors.New("reviews are sent by POST")
	errContentType = errors.New("reviews are sent as application/json")
)

// read returns the body in a pooled buffer.
func read(w http.ResponseWriter, r *http.Request) (*bytes.Buffer, error) {
	if r.Method != http.MethodPost {
		return nil, errMethod
	}
	if kind := r.Header.Get("Content-Type"); kind != "application/json" {
		if kind, _, err := mime.ParseMediaType(kind); err != nil || kind != "application/json" {
			return nil, errContentType
		}
	}
	body, ok := buffers.Get().(*bytes.Buffer)
	if !ok {
		body = new(bytes.Buffer)
	}
	body.Reset()
	if _, err := io.Copy(body, http.MaxBytesReader(w, r.Body, largestBody)); err != nil {
		buffers.Put(body)
		return nil, err
	}
	return body, nil
}

// answer decides, and turns a panic into an error of which the user sees no more than that it is one.
func (h handler[O]) answer(ctx context.Context, q *question, body []byte) (a answer) {
	defer func() {
		if problem := recover(); problem != nil {
			logf.FromContext(ctx).Error(fmt.Errorf("panic: %v", problem), "admission failed", "uid", q.UID, "stack", string(debug.Stack()))
			a = answer{err: apierrors.NewInternalError(errors.New("admission failed unexpectedly; the operator's log says more"))}
		}
	}()
	if q.Operation != admissionv1.Create && q.Operation != admissionv1.Update {
		return answer{}
	}
	object, ok := q.Object.(O)
	if !ok {
		return answer{err: apierrors.NewBadRequest("the review has no object")}
	}
	var old O
	if q.Operation == admissionv1.Update {
		if old, ok = q.OldObject.(O); !ok {
			return answer{err: apierrors.NewBadRequest("the review of an update has no oldObject")}
		}
	}
	if object.GetNamespace() == "" {
		object.SetNamespace(q.Namespace)
	}
	var raw []byte
	if h.mutates {
		raw = body
	}
	return h.decide(ctx, q, object, old, raw)
}

// verdict is an AdmissionReview with nothing but a response.
type verdict struct {
	metav1.TypeMeta `json:",inline"`
	Response        admissionv1.AdmissionResponse `json:"response"`
}

// asJSON is the header of every answer, which is only read.
var asJSON = []string{"application/json"}

// respond writes the answer; the status of a refusal is the API server's to pass on.
func respond(w http.ResponseWriter, uid types.UID, a answer) {
	review := verdict{
		TypeMeta: metav1.TypeMeta{APIVersion: apiVersion, Kind: "AdmissionReview"},
		Response: admissionv1.AdmissionResponse{UID: uid, Allowed: a.err == nil, Warnings: a.warnings},
	}
	response := &review.Response
	if a.err != nil {
		status := statusOf(a.err)
		response.Result = &status
	} else if len(a.patch) > 0 {
		kind := admissionv1.PatchTypeJSONPatch
		response.Patch, response.PatchType = a.patch, &kind
	}
	w.Header()["Content-Type"] = asJSON
	// An error here means that the API server hung up; it will not hear of it either way.
	_ = json.NewEncoder(w).Encode(&review)
}

func statusOf(err error) metav1.Status {
	var known apierrors.APIStatus
	if errors.As(err, &known) {
		return known.Status()
	}
	return apierrors.NewInternalError(err).Status()
}
