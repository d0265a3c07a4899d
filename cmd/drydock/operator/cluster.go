// Package operator puts an operator together, for the command and for tests that run operators in their own process.
package operator

import (
	"fmt"

	cmv1 "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"

	petsetv1 "github.com/drydock-db/drydock/apis/apps/v1"
	catalogv1 "github.com/drydock-db/drydock/apis/catalog/v1alpha1"
	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	kubedbv1alpha2 "github.com/drydock-db/drydock/apis/kubedb/v1alpha2"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/internal/apply"
)

// Cluster is an API server and which APIs it serves besides Kubernetes' own. They are looked at once, before anything is
// watched, since nothing can be watched that is not served.
type Cluster struct {
	Mapper    meta.RESTMapper
	Workloads apply.Workloads
	// CertManager tells whether cert-manager's kinds are served: install it before the operator, or restart the operator
	// afterwards.
	CertManager bool
}

// Connect asks the API server what it serves. It fails when PetSets are wanted and not served.
func Connect(config *rest.Config, petSets bool) (*Cluster, error) {
	httpClient, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, err
	}
	mapper, err := apiutil.NewDynamicRESTMapper(config, httpClient)
	if err != nil {
		return nil, err
	}
	workloads, err := apply.FindWorkloads(mapper, petSets)
	if err != nil {
		return nil, err
	}
	// An answer that is none must not pass for a cluster without cert-manager.
	_, err = mapper.RESTMapping(cmv1.SchemeGroupVersion.WithKind("Issuer").GroupKind(), cmv1.SchemeGroupVersion.Version)
	if err != nil && !meta.IsNoMatchError(err) {
		return nil, fmt.Errorf("asking whether cert-manager is installed: %w", err)
	}
	return &Cluster{Mapper: mapper, Workloads: workloads, CertManager: err == nil}, nil
}

// Scheme knows every type that the operator reads or writes.
func Scheme() *runtime.Scheme {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		clientgoscheme.AddToScheme, cmv1.AddToScheme, catalogv1.AddToScheme,
		kubedbv1.AddToScheme, kubedbv1alpha2.AddToScheme, opsv1.AddToScheme, petsetv1.AddToScheme,
	} {
		utilruntime.Must(add(scheme))
	}
	return scheme
}
