//go:build lab && faults

package faults

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	cmv1 "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	petsetv1 "github.com/drydock-db/drydock/apis/apps/v1"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/internal/steps"
	"github.com/drydock-db/drydock/test/framework"
)

// scene is everything that is in a dock at one moment.
type scene struct {
	namespace string
	// version is that of the last event before it.
	version  uint64
	database framework.Database // nil when there is none
	requests []framework.Request
	sets     []*appsv1.StatefulSet // PetSets in their form
	pods     []*corev1.Pod
	claims   []*corev1.PersistentVolumeClaim
	volumes  []*corev1.PersistentVolume
	secrets  []*corev1.Secret
	services []*corev1.Service
	budgets  []*policyv1.PodDisruptionBudget
	// saved are the revisions that operations keep, history those of the workloads.
	saved, history []appsv1.ControllerRevision
	accounts       []corev1.ServiceAccount
	certificates   []cmv1.Certificate
	issuers        []cmv1.Issuer
}

// look takes everything in.
func (d *dock) look(ctx context.Context) (*scene, error) {
	if err := d.space.Record.Broken(); err != nil {
		return nil, err
	}
	var revisions appsv1.ControllerRevisionList
	var accounts corev1.ServiceAccountList
	var certificates cmv1.CertificateList
	var issuers cmv1.IssuerList
	for _, list := range []client.ObjectList{&revisions, &accounts, &certificates, &issuers} {
		if err := d.lab.Client.List(ctx, list, client.InNamespace(d.space.Name)); err != nil {
			return nil, fmt.Errorf("listing %T: %w", list, err)
		}
	}
	r := d.space.Record
	s := &scene{
		namespace: d.space.Name, version: r.Story().Version(), database: d.database(), requests: framework.All[framework.Request](r),
		sets: workloads(r), pods: framework.All[*corev1.Pod](r),
		claims: framework.All[*corev1.PersistentVolumeClaim](r), volumes: framework.All[*corev1.PersistentVolume](r),
		secrets: framework.All[*corev1.Secret](r), services: framework.All[*corev1.Service](r),
		budgets: framework.All[*policyv1.PodDisruptionBudget](r), accounts: accounts.Items, certificates: certificates.Items,
		issuers: issuers.Items,
	}
	for _, revision := range revisions.Items {
		if _, saved := revision.Labels[opsv1.LabelKind]; saved {
			s.saved = append(s.saved, revision)
		} else {
			s.history = append(s.history, revision)
		}
	}
	return s, nil
}

// workloads are the sets that run pods: what a PetSet has more than a StatefulSet, none here uses.
func workloads(r *framework.Recorder) []*appsv1.StatefulSet {
	sets := framework.All[*appsv1.StatefulSet](r)
	for _, p := range framework.All[*petsetv1.PetSet](r) {
		sets = append(sets, &appsv1.StatefulSet{ObjectMeta: p.ObjectMeta, Spec: p.Spec.StatefulSetSpec, Status: p.Status})
	}
	return sets
}

// objects are all of them, in no order.
func (s *scene) objects() []client.Object {
	var all []client.Object
	if s.database != nil {
		all = append(all, s.database)
	}
	for _, o := range s.requests {
		all = append(all, o)
	}
	for i := range s.accounts {
		all = append(all, &s.accounts[i])
	}
	for i := range s.certificates {
		all = append(all, &s.certificates[i])
	}
	for i := range s.issuers {
		all = append(all, &s.issuers[i])
	}
	for i := range s.saved {
		all = append(all, &s.saved[i])
	}
	for i := range s.history {
		all = append(all, &s.history[i])
	}
	all = appendAll(all, s.sets)
	all = appendAll(all, s.pods)
	all = appendAll(all, s.claims)
	all = appendAll(all, s.volumes)
	all = appendAll(all, s.secrets)
	all = appendAll(all, s.services)
	return appendAll(all, s.budgets)
}

func appendAll[T client.Object](all []client.Object, more []T) []client.Object {
	for _, o := range more {
		all = append(all, o)
	}
	return all
}

// uids of all objects, by kind and name.
func (s *scene) uids() map[string]types.UID {
	uids := map[string]types.UID{}
	for _, o := range s.objects() {
		uids[kindOf(o)+"/"+o.GetName()] = o.GetUID()
	}
	return uids
}

func kindOf(o client.Object) string {
	name := fmt.Sprintf("%T", o)
	return name[strings.LastIndexByte(name, '.')+1:]
}

// rendered is the name of a Secret with configuration or certificates that the operator has rendered.
var rendered = regexp.MustCompile(`-(config|tls)-[0-9a-z]{10}\b`)

// leftovers are rendered Secrets that no pod mounts, no workload names and no saved revision may still need.
func (s *scene) leftovers() ([]string, error) {
	named := map[string]bool{}
	for _, p := range s.pods {
		for _, secret := range steps.SecretVolumes(p.Spec) {
			named[secret] = true
		}
	}
	for _, set := range s.sets {
		for _, secret := range steps.SecretVolumes(set.Spec.Template.Spec) {
			named[secret] = true
		}
	}
	for _, revision := range s.saved {
		saved, err := savedIn(revision)
		if err != nil {
			return nil, err
		}
		for secret := range saved.Secrets() {
			named[secret] = true
		}
	}
	var extra []string
	for _, secret := range s.secrets {
		if rendered.MatchString(secret.Name) && !named[secret.Name] {
			extra = append(extra, secret.Name)
		}
	}
	return extra, nil
}

// savedIn reads a saved revision.
func savedIn(revision appsv1.ControllerRevision) (steps.Saved, error) {
	var saved steps.Saved
	if err := json.Unmarshal(revision.Data.Raw, &saved); err != nil {
		return saved, fmt.Errorf("reading the saved revision %s: %w", revision.Name, err)
	}
	return saved, nil
}

// savedFor are the requests that there are saved revisions of.
func (s *scene) savedFor() ([]types.UID, error) {
	var uids []types.UID
	for _, revision := range s.saved {
		saved, err := savedIn(revision)
		if err != nil {
			return nil, err
		}
		uids = append(uids, saved.Request)
	}
	slices.Sort(uids)
	return slices.Compact(uids), nil
}

// set returns the workload of that name; nil when there is none.
func (s *scene) set(name string) *appsv1.StatefulSet {
	for _, set := range s.sets {
		if set.Name == name {
			return set
		}
	}
	return nil
}

// stamp is the restart stamp on a workload's template.
func (s *scene) stamp(workload string) string {
	if set := s.set(workload); set != nil {
		return set.Spec.Template.Annotations[opsv1.AnnotationRestart]
	}
	return ""
}

// outdated names the pods that are not of their workload's latest revision, not Ready or not their workload's.
func (s *scene) outdated() []string {
	var names []string
	for _, p := range s.pods {
		set := s.set(framework.WorkloadOf(p.Name))
		if set == nil || p.Labels[appsv1.StatefulSetRevisionLabel] != set.Status.UpdateRevision || !framework.Ready(p) ||
			!metav1.IsControlledBy(p, set) {
			names = append(names, p.Name)
		}
	}
	return names
}
