package operator

import (
	"net/http"
	"strings"

	"k8s.io/client-go/rest"
)

// Configure makes a client's configuration an operator's. Whatever else wraps its transport does so before.
func Configure(config *rest.Config) {
	config.UserAgent = "drydock"
	config.QPS = -1 // the API server's priority and fairness decides
	refuseAtOnce(config)
}

// refuseAtOnce lets a refused eviction come back at once. The API server asks for ten seconds' rest, and client-go would
// take it inside the call, with the database's worker held up all the while; the watch on the budget wakes us earlier.
func refuseAtOnce(config *rest.Config) {
	config.Wrap(func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			response, err := next.RoundTrip(r)
			if err == nil && response.StatusCode == http.StatusTooManyRequests && strings.HasSuffix(r.URL.Path, "/eviction") {
				response.Header.Del("Retry-After")
			}
			return response, err
		})
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
