package engines

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/drydock-db/drydock/ops/mycnf"
)

// Names of configuration files. Databases read them in name order and the last setting wins, so the names are the
// layers: the operator's defaults, the user's Secret, inline.
const (
	// DefaultsFile holds the operator's settings.
	DefaultsFile = "00-drydock.cnf"
	// inlinePrefix goes before the name of each inline file.
	inlinePrefix = "zz-inline-"
	// configExtension is what databases look for; they do not read files of any other name.
	configExtension = ".cnf"
)

// MissingSecretError says that a Secret that a configuration names was not among the inputs.
type MissingSecretError struct{ Field, Name string }

func (e *MissingSecretError) Error() string {
	return fmt.Sprintf("%s names the Secret %q, which does not exist", e.Field, e.Name)
}

// IsConfigFile tells whether a key of a user's Secret is a configuration file. Databases read no other keys, so those
// are left out.
func IsConfigFile(key string) bool { return strings.HasSuffix(key, configExtension) }

// CheckSecretFile says why a configuration file of a user's Secret cannot be used; nil when it can. A file whose name
// sorts outside of the Secret's layer would take precedence over inline settings, or lose to the operator's defaults.
func CheckSecretFile(name string) error {
	switch {
	case name <= DefaultsFile:
		return fmt.Errorf("file %q would be read before the operator's defaults (%s): use a name that sorts after it", name, DefaultsFile)
	case name >= inlinePrefix:
		return fmt.Errorf("file %q would be read after the inline settings (%s*): use a name that sorts before them", name, inlinePrefix)
	}
	return nil
}

// checkInlineFile says why an inline file cannot have that name; nil when it can.
func checkInlineFile(name string) error {
	if !IsConfigFile(name) {
		return fmt.Errorf("file %q would not be read: its name has to end in %s", name, configExtension)
	}
	if problems := validation.IsConfigMapKey(inlinePrefix + name); len(problems) > 0 {
		return fmt.Errorf("file %q cannot be a key of a Secret: %s", name, strings.Join(problems, "; "))
	}
	return nil
}

// configName is the name of the Secret with the configuration of one component, given the hash of its content.
func configName(db, component, hash string) string {
	if component != "" {
		db += "-" + component
	}
	return db + "-config-" + hash
}

// config is the immutable Secret with the configuration of a group. Its name ends in the hash of its content, so
// another configuration is another Secret and, as the pod template names it, another revision of the pods.
func (b Blueprint) config(p Pods) (*corev1.Secret, error) {
	files, err := b.configFiles(p)
	if err != nil {
		return nil, err
	}
	meta := b.meta(configName(b.Database.GetName(), p.Component, mycnf.Hash(files)))
	meta.Labels = with(meta.Labels, p.Labels)
	return &corev1.Secret{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"},
		ObjectMeta: meta,
		Immutable:  new(true),
		Data:       files,
	}, nil
}

func (b Blueprint) configFiles(p Pods) (map[string][]byte, error) {
	layers := layered{dialect: b.Dialect, files: map[string][]byte{DefaultsFile: []byte(p.ConfigFile)}}
	c := inner(p.Group.Configuration)
	if c == nil {
		return layers.files, nil
	}
	if c.SecretName != "" {
		secret, found := b.Inputs.UserConfig[c.SecretName]
		if !found {
			return nil, &MissingSecretError{Field: p.Group.Path.Child("configuration", "secretName").String(), Name: c.SecretName}
		}
		for name, content := range secret {
			if IsConfigFile(name) {
				layers.add(name, "", string(content), CheckSecretFile)
			}
		}
	}
	for name, content := range c.Inline {
		layers.add(name, inlinePrefix, content, checkInlineFile)
	}
	return layers.files, layers.err(p.Group.Path.Child("configuration"))
}

// layered collects the files of a configuration. They are checked once more although admission has done so: a Secret
// can change at any time, and what it says must not reach a pod unchecked.
type layered struct {
	dialect  mycnf.Dialect
	files    map[string][]byte
	problems []string
}

func (l *layered) add(name, prefix, content string, check func(string) error) {
	if strings.TrimSpace(content) == "" {
		return
	}
	errs := l.dialect.Check(name, content)
	if err := check(name); err != nil {
		errs = append(errs, err)
	}
	// Merging into nothing puts the dialect's section above a file that has none.
	headed, err := l.dialect.Merge("", content)
	if err != nil && len(errs) == 0 {
		errs = append(errs, err)
	}
	for _, err := range errs {
		l.problems = append(l.problems, err.Error())
	}
	l.files[prefix+name] = []byte(headed)
}

// err is one error about all files, in an order that does not depend on that of a map.
func (l *layered) err(at *field.Path) error {
	if len(l.problems) == 0 {
		return nil
	}
	slices.Sort(l.problems)
	return fmt.Errorf("%s: %s", at, strings.Join(l.problems, "; "))
}
