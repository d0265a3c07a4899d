package fakekubelet

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"path"
	"regexp"

	corev1 "k8s.io/api/core/v1"
)

// Verdict is what the pretended database says about the configuration it finds when it starts.
type Verdict struct {
	// Refuse: it does not start.
	Refuse bool
	// NeverReady: it starts, and never becomes ready.
	NeverReady bool
	// Volume is the volume with the offending file; containers that mount it are the ones that fail.
	Volume string
}

// Lines that the pretended database trips over; my.cnf takes - and _ for the same.
var (
	refuseLine     = regexp.MustCompile(`(?m)^[ \t]*lab[-_]refuse[-_]to[-_]start[ \t]*(=|:|$)`)
	neverReadyLine = regexp.MustCompile(`(?m)^[ \t]*lab[-_]never[-_]ready[ \t]*(=|:|$)`)
)

// Objects are the API objects that pods refer to, by name in the pod's namespace; nil means absent.
type Objects struct {
	Secret    func(name string) *corev1.Secret
	ConfigMap func(name string) *corev1.ConfigMap
	Claim     func(name string) *corev1.PersistentVolumeClaim
}

// inspection collects what a pod's references say.
type inspection struct {
	objects Objects
	faults  PodFaults
	missing string
	verdict Verdict
}

// Inspect follows a pod's references as a kubelet would before it starts containers. missing says what is
// not there yet, empty when all is.
func Inspect(pod *corev1.Pod, objects Objects, faults PodFaults) (verdict Verdict, missing string) {
	i := &inspection{objects: objects, faults: faults}
	for _, v := range pod.Spec.Volumes {
		i.volume(pod, v)
	}
	for _, containers := range [][]corev1.Container{pod.Spec.InitContainers, pod.Spec.Containers} {
		for _, c := range containers {
			i.environment(c)
		}
	}
	return i.verdict, i.missing
}

func (i *inspection) volume(pod *corev1.Pod, v corev1.Volume) {
	switch {
	case v.Secret != nil:
		i.secret(v.Name, v.Secret.SecretName, v.Secret.Items, v.Secret.Optional)
	case v.ConfigMap != nil:
		i.configMap(v.Name, v.ConfigMap.Name, v.ConfigMap.Items, v.ConfigMap.Optional)
	case v.PersistentVolumeClaim != nil:
		i.claim(v.PersistentVolumeClaim.ClaimName)
	case v.Ephemeral != nil:
		i.claim(pod.Name + "-" + v.Name)
	case v.Projected != nil:
		for _, s := range v.Projected.Sources {
			if s.Secret != nil {
				i.secret(v.Name, s.Secret.Name, s.Secret.Items, s.Secret.Optional)
			}
			if s.ConfigMap != nil {
				i.configMap(v.Name, s.ConfigMap.Name, s.ConfigMap.Items, s.ConfigMap.Optional)
			}
		}
	}
}

func (i *inspection) secret(volume, name string, items []corev1.KeyToPath, optional *bool) {
	secret := i.objects.Secret(name)
	if secret == nil {
		i.lack(optional, "secret %q not found", name)
		return
	}
	i.name(volume, name)
	i.files(volume, name, secret.Data, items, optional)
}

func (i *inspection) configMap(volume, name string, items []corev1.KeyToPath, optional *bool) {
	config := i.objects.ConfigMap(name)
	if config == nil {
		i.lack(optional, "configmap %q not found", name)
		return
	}
	files := make(map[string][]byte, len(config.Data)+len(config.BinaryData))
	for key, content := range config.Data {
		files[key] = []byte(content)
	}
	for key, content := range config.BinaryData {
		files[key] = content
	}
	i.name(volume, name)
	i.files(volume, name, files, items, optional)
}

