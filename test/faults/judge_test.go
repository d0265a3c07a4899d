//go:build lab && faults

package faults

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/test/framework"
)

// reference is what an undisturbed run of a scenario on a sample was like.
type reference struct {
	writes []write
	// events is the number of watch events that the operator heard meanwhile.
	events int
	// text is the scene after it, birth the scene when the database was new.
	text, birth []string
	// blurred is true when cert-manager has issued a certificate twice that was asked for once, which the text tells of.
	blurred bool
}

// Lines of a scene that some judges do not look at.
var (
	aboutRequest = regexp.MustCompile(`^\w+OpsRequest |lastOperation|^saved revision|^same revision`)
	aboutSecrets = regexp.MustCompile(`^Secret .*-(config|tls)-‹hash›`)
	aboutSizes   = regexp.MustCompile(`^PersistentVolumeClaim .* (capacity|storage): `)
	// aboutIssuance: certificates are issued when an operation has begun, and stay so; only what pods mount can be undone.
	// The names of their Secrets are filled in by an undo where no webhook did it.
	aboutIssuance = regexp.MustCompile(`^Certificate \S+ status |^Secret \S+-cert content: |CertificatesUpToDate| spec tls certificates `)
	// trusted are the authorities in a copy of certificates.
	trusted = regexp.MustCompile(` ca\.crt \[[^]]*\]`)
	// aboutRenewals is what the database says when a certificate is newer than what pods mount.
	aboutRenewals = regexp.MustCompile(`CertificatesUpToDate`)
	// aboutCertificates also are what a database leaves that was deleted by force.
	aboutCertificates = regexp.MustCompile(`^Certificate |^Issuer |^Secret \S+-(cert|ca) `)
)

// violations are the invariants that a story breaks. What was deleted by force could not release what it held.
func (d *dock) violations(story framework.Story) []string {
	var wrong []string
	for _, v := range story.Violations() {
		if !slices.ContainsFunc(d.forced, func(uid types.UID) bool { return strings.Contains(v.Message, string(uid)) }) {
			wrong = append(wrong, "invariant: "+v.String())
		}
	}
	return wrong
}

// common is what must hold after every case.
func (r *run) common() []string {
	var wrong []string
	wrong = append(wrong, r.violations(r.story())...)
	for _, w := range r.chatter {
		wrong = append(wrong, "written after the end: "+w.what)
	}
	wrong = append(wrong, r.ledger.wrong()...)
	wrong = append(wrong, r.ledger.felled()...)
	for _, stranger := range r.story().Strangers() {
		wrong = append(wrong, "trust: "+stranger)
	}
	wrong = append(wrong, r.insisted()...)
	leftovers, err := r.after.leftovers()
	if err != nil {
		wrong = append(wrong, err.Error())
	}
	for _, name := range leftovers {
		wrong = append(wrong, "nobody needs Secret "+name+" any more")
	}
	if uids, err := r.after.savedFor(); err != nil {
		wrong = append(wrong, err.Error())
	} else if len(uids) > 1 {
		wrong = append(wrong, fmt.Sprintf("there are saved revisions of %d requests", len(uids)))
	}
	return wrong
}

// insisted tells whether a pod refused connections without TLS while another had no certificate yet. A cancelled operation takes
// the certificates away again.
func (r *run) insisted() []string {
	if r.scenario.to != strict || r.scenario.from.hasTLS() || r.now() == nil {
		return nil
	}
	story := r.story()
	if at := story.FirstConfigured("require_secure_transport = ON"); at > 0 && at < story.LastBare() {
		return []string{"a pod insisted on TLS while another had none"}
	}
	return nil
}

// current says which pods are not as their workloads want them.
func (r *run) current() []string {
	var wrong []string
	for _, name := range r.after.outdated() {
		wrong = append(wrong, "pod "+name+" is not Ready, not of its workload's latest revision or not its workload's")
	}
	return wrong
}

// restarted says which pods were taken down more or less often than they should be, as a multiple of what an undisturbed
// run takes.
func (r *run) restarted(least, most int) []string {
	var wrong []string
	want, counts := r.scenario.restarting(r.sample), r.takedowns()
	for _, pod := range pods(r.sample.groups) {
		lo, hi := least*want[pod], most*want[pod]
		if n := counts[pod]; n < lo || n > hi {
			wrong = append(wrong, fmt.Sprintf("pod %s was restarted %d times, not %d to %d", pod, n, lo, hi))
		}
		delete(counts, pod)
	}
	for _, pod := range slices.Sorted(maps.Keys(counts)) {
		wrong = append(wrong, "there was a pod "+pod)
	}
	return wrong
}

