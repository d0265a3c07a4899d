package framework

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	petsetv1 "github.com/drydock-db/drydock/apis/apps/v1"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
)

// Violation is an event at which an invariant did not hold.
type Violation struct {
	Invariant, Message string
	Event              Event
}

// String tells the violation to a person.
func (v Violation) String() string {
	return fmt.Sprintf("%s: %s (at version %d, %s of %T %s)", v.Invariant, v.Message, v.Event.Version, v.Event.Type,
		v.Event.Object, v.Event.Object.GetName())
}

// invariant is something that holds after every event. old is the object before the event, nil if there was none; the
// answer says what is wrong, nothing if all is well.
type invariant struct {
	name  string
	check func(w *world, old client.Object, e Event) string
}

var invariants = []invariant{
	{"at most one pod of a group is down that was not down already", oneDown},
	{"only operations restart pods", restartsAreHeld},
	{"a claim's request decreases only where the storage failed to grow it, and never to what it has", claimsGrow},
	{"no claim is deleted while its database lives", claimsStay},
	{"no volume is deleted while its claim lives", volumesStay},
	{"a pause is held by an unfinished request", pausesAreHeld},
	{"a request that has ended stays as it ended", endsAreFinal},
	{"a condition that is True stays True", conditionsLatch},
	{"progress never goes back", progressGrows},
	{"observedGeneration never goes back and never runs ahead", generationsGrow},
	{"no value of a Secret is told", secretsAreKept},
	{"events of a request are few", eventsAreFew},
}

// Violations replays the story and returns every event at which an invariant did not hold.
func (s Story) Violations() []Violation {
	var found []Violation
	seen := map[string]bool{}
	w := newWorld(s)
	for _, e := range s.Events {
		old := w.apply(e)
		for _, i := range invariants {
			message := i.check(w, old, e)
			if message != "" && !seen[i.name+message] {
				seen[i.name+message] = true
				found = append(found, Violation{i.name, message, e})
			}
		}
	}
	return found
}

// takenDown returns the pod that this event tells to leave.
func takenDown(old client.Object, e Event) (before *corev1.Pod) {
	before, ok := old.(*corev1.Pod)
	if !ok || before.DeletionTimestamp != nil || !e.leaves() {
		return nil
	}
	return before
}

func oneDown(w *world, old client.Object, e Event) string {
	pod := takenDown(old, e)
	if pod == nil || !Ready(pod) {
		return ""
	}
	db := w.serving(pod)
	if db == nil || halted(db) {
		return ""
	}
	if others := w.down(WorkloadOf(pod.Name), pod.Name); len(others) > 0 {
		return fmt.Sprintf("%s was Ready and was taken down while %s was down", pod.Name, strings.Join(others, ", "))
	}
	return ""
}

func restartsAreHeld(w *world, old client.Object, e Event) string {
	pod := takenDown(old, e)
	if pod == nil {
		return ""
	}
	db := w.serving(pod)
	if db == nil || halted(db) {
		return ""
	}
	if _, held := HeldByOperation(db); !held {
		return fmt.Sprintf("%s was taken down while no operation paused %s", pod.Name, db.GetName())
	}
	return ""
}

func claimsGrow(_ *world, old client.Object, e Event) string {
	before, ok := old.(*corev1.PersistentVolumeClaim)
	if !ok {
		return ""
	}
	was, is := before.Spec.Resources.Requests.Storage(), e.Object.(*corev1.PersistentVolumeClaim).Spec.Resources.Requests.Storage()
	if is.Cmp(*was) < 0 && (!growthFailed(before) || is.Cmp(*before.Status.Capacity.Storage()) <= 0) {
		return fmt.Sprintf("%s asks for %s after %s", before.Name, is, was)
	}
	return ""
}

// growthFailed tells whether the storage says that it could not grow the claim.
func growthFailed(claim *corev1.PersistentVolumeClaim) bool {
	for _, c := range claim.Status.Conditions {
		if c.Status == corev1.ConditionTrue &&
			(c.Type == corev1.PersistentVolumeClaimControllerResizeError || c.Type == corev1.PersistentVolumeClaimNodeResizeError) {
			return true
		}
	}
	return false
}

func claimsStay(w *world, old client.Object, e Event) string {
	claim, ok := old.(*corev1.PersistentVolumeClaim)
	if ok && claim.DeletionTimestamp == nil && e.leaves() && w.serving(claim) != nil {
		return claim.Name + " was deleted"
	}
	return ""
}