// files reads what the volume shows: all keys, or the items.
func (i *inspection) files(volume, name string, files map[string][]byte, items []corev1.KeyToPath, optional *bool) {
	if len(items) == 0 {
		for _, content := range files {
			i.read(volume, content)
		}
		return
	}
	for _, item := range items {
		content, found := files[item.Key]
		if !found {
			i.lack(optional, "%q has no key %q", name, item.Key)
			continue
		}
		i.read(volume, content)
	}
}

func (i *inspection) read(volume string, content []byte) {
	if refuseLine.Match(content) {
		i.verdict.Refuse, i.verdict.Volume = true, volume
	}
	if neverReadyLine.Match(content) {
		i.verdict.NeverReady = true
	}
	if i.faults.RefuseIssuer != "" && presents(content, i.faults.RefuseIssuer) {
		i.verdict.Refuse, i.verdict.Volume = true, volume
	}
}

// presents tells whether a file holds a certificate of that authority's; its own does not count.
func presents(content []byte, issuer string) bool {
	for block, rest := pem.Decode(content); block != nil; block, rest = pem.Decode(rest) {
		if c, err := x509.ParseCertificate(block.Bytes); err == nil && !c.IsCA && c.Issuer.CommonName == issuer {
			return true
		}
	}
	return false
}

// name applies the fault that refuses objects by name.
func (i *inspection) name(volume, name string) {
	if hit, err := path.Match(i.faults.RefuseSecret, name); err == nil && hit {
		i.verdict.Refuse, i.verdict.Volume = true, volume
	}
}

func (i *inspection) claim(name string) {
	claim := i.objects.Claim(name)
	if claim == nil {
		i.lack(nil, "persistentvolumeclaim %q not found", name)
	} else if claim.Status.Phase != corev1.ClaimBound {
		i.lack(nil, "persistentvolumeclaim %q is not bound", name)
	}
}

// environment checks references only: the database of the lab reads files.
func (i *inspection) environment(c corev1.Container) {
	for _, from := range c.EnvFrom {
		if from.SecretRef != nil && i.objects.Secret(from.SecretRef.Name) == nil {
			i.lack(from.SecretRef.Optional, "secret %q not found", from.SecretRef.Name)
		}
		if from.ConfigMapRef != nil && i.objects.ConfigMap(from.ConfigMapRef.Name) == nil {
			i.lack(from.ConfigMapRef.Optional, "configmap %q not found", from.ConfigMapRef.Name)
		}
	}
	for _, env := range c.Env {
		if env.ValueFrom != nil {
			i.variable(env.ValueFrom)
		}
	}
}

func (i *inspection) variable(from *corev1.EnvVarSource) {
	if ref := from.SecretKeyRef; ref != nil {
		if secret := i.objects.Secret(ref.Name); secret == nil || secret.Data[ref.Key] == nil {
			i.lack(ref.Optional, "couldn't find key %s in Secret %s", ref.Key, ref.Name)
		}
	}
	if ref := from.ConfigMapKeyRef; ref != nil {
		if config := i.objects.ConfigMap(ref.Name); config == nil || !hasKey(config, ref.Key) {
			i.lack(ref.Optional, "couldn't find key %s in ConfigMap %s", ref.Key, ref.Name)
		}
	}
}

func hasKey(config *corev1.ConfigMap, key string) bool {
	_, text := config.Data[key]
	_, binary := config.BinaryData[key]
	return text || binary
}

// lack notes the first thing that is missing, unless it may be.
func (i *inspection) lack(optional *bool, format string, args ...any) {
	if i.missing == "" && (optional == nil || !*optional) {
		i.missing = fmt.Sprintf(format, args...)
	}
}

// claimNames lists the claims that a pod mounts.
func claimNames(pod *corev1.Pod) []string {
	var names []string
	for _, v := range pod.Spec.Volumes {
		switch {
		case v.PersistentVolumeClaim != nil:
			names = append(names, v.PersistentVolumeClaim.ClaimName)
		case v.Ephemeral != nil:
			names = append(names, pod.Name+"-"+v.Name)
		}
	}
	return names
}
