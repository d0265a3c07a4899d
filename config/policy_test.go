package config_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"strings"
	"testing"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/authentication/user"
)

var (
	singlestore = schema.GroupVersionKind{Group: "kubedb.com", Version: "v1alpha2", Kind: "Singlestore"}
	request     = schema.GroupVersionKind{Group: "ops.kubedb.com", Version: "v1alpha1", Kind: "SinglestoreOpsRequest"}
)

func documents(content []byte) [][]byte { return bytes.Split(content, []byte("\n---\n")) }

// database is an object with a spec of one field and the given conditions.
func database(version string, conditions ...any) map[string]any {
	return map[string]any{
		"metadata": map[string]any{"name": "db", "namespace": "demo"},
		"spec":     map[string]any{"version": version},
		"status":   map[string]any{"conditions": conditions},
	}
}

func paused(reason, message string) any {
	return map[string]any{"type": "Paused", "status": "True", "reason": reason, "message": message}
}

func with(object map[string]any, path, key string, value any) map[string]any {
	object = maps.Clone(object)
	part := maps.Clone(object[path].(map[string]any))
	part[key] = value
	object[path] = part
	return object
}

func TestPausedGate(t *testing.T) {
	byOperation := paused("OperationInProgress", "SinglestoreOpsRequest sdb-restart (u-1) holds this database")
	terse := paused("OperationInProgress", "busy")
	byHand := paused("Maintenance", "moving racks")
	fresh := database("1")
	delete(fresh, "status")
	for name, tc := range map[string]struct {
		old, object map[string]any
		by          user.Info
		want        string
	}{
		"not paused":                 {database("1"), database("2"), alice, ""},
		"never seen":                 {fresh, database("2"), alice, ""},
		"no longer paused":           {database("1", map[string]any{"type": "Paused", "status": "False"}), database("2"), alice, ""},
		"other condition":            {database("1", map[string]any{"type": "Ready", "status": "True"}), database("2"), alice, ""},
		"paused, spec stays":         {database("1", byOperation), with(database("1"), "metadata", "labels", map[string]any{"a": "b"}), alice, ""},
		"paused, operator":           {database("1", byOperation), database("2", byOperation), operator, ""},
		"paused by hand, operator":   {database("1", byHand), database("2", byHand), operator, ""},
		"pause dropped in same edit": {database("1", byOperation), database("2"), alice, "cannot change while an operation runs on it: SinglestoreOpsRequest sdb-restart"},
		"another message":            {database("1", terse), database("2"), alice, "runs on it: busy. Wait until it has ended, or delete the OpsRequest to cancel it"},
		"paused by an operation": {database("1", byOperation), database("2", byOperation), alice, "the spec of Singlestore demo/db cannot change " +
			"while an operation runs on it: SinglestoreOpsRequest sdb-restart (u-1) holds this database. Wait until it has ended, or cancel it: " +
			"kubectl delete singlestoreopsrequest sdb-restart -n demo"},
		"paused by hand": {database("1", byHand), database("2", byHand), alice, "the spec of Singlestore demo/db cannot change while the database " +
			"is paused (Maintenance): moving racks. Whoever paused it resumes it by removing the condition Paused: " +
			"kubectl edit singlestore db -n demo --subresource=status"},
	} {
		t.Run(name, func(t *testing.T) {
			got := policyFile(t, "policy/paused_gate.yaml")(call{kind: singlestore, operation: admission.Update, object: tc.object, old: tc.old, by: tc.by})
			expect(t, got, tc.want)
		})
	}
}

func expect(t *testing.T, got []string, want string) {
	t.Helper()
	all := strings.Join(got, "; ")
	if want == "" && all != "" || !strings.Contains(all, want) {
		t.Errorf("denied with %q, want %q", all, want)
	}
}

func TestDeletion(t *testing.T) {
	busy := database("1", paused("OperationInProgress", "SinglestoreOpsRequest sdb-restart (u-1) holds this database"))
	kept := with(database("1"), "spec", "deletionPolicy", "DoNotTerminate")
	ending := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "demo", DeletionTimestamp: &terminating}}
	for name, tc := range map[string]struct {
		old       map[string]any
		by        user.Info
		namespace *corev1.Namespace
		want      string
	}{
		"idle":           {database("1"), alice, nil, ""},
		"paused by hand": {database("1", paused("Maintenance", "x")), alice, nil, ""},
		"busy": {busy, alice, nil, "Singlestore demo/db cannot be deleted while an operation runs on it: SinglestoreOpsRequest sdb-restart " +
			"(u-1) holds this database. Wait until it has ended, or cancel it first: kubectl delete singlestoreopsrequest sdb-restart -n demo"},
		"busy, operator":           {busy, operator, nil, ""},
		"busy, namespace ends":     {busy, alice, ending, ""},
		"busy, already ending":     {with(busy, "metadata", "deletionTimestamp", "2026-01-01T00:00:00Z"), alice, nil, ""},
		"busy, garbage collector":  {busy, &user.DefaultInfo{Name: "system:serviceaccount:kube-system:generic-garbage-collector"}, nil, ""},
		"kept":                     {kept, alice, nil, "its deletionPolicy is DoNotTerminate"},
		"kept, older name":         {with(database("1"), "spec", "terminationPolicy", "DoNotTerminate"), alice, nil, "its deletionPolicy is DoNotTerminate"},
		"kept, newer name wins":    {with(kept, "spec", "terminationPolicy", "Delete"), alice, nil, "its deletionPolicy is DoNotTerminate"},
		"kept, namespace ends":     {kept, alice, ending, ""},
		"kept, namespace lives":    {kept, alice, &corev1.Namespace{}, "DoNotTerminate"},
		"kept, namespace deletion": {kept, &user.DefaultInfo{Name: "system:serviceaccount:kube-system:namespace-controller"}, nil, ""},
		"kept, single identity":    {kept, &user.DefaultInfo{Name: "system:kube-controller-manager"}, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := policyFile(t, "policy/deletion.yaml")(call{kind: singlestore, operation: admission.Delete, old: tc.old, by: tc.by, namespace: tc.namespace})
			expect(t, got, tc.want)
		})
	}
}

