package controllers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	cmv1 "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/engines"
	"github.com/drydock-db/drydock/engines/perconaxtradb"
	"github.com/drydock-db/drydock/internal/apply"
	"github.com/drydock-db/drydock/internal/steps"
	"github.com/drydock-db/drydock/ops"
)

// restartUnderWay is a request that has begun and does not know that it is over.
func restartUnderWay() *opsv1.PerconaXtraDBOpsRequest {
	r := &opsv1.PerconaXtraDBOpsRequest{ObjectMeta: object("r"), Spec: opsv1.PerconaXtraDBOpsRequestSpec{}}
	r.UID, r.Finalizers = "request-1", []string{opsv1.Finalizer}
	r.Spec.Type, r.Spec.DatabaseRef.Name = opsv1.Restart, "px"
	return r
}

// The operator dies between opening the gate and telling the request, or another one takes over there. The gate stays
// open, and the request hears how it has ended.
func TestAnOperationThatTheDatabaseCallsOverIsNotTakenUpAgain(t *testing.T) {
	for outcome, phase := range map[kubedbv1.OperationOutcome]opsv1.OpsPhase{
		kubedbv1.OutcomeSuccessful: opsv1.PhaseSuccessful,
		kubedbv1.OutcomeFailed:     opsv1.PhaseFailed,
	} {
		t.Run(string(outcome), func(t *testing.T) {
			db, r := database(), restartUnderWay()
			db.Status.LastOperation = &kubedbv1.LastOperation{
				Kind: "PerconaXtraDBOpsRequest", Name: "r", UID: r.UID, Outcome: outcome, Reason: "Because", Message: "it ended",
			}
			w := newWorld(t, db, r)
			w.reconcile(t)
			w.get(t, r)
			w.get(t, db)
			if r.Status.Phase != phase || len(r.Finalizers) > 0 {
				t.Errorf("the request is %s with finalizers %v", r.Status.Phase, r.Finalizers)
			}
			if c := meta.FindStatusCondition(db.Status.Conditions, kubedbv1.ConditionPaused); c != nil {
				t.Errorf("the database is paused: %s", c.Message)
			}
			want := []string{"patch status of PerconaXtraDBOpsRequest r", "patch PerconaXtraDBOpsRequest r"}
			if writes := slices.DeleteFunc(w.writes, func(s string) bool { return s == "patch status of PerconaXtraDB px" }); !slices.Equal(writes, want) {
				t.Errorf("writes: %q, not %q", w.writes, want)
			}
		})
	}
}

// A request that is over and cannot be let go keeps neither the other requests nor the database waiting.
func TestARequestThatCannotBeLetGoStopsNothing(t *testing.T) {
	db, r := database(), restartUnderWay()
	db.Status.LastOperation = &kubedbv1.LastOperation{Kind: "PerconaXtraDBOpsRequest", Name: "r", UID: r.UID, Outcome: kubedbv1.OutcomeSuccessful}
	objects := []client.Object{db, r}
	for _, name := range []string{"a", "b"} {
		over := &opsv1.PerconaXtraDBOpsRequest{ObjectMeta: object(name)}
		over.UID, over.Finalizers = types.UID(name), []string{opsv1.Finalizer}
		over.Spec.Type, over.Spec.DatabaseRef.Name = opsv1.Restart, "px"
		over.Status.Conditions = []metav1.Condition{{Type: opsv1.ConditionFailed, Status: metav1.ConditionTrue}}
		objects = append(objects, over)
	}
	w, refused := newWorld(t, objects...), errors.New("a policy says no")
	w.fail["patch PerconaXtraDBOpsRequest a"] = refused
	if err := w.try(t); !errors.Is(err, refused) {
		t.Errorf("%v: nobody will try again", err)
	}
	for _, o := range objects[1:] {
		w.get(t, o)
		if held := len(o.GetFinalizers()) > 0; held != (o.GetName() == "a") {
			t.Errorf("request %s has finalizers %v", o.GetName(), o.GetFinalizers())
		}
	}
}