// succeeded: the operation ends as if nothing had happened.
func succeeded(r *run, undisturbed *reference) []string {
	wrong := slices.Concat(r.common(), r.current(), r.restarted(1, 1))
	want, have := undisturbed.text, r.text()
	if r.issuedTwice() {
		want, have = without(want, aboutRenewals), without(have, aboutRenewals)
	}
	return append(wrong, difference(want, have)...)
}

// outlived: as if nothing had happened, but for a Secret that stays when an operator which was not in charge any more came to make
// it after all was undone (ADR 12).
func outlived(r *run, undisturbed *reference) []string {
	if !r.scenario.fails || r.blow.what != "POST secrets" {
		return succeeded(r, undisturbed)
	}
	wrong := slices.Concat(r.common(), r.current(), r.restarted(1, 1))
	return append(wrong, difference(without(undisturbed.text, aboutSecrets), without(r.text(), aboutSecrets))...)
}

// denied: as if nothing had happened, but an expansion that is not tried again ends with the first claim that the API server
// refuses, before the pods that come later.
func denied(r *run, undisturbed *reference) []string {
	if !r.scenario.fails || !strings.HasPrefix(r.blow.what, "PATCH persistentvolumeclaims/") {
		return succeeded(r, undisturbed)
	}
	wrong := slices.Concat(r.common(), r.current(), r.restarted(0, 1))
	if r.now() == nil {
		return append(wrong, "the request is gone")
	}
	failed := framework.Condition(r.now().RequestStatus().Conditions, opsv1.ConditionFailed)
	if failed.Status != metav1.ConditionTrue || !strings.Contains(failed.Message, "refused by the API server") {
		wrong = append(wrong, fmt.Sprintf("Failed is %q: %s", failed.Status, failed.Message))
	}
	leave := either(aboutRequest, identities, aboutSizes)
	return append(wrong, difference(without(undisturbed.text, leave), without(r.text(), leave))...)
}

// replaced: the second request of the name does what is left to do; which steps that takes depends on k. When it comes too
// late to make sense it is refused, and the database says what its pods lack.
func replaced(r *run, undisturbed *reference) []string {
	wrong := slices.Concat(r.common(), r.restarted(1, r.scenario.whenReplaced()))
	now := r.now()
	if now == nil {
		return append(wrong, "the second request is gone")
	}
	failed := framework.Condition(now.RequestStatus().Conditions, opsv1.ConditionFailed)
	if r.scenario.once && failed.Reason == opsv1.ReasonInvalid {
		wrong := r.common()
		said := framework.Condition(r.after.database.DatabaseStatus().Conditions, kubedbv1.ConditionPodsUpToDate)
		if behind := r.current(); len(behind) > 0 && said.Status == metav1.ConditionTrue {
			wrong = append(append(wrong, behind...), "and PodsUpToDate is True")
		}
		return wrong
	}
	wrong = append(wrong, r.current()...)
	if now.RequestStatus().Phase != r.scenario.end() {
		wrong = append(wrong, fmt.Sprintf("the second request is %s: %s", now.RequestStatus().Phase, failed.Message))
	}
	// A second request that finds new certificates on all pods takes the old authority away, as any next restart does.
	leave := either(aboutSecrets, aboutRequest, aboutIssuance)
	want, have := masked(without(undisturbed.text, leave), trusted), masked(without(r.text(), leave), trusted)
	return append(wrong, difference(want, have)...)
}

// corrected: a request that asks for what works does so, whatever the one before it has left.
func corrected(r *run, _ *reference) []string {
	wrong := slices.Concat(r.common(), r.current())
	now := r.now()
	if now == nil {
		return append(wrong, "the corrected request is gone")
	}
	if now.RequestStatus().Phase != opsv1.PhaseSuccessful {
		failed := framework.Condition(now.RequestStatus().Conditions, opsv1.ConditionFailed)
		wrong = append(wrong, fmt.Sprintf("the corrected request is %s: %s", now.RequestStatus().Phase, failed.Message))
	}
	if said := framework.Condition(r.after.database.DatabaseStatus().Conditions, kubedbv1.ConditionPodsUpToDate); said.Status == metav1.ConditionFalse {
		wrong = append(wrong, "PodsUpToDate is False: "+said.Message)
	}
	return wrong
}

