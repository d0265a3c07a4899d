package apply

import (
	"context"

	"sigs.k8s.io/controller-runtime/pkg/client"
)

// DeleteExact deletes that very object, and not one that has taken its name since. One that is gone is as good.
func DeleteExact(ctx context.Context, c client.Writer, o client.Object, opts ...client.DeleteOption) error {
	uid := o.GetUID()
	return client.IgnoreNotFound(c.Delete(ctx, o, append(opts, client.Preconditions{UID: &uid})...))
}
