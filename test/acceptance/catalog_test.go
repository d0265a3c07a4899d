//go:build lab

package acceptance

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	catalogv1 "github.com/drydock-db/drydock/apis/catalog/v1alpha1"
	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	kubedbv1alpha2 "github.com/drydock-db/drydock/apis/kubedb/v1alpha2"
	"github.com/drydock-db/drydock/test/framework"
)

// fullVersion adds a version to the catalog that names every image there can be; the catalog that is shipped leaves out
// those that only KubeDB builds. It is the arena's own and goes with it.
func (a *arena) fullVersion(ctx context.Context, s sample) string {
	GinkgoHelper()
	meta := metav1.ObjectMeta{Name: a.Name}
	image := func(name string) *catalogv1.Image { return &catalogv1.Image{Image: "example.org/" + name + ":1"} }
	spec := catalogv1.VersionSpec{
		Version: "99.0.0", DB: *image("database"), Coordinator: image("coordinator"), InitContainer: image("init"), Exporter: image("exporter"),
	}
	var version client.Object
	if s.section == "server" {
		spec.Dialect, spec.Standalone = "singlestore", image("standalone")
		version = &catalogv1.SinglestoreVersion{ObjectMeta: meta, Spec: spec}
	} else {
		spec.Dialect = "mysql"
		version = &catalogv1.PerconaXtraDBVersion{ObjectMeta: meta, Spec: spec}
	}
	a.create(ctx, version)
	DeferCleanup(func(ctx SpecContext) {
		Expect(client.IgnoreNotFound(lab.Client.Delete(ctx, version))).To(Succeed())
	})
	return a.Name
}

// withVersion sets the version of a database.
func withVersion(db framework.Database, version string) framework.Database {
	switch d := db.(type) {
	case *kubedbv1.PerconaXtraDB:
		d.Spec.Version = version
	case *kubedbv1alpha2.Singlestore:
		d.Spec.Version = version
	}
	return db
}

// catalogEntry names a PerconaXtraDBVersion.
func catalogEntry(name string) *catalogv1.PerconaXtraDBVersion {
	return &catalogv1.PerconaXtraDBVersion{ObjectMeta: metav1.ObjectMeta{Name: name}}
}