// While a volume grows offline the workload is detached: its pods and revisions have no owner. A database that is deleted
// then takes them along.
func TestADatabaseTakesWhatADetachedWorkloadHasLeft(t *testing.T) {
	db := database()
	db.DeletionTimestamp = new(metav1.Now())
	foreign := &corev1.Pod{ObjectMeta: object("px-9")}
	foreign.UID = "foreign"
	w := newWorld(t, db, foreign, &corev1.Pod{ObjectMeta: labelled("px-1")}, revisionOf("px-abc"), revisionOf("other-abc"))
	w.reconcile(t)
	slices.Sort(w.writes)
	if want := []string{"delete ControllerRevision px-abc", "delete Pod px-1", "patch PerconaXtraDB px"}; !slices.Equal(w.writes, want) {
		t.Errorf("writes: %q, not %q", w.writes, want)
	}
}

// A database that was taken over from KubeDB has its finalizer too, which goes with ours, in one write, and not without it.
func TestADatabaseOfKubeDBsIsLetGo(t *testing.T) {
	for name, c := range map[string]struct{ before, after []string }{
		"with ours":           {[]string{kubedbv1.KubeDBFinalizer, kubedbv1.Finalizer, "example.org/mine"}, []string{"example.org/mine"}},
		"without ours":        {[]string{kubedbv1.KubeDBFinalizer}, []string{kubedbv1.KubeDBFinalizer}},
		"another of kubedb's": {[]string{kubedbv1.Finalizer, "kubedb.com/other"}, []string{"kubedb.com/other"}},
	} {
		t.Run(name, func(t *testing.T) {
			db := database()
			db.DeletionTimestamp, db.Finalizers = new(metav1.Now()), c.before
			w := newWorld(t, db)
			w.reconcile(t)
			w.get(t, db)
			if !slices.Equal(db.Finalizers, c.after) || len(w.writes) > 1 {
				t.Errorf("finalizers %q are left, not %q, by the writes %q", db.Finalizers, c.after, w.writes)
			}
		})
	}
}

// The garbage collector has not taken the owner from the pods yet: nobody could find them once the database is gone.
func TestADatabaseWaitsForAWorkloadThatIsBeingDetached(t *testing.T) {
	db := database()
	db.DeletionTimestamp = new(metav1.Now())
	set := &appsv1.StatefulSet{ObjectMeta: labelled("px")}
	set.DeletionTimestamp, set.Finalizers = new(metav1.Now()), []string{metav1.FinalizerOrphanDependents}
	set.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(db, kubedbv1.GroupVersion.WithKind("PerconaXtraDB"))}
	w := newWorld(t, db, set)
	w.reconcile(t)
	if len(w.writes) > 0 {
		t.Errorf("writes: %q", w.writes)
	}
}

// An operation that finds the workload detached, because the request that did it was removed by force, makes it as its pods
// are: one with another stamp would call for a restart that nobody has asked for.
func TestAWorkloadThatIsMadeAgainKeepsTheStampOfItsPods(t *testing.T) {
	db, p := database(), &corev1.Pod{ObjectMeta: labelled("px-1")}
	p.Annotations = map[string]string{opsv1.AnnotationRestart: "request-0"}
	w := newWorld(t, db, p)
	o := &operation{session: &session{db: w.controller.Journal.OpenDatabase(db)}, request: ops.Request{Type: opsv1.VolumeExpansion}}
	rendered := engines.GroupObjects{StatefulSet: &appsv1.StatefulSet{ObjectMeta: object("px")}}
	set, err := w.controller.unmade(t.Context(), o, rendered, security{})
	if err != nil || set.Spec.Template.Annotations[opsv1.AnnotationRestart] != "request-0" {
		t.Errorf("the stamp is %q, %v", set.Spec.Template.Annotations, err)
	}
}

