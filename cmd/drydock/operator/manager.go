package operator

import (
	"context"
	"fmt"
	"net/http"
	"time"

	cmv1 "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	"github.com/drydock-db/drydock/controllers"
	"github.com/drydock-db/drydock/engines"
	"github.com/drydock-db/drydock/internal/admit"
	"github.com/drydock-db/drydock/internal/journal"
)

// Settings of one operator.
type Settings struct {
	// Kinds of databases that it looks after.
	Kinds []engines.Engine
	// Namespaces limits what it sees; empty for all.
	Namespaces []string
	// Concurrency is the number of databases of one kind that are worked on at the same time.
	Concurrency int
	// ClusterIssuers that anybody may use without a right of their own.
	ClusterIssuers []string
	// Metrics may be nil.
	Metrics *journal.Metrics
	// Manager adds what has nothing to do with databases: servers, logging, leader election.
	Manager manager.Options
}

// New makes an operator with its controllers. The caller starts the manager; admission answers for its webhooks. The
// context ends with the operator.
func New(ctx context.Context, config *rest.Config, c *Cluster, s Settings) (manager.Manager, *admit.Admission, error) {
	mgr, err := ctrl.NewManager(config, c.options(s))
	if err != nil {
		return nil, nil, err
	}
	admission, err := c.admission(ctx, mgr, s)
	if err != nil {
		return nil, nil, err
	}
	err = controllers.SetupAll(ctx, mgr, s.Kinds, controllers.Options{
		Admission: admission, Concurrency: s.Concurrency, Metrics: s.Metrics, Now: time.Now,
		Workloads: c.Workloads, CertManager: c.CertManager,
	})
	return mgr, admission, err
}

// options says what the manager watches and what it reads from the API server instead.
func (c *Cluster) options(s Settings) manager.Options {
	o := s.Manager
	o.Scheme = Scheme()
	o.MapperProvider = func(*rest.Config, *http.Client) (meta.RESTMapper, error) { return c.Mapper, nil }
	o.Cache = controllers.CacheOptions(s.Kinds, c.Workloads, c.CertManager)
	for _, namespace := range s.Namespaces {
		if o.Cache.DefaultNamespaces == nil {
			o.Cache.DefaultNamespaces = map[string]cache.Config{}
		}
		o.Cache.DefaultNamespaces[namespace] = cache.Config{}
	}
	never := controllers.NeverCached()
	if !c.CertManager { // there is nothing to watch
		never = append(never, &cmv1.Certificate{}, &cmv1.Issuer{}, &cmv1.ClusterIssuer{})
	}
	o.Client = client.Options{Cache: &client.CacheOptions{DisableFor: never}}
	return o
}

// admission starts the watches that admission answers from, and learns the operator's own name, which the paused gate
// lets pass.
func (c *Cluster) admission(ctx context.Context, mgr manager.Manager, s Settings) (*admit.Admission, error) {
	watched := []client.Object{&corev1.ResourceQuota{}, &corev1.PersistentVolumeClaim{}, &storagev1.StorageClass{}}
	// The controllers watch these too, but only in the replica that leads: admission has to answer in every one.
	for _, e := range s.Kinds {
		watched = append(watched, e.Kind().NewDatabase(), e.Kind().NewRequest(), e.Kind().NewVersion())
	}
	if c.CertManager {
		watched = append(watched, &cmv1.Issuer{}, &cmv1.ClusterIssuer{})
	}
	for _, object := range watched {
		if _, err := mgr.GetCache().GetInformer(ctx, object); err != nil {
			return nil, fmt.Errorf("watching %T: %w", object, err)
		}
	}
	direct, err := client.New(mgr.GetConfig(), client.Options{Scheme: mgr.GetScheme(), Mapper: mgr.GetRESTMapper()})
	if err != nil {
		return nil, err
	}
	self := &authenticationv1.SelfSubjectReview{}
	if err := direct.Create(ctx, self); err != nil {
		return nil, fmt.Errorf("asking for the operator's own name: %w", err)
	}
	return admit.New(admit.Config{
		Reader: mgr.GetClient(), Live: mgr.GetAPIReader(), Access: admit.NewReviewer(direct),
		Operator: self.Status.UserInfo.Username, AllowedClusterIssuers: s.ClusterIssuers, Placement: c.Workloads.PetSets, NoCertManager: !c.CertManager,
	}), nil
}
