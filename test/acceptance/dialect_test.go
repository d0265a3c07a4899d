//go:build lab

package acceptance

import (
	"strings"

	corev1 "k8s.io/api/core/v1"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
)

// dialect writes the sample's own section for [%].
func dialect(s sample, content string) string {
	return strings.ReplaceAll(content, "[%]", "["+s.section+"]")
}

// speak does so in a configuration, whose Secret is the sample's own, too.
func speak(s sample, c kubedbv1.ConfigurationSpec) kubedbv1.ConfigurationSpec {
	spoken := kubedbv1.ConfigurationSpec{SecretName: c.SecretName + "-" + s.name, Inline: map[string]string{}}
	for file, content := range c.Inline {
		spoken.Inline[file] = dialect(s, content)
	}
	return spoken
}

// speakChange does so in a change.
func speakChange(s sample, c opsv1.ReconfigurationSpec) opsv1.ReconfigurationSpec {
	spoken := *c.DeepCopy()
	if c.ConfigSecret != nil {
		spoken.ConfigSecret = &corev1.LocalObjectReference{Name: c.ConfigSecret.Name + "-" + s.name}
	}
	for file, content := range c.ApplyConfig {
		spoken.ApplyConfig[file] = dialect(s, content)
	}
	return spoken
}
