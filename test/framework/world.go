package framework

import (
	"fmt"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	petsetv1 "github.com/drydock-db/drydock/apis/apps/v1"
	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	kubedbv1alpha2 "github.com/drydock-db/drydock/apis/kubedb/v1alpha2"
)

// world is the namespace as it was after one event of a story.
type world struct {
	objects map[types.UID]client.Object
	byHand  map[types.UID]bool
	// replicas of the workloads, also of those that are gone.
	replicas map[string]int32
	// workloads are the latest of each name, remade those that took the name of another.
	workloads map[string]types.UID
	remade    map[types.UID]bool
	// secrets maps each confidential value of the whole story to where it is kept.
	secrets map[string]string
}

// shortestSecret: shorter values, such as user names, are bound to appear somewhere.
const shortestSecret = 8

func newWorld(s Story) *world {
	return &world{
		objects: map[types.UID]client.Object{}, byHand: s.ByHand, replicas: map[string]int32{}, secrets: s.Secrets(),
		workloads: map[string]types.UID{}, remade: map[types.UID]bool{},
	}
}

// Secrets maps each confidential value of the story to where it is kept.
func (s Story) Secrets() map[string]string {
	secrets := map[string]string{}
	for _, e := range s.Events {
		secret, ok := e.Object.(*corev1.Secret)
		if !ok {
			continue
		}
		for k, v := range secret.Data {
			if value := strings.TrimSpace(string(v)); len(value) >= shortestSecret {
				secrets[value] = fmt.Sprintf("Secret %s, key %s", secret.Name, k)
			}
		}
	}
	return secrets
}

// apply makes the event happen and returns what the object was before; nil if there was none.
func (w *world) apply(e Event) client.Object {
	old := w.objects[e.Object.GetUID()]
	w.objects[e.Object.GetUID()] = e.Object
	if e.Type == watch.Deleted {
		delete(w.objects, e.Object.GetUID())
	}
	switch set := e.Object.(type) {
	case *appsv1.StatefulSet:
		w.workload(set, set.Spec.Replicas)
	case *petsetv1.PetSet:
		w.workload(set, set.Spec.Replicas)
	}
	return old
}

func (w *world) workload(o client.Object, replicas *int32) {
	name, uid := o.GetName(), o.GetUID()
	w.replicas[name] = ptr.Deref(replicas, 1)
	if before, known := w.workloads[name]; known && before != uid {
		w.remade[uid] = true
	}
	w.workloads[name] = uid
}

// all returns the objects of one type.
func all[T client.Object](w *world) []T {
	var list []T
	for _, o := range w.objects {
		if t, ok := o.(T); ok {
			list = append(list, t)
		}
	}
	return list
}

// down names the pods of a group that are not there, are leaving or are not Ready, without the one given.
func (w *world) down(group, except string) []string {
	ready := map[string]bool{}
	for _, p := range all[*corev1.Pod](w) {
		ready[p.Name] = ready[p.Name] || Ready(p)
	}
	var names []string
	for ordinal := range w.replicas[group] {
		name := fmt.Sprintf("%s-%d", group, ordinal)
		if name != except && !ready[name] {
			names = append(names, name)
		}
	}
	return names
}

// databaseOf finds the database that an object belongs to by its labels; nil when there is none.
func (w *world) databaseOf(o client.Object) Database {
	for _, db := range all[Database](w) {
		kind := "singlestores.kubedb.com"
		if _, percona := db.(*kubedbv1.PerconaXtraDB); percona {
			kind = "perconaxtradbs.kubedb.com"
		}
		l := o.GetLabels()
		if db.GetName() == l["app.kubernetes.io/instance"] && kind == l["app.kubernetes.io/name"] {
			return db
		}
	}
	return nil
}

// serving returns the object's database if nothing excuses that the object leaves: the database is there, is to run, and
// the spec itself has not deleted the object.
func (w *world) serving(o client.Object) Database {
	db := w.databaseOf(o)
	if db == nil || db.GetDeletionTimestamp() != nil || w.byHand[o.GetUID()] {
		return nil
	}
	return db
}

// halted tells whether the user has asked for the database to run no pods.
func halted(db Database) bool {
	switch d := db.(type) {
	case *kubedbv1alpha2.Singlestore:
		return d.Spec.Halted
	case *kubedbv1.PerconaXtraDB:
		return d.Spec.Halted
	}
	return false
}
