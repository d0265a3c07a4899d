package steps

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/drydock-db/drydock/internal/apply"
	"github.com/drydock-db/drydock/ops"
)

var roll = ops.RollPods{To: ops.After, Group: "perconaxtradb"}

// replace makes the successor of an evicted pod appear.
func (w *world) replace(t *testing.T, ordinal int32) {
	t.Helper()
	if err := w.client.Create(t.Context(), pod(ordinal, "new", true)); err != nil {
		t.Fatal(err)
	}
}

func TestRollPodsEvictsEachPodOnceHighestFirst(t *testing.T) {
	w := newWorld(t, budget("px", 3, 1))
	for n := int32(2); n >= 0; n-- {
		if out := w.do(t, roll); out.Status != ops.Waiting {
			t.Fatalf("%+v before the last pod is done", out)
		}
		for range 5 { // looking again while the pod is away evicts nobody
			w.do(t, roll)
		}
		w.replace(t, n)
	}
	if out := w.do(t, roll); out.Status != ops.Done {
		t.Errorf("%+v after the last pod", out)
	}
	want := []string{"evict px-2 old-2", "evict px-1 old-1", "evict px-0 old-0"}
	if !slices.Equal(w.writes, want) {
		t.Errorf("writes %v, want %v", w.writes, want)
	}
}

// Each pod has its own time: that of the second begins when the first is Ready, and anew when it was let go, whatever has kept
// the operator from seeing to that.
func TestRollPodsTellsSinceWhenAPodHasItsTurn(t *testing.T) {
	w := newWorld(t, budget("px", 3, 0)) // none may go
	w.target.Since = time.Unix(1e9, 0)
	if out := w.do(t, roll); !out.Turn.Equal(w.target.Since) {
		t.Errorf("the first pod's turn is since %v, want the plan's beginning", out.Turn)
	}
	first := pod(2, "new", true)
	first.Status.Conditions[0].LastTransitionTime = metav1.NewTime(w.target.Since.Add(time.Minute))
	old := pod(2, "old", true)
	if err := w.client.Delete(t.Context(), old, client.Preconditions{UID: &old.UID}); err != nil {
		t.Fatal(err)
	}
	if err := w.client.Create(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	w.writes = nil
	if out := w.do(t, roll); !out.Turn.Equal(first.Status.Conditions[0].LastTransitionTime.Time) {
		t.Errorf("the second pod's turn is since %v, want when the first was Ready", out.Turn)
	}
	allowed := budget("px", 3, 1)
	if err := w.client.Get(t.Context(), client.ObjectKeyFromObject(allowed), allowed); err != nil {
		t.Fatal(err)
	}
	allowed.Status.DisruptionsAllowed = 1
	if err := w.client.Status().Update(t.Context(), allowed); err != nil {
		t.Fatal(err)
	}
	for _, when := range []string{"it is let go", "it is away"} {
		if out := w.do(t, roll); !out.Turn.Equal(noon) {
			t.Errorf("when %s, the second pod's turn is since %v, want when it was let go", when, out.Turn)
		}
	}
	if want := []string{"evict px-1 old-1"}; !slices.Equal(w.writes, want) {
		t.Errorf("writes %v, want %v", w.writes, want)
	}
}

// A pod whose claim is on its way out has the data as long as it runs.
func TestAPodWhoseClaimIsGoingStays(t *testing.T) {
	for name, harm := range map[string]func(client.Client, *corev1.PersistentVolumeClaim) error{
		"lost": func(c client.Client, claim *corev1.PersistentVolumeClaim) error {
			claim.Status.Phase = corev1.ClaimLost
			return c.Status().Update(t.Context(), claim)
		},
		"leaving": func(c client.Client, claim *corev1.PersistentVolumeClaim) error {
			claim.Finalizers = []string{"kubernetes.io/pvc-protection"}
			if err := c.Update(t.Context(), claim); err != nil {
				return err
			}
			return c.Delete(t.Context(), claim, client.Preconditions{UID: &claim.UID})
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, budget("px", 3, 1))
			claim := &corev1.PersistentVolumeClaim{}
			if err := w.client.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: "data-px-2"}, claim); err != nil {
				t.Fatal(err)
			}
			if err := harm(w.client, claim); err != nil {
				t.Fatal(err)
			}
			w.writes = nil
			out := w.do(t, roll)
			if out.Reason != ops.ReasonClaimMissing || !strings.Contains(out.Message, "pod px-2, which would not find its data again, stays") || len(w.writes) > 0 {
				t.Errorf("%+v, writes %v", out, w.writes)
			}
		})
	}
}

