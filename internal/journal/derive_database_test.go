package journal

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	"github.com/drydock-db/drydock/ops"
)

// trio is what tools read: the statuses of Ready, Reconciling and Stalled.
func trio(db *kubedbv1.PerconaXtraDB) string {
	text := ""
	for _, kind := range []string{kubedbv1.ConditionReady, kubedbv1.ConditionReconciling, kubedbv1.ConditionStalled} {
		text += "-"
		if c := meta.FindStatusCondition(db.Status.Conditions, kind); c != nil {
			text = text[:len(text)-1] + string(c.Status[0])
		}
	}
	return text
}

// TestTrioOfADatabase follows one database through its life. Each stage is a pass; one that changes nothing writes nothing.
func TestTrioOfADatabase(t *testing.T) {
	w := newWorld(t, &kubedbv1.PerconaXtraDB{ObjectMeta: metav1.ObjectMeta{Namespace: "demo", Name: "px", UID: "db", Generation: 1}})
	r := ops.Request{Kind: "PerconaXtraDBOpsRequest", Name: "again", UID: types.UID("u1")}
	set := func(kind string, status metav1.ConditionStatus) func(*Database) {
		return func(d *Database) { d.Set(kind, status, "Because", "of that") }
	}
	generation := int64(1)
	observed := func(d *Database) { d.Object.DatabaseStatus().ObservedGeneration = generation }
	for _, stage := range []struct {
		name string
		pass []func(*Database)
		want string
		// quiet passes write nothing.
		quiet bool
	}{
		{"nothing yet", nil, "---", true},
		{"started", []func(*Database){set(kubedbv1.ConditionProvisioningStarted, metav1.ConditionTrue)}, "-TF", false},
		{"not stalled", []func(*Database){func(d *Database) { d.Remove(kubedbv1.ConditionStalled) }}, "-TF", true},
		{"applied", []func(*Database){observed}, "-TF", false},
		{"pods missing", []func(*Database){set(kubedbv1.ConditionReady, metav1.ConditionFalse)}, "FTF", false},
		{"ready", []func(*Database){set(kubedbv1.ConditionReady, metav1.ConditionTrue)}, "TFF", false},
		{"ready still", []func(*Database){set(kubedbv1.ConditionReady, metav1.ConditionTrue), func(d *Database) { d.Remove(kubedbv1.ConditionStalled) }}, "TFF", true},
		{"pods wait for a restart", []func(*Database){set(kubedbv1.ConditionPodsUpToDate, metav1.ConditionFalse)}, "TFF", false},
		{"an operation", []func(*Database){func(d *Database) { d.Pause(r) }}, "TTF", false},
		{"a pod of it away", []func(*Database){set(kubedbv1.ConditionReady, metav1.ConditionFalse)}, "FTF", false},
		{"back", []func(*Database){set(kubedbv1.ConditionReady, metav1.ConditionTrue)}, "TTF", false},
		{"done", []func(*Database){func(d *Database) { d.Resume(r, kubedbv1.OutcomeSuccessful, "Y", "") }}, "TFF", false},
		{"stalled", []func(*Database){set(kubedbv1.ConditionStalled, metav1.ConditionTrue)}, "TFT", false},
		{"stalled still", []func(*Database){set(kubedbv1.ConditionStalled, metav1.ConditionTrue)}, "TFT", true},
		{"goes on", []func(*Database){func(d *Database) { d.Remove(kubedbv1.ConditionStalled) }}, "TFF", false},
		{"paused by a person", []func(*Database){set(kubedbv1.ConditionPaused, metav1.ConditionTrue), set(kubedbv1.ConditionReady, metav1.ConditionFalse)}, "FFF", false},
		{"resumed", []func(*Database){func(d *Database) { d.Remove(kubedbv1.ConditionPaused) }, set(kubedbv1.ConditionReady, metav1.ConditionTrue)}, "TFF", false},
		{"another spec", []func(*Database){
			func(d *Database) { generation = 2; d.Object.SetGeneration(2) }, set(kubedbv1.ConditionPodsUpToDate, metav1.ConditionTrue),
		}, "TTF", false},
		{"that is applied", []func(*Database){func(d *Database) { d.Object.SetGeneration(2) }, observed}, "TFF", false},
		{"halting", []func(*Database){
			func(d *Database) { d.Object.SetGeneration(2) }, set(kubedbv1.ConditionHalted, metav1.ConditionFalse),
		}, "TTF", false},
		{"halted", []func(*Database){
			func(d *Database) { d.Object.SetGeneration(2) }, set(kubedbv1.ConditionHalted, metav1.ConditionTrue), set(kubedbv1.ConditionReady, metav1.ConditionFalse),
		}, "FFF", false},
	} {
		var db kubedbv1.PerconaXtraDB
		if err := w.client.Get(t.Context(), client.ObjectKey{Namespace: "demo", Name: "px"}, &db); err != nil {
			t.Fatal(err)
		}
		db.Generation = generation
		before := w.patches
		d := w.journal.OpenDatabase(&db)
		for _, do := range stage.pass {
			do(d)
		}
		if err := d.Commit(t.Context()); err != nil {
			t.Fatal(stage.name, err)
		}
		if got := trio(d.Object.(*kubedbv1.PerconaXtraDB)); got != stage.want {
			t.Errorf("%s: %s, want %s (Ready, Reconciling, Stalled)", stage.name, got, stage.want)
		}
		if wrote := w.patches - before; (wrote == 0) != stage.quiet {
			t.Errorf("%s: %d writes", stage.name, wrote)
		}
	}
}

// TestTrioIsOneWrite: the trio goes along with what it is derived from.
func TestTrioIsOneWrite(t *testing.T) {
	db := &kubedbv1.PerconaXtraDB{ObjectMeta: metav1.ObjectMeta{Namespace: "demo", Name: "px", UID: "db", Generation: 1}}
	w := newWorld(t, db)
	d := w.journal.OpenDatabase(db)
	d.Set(kubedbv1.ConditionReady, metav1.ConditionTrue, "Yes", "")
	d.Object.DatabaseStatus().ObservedGeneration = 1
	for range 3 {
		if err := d.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff("TFF 1", trio(db)+" "+string(rune('0'+w.patches))); diff != "" {
		t.Error(diff)
	}
}
