//go:build lab

package acceptance

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
)

// expansion grows the volumes, in the shape of the guides.
const expansion = `
apiVersion: ops.kubedb.com/v1alpha1
kind: SinglestoreOpsRequest
metadata:
  name: expand
spec:
  type: VolumeExpansion
  databaseRef:
    name: sdb
  volumeExpansion:
    mode: "Offline"
    aggregator: 2Gi
    leaf: 11Gi
`

// This version admits VolumeExpansion and does not carry it out. The file goes when it does.
var _ = Describe("VolumeExpansion, until it is carried out", func() {
	It("is admitted with a warning, waits and says so, holds nothing up and can be deleted", func(ctx SpecContext) {
		a := newArena(ctx)
		a.provision(ctx, cluster.database(a.Name))
		a.isAdmittedAndWaits(ctx, cluster, "expand", expansion)
	})
})

// isAdmittedAndWaits expects that a request is admitted although this version does not carry it out.
func (a *arena) isAdmittedAndWaits(ctx context.Context, s sample, name, manifest string) {
	GinkgoHelper()
	out := a.mustKubectl(ctx, manifest, "apply", "-f", "-")
	Expect(out).To(And(ContainSubstring("Warning"), ContainSubstring("does not carry them out")))
	r := s.request(a, name, "")
	a.waits(ctx, r, opsv1.ReasonNotSupported)
	a.isFree(s)
	a.succeeds(ctx, s.restart(a, "passes-it"))
	a.waits(ctx, r, opsv1.ReasonNotSupported)
	a.mustKubectl(ctx, manifest, "delete", "-f", "-", "--timeout=20s")
}