// An operator that starts with an old list does not provision a database that an operation has paused since, and neither does one
// that wakes up when another has taken over.
func TestAnOldDatabaseIsNotProvisioned(t *testing.T) {
	for name, change := range map[string]func(*kubedbv1.PerconaXtraDB){
		"it is paused by now":          func(db *kubedbv1.PerconaXtraDB) { db.Status.Conditions = heldBy(restartUnderWay()).Status.Conditions },
		"it asks for something else":   func(db *kubedbv1.PerconaXtraDB) { db.Generation++ },
		"it is going":                  func(db *kubedbv1.PerconaXtraDB) { db.DeletionTimestamp = new(metav1.Now()) },
		"another one has its name":     func(db *kubedbv1.PerconaXtraDB) { db.UID = "another" },
		"it is as the operator has it": nil,
	} {
		t.Run(name, func(t *testing.T) {
			db := database()
			db.Finalizers = nil // the first thing that provisioning gives it
			w := newWorld(t, db)
			w.controller.Live = interceptor.NewClient(w.client.(client.WithWatch), interceptor.Funcs{
				Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
					err := c.Get(ctx, key, o, opts...)
					if live, ok := o.(*kubedbv1.PerconaXtraDB); ok && change != nil {
						change(live)
					}
					return err
				},
			})
			_ = w.try(t)
			if wrote := slices.Contains(w.writes, "patch PerconaXtraDB px"); wrote != (change == nil) {
				t.Errorf("writes %q", w.writes)
			}
		})
	}
}

// The workloads' cache may be the one that is behind: what is saved from it would be brought back.
func TestAnOldWorkloadIsNotSaved(t *testing.T) {
	db := database()
	set := &appsv1.StatefulSet{ObjectMeta: labelled("px")}
	set.UID, set.Generation = "set", 1
	set.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(db, kubedbv1.GroupVersion.WithKind("PerconaXtraDB"))}
	w := newWorld(t, db, set)
	w.controller.Apply.Live = interceptor.NewClient(w.client.(client.WithWatch), interceptor.Funcs{
		Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
			err := c.Get(ctx, key, o, opts...)
			if live, ok := o.(*appsv1.StatefulSet); ok {
				live.UID = "made since"
			}
			return err
		},
	})
	o := &operation{session: &session{db: w.controller.Journal.OpenDatabase(db)}, request: ops.Request{Type: opsv1.Restart}}
	rendered := engines.GroupObjects{Name: "perconaxtradb", StatefulSet: &appsv1.StatefulSet{ObjectMeta: object("px")}}
	saved := &steps.Saved{Before: steps.State{Workloads: map[string]*appsv1.StatefulSet{}}, After: steps.State{Workloads: map[string]*appsv1.StatefulSet{}}}
	err := w.controller.changeGroup(t.Context(), o, saved, rendered, security{})
	if !errors.As(err, new(*apply.BehindError)) || len(saved.Before.Workloads) > 0 {
		t.Errorf("%v, saved %v", err, saved.Before.Workloads)
	}
}

// The stats Service of a database that asks for no metrics any more goes, and only that one.
func TestTheStatsServiceGoesWithTheMetrics(t *testing.T) {
	db := database()
	stats := &corev1.Service{ObjectMeta: labelled("px-stats")}
	stats.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(db, perconaxtradb.New().Kind().Database)}
	foreign := stats.DeepCopy()
	foreign.OwnerReferences = nil
	for name, c := range map[string]struct {
		service *corev1.Service
		objects engines.Objects
		want    []string
	}{
		"metrics are not asked for":     {stats, engines.Objects{}, []string{"delete Service px-stats"}},
		"they are":                      {stats, engines.Objects{Services: []*corev1.Service{stats}}, nil},
		"the Service is somebody's":     {foreign, engines.Objects{}, nil},
		"there has never been such one": {&corev1.Service{ObjectMeta: labelled("other")}, engines.Objects{}, nil},
	} {
		w := newWorld(t, db.DeepCopy(), c.service.DeepCopy())
		if err := w.controller.dropStats(t.Context(), db, c.objects); err != nil || !slices.Equal(w.writes, c.want) {
			t.Errorf("%s: writes %q, %v", name, w.writes, err)
		}
	}
}

