package fakekubelet

import (
	"fmt"
	"log/slog"
	"math"

	"google.golang.org/grpc/codes"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/drydock-db/drydock/lab/csidriver"
)

// attempts counts the calls to grow a volume to one size.
type attempts struct {
	bytes int64
	calls int
}

// Expand implements csidriver.Storage: how a call to grow a volume goes is up to the faults of its claim.
func (k *Kubelet) Expand(volume string, bytes int64) csidriver.Answer {
	v, err := k.volumes.Get(volume) // its handle is its name
	if err != nil || v.Spec.ClaimRef == nil {
		return csidriver.Answer{Code: codes.NotFound, Message: "there is no volume " + volume}
	}
	claim, err := k.claims.PersistentVolumeClaims(v.Spec.ClaimRef.Namespace).Get(v.Spec.ClaimRef.Name)
	if err != nil {
		return csidriver.Answer{Code: codes.NotFound, Message: "nothing claims volume " + volume}
	}
	faults, err := claimFaults(k.rulesOf(claim.Namespace), claim)
	if err != nil {
		slog.Error("fault ignored", "claim", keyOf(claim), "error", err)
	}
	past := k.attempts.get(volume)
	if past.bytes != bytes {
		past = attempts{bytes: bytes}
	}
	past.calls++
	k.attempts.put(volume, past)
	return decideCall(faults, k.delays, *resource.NewQuantity(bytes, resource.BinarySI), past.calls)
}

// decideCall says how the storage answers the nth call to grow a volume to a size. It is a pure function.
func decideCall(f ClaimFaults, d Delays, want resource.Quantity, n int) csidriver.Answer {
	answer := csidriver.Answer{After: orElse(f.GrowAfter, d.Grow)}
	switch f.mode(want) {
	case ResizeInfeasible:
		answer.Code, answer.Message = codes.InvalidArgument, infeasible(want)
		if f.Above != nil { // the words of the CSI specification for a size that is not supported
			answer.Code = codes.OutOfRange
		}
	case ResizeNever:
		answer.After = math.MaxInt64
	case ResizeTransient:
		if n <= max(1, f.Failures) {
			answer.Code, answer.Message = codes.Internal, fmt.Sprintf("the lab's storage has a bad moment, the %d. of %d", n, max(1, f.Failures))
		}
	}
	return answer
}

// infeasible is what the storage says to a size that it will never have.
func infeasible(want resource.Quantity) string {
	return want.String() + " is more than the lab's storage can give"
}
