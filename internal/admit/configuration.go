package admit

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/engines"
	"github.com/drydock-db/drydock/ops"
	"github.com/drydock-db/drydock/ops/mycnf"
)

// largestConfiguration leaves room for the operator's own file: a Secret holds 1 MiB.
const largestConfiguration = 1 << 20 * 9 / 10

// checkContents says which of the files cannot be read, and why. Files may hold passwords, so no value is shown.
func checkContents(path *field.Path, files map[string]string, d mycnf.Dialect) field.ErrorList {
	var errs field.ErrorList
	for _, name := range sortedKeys(files) {
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
	usable, size := 0, 0
	for _, key := range sortedKeys(data) {
		content := string(data[key])
		if !engines.IsConfigFile(key) || strings.TrimSpace(content) == "" {
			continue
		}
		usable++
		size += len(content)
		if err := engines.CheckSecretFile(key); err != nil {
			invalid(err.Error())
		}
		for _, problem := range d.Check(key, content) {
			invalid(problem.Error())
		}
	}
	switch {
	case len(data) == 0:
		invalid("the Secret is empty: put configuration files into it, under keys that end in .cnf")
	case usable == 0:
		invalid(fmt.Sprintf("none of its keys (%s) is a configuration file: they end in .cnf and are not empty",
			strings.Join(sortedKeys(data), ", ")))
	case size > largestConfiguration:
		invalid(fmt.Sprintf("its files have %d bytes: the database gets a copy of at most %d", size, largestConfiguration))
	}
	return errs
}

// checkConfigSecrets is about configSecret: it has to exist, to be readable for the requester and to make sense.
func checkConfigSecrets(o *operation) field.ErrorList {
	refs := o.configSecrets()
	errs := checkSecretRights(refs, o.secrets, o.who)
	for _, ref := range refs {
		switch fact := o.secrets[ref.key()]; {
		case fact.denied:
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
	return o.reconfigured(func(path *field.Path, g engines.GroupSettings, change opsv1.ReconfigurationSpec) field.ErrorList {
		if errs := checkContents(path.Child("applyConfig"), change.ApplyConfig, o.dialect); len(errs) > 0 {
			return errs
		}
		return checkMerge(path, inner(g.Configuration), change, o.dialect)
	})
}

// checkMerge makes the configuration that would result: a file that was admitted under older rules may not merge with
// what the request brings, and all files together have to fit into a Secret.
func checkMerge(path *field.Path, present *kubedbv1.ConfigurationSpec, change opsv1.ReconfigurationSpec, d mycnf.Dialect) field.ErrorList {
	result, err := ops.Reconfigured(present, change, d)
	if err != nil {
		return field.ErrorList{field.Invalid(path, field.OmitValueType{},
			err.Error()+"; removeCustomConfig: true begins with an empty configuration")}
	}
	size := 0
	if result != nil {
		for _, content := range result.Inline {
			size += len(content)
		}
	}
	if size > largestConfiguration {
		return field.ErrorList{field.Invalid(path.Child("applyConfig"), field.OmitValueType{}, fmt.Sprintf(
			"the inline configuration would have %d bytes: at most %d fit", size, largestConfiguration))}
	}
	return nil
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
	for _, key := range sortedKeys(fact.data) {
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
