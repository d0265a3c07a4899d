//go:build lab && faults

package faults

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

// errDead is what a killed operator's requests end with.
var errDead = errors.New("this operator is dead")

// write is one request of an operator that changes something.
type write struct {
	// k counts from 1 since the transport was armed.
	k int
	// what names it, for example "PATCH perconaxtradbs/px/status".
	what string
	// at is when the operator made it.
	at time.Time
}

func (w write) String() string {
	return fmt.Sprintf("%s write %d (%s)", w.at.Format("05.000"), w.k, w.what)
}

// strike is what happens to one write. send lets it through.
type strike func(w write, send func() (*http.Response, error)) (*http.Response, error)

// transport is an operator's way to the API server. It counts writes, strikes one of them, can freeze and can die.
type transport struct {
	next http.RoundTripper
	// life ends when the operator is killed.
	life context.Context //nolint:containedctx // it is the operator's
	die  context.CancelFunc
	past *past
	// frames changes what watches tell; nil changes nothing.
	frames func(stream) stream
	ledger *ledger

	mu     sync.Mutex
	writes []write
	at     int
	strike strike
	struck chan write
	// open counts requests without an answer, last is when the last answer came; watches do not count.
	open   int
	last   time.Time
	frozen chan struct{}
	// awake is closed when the operator first asks for something by itself, rather than for its caches.
	awake chan struct{}
	wake  sync.Once
}

func newTransport(next http.RoundTripper, l *ledger) *transport {
	t := &transport{next: next, ledger: l, struck: make(chan write, 1), last: time.Now(), awake: make(chan struct{})}
	t.life, t.die = context.WithCancel(context.Background())
	return t
}

// arm counts from zero again and strikes write k; 0 strikes none. The answer gets the write once it is struck.
func (t *transport) arm(k int, s strike) <-chan write {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.writes, t.at, t.strike, t.struck = nil, k, s, make(chan write, 1)
	return t.struck
}

// written are the writes since the transport was armed.
func (t *transport) written() []write {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]write(nil), t.writes...)
}

// idle is how long the operator has asked for nothing and has waited for no answer.
func (t *transport) idle() time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.open > 0 {
		return 0
	}
	return time.Since(t.last)
}

// busy notes that a request is under way; the answer ends it.
func (t *transport) busy() (done func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.open++
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.open, t.last = t.open-1, time.Now()
	}
}

// freeze stops everything, in both directions, until thaw: the operator neither hears nor says anything, and does not
// know it.
func (t *transport) freeze() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.frozen == nil {
		t.frozen = make(chan struct{})
	}
}

func (t *transport) thaw() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.frozen != nil {
		close(t.frozen)
		t.frozen = nil
	}
}

// wait returns when the operator is not frozen, with an error when it is dead.
func (t *transport) wait() error {
	t.mu.Lock()
	frozen := t.frozen
	t.mu.Unlock()
	if frozen != nil {
		select {
		case <-frozen:
		case <-t.life.Done():
		}
	}
	if t.life.Err() != nil {
		return errDead
	}
	return nil
}

// RoundTrip implements http.RoundTripper.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := t.wait(); err != nil {
		return nil, err
	}
	target := parse(req)
	if !watches(req) {
		defer t.busy()()
	}
	if target.namespace != "" && !target.lists() {
		t.wake.Do(func() { close(t.awake) })
	}
	if !target.writes() {
		return t.read(req, target)
	}
	t.ledger.look(req, target)
	w, s := t.number(target)
	send := func() (*http.Response, error) {
		if !issues(target) {
			return t.send(req)
		}
		res, err := t.deliver(req)
		if err == nil {
			t.ledger.answered(target, res.StatusCode)
		}
		return res, err
	}
	if s == nil {
		return send()
	}
	t.struck <- w
	return s(w, send)
}

// number gives the next write its number, and its strike if it is the one.
func (t *transport) number(target target) (write, strike) {
	t.mu.Lock()
	defer t.mu.Unlock()
	w := write{k: len(t.writes) + 1, what: target.String(), at: time.Now()}
	t.writes = append(t.writes, w)
	if w.k != t.at {
		return w, nil
	}
	return w, t.strike
}

// send lets a request through. Its answer ends when the operator dies.
func (t *transport) send(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancel(req.Context())
	stop := context.AfterFunc(t.life, cancel)
	res, err := t.next.RoundTrip(req.WithContext(ctx))
	if err != nil {
		stop()
		cancel()
		return nil, err
	}
	res.Body = &body{ReadCloser: res.Body, transport: t, end: func() { stop(); cancel() }}
	return res, nil
}

// delivery is how long a write may take that is not cut off.
const delivery = 10 * time.Second

// deliver lets a request through that does not end when the operator dies, so that the ledger learns what has come of it. The
// operator hears nothing of that.
func (t *transport) deliver(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(req.Context()), delivery)
	res, err := t.next.RoundTrip(req.WithContext(ctx))
	if err != nil {
		cancel()
		return nil, err
	}
	res.Body = &body{ReadCloser: res.Body, transport: t, end: cancel}
	return res, nil
}

// body is an answer's body, which freezes and dies with the operator.
type body struct {
	io.ReadCloser
	transport *transport
	end       func()
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if dead := b.transport.wait(); dead != nil {
		return 0, dead
	}
	return n, err
}

func (b *body) Close() error {
	err := b.ReadCloser.Close()
	b.end()
	return err
}

// target is what a request is about.
type target struct {
	method, namespace, resource, name, subresource, group string
}

// parse reads the path of a request: /api/v1/… or /apis/group/version/…
func parse(req *http.Request) target {
	t := target{method: req.Method}
	parts := strings.Split(strings.Trim(req.URL.Path, "/"), "/")
	switch {
	case len(parts) > 2 && parts[0] == "api":
		parts = parts[2:]
	case len(parts) > 3 && parts[0] == "apis":
		t.group, parts = parts[1], parts[3:]
	default:
		return t
	}
	if len(parts) > 2 && parts[0] == "namespaces" {
		t.namespace, parts = parts[1], parts[2:]
	}
	for i, field := range []*string{&t.resource, &t.name, &t.subresource} {
		if i < len(parts) {
			*field = parts[i]
		}
	}
	return t
}

func (t target) String() string {
	what := t.method + " " + t.resource
	for _, part := range []string{t.name, t.subresource} {
		if part != "" {
			what += "/" + part
		}
	}
	return what
}

// writes tells whether the request counts as a write: reviews change nothing, and events are told, not done.
func (t target) writes() bool {
	switch t.method {
	case http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete:
	default:
		return false
	}
	return t.group != "authentication.k8s.io" && t.group != "authorization.k8s.io" &&
		t.resource != "events" && t.resource != "leases" && t.resource != ""
}

// lists tells whether the request reads a collection of the namespace.
func (t target) lists() bool {
	return t.method == http.MethodGet && t.namespace != "" && t.name == ""
}
