package framework

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
)

// teller writes stories for tests, one version after the other.
type teller struct{ story Story }

func (t *teller) tell(kind watch.EventType, objects ...client.Object) *teller {
	for _, o := range objects {
		version := uint64(len(t.story.Events) + 1)
		o.SetResourceVersion(strconv.FormatUint(version, 10))
		t.story.Events = append(t.story.Events, Event{Type: kind, Object: o, Version: version})
	}
	return t
}

var labels = map[string]string{"app.kubernetes.io/name": "perconaxtradbs.kubedb.com", "app.kubernetes.io/instance": "px"}

// uid of an object; a second one of the same name says so by its generation of the name.
func named(name, uid string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Name: name, UID: types.UID(uid), Labels: labels, Generation: 1}
}

func pod(name, uid string, ready, leaving bool) *corev1.Pod {
	p := &corev1.Pod{ObjectMeta: named(name, uid)}
	status := corev1.ConditionFalse
	if ready {
		status = corev1.ConditionTrue
	}
	p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: status}}
	if leaving {
		p.DeletionTimestamp = &metav1.Time{Time: time.Unix(1, 0)}
	}
	return p
}

func database(holder string) *kubedbv1.PerconaXtraDB {
	db := &kubedbv1.PerconaXtraDB{ObjectMeta: named("px", "px")}
	if holder != "" {
		db.Status.Conditions = []metav1.Condition{{
			Type: kubedbv1.ConditionPaused, Status: metav1.ConditionTrue, Reason: kubedbv1.ReasonOperationInProgress,
			Message: "request (" + holder + ") holds this database",
		}}
	}
	return db
}

func request(uid string, phase opsv1.OpsPhase, done ...string) *opsv1.PerconaXtraDBOpsRequest {
	r := &opsv1.PerconaXtraDBOpsRequest{ObjectMeta: named("request", uid)}
	r.Status.Phase, r.Status.Progress = phase, strconv.Itoa(len(done))+"/3"
	for _, kind := range done {
		r.Status.Conditions = append(r.Status.Conditions, metav1.Condition{Type: kind, Status: metav1.ConditionTrue})
	}
	return r
}

func claim(size string, leaving bool) *corev1.PersistentVolumeClaim {
	c := &corev1.PersistentVolumeClaim{ObjectMeta: named("data-px-0", "claim")}
	c.Spec.Resources.Requests = corev1.ResourceList{corev1.ResourceStorage: resource.MustParse(size)}
	if leaving {
		c.DeletionTimestamp = &metav1.Time{Time: time.Unix(1, 0)}
	}
	return c
}

// failed is a claim with that capacity which the storage could not grow.
func failed(c *corev1.PersistentVolumeClaim, capacity string) *corev1.PersistentVolumeClaim {
	c.Status.Capacity = corev1.ResourceList{corev1.ResourceStorage: resource.MustParse(capacity)}
	c.Status.Conditions = []corev1.PersistentVolumeClaimCondition{{
		Type: corev1.PersistentVolumeClaimControllerResizeError, Status: corev1.ConditionTrue,
	}}
	return c
}

func set(generation, observed int64) *appsv1.StatefulSet {
	s := &appsv1.StatefulSet{ObjectMeta: named("px", "set")}
	s.Generation, s.Status.ObservedGeneration, s.Spec.Replicas = generation, observed, new(int32(2))
	return s
}

// healthy is a database of two pods under a request's operation.
func healthy() *teller {
	t := &teller{}
	return t.tell(watch.Added, request("7f3e", opsv1.PhaseProgressing, "PauseDatabase"), database("7f3e"), set(1, 1),
		pod("px-0", "a", true, false), pod("px-1", "b", true, false), claim("2Gi", false))
}

func TestASmallerRetryBreaksNoInvariant(t *testing.T) {
	story := healthy().tell(watch.Modified, failed(claim("9Gi", false), "1Gi"), claim("5Gi", false)).story
	for _, v := range story.Violations() {
		t.Error(v)
	}
}

func TestARestartBreaksNoInvariant(t *testing.T) {
	story := healthy().
		tell(watch.Modified, pod("px-1", "b", true, true)).
		tell(watch.Deleted, pod("px-1", "b", false, true)).
		tell(watch.Added, pod("px-1", "c", false, false)).
		tell(watch.Modified, pod("px-1", "c", true, false), pod("px-0", "a", true, true), claim("3Gi", false)).
		tell(watch.Deleted, pod("px-0", "a", true, true)).
		tell(watch.Added, pod("px-0", "d", true, false)).
		tell(watch.Modified, database(""), request("7f3e", opsv1.PhaseSuccessful, "PauseDatabase", opsv1.ConditionSuccessful)).story
	for _, v := range story.Violations() {
		t.Error(v)
	}
	if got := story.Restarted(0); !slices.Equal(got, []string{"px-1", "px-0"}) {
		t.Errorf("restarted %v", got)
	}
	for _, down := range story.Takedowns() {
		if down.Back == 0 || !down.WasReady {
			t.Errorf("%s: was ready %t, back at %d", down.Pod, down.WasReady, down.Back)
		}
	}
}

