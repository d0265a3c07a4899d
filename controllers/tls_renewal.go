package controllers

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/certs"
	"github.com/drydock-db/drydock/internal/apply"
	"github.com/drydock-db/drydock/internal/journal"
	"github.com/drydock-db/drydock/internal/steps"
)

// renewals compares what pods mount with what cert-manager has issued since. Pods restart only by an operation, so a
// condition recommends one, and the operator asks for it itself if the database wants that.
func (c *Database) renewals(ctx context.Context, s *session, live mounting, leaves []certs.Leaf) (time.Duration, error) {
	for _, leaf := range leaves {
		if leaf.Certificate == nil {
			return 0, nil
		}
	}
	renewed := renewedIn(s.db.Object.GetName(), live, leaves)
	switch {
	case live.secret == "":
		s.db.Set(kubedbv1.ConditionCertificatesUpToDate, metav1.ConditionFalse, kubedbv1.ReasonRestartRecommended,
			"the pods mount no certificates yet; an OpsRequest of type Restart brings them")
		return 0, nil
	case len(renewed) > 0:
		s.db.Set(kubedbv1.ConditionCertificatesUpToDate, metav1.ConditionFalse, kubedbv1.ReasonRestartRecommended, fmt.Sprintf(
			"issued since the pods started: %s; an OpsRequest of type Restart brings them to the pods", strings.Join(renewed, ", ")))
		return c.restartForRenewal(ctx, s, leaves)
	case certs.ParseMounted(live.mounted).OldAuthority:
		s.db.Set(kubedbv1.ConditionCertificatesUpToDate, metav1.ConditionTrue, kubedbv1.ReasonOldAuthorityTrusted,
			"every pod mounts the latest certificates; the authority before still is trusted and goes with the next restart")
	default:
		s.db.Set(kubedbv1.ConditionCertificatesUpToDate, metav1.ConditionTrue, kubedbv1.ReasonUpToDate, "every pod mounts the latest certificates")
	}
	return 0, nil
}

// renewedIn lists the aliases of which a workload mounts an older version. One that mounts a copy and does not say of what was made
// again around its pods: nobody knows what they mount, and a restart brings the latest. (A workload that mounts none is not up to
// date for another reason.)
func renewedIn(db string, live mounting, leaves []certs.Leaf) []string {
	var all []string
	for _, set := range live.workloads {
		annotation, known := set.Annotations[opsv1.AnnotationCertificates]
		if !known && steps.CopyOf(db, set) == "" {
			continue
		}
		all = append(all, certs.ParseMounted(annotation).Renewed(leaves)...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// restartForRenewal asks for a Restart once all certificates have been renewed that are about to be, so that they cost
// one restart. The request's name says which issuances it is for: there is never a second one for the same.
func (c *Database) restartForRenewal(ctx context.Context, s *session, leaves []certs.Leaf) (time.Duration, error) {
	auto := c.Engine.Settings(s.db.Object).AutoOps
	if auto == nil || *auto == nil || (*auto).Disabled || !(*auto).RestartOnCertificateRenewal {
		return 0, nil
	}
	if settled, again := certs.Settled(leaves, c.Journal.Now()); !settled {
		return again, nil
	}
	name := renewalName(s.db.Object.GetName(), leaves)
	if s.asked(name) || declined(s.db.Object.DatabaseStatus().LastOperation, leaves) {
		return 0, nil
	}
	request := c.Engine.Kind().NewRequest()
	request.SetName(name)
	request.SetNamespace(s.db.Object.GetNamespace())
	spec := request.RequestSpec()
	spec.Type, spec.Apply, spec.DatabaseRef.Name = opsv1.Restart, opsv1.ApplyIfReady, s.db.Object.GetName()
	if err := controllerutil.SetOwnerReference(s.db.Object, request, c.Client.Scheme()); err != nil {
		return 0, fmt.Errorf("setting the owner of %s: %w", name, err)
	}
	err := c.Client.Create(ctx, request, apply.FieldOwner)
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return 0, fmt.Errorf("asking for a restart with renewed certificates: %w", err)
	}
	logf.FromContext(ctx).Info("asked for a restart with renewed certificates", "request", name)
	return 0, nil
}

// asked tells whether there is a request of that name, or was one that ended last. When it failed or was canceled and its request
// is gone, another one is a person's decision.
func (s *session) asked(name string) bool {
	last := s.db.Object.DatabaseStatus().LastOperation
	return last != nil && last.Name == name ||
		slices.ContainsFunc(s.requests, func(r *journal.Request) bool { return r.Object.GetName() == name })
}

// declined tells whether an operation that was to bring just these certificates to the pods has failed, or was canceled. To try
// once more is a person's decision.
func declined(last *kubedbv1.LastOperation, leaves []certs.Leaf) bool {
	if last == nil || last.Outcome == kubedbv1.OutcomeSuccessful ||
		last.Type != string(opsv1.ReconfigureTLS) && last.Type != string(opsv1.Restart) {
		return false
	}
	return !slices.ContainsFunc(leaves, func(l certs.Leaf) bool {
		since := l.Certificate.Status.NotBefore
		return since == nil || since.After(last.FinishedAt.Time)
	})
}

// renewalName is the name of the request to restart with exactly these issuances.
func renewalName(db string, leaves []certs.Leaf) string {
	sum := sha256.Sum256([]byte(certs.MountedFrom(leaves, false).String()))
	return db + "-renewal-" + hex.EncodeToString(sum[:5])
}
