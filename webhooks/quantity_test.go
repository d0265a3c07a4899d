package webhooks_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/drydock-db/drydock/webhooks"
)

func TestExcessive(t *testing.T) {
	zeros := strings.Repeat("0", 32)
	for text, want := range map[string]bool{
		"":                        false,
		"10Gi":                    false,
		"1e99":                    false,
		"1e0000000000000000012":   false,
		"1E-00000000000000000099": false,
		"1" + zeros[1:]:           false,
		"123456789012345Mi":       false,
		"1e100":                   true,
		"1E+100":                  true,
		"1.5e-999999999":          true,
		".5e2147483647":           true,
		"1.e123":                  true,
		"-0e100":                  true,
		" " + "1e00100" + " ":     true,
		"e999999999":              true, // which is read as zero, and compared for hours
		"+e-100":                  true,
		"1" + zeros:               true,
		"0." + zeros + "1":        true,
		// What is no quantity need not be read as one.
		"1e100x":         false,
		"x1e100":         false,
		"x-1e100":        false,
		"1ee100":         false,
		"1Ei100":         false,
		"release-7e1234": false,
	} {
		if got := webhooks.Excessive([]byte(text)); got != want {
			t.Errorf("%q: %t, want %t", text, got, want)
		}
		// However far it is from the beginning, and whatever JSON has around it.
		for _, lead := range []string{`{"a":"`, `["b",`, `{"ab": "`, "{\n\t\"abc\":\n"} {
			for _, tail := range []string{`"}`, `,"x"]`, "\n}"} {
				if got := webhooks.Excessive([]byte(lead + text + tail)); got != want {
					t.Errorf("%q: %t, want %t", lead+text+tail, got, want)
				}
			}
		}
	}
	for _, usual := range []string{
		`{"metadata":{"uid":"3e123456-7890-4e12-8a1e-12345e678901","resourceVersion":"1234567890","creationTimestamp":"2026-01-01T00:00:00.123456Z"}}`,
		`{"metadata":{"uid":"12345678-9012-4345-8678-90123e123456","labels":{"pod-template-hash":"d7e1234567"}}}`,
	} {
		if webhooks.Excessive([]byte(usual)) {
			t.Errorf("%s is slow to read", usual)
		}
	}
}

// FuzzExcessive: what is let through is read, compared and written at once.
func FuzzExcessive(f *testing.F) {
	for _, text := range []string{"10Gi", "1e99", "-.5E-99", "e99", "1e100", "99999999999999999999999999999999.99999999999999999999999999999999e-99"} {
		f.Add(text)
	}
	gi := resource.MustParse("1Gi")
	f.Fuzz(func(t *testing.T, text string) {
		if webhooks.Excessive([]byte(text)) {
			return
		}
		began := time.Now()
		var q resource.Quantity
		if q.UnmarshalJSON([]byte(`"`+text+`"`)) != nil {
			return
		}
		_, _ = q.Cmp(gi), gi.Cmp(q)
		sum := gi.DeepCopy()
		sum.Add(q)
		_, _ = sum.String(), q.String()
		rounded := q.DeepCopy()
		rounded.RoundUp(0)
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("%q took %s", text, took)
		}
	})
}

const refusedQuantity = "a quantity has at most 32 digits, and an exponent at most two; write for example 10Gi"