// whenReplaced is how often a pod may restart when a second request follows the first. A Restart means the pods as they are
// when it begins, and certificates are issued again; and a pod that is stopped so that its volume can grow comes back once
// nobody holds the database. Any other operation finds what the first has done, and leaves it.
func (s scenario) whenReplaced() int {
	if s.kind == opsv1.Restart || s.kind == opsv1.ReconfigureTLS || s.name == "VolumeExpansion-offline" || s.name == "Reconfigure-again" {
		return 2
	}
	return 1
}

// cancelled: the request is gone, and the database is as before or, if it was too late, as after an undisturbed run.
func cancelled(r *run, undisturbed *reference) []string {
	wrong := slices.Concat(r.common(), r.current(), r.restarted(0, 2))
	if now := r.now(); now != nil {
		return append(wrong, "the request is still there")
	}
	leave := either(aboutRequest, aboutSecrets, identities, aboutSizes, aboutIssuance)
	want := undisturbed.text
	have := reading{scene: r.after, before: r.before, uid: r.request.GetUID(), request: r.request.GetName(), variables: r.asked}
	switch outcome := r.lastOutcome(); {
	case outcome == kubedbv1.OutcomeSuccessful:
	case outcome == kubedbv1.OutcomeCanceled, outcome == "", outcome == kubedbv1.OutcomeFailed && r.scenario.fails:
		want = reading{scene: r.before, before: r.before, variables: r.variables}.text()
		have.variables = r.variables
	default:
		wrong = append(wrong, fmt.Sprintf("the database says that the operation ended as %q", outcome))
	}
	return append(wrong, difference(without(want, leave), without(have.text(), leave))...)
}

// sunk: nothing is left of the database, and the request does not stay either.
func sunk(r *run, undisturbed *reference) []string {
	if r.after.database != nil { // it was too late
		return succeeded(r, undisturbed)
	}
	wrong := r.violations(r.story())
	for _, w := range r.chatter {
		wrong = append(wrong, "written after the end: "+w.what)
	}
	wrong = append(wrong, r.ledger.wrong()...)
	for _, o := range r.after.objects() {
		switch o := o.(type) {
		case framework.Request:
			wrong = append(wrong, orphanedRequest(o)...)
			continue
		case *corev1.PersistentVolume:
			continue // it follows its claim when the storage has time, and no operator has a part in that
		}
		if !usersOwn[kindOf(o)+"/"+o.GetName()] {
			wrong = append(wrong, fmt.Sprintf("left behind: %s %s", kindOf(o), o.GetName()))
		}
	}
	return wrong
}

// usersOwn are objects that were there before the database.
var usersOwn = map[string]bool{
	"Secret/" + licence: true, "Secret/" + userConfig: true, "ServiceAccount/default": true,
}

// orphanedRequest says what is wrong with a request whose database is gone. One that has not begun may wait for another.
func orphanedRequest(r framework.Request) []string {
	if !framework.Begun(r) && r.RequestStatus().Phase != opsv1.PhaseSuccessful {
		return nil
	}
	if !framework.Finished(r) || held(r) {
		return []string{fmt.Sprintf("request %s is %s and has the finalizers %v", r.GetName(), r.RequestStatus().Phase, r.GetFinalizers())}
	}
	return nil
}

// relaunched: the new database is like any new one, and the old one's request does it no harm.
func relaunched(r *run, undisturbed *reference) []string {
	if uidOf(r.before.database) == uidOf(r.after.database) { // it was too late
		return succeeded(r, undisturbed)
	}
	wrong := slices.Concat(r.common(), r.current())
	if now := r.now(); now != nil {
		// The new one has no TLS yet.
		senseless := r.scenario.from.hasTLS() && framework.Condition(now.RequestStatus().Conditions, opsv1.ConditionFailed).Reason == opsv1.ReasonInvalid
		if len(r.operator.written()) == 0 || now.RequestStatus().Phase != r.scenario.end() && !senseless {
			wrong = append(wrong, fmt.Sprintf("the old database's request is %s", now.RequestStatus().Phase))
		}
		return wrong // it had not begun, so it is the new one's
	}
	leave := either(aboutRequest, aboutSecrets, aboutSizes, identities, aboutCertificates)
	have := reading{scene: r.after, variables: r.variables}.text()
	return append(wrong, difference(without(undisturbed.birth, leave), without(have, leave))...)
}

func either(patterns ...*regexp.Regexp) *regexp.Regexp {
	text := ""
	for i, p := range patterns {
		if i > 0 {
			text += "|"
		}
		text += p.String()
	}
	return regexp.MustCompile(text)
}
