package admit

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/util/validation/field"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	"github.com/drydock-db/drydock/engines"
)

const unusedHealth = "health is read from the pods, as they are and as soon as they change"

// unusedFields are fields that the API has and this version of the operator does nothing with. Those of Secrets, pods and
// Services, which have several places, are below.
var unusedFields = []struct {
	path string
	why  string
	// usual is what defaulting writes: nobody has asked for anything by that.
	usual int32
}{
	{path: "init.initialized", why: "scripts run whenever a volume is empty"},
	{path: "init.waitForInitialRestore", why: "nothing is restored"},
	{path: "init.archiver", why: "nothing is restored"},
	{path: "init.script.git", why: "no repository is fetched; give the script by a volume"},
	{path: "init.script.scriptPath", why: "every script in the volume is run"},
	{path: "monitor.prometheus.serviceMonitor", why: "no ServiceMonitor is made; the Service of the metrics can be selected by one"},
	{path: "allowedSchemas", why: "there are no schema objects"},
	{path: "healthChecker.periodSeconds", why: unusedHealth, usual: 10},
	{path: "healthChecker.timeoutSeconds", why: unusedHealth, usual: 10},
	{path: "healthChecker.failureThreshold", why: unusedHealth, usual: 1},
	{path: "healthChecker.disableWriteCheck", why: "health is read from the pods; nothing is written"},
}

// hint is about a field that has no effect. The value tells an edit of it from one elsewhere.
type hint struct {
	path  string
	value any
	why   string
}

// hintUnused names fields that are accepted and have no effect; on an edit only those that change.
func hintUnused(p *proposal) []string {
	var before []hint
	if p.old != nil {
		before = unused(p.before())
	}
	var texts []string
	for _, h := range unused(p) {
		known := func(was hint) bool { return was.path == h.path && equality.Semantic.DeepEqual(was.value, h.value) }
		if !slices.ContainsFunc(before, known) {
			texts = append(texts, h.path+": accepted and not acted on by this version of the operator: "+h.why)
		}
	}
	return texts
}

func unused(p *proposal) []hint {
	return slices.Concat(unusedByTable(p), unusedOperations(p), unusedOfSecrets(p), unusedCoordinator(p), unusedOfPods(p), unusedOfServices(p))
}

func unusedByTable(p *proposal) []hint {
	var hints []hint
	for _, f := range unusedFields {
		value := at(p.db, append([]string{"spec"}, strings.Split(f.path, ".")...)...)
		number, isNumber := value.(*int32)
		if value != nil && (!isNumber || *number != f.usual) {
			hints = append(hints, hint{"spec." + f.path, value, f.why})
		}
	}
	return hints
}

// unusedOperations: nothing but a restart for renewed certificates ever starts by itself, and only where it is asked for.
func unusedOperations(p *proposal) []hint {
	auto := inner(p.settings.AutoOps)
	switch {
	case auto == nil || !auto.Disabled:
		return nil
	case auto.RestartOnCertificateRenewal:
		return []hint{{"spec.autoOps.restartOnCertificateRenewal", true, "spec.autoOps.disabled switches it off"}}
	}
	return []hint{{"spec.autoOps.disabled", true, "no operation starts by itself unless restartOnCertificateRenewal asks for one"}}
}

// reference is a Secret that the spec names in a field of its own.
type reference struct {
	path *field.Path
	*kubedbv1.SecretReference
}

// references are all of them, whatever the kind has.
func (p *proposal) references() []reference {
	all := []reference{
		{specPath.Child("licenseSecret"), inner(p.settings.LicenseSecret)}, {specPath.Child("authSecret"), inner(p.settings.AuthSecret)},
	}
	for _, fields := range userSecrets {
		ref, _ := at(p.db, fields...).(*kubedbv1.SecretReference)
		all = append(all, reference{specPath.Child(fields[1], fields[2:]...), ref})
	}
	return slices.DeleteFunc(all, func(r reference) bool { return r.SecretReference == nil })
}

