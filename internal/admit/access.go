package admit

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	"k8s.io/apimachinery/pkg/util/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Authorizer says what a user may do. An error means that it could not find out, which admits nothing.
type Authorizer interface {
	Allowed(ctx context.Context, who authenticationv1.UserInfo, what authorizationv1.ResourceAttributes) (bool, error)
}

// Verbs that a requester needs besides those of the API server.
const (
	// verbUse on clusterissuers.cert-manager.io lets a user have certificates signed by a ClusterIssuer.
	verbUse = "use"
)

const (
	// rememberFor is how long an answer is kept: long enough for one apply of many objects and for the controller's
	// second look, short enough that nobody notices when rights change.
	rememberFor = 5 * time.Second
	rememberAll = 4096
)

// Reviewer asks the API server by SubjectAccessReview and remembers the answers for a few seconds.
type Reviewer struct {
	client  client.Client
	answers *cache.LRUExpireCache
}

// NewReviewer returns an Authorizer that needs the right to create subjectaccessreviews.
func NewReviewer(c client.Client) *Reviewer {
	return &Reviewer{client: c, answers: cache.NewLRUExpireCache(rememberAll)}
}

// Allowed implements Authorizer.
func (r *Reviewer) Allowed(ctx context.Context, who authenticationv1.UserInfo, what authorizationv1.ResourceAttributes) (bool, error) {
	key := question(who, what)
	if answer, ok := r.answers.Get(key); ok {
		allowed, _ := answer.(bool)
		return allowed, nil
	}
	review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
		ResourceAttributes: &what, User: who.Username, UID: who.UID, Groups: who.Groups,
		Extra: make(map[string]authorizationv1.ExtraValue, len(who.Extra)),
	}}
	for name, values := range who.Extra {
		review.Spec.Extra[name] = authorizationv1.ExtraValue(values)
	}
	if err := r.client.Create(ctx, review); err != nil {
		return false, fmt.Errorf("asking for the rights of %s: %w", who.Username, err)
	}
	allowed := review.Status.Allowed && !review.Status.Denied
	if !allowed && !review.Status.Denied && review.Status.EvaluationError != "" { // one of the cluster's authorizers did not answer
		return false, fmt.Errorf("asking for the rights of %s: %s", who.Username, review.Status.EvaluationError)
	}
	r.answers.Add(key, allowed, rememberFor)
	return allowed, nil
}

// question is everything that an answer depends on. Each part is quoted, so that no two questions read alike.
func question(who authenticationv1.UserInfo, what authorizationv1.ResourceAttributes) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%q %q %q", who.Username, who.UID, who.Groups)
	for _, name := range slices.Sorted(maps.Keys(who.Extra)) {
		fmt.Fprintf(&b, " %q=%q", name, []string(who.Extra[name]))
	}
	fmt.Fprintf(&b, " %q %q %q %q %q", what.Verb, what.Group, what.Resource, what.Namespace, what.Name)
	return b.String()
}

// may asks whether the requester has a right. Nobody has none: an empty username cannot be asked for.
func (r reader) may(what authorizationv1.ResourceAttributes) (bool, error) {
	if r.who.Username == "" {
		return false, nil
	}
	return r.config.Access.Allowed(r.ctx, r.who, what)
}

// mayHave asks whether the requester may do with a Secret what the operator would do with it on their behalf.
func (r reader) mayHave(ref secretRef) (bool, error) {
	verb := "get"
	if ref.use == forIssuing {
		verb = "update"
	}
	return r.may(authorizationv1.ResourceAttributes{Verb: verb, Version: "v1", Resource: "secrets", Namespace: r.namespace, Name: ref.name})
}

// mayUse says whether the requester may have certificates signed by a ClusterIssuer.
func (r reader) mayUse(clusterIssuer string) (bool, error) {
	if slices.Contains(r.config.AllowedClusterIssuers, clusterIssuer) {
		return true, nil
	}
	return r.may(authorizationv1.ResourceAttributes{
		Verb: verbUse, Group: groupCertManager, Version: "v1", Resource: "clusterissuers", Name: clusterIssuer,
	})
}
