package admit

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/engines"
	"github.com/drydock-db/drydock/ops"
	"github.com/drydock-db/drydock/ops/mycnf"
)

const (
	// largestInline is for all groups of a database together, in bytes as they are stored. While an operation runs, one
	// object holds the spec twice, as it was and as it will be, and etcd takes no object above 1.5 MiB.
	largestInline = 400 << 10
	// largestSecret leaves room for that and for the operator's own file: a rendered Secret holds 1 MiB.
	largestSecret = 600 << 10
)

// stored is how many bytes inline configurations take in an object. It may say less as long as they fit by far.
func stored(configurations []map[string]string) int {
	const longest = 6 // bytes that a byte becomes in JSON at most: < becomes \u003c
	size := 0
	for _, files := range configurations {
		for name, content := range files {
			size += len(name) + len(content)
		}
	}
	if size*longest <= largestInline {
		return size
	}
	raw, err := json.Marshal(configurations)
	if err != nil { // strings can always be written
		return size
	}
	return len(raw)
}

// tooLarge is what is wrong with inline configurations that take so many bytes.
func tooLarge(size int) string {
	return fmt.Sprintf("the inline configuration of the whole database would take %d bytes as it is stored, "+
		"where a line break counts twice: at most %d fit; put large files into a Secret", size, largestInline)
}

// checkContents says which of the files cannot be read, and why. Files may hold passwords, so no value is shown.
func checkContents(path *field.Path, files map[string]string, d mycnf.Dialect) field.ErrorList {
	var errs field.ErrorList
	for _, name := range slices.Sorted(maps.Keys(files)) {
		for _, problem := range d.Check(name, files[name]) {
			errs = append(errs, field.Invalid(path.Key(name), field.OmitValueType{}, problem.Error()))
		}
	}
	return errs
}

// checkConfigSecret says what keeps a Secret from being a configuration. Whether it exists is asked elsewhere.
func checkConfigSecret(ref secretRef, data map[string][]byte, d mycnf.Dialect) field.ErrorList {
	var errs field.ErrorList
	invalid := func(why string) {
		errs = append(errs, field.Invalid(ref.path, ref.name, why))
	}
	files, size := map[string]string{}, 0
	for key, content := range data {
		if text := string(content); engines.IsConfigFile(key) && strings.TrimSpace(text) != "" {
			files[key] = text
			size += len(text)
		}
	}
	switch {
	case len(data) == 0:
		invalid("the Secret is empty: put configuration files into it, under keys that end in .cnf")
	case len(files) == 0:
		invalid(fmt.Sprintf("none of its keys (%s) is a configuration file: they end in .cnf and are not empty",
			strings.Join(slices.Sorted(maps.Keys(data)), ", ")))
	case size > largestSecret:
		invalid(fmt.Sprintf("its files have %d bytes: the database gets a copy of at most %d", size, largestSecret))
		return errs // what else is wrong with them would be long too
	}
	for _, key := range slices.Sorted(maps.Keys(files)) {
		if err := engines.CheckSecretFile(key); err != nil {
			invalid(err.Error())
		}
		for _, problem := range d.Check(key, files[key]) {
			invalid(problem.Error())
		}
	}
	return errs
}

// checkConfigSecrets is about configSecret: it has to exist, to be readable for the requester and to make sense.
func checkConfigSecrets(o *operation) field.ErrorList {
	refs := o.configSecrets()
	errs := checkSecretRefs(refs, o.secrets, o.who)
	for _, ref := range refs {
		switch fact := o.secrets[ref.key()]; {
		case fact.denied, fact.never != "":
		case !fact.found:
			errs = append(errs, notFound(ref.path, ref.name, fmt.Sprintf(
				"there is no Secret of that name in namespace %s: create it first, or correct the name", o.object.GetNamespace())))
		default:
			errs = append(errs, checkConfigSecret(ref, fact.data, o.dialect)...)
		}
	}
	return errs
}

// reconfigured calls f for every group that the request reconfigures and the database has.
func (o *operation) reconfigured(f func(*field.Path, engines.GroupSettings, opsv1.ReconfigurationSpec) field.ErrorList) field.ErrorList {
	var errs field.ErrorList
	for _, g := range o.settings.Groups {
		if change, ok := o.request.Configuration[g.Name]; ok {
			errs = append(errs, f(o.configPath(g), g, change)...)
		}
	}
	return errs
}

// checkApplyConfig is about the content of the files, and about what they make of the present configuration; their
// names are the kind's affair.
func checkApplyConfig(o *operation) field.ErrorList {
	results := map[string]map[string]string{} // inline files by group
	errs := o.reconfigured(func(path *field.Path, g engines.GroupSettings, change opsv1.ReconfigurationSpec) field.ErrorList {
		if errs := checkContents(path.Child("applyConfig"), change.ApplyConfig, o.dialect); len(errs) > 0 {
			return errs
		}
		result, err := ops.Reconfigured(inner(g.Configuration), change, o.dialect)
		if err != nil {
			// A file that was admitted under older rules may not merge with what the request brings.
			return field.ErrorList{field.Invalid(path, field.OmitValueType{},
				err.Error()+"; removeCustomConfig: true begins with an empty configuration")}
		}
		if result != nil {
			results[g.Name] = result.Inline
		}
		return nil
	})
	return append(errs, checkResultingSize(o, results)...)
}

// checkResultingSize is about the files of all groups as the request makes them; results are those of groups that it changes.
func checkResultingSize(o *operation, results map[string]map[string]string) field.ErrorList {
	all := make([]map[string]string, 0, len(o.settings.Groups))
	for _, g := range o.settings.Groups {
		if _, changes := o.request.Configuration[g.Name]; changes {
			all = append(all, results[g.Name])
		} else if present := inner(g.Configuration); present != nil {
			all = append(all, present.Inline)
		}
	}
	size := stored(all)
	if size <= largestInline {
		return nil
	}
	return o.reconfigured(func(path *field.Path, _ engines.GroupSettings, change opsv1.ReconfigurationSpec) field.ErrorList {
		if len(change.ApplyConfig) == 0 {
			return nil
		}
		return field.ErrorList{field.Invalid(path.Child("applyConfig"), field.OmitValueType{}, tooLarge(size))}
	})
}

func hintUnreadKeys(o *operation) []string {
	var hints []string
	for _, ref := range o.configSecrets() {
		hints = append(hints, unreadKeys(ref, o.secrets[ref.key()])...)
	}
	return hints
}

// unreadKeys names the keys of a configuration Secret that the database will not read.
func unreadKeys(ref secretRef, fact secretFact) []string {
	var unread []string
	for _, key := range slices.Sorted(maps.Keys(fact.data)) {
		if !engines.IsConfigFile(key) {
			unread = append(unread, key)
		}
	}
	if len(unread) == 0 || len(unread) == len(fact.data) {
		return nil
	}
	return []string{fmt.Sprintf("%s: keys of Secret %s that do not end in .cnf are not read: %s", ref.path, ref.name, strings.Join(unread, ", "))}
}

// hintNotLoaded is for restart: "false": the files are written and nothing runs with them.
func hintNotLoaded(o *operation) []string {
	var names []string
	for _, g := range o.settings.Groups {
		if c, ok := o.request.Configuration[g.Name]; ok && c.Restart == opsv1.RestartFalse {
			names = append(names, g.Workload)
		}
	}
	if len(names) == 0 {
		return nil
	}
	slices.Sort(names)
	return []string{`with restart: "false" the pods of ` + strings.Join(names, ", ") + " keep their present configuration until a Restart request"}
}
