package admit

import (
	"fmt"
	"strings"

	cmv1 "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	cmmeta "github.com/cert-manager/cert-manager/pkg/apis/meta/v1"
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/validate/content"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/controller-runtime/pkg/client"

	catalogv1 "github.com/drydock-db/drydock/apis/catalog/v1alpha1"
	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	"github.com/drydock-db/drydock/engines"
	"github.com/drydock-db/drydock/ops"
)

// secretFact is what is known of a Secret. Nothing is, if the requester may not read it: not even whether it exists.
type secretFact struct {
	denied, found bool
	// never is why no Secret can have that name; nobody was asked about it then.
	never string
	data  map[string][]byte
}

// issuerFact is what is known of an Issuer or ClusterIssuer.
type issuerFact struct {
	denied, found, acme, ready bool
	// managed is true for the issuer that the operator has made for a database.
	managed bool
	// notInstalled is true when the cluster knows no such kind.
	notInstalled bool
	// why it is not ready, in its own words.
	why string
	// never is why no issuer can have that name.
	never string
}

// classes are the StorageClasses of the cluster.
type classes struct {
	byName map[string]storagev1.StorageClass
	// standard is the name of the default class; empty when there is none.
	standard string
}

// facts are what rules look at besides the object itself. Each is fetched once, and only if the object names it.
type facts struct {
	version *catalogv1.VersionSpec
	secrets map[string]secretFact
	issuers map[string]issuerFact
	classes classes
}

// shared lets the cache hand out its own objects: rules read, and whatever they change they copy first.
const shared = client.UnsafeDisableDeepCopyOption(true)

// asShared is shared as options of a Get, in one list for all of them.
var asShared = []client.GetOption{shared}

// read gets an object and tells whether it is there. What the cache does not have may be there all the same.
func (r reader) read(namespace, name string, into client.Object, opts ...client.GetOption) (bool, error) {
	found, err := r.get(r.config.Reader, namespace, name, into, opts...)
	if found || err != nil || r.config.Live == nil {
		return found, err
	}
	return r.get(r.config.Live, namespace, name, into)
}

func (r reader) get(from client.Reader, namespace, name string, into client.Object, opts ...client.GetOption) (bool, error) {
	if len(content.IsPathSegmentName(name)) > 0 { // no object has such a name, and clients do not ask for it
		return false, nil
	}
	err := from.Get(r.ctx, client.ObjectKey{Namespace: namespace, Name: name}, into, opts...)
	switch {
	case err == nil:
		return true, nil
	case apierrors.IsNotFound(err):
		return false, nil
	}
	return false, fmt.Errorf("reading %T %s: %w", into, name, err)
}

// noName says why no Secret and no issuer can have a name; "" when one can.
func noName(name string) string { return strings.Join(validation.IsDNS1123Subdomain(name), "; ") }

// version reads the catalog entry of a name; nil when there is none.
func (r reader) version(kind engines.Kind, name string) (*catalogv1.VersionSpec, error) {
	if name == "" {
		return nil, nil //nolint:nilnil // absent is an answer
	}
	entry := kind.NewVersion()
	found, err := r.read("", name, entry, asShared...)
	if err != nil || !found {
		return nil, err
	}
	return entry.VersionSpec(), nil
}

// secrets looks at every Secret that is named. One that the requester may not read is not read.
func (r reader) secrets(refs []secretRef) (map[string]secretFact, error) {
	if len(refs) == 0 {
		return nil, nil
	}
	known := make(map[string]secretFact, len(refs))
	for _, ref := range refs {
		if _, done := known[ref.key()]; done {
			continue
		}
		fact, err := r.secret(ref)
		if err != nil {
			return nil, err
		}
		known[ref.key()] = fact
	}
	return known, nil
}

func (r reader) secret(ref secretRef) (secretFact, error) {
	if why := noName(ref.name); why != "" {
		return secretFact{never: why}, nil
	}
	allowed, err := r.mayHave(ref)
	if err != nil || !allowed {
		return secretFact{denied: true}, err
	}
	if !ref.use.read() {
		return secretFact{}, nil
	}
	var secret corev1.Secret
	found, err := r.get(r.config.Reader, r.namespace, ref.name, &secret) // which is not cached
	return secretFact{found: found, data: secret.Data}, err
}

