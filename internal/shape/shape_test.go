package shape

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
)

type inner struct {
	Kind   string `json:"kind" validate:"omitempty,oneof=b a"`
	Only   string `json:"only,omitempty" validate:"excluded_unless=Kind a"`
	Needed string `json:"needed,omitempty" validate:"required_if=Kind a"`
}

type item struct {
	Name string `json:"name" validate:"required"`
	Port int32  `json:"port" validate:"omitempty,min=1024,max=65535"`
}

type options struct {
	inner       `json:",inline"`
	WebhookPort int               `json:"webhook-port" validate:"omitempty,gt=0"`
	NoTag       string            `validate:"omitempty,max=3"`
	Wait        metav1.Duration   `json:"wait" validate:"omitempty,min_duration=1m"`
	Pause       *metav1.Duration  `json:"pause" validate:"omitempty,min_duration=1m"`
	Size        resource.Quantity `json:"size" validate:"omitempty,max=1024"`
	Items       []item            `json:"items" validate:"omitempty,unique=Name,dive"`
	Words       []string          `json:"words" validate:"omitempty,max=2,unique,dive,max=3"`
	ByName      map[string]item   `json:"byName" validate:"omitempty,dive"`
	Address     string            `json:"address" validate:"omitempty,ip"`
	Mail        string            `json:"mail" validate:"omitempty,email"`
	Host        string            `json:"host" validate:"omitempty,dns_name"`
	Link        string            `json:"link" validate:"omitempty,uri"`
	Odd         string            `json:"odd" validate:"omitempty,startswith=x"`
	Hex         string            `json:"hex" validate:"omitempty,hexadecimal"`
}

var cases = []struct {
	name string
	obj  any
	path *field.Path
	want []string
}{
	{name: "nothing wrong", obj: &options{}},
	{name: "a nil pointer has no fields", obj: (*options)(nil)},
	{name: "nothing at all", obj: nil},
	{name: "not a struct", obj: 3, path: field.NewPath("x"), want: []string{"x: Internal error: validator: (nil int)"}},
	{name: "an empty path is no path", obj: &options{WebhookPort: -1}, path: field.NewPath(""), want: []string{
		`webhook-port: Invalid value: -1: it must be more than 0`}},
	{name: "inlined struct", obj: &options{inner: inner{Kind: "c"}}, path: field.NewPath("spec"), want: []string{
		`spec.kind: Unsupported value: "c": supported values: "a", "b"`}},
	{name: "required_if", obj: &options{inner: inner{Kind: "a"}}, want: []string{
		`needed: Required value: it is needed when kind is a`}},
	{name: "excluded_unless", obj: &options{inner: inner{Kind: "b", Only: "x"}}, want: []string{
		`only: Forbidden: it is for kind a only: leave it out`}},
	{name: "no json name", obj: &options{NoTag: "long"}, want: []string{
		`noTag: Invalid value: "long": it must be at most 3 characters`}},
	{name: "duration", obj: &options{Wait: metav1.Duration{Duration: time.Second}}, want: []string{
		`wait: Invalid value: "1s": it must be a duration of at least 1m`}},
	{name: "zero duration behind a pointer", obj: &options{Pause: &metav1.Duration{}}, want: []string{
		`pause: Invalid value: "0s": it must be a duration of at least 1m`}},
	{name: "negative duration", obj: &options{Pause: &metav1.Duration{Duration: -time.Hour}}, want: []string{
		`pause: Invalid value: "-1h0m0s": it must be a duration of at least 1m`}},
	{name: "a quantity is shown as written", obj: &options{Size: resource.MustParse("10Gi")}, want: []string{
		`size: Invalid value: "10Gi": it must be at most 1024`}},
	{name: "index", obj: &options{Items: []item{{Name: "a"}, {Port: 80}}}, want: []string{
		`items[1].name: Required value: it must not be empty`,
		`items[1].port: Invalid value: 80: it must be at least 1024`}},
	{name: "duplicates by a field", obj: &options{Items: []item{{Name: "a"}, {Name: "b"}, {Name: "a"}, {Name: "a"}}}, want: []string{
		`items[2].name: Duplicate value: "a": it is listed above already: leave one of them out`, `items[3].name: Duplicate value: "a": it is listed above already: leave one of them out`}},
	{name: "duplicates", obj: &options{Words: []string{"a", "a"}}, want: []string{`words[1]: Duplicate value: "a": it is listed above already: leave one of them out`}},
	{name: "too many entries", obj: &options{Words: []string{"a", "b", "c"}}, want: []string{
		`words: Invalid value: ["a","b","c"]: it must be at most 2 entries`}},
	{name: "entry of a list", obj: &options{Words: []string{"a", "long"}}, want: []string{
		`words[1]: Invalid value: "long": it must be at most 3 characters`}},
	{name: "key of a map", obj: &options{ByName: map[string]item{"my].b[c.cnf": {}}}, want: []string{
		`byName[my].b[c.cnf].name: Required value: it must not be empty`}},
	{name: "ip", obj: &options{Address: "10.0.0"}, want: []string{
		`address: Invalid value: "10.0.0": it must be an IP address, for example 10.0.0.7 or fd00::7`}},
	{name: "email", obj: &options{Mail: "x"}, want: []string{
		`mail: Invalid value: "x": it must be an e-mail address, for example dba@example.org`}},
	{name: "DNS name", obj: &options{Host: "*.*"}, want: []string{
		`host: Invalid value: "*.*": it must be a DNS name, for example db.example.org or *.db.example.org`}},
	{name: "wildcard DNS name", obj: &options{Host: "*.example.org"}},
	{name: "URI", obj: &options{Link: "x y"}, want: []string{
		`link: Invalid value: "x y": it must be a URI, for example spiffe://example.org/db`}},
	{name: "a tag without words of its own", obj: &options{Odd: "y", Hex: "z"}, want: []string{
		`odd: Invalid value: "y": it must satisfy startswith=x`, `hex: Invalid value: "z": it must satisfy hexadecimal`}},
}