func TestExcessiveQuantities(t *testing.T) {
	s := serve(t, newAdmission(newClient(t)))
	for name, c := range map[string]struct {
		mutate, validate, object string
		fields                   []string
	}{
		"sizes": {mutateSdbOps, validateSdbOps, `{"spec":{"type":"VolumeExpansion","databaseRef":{"name":"sdb"},"volumeExpansion":` +
			`{"mode":"Online","aggregator":1e-999999999,"leaf":"1e999999999"}}}`,
			[]string{"spec.volumeExpansion.aggregator", "spec.volumeExpansion.leaf"}},
		"twice the same name": {mutateSdbOps, validateSdbOps, `{"spec":{"type":"VolumeExpansion","databaseRef":{"name":"sdb"},"volumeExpansion":` +
			`{"mode":"Online","leaf":"1e-999999999","leaf":"e999999999"}}}`, []string{"spec.volumeExpansion.leaf"}},
		"everywhere": {mutatePxc, validatePxc, `{"metadata":{"name":"new","annotations":{"a":"1e999"}},"spec":{"version":"1e999","overhead":"1e999",` +
			`"monitor":{"prometheus":{"exporter":{"resources":{"limits":{"cpu":"1e2147483647"}}}}},` +
			`"podTemplate":{"spec":{"containers":[{"name":"a"},{"name":"b","resources":{"requests":{"cpu":"1","memory":" 1e-999 "}},` +
			`"env":[{"name":"c","valueFrom":{"resourceFieldRef":{"resource":"limits.cpu","divisor":"1e1000"}}}]}],` +
			`"overhead":{"cpu":"` + strings.Repeat("9", 1<<20) + `"},"volumes":[{"name":"v","emptyDir":{"sizeLimit":"1E500"}}]}},` +
			`"storage":{"resources":{"requests":{"storage":"1e999"}}},"replicas":"three"}}`,
			[]string{
				"spec.monitor.prometheus.exporter.resources.limits.cpu",
				"spec.podTemplate.spec.containers[1].env[0].valueFrom.resourceFieldRef.divisor",
				"spec.podTemplate.spec.containers[1].resources.requests.memory",
				"spec.podTemplate.spec.overhead.cpu", "spec.podTemplate.spec.volumes[0].emptyDir.sizeLimit",
				"spec.storage.resources.requests.storage",
			}},
		"inlined": {mutateSdb, validateSdb, `{"spec":{"topology":{"leaf":{"storage":{"resources":{"requests":{"storage":"1e999"}}},` +
			`"podTemplate":{"spec":{"initContainers":[{"resources":{"limits":{"memory":"1e999"}}}]}}}}}}`,
			[]string{"spec.topology.leaf.podTemplate.spec.initContainers[0].resources.limits.memory", "spec.topology.leaf.storage.resources.requests.storage"}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, path := range []string{c.mutate, c.validate} {
				began := time.Now()
				answer := s.review(path, []byte(c.object), nil, false)
				if took := time.Since(began); took > 5*time.Second {
					t.Errorf("%s took %s", path, took)
				}
				if answer.Allowed || answer.Result.Code != 422 || len(answer.Result.Message) > 2000 {
					t.Fatal(answer.Result)
				}
				var fields []string
				for _, cause := range answer.Result.Details.Causes {
					fields = append(fields, cause.Field)
					if !strings.HasSuffix(cause.Message, refusedQuantity) {
						t.Error(cause)
					}
				}
				if diff := cmp.Diff(c.fields, fields); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
}

// TestNumbersThatAreNoQuantities: what only looks like one is read as ever.
func TestNumbersThatAreNoQuantities(t *testing.T) {
	s := serve(t, newAdmission(newClient(t)))
	object := edited(t, []byte(restart), "1e999", "metadata", "annotations", "a")
	answer := s.review(mutateSdbOps, object, nil, false)
	if !answer.Allowed || len(answer.Patch) == 0 {
		t.Fatal(answer)
	}
	if verdict := s.review(validateSdbOps, apply(t, object, answer), nil, false); !verdict.Allowed {
		t.Error(verdict.Result)
	}
}

// TestStoredExcess: an object that was stored without admission can be put right, and edited elsewhere.
func TestStoredExcess(t *testing.T) {
	s := serve(t, newAdmission(newClient(t)))
	bare := []byte(`{"metadata":{"name":"new","namespace":"demo"},"spec":{"version":"8.4.3","storage":{"resources":{"requests":{"storage":"1Gi"}}}}}`)
	sound := apply(t, bare, s.review(mutatePxc, bare, nil, false))
	sound = edited(t, sound, map[string]any{"a": "b"}, "spec", "podTemplate", "spec", "nodeSelector")
	stored := edited(t, sound, map[string]any{"cpu": "1e-999999999"}, "spec", "podTemplate", "spec", "overhead")
	for name, object := range map[string][]byte{
		"put right": sound,
		"a label":   edited(t, stored, "b", "metadata", "labels", "a"),
		"elsewhere": edited(t, stored, "Halt", "spec", "deletionPolicy"),
	} {
		for _, path := range []string{mutatePxc, validatePxc} {
			if answer := s.review(path, object, stored, false); !answer.Allowed || len(answer.Patch) > 0 {
				t.Errorf("%s: %v %s", name, answer.Result, answer.Patch)
			}
		}
	}
	worse := edited(t, stored, map[string]any{"cpu": "1e-999999998"}, "spec", "podTemplate", "spec", "overhead")
	if answer := s.review(validatePxc, worse, stored, false); answer.Allowed || len(answer.Result.Details.Causes) != 1 {
		t.Error(answer.Result)
	}
	// A deletion does not come here; if one did, nothing of it would be read.
	var gone map[string]any
	if err := json.Unmarshal(s.body([]byte("null"), stored, false), &gone); err != nil {
		t.Fatal(err)
	}
	gone["request"].(map[string]any)["operation"] = "DELETE"
	body, err := json.Marshal(gone)
	if err != nil {
		t.Fatal(err)
	}
	if w := s.post(validatePxc, body); w.Code != 200 || !strings.Contains(w.Body.String(), `"allowed":true`) {
		t.Error(w.Code, w.Body)
	}
}