// issuers looks at every issuer that is named.
func (r reader) issuers(refs []issuerRef) (map[string]issuerFact, error) {
	if len(refs) == 0 {
		return nil, nil
	}
	known := make(map[string]issuerFact, len(refs))
	for _, ref := range refs {
		if _, done := known[ref.key()]; done || !ref.known() {
			continue
		}
		fact, err := r.issuer(ref)
		if err != nil {
			return nil, err
		}
		known[ref.key()] = fact
	}
	return known, nil
}

// issuer looks at one that the database keeps without asking for rights; it is missing like any other if its name cannot be.
func (r reader) issuer(ref issuerRef) (issuerFact, error) {
	if ref.kept {
		return r.readIssuer(ref)
	}
	if why := noName(ref.ref.Name); why != "" {
		return issuerFact{never: why}, nil
	}
	if ref.ref.Kind == cmv1.ClusterIssuerKind {
		allowed, err := r.mayUse(ref.ref.Name)
		if err != nil || !allowed {
			return issuerFact{denied: !allowed}, err
		}
	}
	return r.readIssuer(ref)
}

func (r reader) readIssuer(ref issuerRef) (issuerFact, error) {
	issuer, namespace := cmv1.GenericIssuer(&cmv1.Issuer{}), r.namespace
	if ref.ref.Kind == cmv1.ClusterIssuerKind {
		issuer, namespace = &cmv1.ClusterIssuer{}, ""
	}
	if r.config.NoCertManager {
		return issuerFact{notInstalled: true}, nil
	}
	found, err := r.read(namespace, ref.ref.Name, issuer)
	if meta.IsNoMatchError(err) {
		return issuerFact{notInstalled: true}, nil
	}
	if err != nil || !found {
		return issuerFact{}, err
	}
	fact := issuerFact{found: true, acme: issuer.GetSpec().ACME != nil, managed: managed(issuer)}
	for _, c := range issuer.GetStatus().Conditions {
		if c.Type == cmv1.IssuerConditionReady {
			fact.ready, fact.why = c.Status == cmmeta.ConditionTrue, c.Message
		}
	}
	return fact, nil
}

// managed tells whether a database controls the issuer.
func managed(issuer client.Object) bool {
	owner := metav1.GetControllerOf(issuer)
	if owner == nil {
		return false
	}
	version, err := schema.ParseGroupVersion(owner.APIVersion)
	return err == nil && version.Group == kubedbv1.GroupVersion.Group
}

// storageClasses lists them all: there are few, and the default one can only be found so. Those that are named and not among them
// are looked for once more.
func (r reader) storageClasses(named ...*string) (classes, error) {
	var list storagev1.StorageClassList
	if err := r.config.Reader.List(r.ctx, &list); err != nil {
		return classes{}, fmt.Errorf("listing StorageClasses: %w", err)
	}
	known := classes{byName: make(map[string]storagev1.StorageClass, len(list.Items))}
	for _, class := range list.Items {
		known.byName[class.Name] = class
		for _, annotation := range []string{"storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class"} {
			if class.Annotations[annotation] == "true" {
				known.standard = class.Name
			}
		}
	}
	for _, name := range named {
		if _, ok := known.of(name); ok || deref(name) == "" {
			continue
		}
		var class storagev1.StorageClass
		if found, err := r.read("", *name, &class); err != nil {
			return classes{}, err
		} else if found {
			known.byName[class.Name] = class
		}
	}
	return known, nil
}

// of returns the class that a claim asks for: the named one, or the default; false when there is none of that name.
func (c classes) of(name *string) (class storagev1.StorageClass, known bool) {
	wanted := c.standard
	if name != nil {
		wanted = *name
	}
	class, known = c.byName[wanted]
	return class, known
}

// siblings are the unfinished requests about the same database, without the request itself.
func (r reader) siblings(e engines.Engine, database, self string) ([]ops.Request, error) {
	list := e.Kind().NewRequestList()
	which := client.ListOptions{Namespace: r.namespace, FieldSelector: fields.OneTermEqualSelector(IndexDatabase, database)}
	if err := r.config.Reader.List(r.ctx, list, &which, shared); err != nil {
		return nil, fmt.Errorf("listing requests about %s: %w", database, err)
	}
	items, err := meta.ExtractList(list)
	if err != nil {
		return nil, err
	}
	var others []ops.Request
	for _, item := range items {
		if other, ok := item.(engines.OpsRequest); ok && other.GetName() != self {
			if value := e.Lower(other); !value.Finished {
				others = append(others, value)
			}
		}
	}
	return others, nil
}
