//go:build lab && faults

package faults

import (
	"fmt"
	"slices"
	"strings"

	cmv1 "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/test/framework"
)

// reading is how a scene is written down, so that runs can be compared: what differs from run to run by nature is given
// the same name in all of them.
type reading struct {
	scene *scene
	// before is the scene at the start, nil when identity does not matter.
	before *scene
	// request that the case was about, and what it set.
	uid       types.UID
	request   string
	variables variables
	// asked is how often the operator asked for each Certificate; nil when that does not matter.
	asked map[string]int
}

// text is the scene, one line for each field that matters, sorted.
func (r reading) text() []string {
	var lines []string
	for _, o := range r.scene.objects() {
		switch o := o.(type) {
		case framework.Request:
			if o.GetUID() == r.uid {
				lines = append(lines, r.object(o)...)
			}
		case *corev1.PersistentVolume:
		default:
			if kindOf(o) != "ControllerRevision" {
				lines = append(lines, r.object(o)...)
			}
		}
	}
	lines = append(lines, r.revisions()...)
	slices.Sort(lines)
	return lines
}

// object writes one object down.
func (r reading) object(o client.Object) []string {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(o)
	if err != nil {
		return []string{"cannot read " + o.GetName() + ": " + err.Error()}
	}
	metadata, _ := content["metadata"].(map[string]any)
	for _, field := range []string{"uid", "resourceVersion", "generation", "creationTimestamp", "managedFields", "namespace",
		"generateName"} {
		delete(metadata, field)
	}
	delete(content, "apiVersion")
	delete(content, "kind")
	metadata["ownerReferences"] = r.owners(o)
	if annotations, ok := metadata["annotations"].(map[string]any); ok {
		r.annotations(annotations)
	}
	r.special(o, content)
	var lines []string
	flatten(kindOf(o)+" "+o.GetName(), content, &lines)
	if r.before != nil && !rendered.MatchString(o.GetName()) { // which of those are still around depends on earlier cases
		lines = append(lines, fmt.Sprintf("%s %s identity: %s", kindOf(o), o.GetName(), r.identity(o)))
	}
	names := r.names()
	for i := range lines {
		lines[i] = rendered.ReplaceAllString(names.Replace(lines[i]), "-$1-‹hash›")
		lines[i] = apiAccess.ReplaceAllString(lines[i], "kube-api-access")
	}
	return lines
}

// names gives the same name to what has another one in each case.
func (r reading) names() *strings.Replacer {
	uid, request := string(r.uid), r.request
	if uid == "" {
		uid, request = "‹no request›", "‹no request›"
	}
	return strings.NewReplacer(r.scene.namespace, "‹namespace›", uid, "‹request›", request, "‹request›", r.variables.setting, "‹setting›",
		fmt.Sprintf("%dGi", r.variables.size), "‹size›", fmt.Sprintf("%dGi", r.variables.size-1), "‹smaller›")
}

// owners says of each owner whether it is the object that is there now.
func (r reading) owners(o client.Object) []any {
	uids := r.scene.uids()
	owners := []any{}
	for _, owner := range o.GetOwnerReferences() {
		state := "stale"
		for name, uid := range uids {
			if uid == owner.UID && strings.HasSuffix(name, "/"+owner.Name) {
				state = "live"
			}
		}
		owners = append(owners, fmt.Sprintf("%s %s, %s", owner.Kind, owner.Name, state))
	}
	return owners
}

// identity tells whether the object is the one that was there before.
func (r reading) identity(o client.Object) string {
	switch uid := r.before.uids()[kindOf(o)+"/"+o.GetName()]; uid {
	case "":
		return "added"
	case o.GetUID():
		return "kept"
	}
	return "made again"
}

// annotations drops the values of hashes that cover what differs, and what the volume binder may or may not note.
func (r reading) annotations(a map[string]any) {
	for _, key := range []string{opsv1.AnnotationTemplateHash, opsv1.AnnotationApplied, opsv1.AnnotationCertificates} {
		if a[key] != nil {
			a[key] = "some hash"
		}
	}
	for key := range a {
		if strings.HasSuffix(key, "kubernetes.io/storage-provisioner") { // whether the scheduler or the binder was first
			delete(a, key)
		}
	}
}