func TestABudgetThatBlocksIsNamed(t *testing.T) {
	for name, c := range map[string]struct {
		budgets []client.Object
		want    string
	}{
		"ours": {[]client.Object{budget("px", 3, 0)}, "PodDisruptionBudget px does not allow pod px-2 to leave: 3 of 3 pods are healthy and 2 are needed"},
		"two":  {[]client.Object{budget("px", 3, 1), budget("users", 3, 1)}, "pod px-2 is covered by more than one PodDisruptionBudget (px, users)"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, c.budgets...)
			out := w.do(t, roll)
			if out.Reason != ops.ReasonEvictionBlocked || !strings.HasPrefix(out.Message, c.want) || out.After != 0 {
				t.Errorf("%+v", out)
			}
			if len(w.writes) > 0 {
				t.Errorf("a call that must be refused was made: %v", w.writes)
			}
		})
	}
}

func TestABudgetThatLagsIsNotWorthAWord(t *testing.T) {
	w := newWorld(t, budget("px", 2, 0)) // it has not seen yet that the third pod is Ready
	if out := w.do(t, roll); out.Reason != ops.ReasonRestartingPods || len(w.writes) > 0 {
		t.Errorf("%+v, writes %v", out, w.writes)
	}
}

// Nothing is written while a budget only has to notice that a pod is Ready, unless that takes unduly long.
func TestABudgetIsGivenAMoment(t *testing.T) {
	for name, c := range map[string]struct {
		ready, want time.Duration
	}{
		"a pod is Ready since a second": {time.Second, 2 * time.Second},
		"it was Ready long before":      {time.Minute, 0},
		"its node's clock is ahead":     {-time.Minute, 0},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, budget("px", 2, 0))
			p := pod(1, "old", true)
			p.Status.Conditions[0].LastTransitionTime = metav1.NewTime(noon.Add(-c.ready))
			if err := w.client.Status().Update(t.Context(), p); err != nil {
				t.Fatal(err)
			}
			if out := w.do(t, roll); out.Quiet != c.want {
				t.Errorf("quiet for %s, not for %s: %+v", out.Quiet, c.want, out)
			}
		})
	}
	if out := newWorld(t, budget("px", 3, 0)).do(t, roll); out.Quiet != 0 {
		t.Errorf("a budget that forbids the eviction is passed over in silence: %+v", out)
	}
}

func TestEvictionAnswers(t *testing.T) {
	group := schema.GroupResource{Resource: "pods"}
	for name, c := range map[string]struct {
		err  error
		want ops.Status
	}{
		"the pod is gone":       {apierrors.NewNotFound(group, "px-2"), ops.Waiting},
		"another pod by now":    {apierrors.NewConflict(group, "px-2", errors.New("uid")), ""},
		"a budget said no":      {apierrors.NewTooManyRequests("budget", 1), ops.Waiting},
		"something else failed": {apierrors.NewInternalError(errors.New("no")), ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, budget("px", 3, 1))
			w.fail["evict px-2 old-2"] = c.err
			out, err := w.executor.Do(t.Context(), w.target, roll)
			if out.Status != c.want || (err != nil) != (c.want == "") {
				t.Errorf("%+v, %v", out, err)
			}
		})
	}
}

