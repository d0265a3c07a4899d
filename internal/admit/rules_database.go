package admit

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	"github.com/drydock-db/drydock/engines"
)

// Rules that hold for a spec at any time and need no facts.
var databaseRules = []func(*proposal) field.ErrorList{
	checkVersionNamed, checkStorageType, checkStorage, checkDeletionPolicy, checkSecretKinds, checkMonitor,
	checkDatabaseCertificates, checkRequireSSL, checkInline,
}

// Rules about references that are new or changed.
var referenceRules = []func(*proposal) field.ErrorList{checkSecrets, checkDatabaseIssuers}

// Rules about new databases.
var creationRules = []func(*proposal) field.ErrorList{checkVersion, checkVolumes, checkExporterPort, checkStorageClasses}

func checkVersionNamed(p *proposal) field.ErrorList {
	if deref(p.settings.Version) != "" {
		return nil
	}
	return field.ErrorList{field.Required(specPath.Child("version"), "name an entry of the catalog: "+p.catalog())}
}

// catalog says how to find out what there is.
func (p *proposal) catalog() string {
	return "kubectl get " + strings.ToLower(p.kind.Version.Kind) + " lists them"
}

func checkVersion(p *proposal) field.ErrorList {
	name := deref(p.settings.Version)
	at := specPath.Child("version")
	switch {
	case name == "":
		return nil
	case p.version == nil:
		return field.ErrorList{notFound(at, name, fmt.Sprintf("there is no %s of that name: %s", p.kind.Version.Kind, p.catalog()))}
	case p.version.Deprecated:
		return field.ErrorList{field.Forbidden(at, fmt.Sprintf(
			"%s %s is deprecated and not for new databases: choose another, %s", p.kind.Version.Kind, name, p.catalog()))}
	}
	return nil
}

func checkStorageType(p *proposal) field.ErrorList {
	supported := []kubedbv1.StorageType{kubedbv1.StorageDurable, kubedbv1.StorageEphemeral}
	if given := deref(p.settings.StorageType); !slices.Contains(supported, given) {
		return field.ErrorList{field.NotSupported(specPath.Child("storageType"), given, supported)}
	}
	return nil
}

func (p *proposal) durable() bool { return deref(p.settings.StorageType) == kubedbv1.StorageDurable }

// checkStorage wants a volume of some size for every pod of a Durable database.
func checkStorage(p *proposal) field.ErrorList {
	if !p.durable() {
		return nil
	}
	var errs field.ErrorList
	for _, g := range p.settings.Groups {
		at, storage := g.Path.Child("storage"), inner(g.Storage)
		if storage == nil {
			errs = append(errs, field.Required(at, "a Durable database needs volumes: give at least "+
				"resources.requests.storage, or choose storageType Ephemeral"))
			continue
		}
		at = at.Child("resources", "requests", "storage")
		size, given := storage.Resources.Requests[corev1.ResourceStorage]
		if !given {
			errs = append(errs, field.Required(at, "say how large the volumes shall be, for example 10Gi"))
		} else if problem := engines.SizeProblem(size); problem != "" {
			errs = append(errs, field.Invalid(at, size.String(), problem))
		}
	}
	return errs
}

// checkVolumes is about how volumes are claimed. No edit can change that, so a mistake would stay for good.
func checkVolumes(p *proposal) field.ErrorList {
	var errs field.ErrorList
	for _, g := range p.newStorage() {
		at, storage := g.Path.Child("storage"), inner(g.Storage)
		errs = append(errs, checkAccessModes(at.Child("accessModes"), storage.AccessModes)...)
		if mode := storage.VolumeMode; mode != nil && *mode != corev1.PersistentVolumeFilesystem {
			errs = append(errs, field.NotSupported(at.Child("volumeMode"), *mode,
				[]corev1.PersistentVolumeMode{corev1.PersistentVolumeFilesystem}))
		}
	}
	return errs
}

// checkAccessModes wants modes that there are, and that let a pod write.
func checkAccessModes(at *field.Path, modes []corev1.PersistentVolumeAccessMode) field.ErrorList {
	writable := []corev1.PersistentVolumeAccessMode{corev1.ReadWriteMany, corev1.ReadWriteOnce, corev1.ReadWriteOncePod}
	supported := append([]corev1.PersistentVolumeAccessMode{corev1.ReadOnlyMany}, writable...)
	var errs field.ErrorList
	writes := len(modes) == 0 // then it is ReadWriteOnce
	for i, mode := range modes {
		writes = writes || slices.Contains(writable, mode)
		if !slices.Contains(supported, mode) {
			errs = append(errs, field.NotSupported(at.Index(i), mode, supported))
		}
	}
	switch {
	case len(errs) > 0:
	case !writes:
		errs = append(errs, field.Invalid(at, modes, "a database writes: add ReadWriteOnce"))
	case len(modes) > 1 && slices.Contains(modes, corev1.ReadWriteOncePod):
		errs = append(errs, field.Invalid(at, modes, "ReadWriteOncePod goes with no other mode: choose one"))
	}
	return errs
}

func checkStorageClasses(p *proposal) field.ErrorList {
	var errs field.ErrorList
	for _, g := range p.newStorage() {
		name := inner(g.Storage).StorageClassName
		if deref(name) == "" { // the default one, or none at all
			continue
		}
		if _, known := p.classes.of(name); !known {
			errs = append(errs, notFound(g.Path.Child("storage", "storageClassName"), *name,
				"there is no StorageClass of that name: kubectl get storageclass lists them"))
		}
	}
	return errs
}