// special treats what only one kind has.
func (r reading) special(o client.Object, content map[string]any) {
	status, _ := content["status"].(map[string]any)
	switch o := o.(type) {
	case framework.Database:
		delete(status, "observedGeneration")
		status["generation"] = o.DatabaseStatus().ObservedGeneration == o.GetGeneration()
		if last, ok := status["lastOperation"].(map[string]any); ok {
			delete(last, "finishedAt")
			// How a volume was when the storage refused depends on when one looked.
			last["message"], _, _ = strings.Cut(fmt.Sprint(last["message"]), "; volumes stay as large as they are")
		}
		stripConditions(status, true)
	case framework.Request:
		// How often a step was tried again and in which words it tells of its end depends on the fault.
		delete(status, "retries")
		stripConditions(status, false)
	case *corev1.Pod:
		ready := framework.Ready(o)
		content["status"] = map[string]any{"ready": ready}
		r.pod(o, content)
	case *corev1.PersistentVolumeClaim:
		content["status"] = map[string]any{"phase": string(o.Status.Phase), "capacity": o.Status.Capacity.Storage().String()}
		delete(content["spec"].(map[string]any), "volumeName")
	case *cmv1.Certificate:
		r.certificate(o, content)
	case *corev1.Secret:
		delete(content, "data")
		content["content"] = r.content(o)
	case *corev1.Service:
		delete(content, "status")
		for _, field := range []string{"clusterIP", "clusterIPs"} {
			delete(content["spec"].(map[string]any), field)
		}
	default:
		r.workload(o, content)
	}
}

// workload drops what a workload's controller counts; the stamp of an earlier restart counts as none.
func (r reading) workload(o client.Object, content map[string]any) {
	delete(content, "status")
	set := r.scene.set(o.GetName())
	if set == nil || kindOf(o) != "StatefulSet" {
		return
	}
	content["status"] = map[string]any{"ready": int64(set.Status.ReadyReplicas)}
	if r.before == nil || r.before.stamp(set.Name) == r.scene.stamp(set.Name) {
		dropStamp(content, "spec", "template")
	}
}

// pod drops what differs from pod to pod; a stamp counts as none if the workload has the same.
func (r reading) pod(p *corev1.Pod, content map[string]any) {
	if metadata, ok := content["metadata"].(map[string]any); ok {
		for _, label := range []string{"controller-revision-hash", corev1.LabelTopologyZone, corev1.LabelTopologyRegion} {
			delete(metadata["labels"].(map[string]any), label)
		}
	}
	delete(content["spec"].(map[string]any), "nodeName")
	if p.Annotations[opsv1.AnnotationRestart] == r.scene.stamp(framework.WorkloadOf(p.Name)) {
		dropStamp(content)
	}
	var mounted []any
	for _, v := range p.Spec.Volumes {
		for _, s := range r.scene.secrets {
			if v.Secret != nil && v.Secret.SecretName == s.Name {
				mounted = append(mounted, v.Name+" "+r.content(s))
			}
		}
	}
	content["mounts"] = mounted
}

// content of a Secret: that of rendered ones in full, of others whether it is what it was. Of copies of certificates only new
// ones are told: what an older one trusts depends on what the dock has been through.
func (r reading) content(s *corev1.Secret) string {
	isCopy := strings.Contains(s.Name, "-tls-")
	if old := r.earlier(s); old != nil && (isCopy || !rendered.MatchString(s.Name)) {
		return fmt.Sprintf("unchanged: %t", fmt.Sprint(old.Data) == fmt.Sprint(s.Data))
	}
	if !rendered.MatchString(s.Name) {
		return fmt.Sprintf("%d keys", len(s.Data))
	}
	keys := []string{}
	for k, v := range s.Data {
		if isCopy {
			keys = append(keys, r.copied(s, k))
		} else {
			keys = append(keys, fmt.Sprintf("%s=%q", k, v))
		}
	}
	slices.Sort(keys)
	return strings.Join(keys, " ")
}

// earlier is the Secret of that name as it was at the start; nil when there was none.
func (r reading) earlier(s *corev1.Secret) *corev1.Secret {
	if r.before != nil {
		for _, old := range r.before.secrets {
			if old.Name == s.Name {
				return old
			}
		}
	}
	return nil
}

// revisions counts those that are saved for this request and for others, and tells of each workload whether its latest
// revision is another one than before.
func (r reading) revisions() []string {
	var lines []string
	for _, saved := range r.scene.saved {
		own := r.uid != "" && strings.Contains(saved.Name, "-ops-"+string(r.uid[:8]))
		lines = append(lines, fmt.Sprintf("saved revision of this request: %t", own))
	}
	for _, revision := range r.scene.history {
		if metav1.GetControllerOf(&revision) == nil {
			lines = append(lines, "revision without an owner")
		}
	}
	if r.before == nil {
		return lines
	}
	for _, set := range r.scene.sets {
		old := r.before.set(set.Name)
		same := old != nil && old.Status.UpdateRevision == set.Status.UpdateRevision
		lines = append(lines, fmt.Sprintf("same revision of %s: %t", set.Name, same))
	}
	return lines
}
