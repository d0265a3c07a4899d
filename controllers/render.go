package controllers

import (
	"context"
	"fmt"
	"sync"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	catalogv1 "github.com/drydock-db/drydock/apis/catalog/v1alpha1"
	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/engines"
)

// render reads the Secrets that the configuration names and renders the database's objects.
func (c *Database) render(ctx context.Context, db engines.Database, version *catalogv1.VersionSpec, tls security) (engines.Objects, error) {
	in := engines.Inputs{
		Version: *version, UserConfig: map[string]map[string][]byte{}, TLSSecret: tls.secret, Placement: c.Apply.Workloads.PetSets,
	}
	for _, g := range c.Engine.Settings(db).Groups {
		if *g.Configuration == nil || (*g.Configuration).SecretName == "" {
			continue
		}
		name := (*g.Configuration).SecretName
		secret, err := c.secret(ctx, db.GetNamespace(), name)
		if apierrors.IsNotFound(err) {
			return engines.Objects{}, &refusal{kubedbv1.ReasonConfigSecretNotFound,
				fmt.Errorf("the configuration Secret %q, which %s names, does not exist", name, g.Path.Child("configuration", "secretName"))}
		}
		if err != nil {
			return engines.Objects{}, err
		}
		in.UserConfig[name] = secret.Data
	}
	objects, err := c.Engine.Render(db, in)
	if err != nil {
		return engines.Objects{}, &refusal{kubedbv1.ReasonCannotRender, err}
	}
	if tls.secret != "" && tls.mounted != "" {
		for _, g := range objects.Groups {
			metav1.SetMetaDataAnnotation(&g.StatefulSet.ObjectMeta, opsv1.AnnotationCertificates, tls.mounted)
		}
	}
	return objects, nil
}

// renderings remembers what a database's spec was rendered to, so that a pass over an unchanged database reads no Secret.
type renderings struct {
	mu   sync.Mutex
	kept map[types.NamespacedName]rendering
}

// rendering is valid for one generation of one object.
type rendering struct {
	uid        types.UID
	generation int64
	version    catalogv1.VersionSpec
	tls        security
	objects    engines.Objects
}

// get finds a rendering with that copy of certificates.
func (r *renderings) get(db engines.Database, version *catalogv1.VersionSpec, tls security) (engines.Objects, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	k, ok := r.kept[types.NamespacedName{Namespace: db.GetNamespace(), Name: db.GetName()}]
	if !ok || k.uid != db.GetUID() || k.generation != db.GetGeneration() || !equality.Semantic.DeepEqual(&k.version, version) || k.tls != tls {
		return engines.Objects{}, false
	}
	return k.objects, true
}

func (r *renderings) put(db engines.Database, version *catalogv1.VersionSpec, tls security, objects engines.Objects) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.kept == nil {
		r.kept = map[types.NamespacedName]rendering{}
	}
	r.kept[types.NamespacedName{Namespace: db.GetNamespace(), Name: db.GetName()}] =
		rendering{uid: db.GetUID(), generation: db.GetGeneration(), version: *version.DeepCopy(), tls: tls, objects: objects}
}

func (r *renderings) forget(key types.NamespacedName) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.kept, key)
}
