//go:build lab && faults

package faults

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// past makes a new operator wake up in an older world: each first list is served as it was at that version, and what
// has happened since arrives a while later. Direct reads see the present.
type past struct {
	version string
	hold    time.Duration

	mu    sync.Mutex
	known map[string]bool
}

// lag is long enough for an operator to act on what it believes.
const lag = 700 * time.Millisecond

// read lets a request through that changes nothing.
func (t *transport) read(req *http.Request, target target) (*http.Response, error) {
	query, watching := req.URL.Query(), watches(req)
	if t.past != nil && target.lists() {
		switch {
		case watching && query.Get("sendInitialEvents") == "true":
			// Lists by watch are always of the present; refused, the client lists as of old.
			return answer(req, apierrors.NewBadRequest("no lists by watch here")), nil
		case watching:
			t.past.delay(target.resource)
		case query.Get("resourceVersion") == "0":
			req = t.past.rewrite(req)
		}
	}
	res, err := t.send(req)
	if err == nil && watching && t.frames != nil && target.namespace != "" && res.StatusCode == http.StatusOK {
		res.Body = filtered(res.Body, t.frames)
	}
	return res, err
}

// watches tells whether the request is a watch.
func watches(req *http.Request) bool {
	w := req.URL.Query().Get("watch")
	return w == "true" || w == "1"
}

// delay holds the first watch of each resource.
func (p *past) delay(resource string) {
	p.mu.Lock()
	first := !p.known[resource]
	p.known[resource] = true
	p.mu.Unlock()
	if first {
		time.Sleep(p.hold)
	}
}

// rewrite asks for the list as it was.
func (p *past) rewrite(req *http.Request) *http.Request {
	old := req.Clone(req.Context())
	query := old.URL.Query()
	query.Set("resourceVersion", p.version)
	query.Set("resourceVersionMatch", string(metav1.ResourceVersionMatchExact))
	old.URL.RawQuery = query.Encode()
	return old
}

// answer is an error in the API server's words.
func answer(req *http.Request, failure *apierrors.StatusError) *http.Response {
	status := failure.ErrStatus
	status.TypeMeta = metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}
	raw, err := json.Marshal(status)
	if err != nil {
		panic(err) // a Status always marshals
	}
	return &http.Response{
		Request: req, StatusCode: int(status.Code), Status: http.StatusText(int(status.Code)),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {"application/json"}},
		Body:   io.NopCloser(bytes.NewReader(raw)), ContentLength: int64(len(raw)),
	}
}

// frame is one watch event on the wire.
type frame struct {
	Type   string          `json:"type"`
	Object json.RawMessage `json:"object"`
}

// stream is what a watch tells, frame by frame of frames; it is closed at its end.
type stream <-chan frame

// name identifies the object of a frame.
func (f frame) name() string {
	var o metav1.PartialObjectMetadata
	if json.Unmarshal(f.Object, &o) != nil {
		return ""
	}
	return o.Namespace + "/" + o.Name
}

// filtered decodes a watch's body (it has to be JSON), lets the filter change it, and encodes it again.
func filtered(body io.ReadCloser, filter func(stream) stream) io.ReadCloser {
	in := make(chan frame)
	reader, writer := io.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(in)
		for decoder := json.NewDecoder(body); ; {
			var f frame
			if decoder.Decode(&f) != nil {
				return
			}
			select {
			case in <- f:
			case <-done:
				return
			}
		}
	}()
	go func() {
		encoder := json.NewEncoder(writer)
		for f := range filter(in) {
			_ = encoder.Encode(f) // a reader that is gone needs no more
		}
		_ = writer.Close()
	}()
	return &filteredBody{PipeReader: reader, close: sync.OnceValue(func() error { close(done); return body.Close() })}
}

type filteredBody struct {
	*io.PipeReader
	close func() error
}

func (b *filteredBody) Close() error {
	_ = b.PipeReader.Close()
	return b.close()
}