func volumesStay(w *world, old client.Object, e Event) string {
	volume, ok := old.(*corev1.PersistentVolume)
	if !ok || !e.leaves() || volume.Spec.ClaimRef == nil {
		return ""
	}
	if claim, lives := w.objects[volume.Spec.ClaimRef.UID]; lives && claim.GetDeletionTimestamp() == nil {
		return fmt.Sprintf("%s was deleted, the volume of %s", volume.Name, claim.GetName())
	}
	return ""
}

func pausesAreHeld(w *world, _ client.Object, e Event) string {
	_, database := e.Object.(Database)
	_, request := e.Object.(Request)
	if !database && !request {
		return ""
	}
	for _, db := range all[Database](w) {
		message, held := HeldByOperation(db)
		if !held || db.GetDeletionTimestamp() != nil {
			continue
		}
		holder := false
		for _, r := range all[Request](w) {
			holder = holder || (HeldBy(db, r.GetUID()) && !Finished(r))
		}
		if !holder {
			return fmt.Sprintf("%s is paused (%s), and no such request is under way", db.GetName(), message)
		}
	}
	return ""
}

func endsAreFinal(_ *world, old client.Object, e Event) string {
	before, ok := old.(Request)
	if !ok || !Finished(before) {
		return ""
	}
	was, is := before.RequestStatus(), e.Object.(Request).RequestStatus()
	if was.Phase != is.Phase {
		return fmt.Sprintf("%s was %s and is %s", before.GetName(), was.Phase, is.Phase)
	}
	return ""
}

// trio are the conditions for tools; they follow the others and come and go.
var trio = map[string]bool{opsv1.ConditionReady: true, opsv1.ConditionReconciling: true, opsv1.ConditionStalled: true}

func conditionsLatch(_ *world, old client.Object, e Event) string {
	before, ok := old.(Request)
	if !ok {
		return ""
	}
	after := e.Object.(Request).RequestStatus().Conditions
	for _, c := range before.RequestStatus().Conditions {
		if now := Condition(after, c.Type).Status; c.Status == metav1.ConditionTrue && now != c.Status && !trio[c.Type] {
			return fmt.Sprintf("%s of %s was True and is %q", c.Type, before.GetName(), now)
		}
	}
	return ""
}

func progressGrows(_ *world, old client.Object, e Event) string {
	before, ok := old.(Request)
	if !ok {
		return ""
	}
	was, is := before.RequestStatus().Progress, e.Object.(Request).RequestStatus().Progress
	if steps(is) < steps(was) {
		return fmt.Sprintf("%s was at %q and is at %q", before.GetName(), was, is)
	}
	return ""
}

// steps is the 3 of "3/5".
func steps(progress string) int {
	done, _, _ := strings.Cut(progress, "/")
	n, err := strconv.Atoi(done)
	if err != nil {
		return 0
	}
	return n
}

// generationsGrow leaves out workloads that took the name of another: their controller may write to them what it has
// observed of that one.
func generationsGrow(w *world, old client.Object, e Event) string {
	is, ok := observed(e.Object)
	if !ok || w.remade[e.Object.GetUID()] {
		return ""
	}
	if is > e.Object.GetGeneration() {
		return fmt.Sprintf("%s is at generation %d and says it observed %d", e.Object.GetName(), e.Object.GetGeneration(), is)
	}
	if was, ok := observed(old); ok && is < was {
		return fmt.Sprintf("%s had observed %d and says %d", e.Object.GetName(), was, is)
	}
	return ""
}

func observed(o client.Object) (int64, bool) {
	switch o := o.(type) {
	case Database:
		return o.DatabaseStatus().ObservedGeneration, true
	case Request:
		return o.RequestStatus().ObservedGeneration, true
	case *appsv1.StatefulSet:
		return o.Status.ObservedGeneration, true
	case *petsetv1.PetSet:
		return o.Status.ObservedGeneration, true
	}
	return 0, false
}

func secretsAreKept(w *world, _ client.Object, e Event) string {
	var told any
	switch o := e.Object.(type) {
	case Database:
		told = o.DatabaseStatus()
	case Request:
		told = o.RequestStatus()
	case *eventsv1.Event:
		told = []string{o.Note, o.Reason, o.Action}
	default:
		return ""
	}
	raw, err := json.Marshal(told)
	if err != nil {
		return err.Error()
	}
	for value, where := range w.secrets {
		quoted, err := json.Marshal(value)
		if err == nil && strings.Contains(string(raw), strings.Trim(string(quoted), `"`)) {
			return fmt.Sprintf("%s tells the value of %s", e.Object.GetName(), where)
		}
	}
	return ""
}