// A pod that is not Ready is not judged by its budget beforehand. When the budget keeps it all the same, it is named.
func TestABudgetThatKeepsAnUnreadyPodIsNamed(t *testing.T) {
	always := budget("users", 1, 0)
	always.Spec.UnhealthyPodEvictionPolicy = new(policyv1.AlwaysAllow)
	for name, c := range map[string]struct {
		budget *policyv1.PodDisruptionBudget
		says   bool
		after  time.Duration
	}{
		"it lacks healthy pods":       {budget("users", 1, 0), true, 0},
		"nobody can see why":          {budget("users", 2, 0), true, 10 * time.Second},
		"it lets unready pods go":     {always, false, 10 * time.Second},
		"there is no budget any more": {nil, false, 10 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			var extra []client.Object
			if c.budget != nil {
				extra = append(extra, c.budget)
			}
			w := newWorld(t, extra...)
			old := pod(2, "old", true)
			if err := w.client.Delete(t.Context(), old, client.Preconditions{UID: &old.UID}); err != nil {
				t.Fatal(err)
			}
			if err := w.client.Create(t.Context(), pod(2, "old", false)); err != nil {
				t.Fatal(err)
			}
			w.fail["evict px-2 old-2"] = apierrors.NewTooManyRequests("Cannot evict pod as it would violate the pod's disruption budget.", 0)
			out := w.do(t, roll)
			if out.Status != ops.Waiting || (out.Reason == ops.ReasonEvictionBlocked) != c.says || out.After != c.after {
				t.Errorf("%+v", out)
			}
			if c.says && !strings.HasPrefix(out.Message, "PodDisruptionBudget users does not allow pod px-2 to leave, although it is not Ready") {
				t.Errorf("%s", out.Message)
			}
		})
	}
}

func TestRollPodsWaitsForTheWorkloadThatWasAskedFor(t *testing.T) {
	w := newWorld(t)
	w.target.Saved.After.Workloads["perconaxtradb"] = workload("another")
	out, err := w.executor.Do(t.Context(), w.target, roll)
	if err != nil || out.Reason != ops.ReasonWorkloadNotObserved {
		t.Errorf("%+v, %v", out, err)
	}
	if !slices.Equal(w.writes, []string{"apply"}) {
		t.Errorf("writes %v: the workload has to be applied and no pod evicted", w.writes)
	}
}

func TestEditDatabaseWritesOnce(t *testing.T) {
	w := newWorld(t)
	for range 3 {
		if out := w.do(t, ops.EditDatabase{To: ops.After}); !out.IsDone() {
			t.Fatalf("%+v", out)
		}
	}
	if !slices.Equal(w.writes, []string{"patch px"}) {
		t.Errorf("writes %v", w.writes)
	}
	w.do(t, ops.EditDatabase{To: ops.Before})
	w.open(t)
	if spec, err := SpecOf(w.target.Database.Object); err != nil || strings.Contains(string(spec), "halted") {
		t.Errorf("the spec is not as before: %s %v", spec, err)
	}
}

