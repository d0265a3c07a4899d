//go:build lab

package faults

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

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
}

// Lines of a scene that some judges do not look at.
var (
	aboutRequest = regexp.MustCompile(`^\w+OpsRequest |lastOperation|^saved revision|^new revision`)
	aboutSecrets = regexp.MustCompile(`^Secret .*-(config|tls)-‹hash›`)
	aboutSizes   = regexp.MustCompile(`^PersistentVolumeClaim .* (capacity|storage): `)
)

// common is what must hold after every case.
func (r *run) common() []string {
	var wrong []string
	for _, v := range r.story().Violations() {
		if r.forced == "" || !strings.Contains(v.Message, string(r.forced)) {
			wrong = append(wrong, "invariant: "+v.String())
		}
	}
	for _, w := range r.chatter {
		wrong = append(wrong, "written after the end: "+w.what)
	}
	leftovers, err := r.after.leftovers()
	if err != nil {
		wrong = append(wrong, err.Error())
	}
	for _, name := range leftovers {
		wrong = append(wrong, "nobody needs Secret "+name+" any more")
	}
	if len(r.after.saved) > 1 {
		wrong = append(wrong, fmt.Sprintf("%d saved revisions are left", len(r.after.saved)))
	}
	for _, name := range r.after.outdated() {
		wrong = append(wrong, "pod "+name+" is not Ready, not of its workload's latest revision or not its workload's")
	}
	return wrong
}

// restarted says which pods were taken down more or less often than they should be.
func (r *run) restarted(least, most int) []string {
	var wrong []string
	want := map[string]bool{}
	if r.scenario.restarts != nil {
		for _, pod := range pods(r.scenario.restarts(r.sample)) {
			want[pod] = true
		}
	}
	counts := r.takedowns()
	for _, pod := range pods(r.sample.groups) {
		lo, hi := least, most
		if !want[pod] {
			lo, hi = 0, 0
		}
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
	wrong := append(r.common(), r.restarted(1, 1)...)
	return append(wrong, difference(undisturbed.text, r.text())...)
}

// replaced: the second request of the name does what is left to do; which steps that takes depends on k.
func replaced(r *run, undisturbed *reference) []string {
	wrong := append(r.common(), r.restarted(1, 2)...)
	now := r.now()
	if now == nil {
		return append(wrong, "the second request is gone")
	}
	if r.scenario.grows && framework.Condition(now.RequestStatus().Conditions, opsv1.ConditionFailed).Reason == opsv1.ReasonInvalid {
		return r.common() // the spec has the size already, so there is nothing to ask for
	}
	if now.RequestStatus().Phase != opsv1.PhaseSuccessful {
		wrong = append(wrong, fmt.Sprintf("the second request is %s", now.RequestStatus().Phase))
	}
	leave := either(aboutSecrets, aboutRequest)
	return append(wrong, difference(without(undisturbed.text, leave), without(r.text(), leave))...)
}

// cancelled: the request is gone, and the database is as before or, if it was too late, as after an undisturbed run.
func cancelled(r *run, undisturbed *reference) []string {
	wrong := append(r.common(), r.restarted(0, 2)...)
	if now := r.now(); now != nil {
		return append(wrong, "the request is still there")
	}
	leave := either(aboutRequest, aboutSecrets, identities, aboutSizes)
	want := undisturbed.text
	have := reading{scene: r.after, before: r.before, uid: r.request.GetUID(), request: r.request.GetName(), variables: r.asked}
	switch outcome := r.lastOutcome(); outcome {
	case kubedbv1.OutcomeSuccessful:
	case kubedbv1.OutcomeCanceled, "":
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
	var wrong []string
	for _, v := range r.story().Violations() {
		wrong = append(wrong, "invariant: "+v.String())
	}
	for _, w := range r.chatter {
		wrong = append(wrong, "written after the end: "+w.what)
	}
	for _, o := range r.after.objects() {
		switch o := o.(type) {
		case framework.Request:
			wrong = append(wrong, orphanedRequest(o)...)
			continue
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
	wrong := r.common()
	if now := r.now(); now != nil {
		if len(r.operator.written()) == 0 || now.RequestStatus().Phase != opsv1.PhaseSuccessful {
			wrong = append(wrong, fmt.Sprintf("the old database's request is %s", now.RequestStatus().Phase))
		}
		return wrong // it had not begun, so it is the new one's
	}
	leave := either(aboutRequest, aboutSecrets, aboutSizes, identities)
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
