package admit

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/equality"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	"github.com/drydock-db/drydock/engines"
)

// Hints about every database that is created or edited.
var databaseHints = []func(*proposal) []string{hintSecrets, hintDatabaseIssuers, hintStorage, hintVersion, hintExporter, hintUnused}

// Hints about edits.
var editHints = []func(*proposal) []string{hintWaitsForRestart, hintReplicas}

// hintSecrets names what is missing and may come yet.
func hintSecrets(p *proposal) []string {
	var hints []string
	for _, ref := range p.newSecrets {
		fact := p.secrets[ref.key()]
		if fact.denied || fact.never != "" || !ref.use.read() {
			continue
		}
		if !fact.found {
			if then := p.without(ref); then != "" {
				hints = append(hints, fmt.Sprintf("%s: Secret %s does not exist yet: %s", ref.path, ref.name, then))
			}
			continue
		}
		switch ref.use {
		case forConfiguration:
			hints = append(hints, unreadKeys(ref, fact)...)
		case forLicence:
			hints = append(hints, missingKeys(ref, fact, "password")...)
		default:
			hints = append(hints, missingKeys(ref, fact, "username", "password")...)
		}
	}
	return hints
}

// without says what happens as long as a Secret does not exist; "" when the operator makes it.
func (p *proposal) without(ref secretRef) string {
	switch {
	case ref.use == forCredentials && p.makes(ref.name):
		return ""
	case ref.use != forConfiguration:
		return "the pods wait for it"
	case p.old == nil:
		return "nothing is made until it is there"
	}
	return "nothing is changed until it is there"
}

// makes tells whether the operator itself makes a Secret of that name, with credentials for the database.
func (p *proposal) makes(name string) bool {
	objects, err := engines.Outline(p.engine, p.db)
	return err == nil && slices.ContainsFunc(objects.AuthSecrets, func(a engines.AuthSecret) bool { return a.Secret.Name == name })
}

func missingKeys(ref secretRef, fact secretFact, keys ...string) []string {
	var hints []string
	for _, key := range keys {
		if len(fact.data[key]) == 0 {
			hints = append(hints, fmt.Sprintf("%s: Secret %s has nothing under the key %s: the pods wait for it", ref.path, ref.name, key))
		}
	}
	return hints
}

func hintDatabaseIssuers(p *proposal) []string {
	var hints []string
	for _, i := range p.newIssuers {
		if i.known() && p.issuers[i.key()].missing() {
			hints = append(hints, fmt.Sprintf("%s: %s yet: no certificate can be issued until there is", i.path.Child("name"), i.whereabouts(p.db.GetNamespace())))
		}
	}
	for _, text := range unready(p.newIssuers, p.issuers) {
		hints = append(hints, text+": certificates are issued once it is")
	}
	return hints
}

// hintStorage is about volumes that will not come by themselves, and about storage that is not used.
func hintStorage(p *proposal) []string {
	var hints []string
	for _, g := range p.newStorage() {
		if inner(g.Storage).StorageClassName == nil && p.classes.standard == "" {
			hints = append(hints, g.Path.Child("storage").String()+": there is no default StorageClass: the pods wait until their volumes are made by hand")
		}
	}
	if deref(p.settings.StorageType) != kubedbv1.StorageEphemeral {
		return hints
	}
	before := map[string]any{}
	for _, g := range p.pairs() {
		before[g.now.Name] = inner(g.was.Storage)
	}
	for _, g := range p.settings.Groups {
		if storage := inner(g.Storage); storage != nil && !equality.Semantic.DeepEqual(before[g.Name], storage) {
			hints = append(hints, g.Path.Child("storage").String()+": an Ephemeral database makes no volumes; this is not used")
		}
	}
	return hints
}

// hintExporter: a database may serve metrics itself, so a version without an exporter is no mistake.
func hintExporter(p *proposal) []string {
	if inner(p.settings.Monitor) == nil || p.version == nil || p.version.Exporter != nil {
		return nil
	}
	return []string{fmt.Sprintf("%s: %s %s names no exporter image, so pods have no exporter; the stats Service leads to metrics only if the database serves them itself",
		specPath.Child("monitor"), p.kind.Version.Kind, deref(p.settings.Version))}
}

func hintVersion(p *proposal) []string {
	switch {
	case p.version == nil:
		return nil
	case p.version.Deprecated && p.old != nil:
		return []string{fmt.Sprintf("%s %s is deprecated", p.kind.Version.Kind, deref(p.settings.Version))}
	case p.version.EndOfLife:
		return []string{fmt.Sprintf("%s %s is no longer supported by its vendor", p.kind.Version.Kind, deref(p.settings.Version))}
	}
	return nil
}

// inPods are fields outside of the groups that pods take up when they start.
var inPods = []string{
	"spec.tls", "spec.requireSSL", "spec.init.script", "spec.monitor.prometheus.exporter",
	"spec.authSecret.name", "spec.licenseSecret.name",
	"spec.systemUserSecrets.replicationUserSecret.name", "spec.systemUserSecrets.monitorUserSecret.name",
}

// hintWaitsForRestart says of direct edits that only operations restart pods.
func hintWaitsForRestart(p *proposal) []string {
	var fields []string
	for _, g := range p.pairs() {
		if !equality.Semantic.DeepEqual(inner(g.was.Configuration), inner(g.now.Configuration)) {
			fields = append(fields, g.now.Path.Child("configuration").String())
		}
		if !equality.Semantic.DeepEqual(g.was.PodTemplate(), g.now.PodTemplate()) {
			fields = append(fields, g.now.Path.Child("podTemplate").String())
		}
	}
	if (inner(p.was.Monitor) == nil) != (inner(p.settings.Monitor) == nil) {
		fields = append(fields, "spec.monitor")
	}
	for _, f := range inPods {
		names := strings.Split(f, ".")
		if !equality.Semantic.DeepEqual(at(p.old, names...), at(p.db, names...)) {
			fields = append(fields, f)
		}
	}
	if len(fields) == 0 {
		return nil
	}
	return []string{fmt.Sprintf("%s: running pods keep what they have until the next restart; a %s of type Restart applies it",
		strings.Join(fields, ", "), p.kind.Request.Kind)}
}

// hintReplicas says what a changed number of pods does, since no operation of this version does it.
func hintReplicas(p *proposal) []string {
	var hints []string
	for _, g := range p.pairs() {
		was, now := g.was.ReplicaCount(), g.now.ReplicaCount()
		switch {
		case now < was && now > 0:
			hints = append(hints, fmt.Sprintf("%s: removed at once: %s; their volumes stay, move the data off them first",
				g.now.Path.Child("replicas"), podRange(g.now, now, was)))
		case now > was:
			hints = append(hints, fmt.Sprintf("%s: started at once, without a HorizontalScaling request: %s", g.now.Path.Child("replicas"), podRange(g.now, was, now)))
		}
	}
	return hints
}

// podRange names the pods from one ordinal up to, and without, another.
func podRange(g engines.GroupSettings, from, to int32) string {
	first, last := fmt.Sprintf("%s-%d", g.Workload, from), fmt.Sprintf("%s-%d", g.Workload, to-1)
	if first == last {
		return first
	}
	return first + " to " + last
}