func TestVerifyFindsAPodWithAnotherSecret(t *testing.T) {
	w := newWorld(t)
	verify := ops.Verify{Groups: []string{"perconaxtradb"}}
	if out := w.do(t, verify); out.Status != ops.Waiting {
		t.Fatalf("%+v although no pod is up to date", out)
	}
	for n := range int32(3) {
		p := pod(n, "new", true)
		if n == 1 {
			p.Spec.Volumes = []corev1.Volume{secretVolume("px-config-old")}
		}
		old := pod(n, "old", true)
		if err := w.client.Delete(t.Context(), old, client.Preconditions{UID: &old.UID}); err != nil {
			t.Fatal(err)
		}
		if err := w.client.Create(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	if out := w.do(t, verify); out.Status != ops.Failed || !strings.Contains(out.Message, "px-1") {
		t.Errorf("%+v", out)
	}
}

func TestExpandVolumesGrowsEachClaimOnce(t *testing.T) {
	w := newWorld(t)
	expand := ops.ExpandVolumes{Group: "perconaxtradb"}
	for range 3 {
		if out := w.do(t, expand); out.Status != ops.Waiting {
			t.Fatalf("%+v although nothing has grown", out)
		}
	}
	if want := []string{"patch data-px-0", "patch data-px-1", "patch data-px-2"}; !slices.Equal(w.writes, want) {
		t.Errorf("writes %v, want %v", w.writes, want)
	}
	for n := range int32(3) {
		c := claim(n, "1Gi")
		if err := w.client.Get(t.Context(), client.ObjectKeyFromObject(c), c); err != nil {
			t.Fatal(err)
		}
		c.Status.Capacity[corev1.ResourceStorage] = resource.MustParse("2Gi")
		if err := w.client.Status().Update(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	if out := w.do(t, expand); !out.IsDone() {
		t.Errorf("%+v", out)
	}
}

func TestARefusedExpansionTellsOfEachClaim(t *testing.T) {
	claims := schema.GroupResource{Resource: "persistentvolumeclaims"}
	quota := func(name string) error { return apierrors.NewForbidden(claims, name, errors.New("exceeded quota")) }
	every := []string{"patch data-px-0", "patch data-px-1", "patch data-px-2"}
	for name, c := range map[string]struct {
		fail   map[string]error
		writes []string
		want   string
	}{
		"one in the middle": {
			map[string]error{"patch data-px-1": quota("data-px-1")}, every,
			`0 of 3 claims have 2Gi; refused by the API server: data-px-1: persistentvolumeclaims "data-px-1" is forbidden: exceeded quota; ` +
				`granted: data-px-0, data-px-2`,
		},
		"the first and the last, for different reasons": {
			map[string]error{
				"patch data-px-0": quota("data-px-0"),
				"patch data-px-2": apierrors.NewInvalid(schema.GroupKind{Kind: "PersistentVolumeClaim"}, "data-px-2", nil),
			}, every,
			`0 of 3 claims have 2Gi; refused by the API server: data-px-0: persistentvolumeclaims "data-px-0" is forbidden: exceeded quota, ` +
				`data-px-2: PersistentVolumeClaim "data-px-2" is invalid; granted: data-px-1`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.fail = c.fail
			out := w.do(t, ops.ExpandVolumes{Group: "perconaxtradb"})
			if out.Status != ops.Failed || out.Reason != ops.ReasonExpansionRefused || out.Message != c.want {
				t.Errorf("%+v", out)
			}
			if !slices.Equal(w.writes, c.writes) {
				t.Errorf("writes %v, want %v", w.writes, c.writes)
			}
		})
	}
}

// What is no refusal is tried again with a back-off, and says which claim it was.
func TestAnExpansionThatMeetsASurpriseFailsNot(t *testing.T) {
	w := newWorld(t)
	w.fail["patch data-px-1"] = apierrors.NewInternalError(errors.New("a bad moment"))
	_, err := w.executor.Do(t.Context(), w.target, ops.ExpandVolumes{Group: "perconaxtradb"})
	if !apierrors.IsInternalError(err) || !strings.HasPrefix(err.Error(), "growing claim data-px-1: ") {
		t.Errorf("error %v", err)
	}
}

func TestStopPodDetachesFirstAndStopsOnlyThatPod(t *testing.T) {
	w := newWorld(t)
	stop := ops.StopPod{Group: "perconaxtradb", Pod: "px-2"}
	w.do(t, stop)
	// The caches show for a moment still that the pod stays.
	behind := interceptor.NewClient(w.client.(client.WithWatch), interceptor.Funcs{
		List: func(ctx context.Context, c client.WithWatch, list client.ObjectList, opts ...client.ListOption) error {
			err := c.List(ctx, list, opts...)
			if pods, ok := list.(*corev1.PodList); ok && len(pods.Items) == 2 {
				pods.Items = append(pods.Items, *pod(2, "old", true))
			}
			return err
		},
	})
	w.executor.Client, w.executor.Cluster.Client = behind, behind
	for range 2 {
		if out := w.do(t, stop); out.Reason != ReasonStoppingPod {
			t.Errorf("%+v", out)
		}
	}
	w.executor.Client, w.executor.Cluster.Client = w.client, w.client
	if want := []string{"delete px set", "delete px-2 old-2"}; !slices.Equal(w.writes, want) {
		t.Errorf("writes %v, want %v", w.writes, want)
	}
	if out := w.do(t, stop); !out.IsDone() {
		t.Errorf("%+v", out)
	}
}

func TestDetachLeavesAWorkloadWithTheRightClaims(t *testing.T) {
	w := newWorld(t)
	if out := w.do(t, ops.DetachWorkload{To: ops.Before, Group: "perconaxtradb"}); !out.IsDone() || len(w.writes) > 0 {
		t.Errorf("%+v, writes %v", out, w.writes)
	}
	if out := w.do(t, ops.DetachWorkload{To: ops.After, Group: "perconaxtradb"}); out.IsDone() || len(w.writes) != 1 {
		t.Errorf("%+v, writes %v", out, w.writes)
	}
}

// A workload that is being deleted says nothing about what will be there: an undo must not take it for what it was.
func TestAWorkloadOnItsWayOutIsAwaited(t *testing.T) {
	w := newWorld(t)
	var set appsv1.StatefulSet
	if err := w.client.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: "px"}, &set); err != nil {
		t.Fatal(err)
	}
	set.Finalizers = []string{metav1.FinalizerOrphanDependents}
	if err := w.client.Update(t.Context(), &set); err != nil {
		t.Fatal(err)
	}
	if err := w.client.Delete(t.Context(), &set, client.Preconditions{UID: &set.UID}); err != nil {
		t.Fatal(err)
	}
	w.writes = nil
	if out := w.do(t, ops.DetachWorkload{To: ops.Before, Group: "perconaxtradb"}); out.Reason != ReasonDetachingWorkload || len(w.writes) > 0 {
		t.Errorf("%+v, writes %v", out, w.writes)
	}
	_, err := w.executor.Do(t.Context(), w.target, ops.ApplyObjects{To: ops.Before, Groups: []string{"perconaxtradb"}})
	if !errors.As(err, new(*apply.BehindError)) || len(w.writes) > 0 {
		t.Errorf("%v, writes %v", err, w.writes)
	}
}

// A workload whose claim templates are others cannot be changed into what is asked for: it is made again around its pods.
func TestAWorkloadWithOtherClaimsIsDetachedAndMadeAgain(t *testing.T) {
	w := newWorld(t)
	start := ops.StartPod{Group: "perconaxtradb", Pod: "px-2"}
	_, err := w.executor.Do(t.Context(), w.target, start)
	if want := []string{"delete px set"}; !errors.As(err, new(*apply.BehindError)) || !slices.Equal(w.writes, want) {
		t.Errorf("%v, writes %v, want %v", err, w.writes, want)
	}
	w.do(t, start)
	if want := []string{"delete px set", "apply"}; !slices.Equal(w.writes, want) {
		t.Errorf("writes %v, want %v", w.writes, want)
	}
}

// Undoing an offline expansion brings the pod back that was stopped. One that was ill before is left alone.
func TestAnUndoAwaitsThePodThatWasStopped(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*corev1.Pod) *corev1.Pod
		want   string
	}{
		"all are Ready":             {func(p *corev1.Pod) *corev1.Pod { return p }, ""},
		"one is away":               {func(*corev1.Pod) *corev1.Pod { return nil }, ReasonStartingPod},
		"one starts":                {func(*corev1.Pod) *corev1.Pod { return made(pod(1, "old", false), time.Minute) }, ReasonStartingPod},
		"one was ill before":        {func(*corev1.Pod) *corev1.Pod { return made(pod(1, "old", false), -time.Minute) }, ""},
		"one is not taken back yet": {func(p *corev1.Pod) *corev1.Pod { p.OwnerReferences = nil; return p }, ops.ReasonWorkloadNotObserved},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			old := pod(1, "old", true)
			if err := w.client.Delete(t.Context(), old, client.Preconditions{UID: &old.UID}); err != nil {
				t.Fatal(err)
			}
			if p := c.change(old); p != nil {
				if err := w.client.Create(t.Context(), p); err != nil {
					t.Fatal(err)
				}
			}
			w.open(t)
			w.target.Side = ops.Before
			w.target.Saved.Before.Workloads["perconaxtradb"] = workload("new") // what is there
			w.target.Database.Pause(w.target.Request)
			meta.FindStatusCondition(w.target.Database.Object.DatabaseStatus().Conditions, "Paused").LastTransitionTime = metav1.NewTime(noon)
			out, err := w.executor.Do(t.Context(), w.target, ops.AwaitPods{Group: "perconaxtradb"})
			if err != nil || out.IsDone() != (c.want == "") || out.Reason != c.want {
				t.Errorf("%+v, %v", out, err)
			}
		})
	}
}

