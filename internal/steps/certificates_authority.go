package steps

import (
	"context"
	"time"

	"k8s.io/utils/ptr"

	"github.com/drydock-db/drydock/certs"
	"github.com/drydock-db/drydock/engines"
)

// mostRevivals is how often a managed authority is asked for again; then it rests for as long as cert-manager says.
const mostRevivals = 6

// ReviveAuthority has a managed authority issued once more that cert-manager has given up. For one that signs itself that is a
// race of cert-manager's own controllers: each may have made a key, and the one that the request names is gone. It would rest
// for an hour, and the database with it. The result is when to look again, 0 for not before something changes.
func (x *Executor) ReviveAuthority(ctx context.Context, owner engines.Database, o certs.Objects) (time.Duration, error) {
	if o.Authority == nil {
		return 0, nil
	}
	authority, err := certificate(ctx, x.Client, owner, o.Authority)
	if err != nil || authority == nil || authority.Status.LastFailureTime == nil || certs.Issuing(authority) != nil || certs.Ready(authority) {
		return 0, err
	}
	attempts := ptr.Deref(authority.Status.FailedIssuanceAttempts, 1)
	if attempts > mostRevivals {
		return 0, nil
	}
	rest := time.Second << attempts
	if left := authority.Status.LastFailureTime.Add(rest).Sub(x.now()); left > 0 {
		return left, nil
	}
	return 0, x.trigger(ctx, authority, "issued again, since it was given up")
}