// stamped is a request with the annotation that admission writes for the given caller.
func stamped(t *testing.T, by user.Info) map[string]any {
	t.Helper()
	info := authenticationv1.UserInfo{Username: by.GetName(), UID: by.GetUID(), Groups: by.GetGroups()}
	for k, v := range by.GetExtra() {
		if info.Extra == nil {
			info.Extra = map[string]authenticationv1.ExtraValue{}
		}
		info.Extra[k] = v
	}
	stamp, err := json.Marshal(info)
	if err != nil {
		t.Fatal(err)
	}
	return annotated(string(stamp))
}

func annotated(stamp string) map[string]any {
	return map[string]any{
		"metadata": map[string]any{"name": "r", "annotations": map[string]any{"ops.kubedb.com/requested-by": stamp}},
		"spec":     map[string]any{"type": "Restart"},
	}
}

// callers whose names and rights are awkward to write as JSON.
func callers() []user.Info {
	return []user.Info{
		alice, operator,
		&user.DefaultInfo{Name: "system:anonymous"},
		&user.DefaultInfo{Name: `o"dd\name`, Groups: []string{`a"b`, `c\`, ""}},
		&user.DefaultInfo{Name: "<b>&co", UID: "<1>", Groups: []string{"x&y"}},
		&user.DefaultInfo{Name: "jürgen 🦭", UID: "42"},
		&user.DefaultInfo{Name: "oidc:https://id/sub=1,2:{3}"},
		&user.DefaultInfo{Name: "system:serviceaccount:demo:bot", UID: "u-1", Groups: []string{"system:serviceaccounts"}, Extra: map[string][]string{
			"authentication.kubernetes.io/pod-name":      {"bot-1"},
			"authentication.kubernetes.io/credential-id": {"JTI=1"},
			"scopes": {"user:full", `a"],"b":["c`, ""}, "empty": {},
		}},
	}
}

func TestRequestedBy(t *testing.T) {
	judge := policyFile(t, "policy/requested_by.yaml")
	for _, by := range callers() {
		t.Run("truth/"+by.GetName(), func(t *testing.T) {
			expect(t, judge(call{kind: request, operation: admission.Create, object: stamped(t, by), by: by}), "")
		})
		for _, other := range callers() {
			if other.GetName() == by.GetName() {
				continue
			}
			t.Run("lie/"+other.GetName()+" as "+by.GetName(), func(t *testing.T) {
				expect(t, judge(call{kind: request, operation: admission.Create, object: stamped(t, by), by: other}), "must name the caller")
			})
		}
	}
}

func TestRequestedByForgeries(t *testing.T) {
	judge := policyFile(t, "policy/requested_by.yaml")
	scoped := &user.DefaultInfo{Name: "alice", Extra: map[string][]string{"scopes": {"read"}, "team": {"a"}}}
	for name, tc := range map[string]struct {
		by    user.Info
		stamp string
	}{
		"nothing":             {alice, ""},
		"one more group":      {alice, `{"username":"alice","groups":["dev","system:authenticated","system:masters"]}`},
		"no groups":           {alice, `{"username":"alice"}`},
		"an extra added":      {alice, `{"username":"alice","groups":["dev","system:authenticated"],"extra":{"scopes":["full"]}}`},
		"second username":     {alice, `{"username":"alice","groups":["dev","system:authenticated"],"username":"bob"}`},
		"space":               {alice, `{"username":"alice","groups":["dev","system:authenticated"]} `},
		"extra dropped":       {scoped, `{"username":"alice"}`},
		"extra changed":       {scoped, `{"username":"alice","extra":{"scopes":["full"],"team":["a"]}}`},
		"extra entry dropped": {scoped, `{"username":"alice","extra":{"scopes":["read"]}}`},
		"extra entry added":   {scoped, `{"username":"alice","extra":{"scopes":["read"],"team":["a"],"x":["y"]}}`},
		"extra twice":         {scoped, `{"username":"alice","extra":{"scopes":["read"],"scopes":["read"]}}`},
	} {
		t.Run(name, func(t *testing.T) {
			object := annotated(tc.stamp)
			if tc.stamp == "" {
				delete(object["metadata"].(map[string]any), "annotations")
			}
			expect(t, judge(call{kind: request, operation: admission.Create, object: object, by: tc.by}), "must name the caller")
		})
	}
}

func TestRequestedByNeverChanges(t *testing.T) {
	judge := policyFile(t, "policy/requested_by.yaml")
	bare := map[string]any{"metadata": map[string]any{"name": "r"}, "spec": map[string]any{}}
	for name, tc := range map[string]struct {
		old, object map[string]any
		want        string
	}{
		"same":         {annotated("a"), annotated("a"), ""},
		"none, before": {bare, bare, ""},
		"changed":      {annotated("a"), annotated("b"), "cannot change"},
		"removed":      {annotated("a"), bare, "`kubectl replace` drops it: use `kubectl apply`"},
		"added":        {bare, annotated("a"), "cannot change"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, by := range []user.Info{alice, operator} {
				expect(t, judge(call{kind: request, operation: admission.Update, object: tc.object, old: tc.old, by: by}), tc.want)
			}
		})
	}
}