// made is the pod, made so long after noon.
func made(p *corev1.Pod, after time.Duration) *corev1.Pod {
	p.CreationTimestamp = metav1.NewTime(noon.Add(after))
	return p
}

func TestAPodThatCountsAsEvictedAndIsThere(t *testing.T) {
	for name, c := range map[string]struct {
		granted, created  time.Duration // before now
		deletes, corrects bool
	}{
		"just now: the cache may be behind":          {granted: time.Second, created: time.Hour},
		"some time ago: nobody deletes it any more":  {granted: 6 * time.Second, created: time.Hour, deletes: true},
		"before the pod was made: its predecessor's": {granted: 6 * time.Second, created: 5 * time.Second, corrects: true},
		"in the same second: its predecessor's":      {granted: 6 * time.Second, created: 6 * time.Second, corrects: true},
	} {
		t.Run(name, func(t *testing.T) {
			b := budget("px", 2, 0)
			b.Status.DisruptedPods = map[string]metav1.Time{"px-2": metav1.NewTime(noon.Add(-c.granted))}
			w := newWorld(t, b)
			old := pod(2, "old", true)
			if err := w.client.Delete(t.Context(), old, client.Preconditions{UID: &old.UID}); err != nil {
				t.Fatal(err)
			}
			old.CreationTimestamp = metav1.NewTime(noon.Add(-c.created))
			if err := w.client.Create(t.Context(), old); err != nil {
				t.Fatal(err)
			}
			w.writes = nil
			out := w.do(t, roll)
			if out.Status != ops.Waiting || out.Reason != ops.ReasonRestartingPods {
				t.Errorf("%+v", out)
			}
			if err := w.client.Get(t.Context(), client.ObjectKeyFromObject(b), b); err != nil {
				t.Fatal(err)
			}
			if corrected := len(b.Status.DisruptedPods) == 0; corrected != c.corrects {
				t.Errorf("the budget remembers %v", b.Status.DisruptedPods)
			}
			if deleted := len(w.writes) == 1 && strings.HasPrefix(w.writes[0], "delete px-2"); deleted != c.deletes {
				t.Errorf("writes %v", w.writes)
			}
		})
	}
}

// px-0 has been restarted, and the disruption controller has not looked while it was gone: px-2, whose turn it is, could
// not leave for two minutes.
func TestABudgetThatRemembersAnotherPodsPredecessor(t *testing.T) {
	b := budget("px", 2, 0)
	b.Status.DisruptedPods = map[string]metav1.Time{"px-0": metav1.NewTime(noon.Add(-6 * time.Second))}
	w := newWorld(t, b)
	first := pod(0, "new", true)
	if err := w.client.Delete(t.Context(), first, client.Preconditions{UID: &first.UID}); err != nil {
		t.Fatal(err)
	}
	first.CreationTimestamp = metav1.NewTime(noon.Add(-5 * time.Second))
	if err := w.client.Create(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	w.writes = nil
	if out := w.do(t, roll); out.Status != ops.Waiting || out.Reason != ops.ReasonRestartingPods {
		t.Errorf("%+v", out)
	}
	if err := w.client.Get(t.Context(), client.ObjectKeyFromObject(b), b); err != nil {
		t.Fatal(err)
	}
	if len(b.Status.DisruptedPods) > 0 || len(w.writes) > 0 {
		t.Errorf("the budget remembers %v; writes %v", b.Status.DisruptedPods, w.writes)
	}
}