// broken are stories in which exactly one invariant does not hold.
var broken = []struct {
	invariant string
	story     *teller
}{
	{"at most one pod", healthy().
		tell(watch.Modified, pod("px-1", "b", false, false), pod("px-0", "a", true, true))},
	{"only operations restart pods", healthy().
		tell(watch.Modified, database("")).tell(watch.Deleted, pod("px-0", "a", true, false))},
	{"request decreases only", healthy().tell(watch.Modified, claim("1Gi", false))},
	{"request decreases only", healthy().tell(watch.Modified, failed(claim("2Gi", false), "1Gi")).tell(watch.Modified, claim("1Gi", false))},
	{"no claim is deleted", healthy().tell(watch.Modified, claim("2Gi", true))},
	{"no volume is deleted", healthy().
		tell(watch.Added, &corev1.PersistentVolume{
			ObjectMeta: named("pv", "pv"), Spec: corev1.PersistentVolumeSpec{ClaimRef: &corev1.ObjectReference{UID: "claim"}},
		}).
		tell(watch.Deleted, &corev1.PersistentVolume{
			ObjectMeta: named("pv", "pv"), Spec: corev1.PersistentVolumeSpec{ClaimRef: &corev1.ObjectReference{UID: "claim"}},
		})},
	{"a pause is held", healthy().
		tell(watch.Modified, request("7f3e", opsv1.PhaseFailed, "PauseDatabase", opsv1.ConditionFailed))},
	{"a pause is held", healthy().tell(watch.Modified, database("another"))},
	{"stays as it ended", (&teller{}).
		tell(watch.Added, request("7f3e", opsv1.PhaseSuccessful, opsv1.ConditionSuccessful)).
		tell(watch.Modified, request("7f3e", opsv1.PhaseProgressing, opsv1.ConditionSuccessful))},
	{"stays True", healthy().tell(watch.Modified, request("7f3e", opsv1.PhaseProgressing, "Other"))},
	{"progress never goes back", (&teller{}).
		tell(watch.Added, request("7f3e", opsv1.PhaseProgressing, "A")).
		tell(watch.Modified, func() client.Object {
			r := request("7f3e", opsv1.PhaseProgressing, "A")
			r.Status.Progress = "0/3"
			return r
		}())},
	{"observedGeneration", healthy().tell(watch.Modified, set(1, 0))},
	{"observedGeneration", healthy().tell(watch.Modified, set(1, 2))},
	{"no value of a Secret", healthy().tell(watch.Added,
		&corev1.Secret{ObjectMeta: named("px-auth", "auth"), Data: map[string][]byte{"password": []byte(`s3cret"word`)}},
		&eventsv1.Event{ObjectMeta: named("event", "event"), Note: `cannot log in with s3cret"word`})},
	{"events of a request", healthy().tell(watch.Added, told("one", "Normal", "Starting"), told("two", "Normal", "Starting"))},
	{"events of a request", healthy().tell(watch.Added, told("one", "Warning", "Successful"))},
	{"events of a request", healthy().tell(watch.Added, told("one", "Normal", "StillAtIt"))},
}

// told is an event about a request.
func told(name, kind, reason string) *eventsv1.Event {
	return &eventsv1.Event{
		ObjectMeta: named(name, name), Type: kind, Reason: reason,
		Regarding: corev1.ObjectReference{Kind: "PerconaXtraDBOpsRequest", Name: "r", UID: "7f3e"},
	}
}

func TestInvariantsCanBreak(t *testing.T) {
	for _, c := range broken {
		found := c.story.story.Violations()
		if len(found) != 1 || !strings.Contains(found[0].String(), c.invariant) {
			t.Errorf("%s: found %v", c.invariant, found)
		}
	}
}

func TestWhatTheSpecDeletesIsExcused(t *testing.T) {
	story := healthy().tell(watch.Modified, database("")).tell(watch.Deleted, pod("px-0", "a", true, false)).story
	story.ByHand = map[types.UID]bool{"a": true}
	if found := story.Violations(); len(found) > 0 {
		t.Errorf("found %v", found)
	}
	if names := story.Restarted(0); len(names) > 0 {
		t.Errorf("restarted %v", names)
	}
}

func TestSetting(t *testing.T) {
	files := map[string][]byte{
		"00-defaults.cnf":      []byte("[mysqld]\nmax_connections = 151\nport=3306\n"),
		"my.cnf":               []byte("# max_connections = 1\n[mysqld]\nmax-connections=200\n[client]\nmax_connections = 7\n"),
		"zz-inline-my.cnf":     []byte("[mysqld]\n;max_connections = 9\nmax_connections = 230\nskip-name-resolve\n"),
		"zzz-not-a-config.txt": []byte("[mysqld]\nmax_connections = 3\n"),
	}
	for key, want := range map[string]string{"max_connections": "230", "port": "3306", "skip_name_resolve": ""} {
		if got, found := Setting(files, "mysqld", key); got != want || !found {
			t.Errorf("%s: %q %t, want %q", key, got, found, want)
		}
	}
	if got, found := Setting(files, "mysqld", "datadir"); found {
		t.Errorf("datadir: %q", got)
	}
}

func TestAWorkloadMadeAgainMayTellWhatWasObservedOfTheOther(t *testing.T) {
	again := set(1, 2)
	again.UID = "again"
	story := healthy().tell(watch.Added, set(2, 2)).tell(watch.Deleted, set(2, 2)).tell(watch.Added, again).story
	if found := story.Violations(); len(found) > 0 {
		t.Errorf("found %v", found)
	}
}
