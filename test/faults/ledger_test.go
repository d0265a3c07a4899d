//go:build lab && faults

package faults

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"sync"

	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"

	"github.com/drydock-db/drydock/cmd/drydock/operator"
)

// ledger is what all operators of a dock have asked for, one after the other.
type ledger struct {
	mu sync.Mutex
	// careless are deletions without a UID: between looking and deleting, another object may have taken the name.
	careless []string
	// fell are deletions of workloads that take the pods along.
	fell []string
	// issuances by Certificate: how often cert-manager was asked to issue it and said yes.
	issuances map[string]int
}

// look checks one request.
func (l *ledger) look(req *http.Request, t target) {
	problem, fells := deletion(req, t)
	l.mu.Lock()
	defer l.mu.Unlock()
	if problem != "" {
		l.careless = append(l.careless, problem)
	}
	if fells {
		l.fell = append(l.fell, t.String()+" takes the pods along")
	}
}

// issues tells whether a write asks cert-manager to issue a certificate.
func issues(t target) bool { return t.resource == "certificates" && t.subresource == "status" }

// answered notes what such a write has come to.
func (l *ledger) answered(t target, status int) {
	if status != http.StatusOK {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.issuances[t.name]++
}

// open counts issuances from zero again.
func (l *ledger) open() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.issuances = map[string]int{}
}

// wrong is what was careless.
func (l *ledger) wrong() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string(nil), l.careless...)
}

// felled are the deletions of workloads that no operation may ask for: those by which a database goes.
func (l *ledger) felled() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string(nil), l.fell...)
}

// asked is how often each Certificate was asked for since.
func (l *ledger) asked() map[string]int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.issuances)
}

// deletion says what is wrong with a DELETE, and whether it takes a workload's pods along; evictions delete too.
func deletion(req *http.Request, t target) (problem string, fells bool) {
	var options *metav1.DeleteOptions
	switch {
	case t.subresource == "eviction":
		eviction := &policyv1.Eviction{}
		if err := unpack(req, eviction); err != nil {
			return fmt.Sprintf("%s: %v", t, err), false
		}
		options = eviction.DeleteOptions
	case req.Method == http.MethodDelete:
		options = &metav1.DeleteOptions{}
		if err := unpack(req, options); err != nil {
			return fmt.Sprintf("%s: %v", t, err), false
		}
	default:
		return "", false
	}
	if options == nil || options.Preconditions == nil || options.Preconditions.UID == nil {
		return t.String() + " names no UID", false
	}
	if t.resource != "statefulsets" && t.resource != "petsets" {
		return "", false
	}
	if options.PropagationPolicy == nil {
		return t.String() + " does not say what becomes of the pods", false
	}
	return "", *options.PropagationPolicy != metav1.DeletePropagationOrphan
}

// decoders read what clients send: JSON, or protocol buffers.
var decoders = serializer.NewCodecFactory(operator.Scheme()).UniversalDeserializer()

// unpack reads a request's body from a copy of it.
func unpack(req *http.Request, into runtime.Object) error {
	if req.GetBody == nil {
		return fmt.Errorf("a %s without a body that can be read", req.Method)
	}
	body, err := req.GetBody()
	if err != nil {
		return err
	}
	defer func() { _ = body.Close() }()
	raw, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	_, _, err = decoders.Decode(raw, nil, into)
	return err
}