// A database that is wiped out takes its certificates with it, their Secrets too when the Certificates went first or
// cert-manager has been uninstalled; a Secret of somebody else's under such a name stays.
func TestAWipeOutTakesTheCertificates(t *testing.T) {
	issued := func() *corev1.Secret {
		secret := &corev1.Secret{ObjectMeta: object("px-server-cert")}
		secret.Annotations = map[string]string{cmv1.CertificateNameKey: "px-server-cert"}
		return secret
	}
	certificate := &cmv1.Certificate{ObjectMeta: labelled("px-server-cert")}
	certificate.Spec.SecretName = "px-server-cert"
	certificate.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(database(), perconaxtradb.New().Kind().Database)}
	foreign := issued()
	foreign.Annotations = nil
	for name, c := range map[string]struct {
		objects     []client.Object
		uninstalled bool
		want        []string
	}{
		"both": {
			[]client.Object{certificate, issued()}, false,
			[]string{"delete Certificate px-server-cert", "delete Secret px-server-cert"},
		},
		"the Certificate went first":        {[]client.Object{issued()}, false, []string{"delete Secret px-server-cert"}},
		"cert-manager has been uninstalled": {[]client.Object{issued()}, true, []string{"delete Secret px-server-cert"}},
		"the Secret is somebody's":          {[]client.Object{foreign}, false, nil},
	} {
		t.Run(name, func(t *testing.T) {
			db := database()
			db.Spec.TLS = &kubedbv1.TLSConfig{}
			objects := []client.Object{db}
			for _, o := range c.objects {
				objects = append(objects, o.DeepCopyObject().(client.Object))
			}
			w := newWorld(t, objects...)
			w.controller.CertManager = !c.uninstalled
			if err := w.controller.deleteCertificates(t.Context(), db); err != nil || !slices.Equal(w.writes, c.want) {
				t.Errorf("writes %q, %v", w.writes, err)
			}
		})
	}
}

// Credentials that somebody else made get to the pods only if the spec names them: who creates a database may not be allowed
// to read them.
func TestCredentialsOfSomebodyElse(t *testing.T) {
	for name, c := range map[string]struct {
		labelled, named bool
		want            string
	}{
		"a stranger's":                        {want: "Secret px-auth exists and is not controlled by PerconaXtraDB px: rename or delete it, or name it in the spec to have it used as it is"},
		"the spec names them":                 {named: true},
		"those of the database, from earlier": {labelled: true},
	} {
		meta := object("px-auth")
		if c.labelled {
			meta.Labels = engines.SelectorLabels(perconaxtradb.New().Kind(), database())
		}
		w := newWorld(t, database(), &corev1.Secret{ObjectMeta: meta})
		auth := engines.AuthSecret{Secret: &corev1.Secret{ObjectMeta: object("px-auth")}, Named: c.named}
		err := w.controller.createCredentials(t.Context(), database(), auth, nil)
		if got := fmt.Sprint(err); got != c.want && (err != nil || c.want != "") {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// A request waits for provisioning, which its pause would stop: workloads have to be there, with the pods that the spec asks for.
func TestUnprovisioned(t *testing.T) {
	for name, c := range map[string]struct {
		replicas []int32
		want     string
	}{
		"no workload":            {nil, "px"},
		"as the spec says":       {[]int32{3}, ""},
		"the spec asks for more": {[]int32{2}, "px"},
	} {
		db := database()
		objects := []client.Object{db}
		for _, n := range c.replicas {
			set := &appsv1.StatefulSet{ObjectMeta: labelled("px"), Spec: appsv1.StatefulSetSpec{Replicas: &n}}
			set.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(db, kubedbv1.GroupVersion.WithKind("PerconaXtraDB"))}
			objects = append(objects, set)
		}
		if got, err := newWorld(t, objects...).controller.unprovisioned(t.Context(), db); got != c.want || err != nil {
			t.Errorf("%s: %q, %v, want %q", name, got, err, c.want)
		}
	}
}