func checkDeletionPolicy(p *proposal) field.ErrorList {
	at, policy := specPath.Child("deletionPolicy"), deref(p.settings.DeletionPolicy)
	supported := []kubedbv1.DeletionPolicy{
		kubedbv1.DeletionDelete, kubedbv1.DeletionDoNotTerminate, kubedbv1.DeletionHalt, kubedbv1.DeletionWipeOut,
	}
	if !slices.Contains(supported, policy) {
		return field.ErrorList{field.NotSupported(at, policy, supported)}
	}
	if !deref(p.settings.Halted) || policy != kubedbv1.DeletionDoNotTerminate {
		return nil
	}
	remedy := "choose deletionPolicy Halt to halt the database and keep its volumes"
	if !p.durable() {
		remedy = "leave halted out"
	}
	return field.ErrorList{field.Forbidden(specPath.Child("halted"), "deletionPolicy DoNotTerminate protects the pods too: "+remedy)}
}

// checkSecretKinds refuses references to anything that is not a Secret, such as one of an external store.
func checkSecretKinds(p *proposal) field.ErrorList {
	var errs field.ErrorList
	for _, r := range p.references() {
		if r.Kind != "" && r.Kind != "Secret" {
			errs = append(errs, field.NotSupported(r.path.Child("kind"), r.Kind, []string{"Secret"}))
		}
		if r.APIGroup != "" {
			errs = append(errs, field.NotSupported(r.path.Child("apiGroup"), r.APIGroup, []string{""}))
		}
	}
	return errs
}

func checkMonitor(p *proposal) field.ErrorList {
	m := inner(p.settings.Monitor)
	agents := []string{"prometheus.io", "prometheus.io/builtin", "prometheus.io/operator"}
	at := specPath.Child("monitor", "agent")
	switch {
	case m == nil || slices.Contains(agents, m.Agent):
		return nil
	case m.Agent == "":
		return field.ErrorList{field.Required(at, "say who collects the metrics: "+strings.Join(agents, ", "))}
	}
	return field.ErrorList{field.NotSupported(at, m.Agent, agents)}
}

// checkExporterPort is asked when the port is new: a database that has run with it goes on.
func checkExporterPort(p *proposal) field.ErrorList {
	port := exporterPort(p.settings)
	if !slices.Contains(p.engine.Reserved().Ports, port) || p.old != nil && exporterPort(p.was) == port {
		return nil
	}
	return field.ErrorList{field.Invalid(specPath.Child("monitor", "prometheus", "exporter", "port"), port,
		"the database itself listens there: choose another, for example 9104")}
}

// exporterPort is the port that the spec gives the exporter; 0 when it gives none.
func exporterPort(s engines.Settings) int32 {
	if m := inner(s.Monitor); m != nil && m.Prometheus != nil {
		return m.Prometheus.Exporter.Port
	}
	return 0
}

func checkDatabaseCertificates(p *proposal) field.ErrorList {
	tls := inner(p.settings.TLS)
	if tls == nil {
		return nil
	}
	var errs field.ErrorList
	for _, i := range issuersOf(tlsPath, tls) {
		errs = append(errs, checkIssuerKind(i)...)
	}
	return append(errs, checkCertificates(tlsPath, tls.Certificates, tls.Certificates, p.engine, p.db)...)
}

func checkRequireSSL(p *proposal) field.ErrorList {
	if !deref(p.settings.RequireSSL) || inner(p.settings.TLS) != nil {
		return nil
	}
	return field.ErrorList{field.Required(tlsPath, "requireSSL needs TLS: name an issuer, or write tls: {} for a self-signed one")}
}

// checkInline is about inline files. Those that are too large altogether are not looked into: what is wrong with them
// would be long too.
func checkInline(p *proposal) field.ErrorList {
	if errs := checkInlineSize(p); len(errs) > 0 {
		return errs
	}
	return checkInlineContents(p)
}

// checkInlineContents is about the content of inline files; their names are the kind's affair. Empty ones are not used.
func checkInlineContents(p *proposal) field.ErrorList {
	var errs field.ErrorList
	for _, g := range p.settings.Groups {
		c := inner(g.Configuration)
		if c == nil {
			continue
		}
		files := map[string]string{}
		for name, content := range c.Inline {
			if strings.TrimSpace(content) != "" {
				files[name] = content
			}
		}
		errs = append(errs, checkContents(g.Path.Child("configuration", "inline"), files, p.dialect)...)
	}
	return errs
}

// checkInlineSize is about the files of all groups together.
func checkInlineSize(p *proposal) field.ErrorList {
	var all []map[string]string
	for _, g := range p.settings.Groups {
		if c := inner(g.Configuration); c != nil && len(c.Inline) > 0 {
			all = append(all, c.Inline)
		}
	}
	size := stored(all)
	if size <= largestInline {
		return nil
	}
	var errs field.ErrorList
	for _, g := range p.settings.Groups {
		if c := inner(g.Configuration); c != nil && len(c.Inline) > 0 {
			errs = append(errs, field.Invalid(g.Path.Child("configuration", "inline"), field.OmitValueType{}, tooLarge(size)))
		}
	}
	return errs
}

// checkSecrets is about Secrets that are there: one that is missing may come yet.
func checkSecrets(p *proposal) field.ErrorList {
	errs := checkSecretRefs(p.newSecrets, p.secrets, p.who)
	for _, ref := range p.newSecrets {
		if fact := p.secrets[ref.key()]; fact.found && ref.use == forConfiguration {
			errs = append(errs, checkConfigSecret(ref, fact.data, p.dialect)...)
		}
	}
	return errs
}

// checkDatabaseIssuers leaves out the kinds of issuers, which are a rule of their own that needs no facts.
func checkDatabaseIssuers(p *proposal) field.ErrorList {
	known := slices.DeleteFunc(slices.Clone(p.newIssuers), func(i issuerRef) bool { return !i.known() })
	return checkIssuers(known, p.issuers, p.who)
}