func unusedOfSecrets(p *proposal) []hint {
	var hints []hint
	for _, r := range p.references() {
		if r.SecretStoreName != "" {
			hints = append(hints, hint{r.path.Child("secretStoreName").String(), r.SecretStoreName, "Secrets are read from the cluster"})
		}
		if r.RotateAfter != nil {
			hints = append(hints, hint{r.path.Child("rotateAfter").String(), r.RotateAfter, "credentials are not rotated"})
		}
		if r.ActiveFrom != nil {
			hints = append(hints, hint{r.path.Child("activeFrom").String(), r.ActiveFrom, "credentials are not rotated"})
		}
	}
	return hints
}

// unusedCoordinator is about the coordinator's settings in the older shape.
func unusedCoordinator(p *proposal) []hint {
	given := at(p.db, "spec", "coordinator")
	if given == nil {
		return nil
	}
	var hints []hint
	for _, g := range p.settings.Groups {
		absent := engines.AbsentContainers(p.engine, p.settings, g, p.version)
		for _, name := range p.engine.Reserved().Containers {
			if why := absent[name]; why != "" && name != engines.ContainerExporter {
				hints = append(hints, hint{"spec.coordinator", given, "there is no container " + name + ": " + why})
			}
		}
	}
	return hints
}

func unusedOfPods(p *proposal) []hint {
	var hints []hint
	for _, g := range p.settings.Groups {
		t, path := g.PodTemplate(), g.Path.Child("podTemplate")
		hints = append(hints, unusedMetadata(path.Child("metadata"), t.ObjectMeta)...)
		hints = append(hints, unusedMetadata(path.Child("controller"), t.Controller)...)
		path = path.Child("spec")
		if policy := t.Spec.PodPlacementPolicy; policy != nil && !p.placement {
			hints = append(hints, hint{path.Child("podPlacementPolicy").String(), policy, "pods are spread over nodes by anti-affinity"})
		}
		if len(t.Spec.Containers)+len(t.Spec.InitContainers) == 0 {
			continue
		}
		absent := engines.AbsentContainers(p.engine, p.settings, g, p.version)
		hints = append(hints, unusedContainers(path.Child("initContainers"), t.Spec.InitContainers, absent)...)
		hints = append(hints, unusedContainers(path.Child("containers"), t.Spec.Containers, absent)...)
	}
	return hints
}

// unusedContainers are settings for a container that is not there. One with an image is there: it is the user's own.
func unusedContainers(path *field.Path, list []corev1.Container, absent map[string]string) []hint {
	var hints []hint
	for i, c := range list {
		if why := absent[c.Name]; why != "" && c.Image == "" {
			hints = append(hints, hint{path.Index(i).String(), c, "there is no container " + c.Name + ": " + why})
		}
	}
	return hints
}

// unusedMetadata: of the metadata of a template only labels and annotations are taken over.
func unusedMetadata(path *field.Path, m kubedbv1.ObjectMeta) []hint {
	const why = "only labels and annotations are taken over"
	var hints []hint
	for _, f := range []struct{ name, value string }{{"name", m.Name}, {"generateName", m.GenerateName}, {"namespace", m.Namespace}} {
		if f.value != "" {
			hints = append(hints, hint{path.Child(f.name).String(), f.value, why})
		}
	}
	if len(m.OwnerReferences) > 0 {
		hints = append(hints, hint{path.Child("ownerReferences").String(), m.OwnerReferences, why})
	}
	return hints
}

// unusedOfServices is about templates of Services that there are not, and what a Service does not take from its template.
func unusedOfServices(p *proposal) []hint {
	if p.settings.ServiceTemplates == nil {
		return nil
	}
	ports := map[string][]string{engines.AliasPrimary: p.engine.Reserved().ServicePorts}
	if inner(p.settings.Monitor) != nil {
		ports[engines.AliasStats] = []string{engines.PortMetrics}
	}
	var hints []hint
	for i, t := range *p.settings.ServiceTemplates {
		known, there := ports[t.Alias]
		if !there {
			hints = append(hints, hint{"spec.serviceTemplates", t.Alias, "there is no Service " + t.Alias})
			continue
		}
		path := specPath.Child("serviceTemplates").Index(i)
		hints = append(hints, unusedMetadata(path.Child("metadata"), t.ObjectMeta)...)
		for j, port := range t.Spec.Ports {
			if !slices.Contains(known, port.Name) {
				hints = append(hints, hint{path.Child("spec", "ports").Index(j).Child("name").String(), port.Name,
					"the Service has no port of that name, only " + strings.Join(known, ", ")})
			}
		}
	}
	return hints
}
