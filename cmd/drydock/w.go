package main
import ("context"
ctrl "sigs.k8s.io/controller-runtime"
"github.com/drydock-db/drydock/internal/admit")
func newAdmission(ctx context.Context, mgr ctrl.Manager, o *options) (*admit.Admission, error) { return &admit.Admission{}, nil }
func serveWebhooks(ctx context.Context, mgr ctrl.Manager, a *admit.Admission, o *options) error { return nil }
