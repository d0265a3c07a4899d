package main

import (
	certmanagerv1 "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"

	"github.com/drydock-db/drydock/controllers"
	"github.com/drydock-db/drydock/internal/apply"
)

// cluster is the API server and which APIs it serves besides Kubernetes' own. They are looked at once, before anything
// is watched, since nothing can be watched that is not served.
type cluster struct {
	config    *rest.Config
	mapper    meta.RESTMapper
	workloads apply.Workloads
}

// connect finds the API server and checks that it serves what the options ask for.
func connect(o *options) (*cluster, error) {
	config, err := ctrl.GetConfig()
	if err != nil {
		return nil, err
	}
	config.UserAgent = "drydock"
	config.QPS = -1 // the API server's priority and fairness decides
	httpClient, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, err
	}
	mapper, err := apiutil.NewDynamicRESTMapper(config, httpClient)
	if err != nil {
		return nil, err
	}
	workloads, err := apply.FindWorkloads(mapper, o.Workload == "petset")
	if err != nil {
		return nil, err
	}
	return &cluster{config: config, mapper: mapper, workloads: workloads}, nil
}

// neverCached are the kinds that are read from the API server. Issuers are among them where cert-manager is not
// installed, since there is nothing to watch.
func (c *cluster) neverCached() []client.Object {
	never := controllers.NeverCached()
	if !hasCertManager(c.mapper) {
		never = append(never, &certmanagerv1.Issuer{}, &certmanagerv1.ClusterIssuer{})
	}
	return never
}