func TestCheck(t *testing.T) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, texts(Check(c.obj, c.path))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestCheckOpsRequest(t *testing.T) {
	spec := opsv1.SinglestoreOpsRequestSpec{
		OpsRequestSpec: opsv1.OpsRequestSpec{
			Type: opsv1.Restart, Timeout: &metav1.Duration{}, MaxRetries: new(int32(-1)),
			UpdateVersion: &opsv1.UpdateVersionSpec{},
		},
		Configuration:   &opsv1.SinglestoreReconfiguration{},
		TLS:             &opsv1.TLSSpec{TLSConfig: kubedbv1.TLSConfig{Certificates: []kubedbv1.CertificateSpec{{}, {Alias: "a"}, {Alias: "a"}}}},
		VolumeExpansion: &opsv1.SinglestoreVolumeExpansion{Mode: "Sideways"},
	}
	want := []string{
		`spec.configuration: Forbidden: it is for type Reconfigure only: leave it out`,
		`spec.databaseRef.name: Required value: it must not be empty`,
		`spec.maxRetries: Invalid value: -1: it must be at least 0`,
		`spec.timeout: Invalid value: "0s": it must be a duration of at least 1s`,
		`spec.tls: Forbidden: it is for type ReconfigureTLS only: leave it out`,
		`spec.updateVersion: Forbidden: it is for type UpdateVersion only: leave it out`,
		`spec.volumeExpansion: Forbidden: it is for type VolumeExpansion only: leave it out`,
	}
	got := texts(Check(&opsv1.SinglestoreOpsRequest{Spec: spec}, nil))
	if diff := cmp.Diff(want, sorted(got)); diff != "" {
		t.Error(diff)
	}
	got = texts(Check(&spec, field.NewPath("spec")))
	if diff := cmp.Diff(want, sorted(got)); diff != "" {
		t.Error(diff)
	}
	spec.Type = opsv1.ReconfigureTLS
	got = texts(Check(&spec, field.NewPath("spec")))
	for _, line := range []string{
		`spec.tls.certificates[2].alias: Duplicate value: "a": it is listed above already: leave one of them out`,
	} {
		if !strings.Contains(strings.Join(got, "\n"), line) {
			t.Errorf("missing %s in\n%s", line, strings.Join(got, "\n"))
		}
	}
	spec = opsv1.SinglestoreOpsRequestSpec{OpsRequestSpec: opsv1.OpsRequestSpec{
		Type: opsv1.VolumeExpansion, DatabaseRef: opsv1.DatabaseReference{Name: "sdb"}}}
	want = []string{`spec.volumeExpansion: Required value: it is needed when type is VolumeExpansion`}
	if diff := cmp.Diff(want, texts(Check(&spec, field.NewPath("spec")))); diff != "" {
		t.Error(diff)
	}
}

func texts(errs field.ErrorList) []string {
	var lines []string
	for _, e := range errs {
		lines = append(lines, e.Error())
	}
	return lines
}

func sorted(lines []string) []string {
	slices.Sort(lines)
	return lines
}
