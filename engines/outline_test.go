package engines_test

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	"github.com/drydock-db/drydock/engines"
	"github.com/drydock-db/drydock/engines/perconaxtradb"
)

// What cannot be rendered any more still has to be found to be removed.
func TestOutlineOfWhatCannotBeRendered(t *testing.T) {
	e := perconaxtradb.New()
	db := &kubedbv1.PerconaXtraDB{ObjectMeta: metav1.ObjectMeta{Namespace: "demo", Name: "px"}}
	db.Spec.Monitor = &kubedbv1.AgentSpec{Agent: "prometheus.io/builtin"}
	db.Spec.Configuration = &kubedbv1.ConfigurationSpec{SecretName: "gone", Inline: map[string]string{"a.cnf": "[mysqld\n!include /etc/passwd"}}
	db.Spec.PodTemplate.Spec.Containers = []corev1.Container{{}}
	if _, err := e.Render(db, engines.Inputs{}); err == nil {
		t.Fatal("this database renders, so the test shows nothing")
	}
	objects, err := engines.Outline(e, db)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, s := range objects.Services {
		names = append(names, s.Name)
	}
	for _, s := range objects.AuthSecrets {
		names = append(names, s.Secret.Name)
	}
	for _, g := range objects.Groups {
		names = append(names, g.StatefulSet.Name, g.PDB.Name)
	}
	want := []string{"px-pods", "px", "px-stats", "px-auth", "px-replication", "px-monitor", "px", "px"}
	if len(names) != len(want) {
		t.Fatalf("found %v, want %v", names, want)
	}
	for i := range want {
		if names[i] != want[i] {
			t.Errorf("found %v, want %v", names, want)
			break
		}
	}
	if db.Spec.Configuration == nil || len(db.Spec.PodTemplate.Spec.Containers) == 0 {
		t.Error("the database itself was changed")
	}
}
