package fakekubelet

import (
	"fmt"
	"path"
	"strconv"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

// FaultsConfigMap names the ConfigMap whose key FaultsKey holds the rules for its namespace.
const (
	FaultsConfigMap = "lab-faults"
	FaultsKey       = "rules"
)

// annotationPrefix starts the annotations that set a fault on one pod or claim.
const annotationPrefix = "lab.drydock.dev/"

// How a claim's growth goes wrong.
const (
	// ResizeInfeasible: the storage says that it can never be.
	ResizeInfeasible = "infeasible"
	// ResizeNever: the growth begins and nothing more is heard of it.
	ResizeNever = "never"
	// ResizeFilesystemPending: the volume grows, its file system only when a new pod mounts it.
	ResizeFilesystemPending = "filesystem-pending"
	// ResizeTransient: the first calls to the CSI driver fail, then it works. Only CSI volumes know it.
	ResizeTransient = "transient"
)

// Rule is one entry of the rules. Pod and Claim are globs over names; a rule with UID applies to that one
// object only, so that its successor of the same name is well. Later rules win field by field.
type Rule struct {
	Pod   string `json:"pod,omitempty"`
	Claim string `json:"claim,omitempty"`
	UID   string `json:"uid,omitempty"`

	PodFaults   `json:",inline"`
	ClaimFaults `json:",inline"`
}

// PodFaults are what can be wrong with a pod. Nil and empty fields mean: as usual.
type PodFaults struct {
	ReadyAfter     *metav1.Duration `json:"readyAfter,omitempty"`
	TerminateAfter *metav1.Duration `json:"terminateAfter,omitempty"`
	NeverReady     *bool            `json:"neverReady,omitempty"`
	CrashLoop      *bool            `json:"crashLoop,omitempty"`
	// RefuseSecret is a glob: a pod that mounts such a Secret or ConfigMap does not start.
	RefuseSecret string `json:"refuseSecret,omitempty"`
	// RefuseIssuer is a common name: a pod that mounts a certificate of that authority's does not start.
	RefuseIssuer string `json:"refuseIssuer,omitempty"`
}

// ClaimFaults are what can be wrong with a claim.
type ClaimFaults struct {
	Resize string `json:"resize,omitempty"`
	// Above limits Resize to requests larger than this, so that a smaller retry succeeds.
	Above     *resource.Quantity `json:"above,omitempty"`
	GrowAfter *metav1.Duration   `json:"growAfter,omitempty"`
	// Failures is how many calls a transient fault lasts; 0 for one.
	Failures int `json:"failures,omitempty"`
}

// ParseRules reads the rules; unknown fields are errors, since a misspelt fault would let a test pass.
func ParseRules(text string) ([]Rule, error) {
	var rules []Rule
	if err := yaml.UnmarshalStrict([]byte(text), &rules); err != nil {
		return nil, fmt.Errorf("read fault rules: %w", err)
	}
	for i, r := range rules {
		if (r.Pod == "") == (r.Claim == "") {
			return nil, fmt.Errorf("fault rule %d: set either pod or claim", i)
		}
		for _, glob := range []string{r.Pod, r.Claim, r.RefuseSecret} {
			if _, err := path.Match(glob, ""); err != nil {
				return nil, fmt.Errorf("fault rule %d: glob %q: %w", i, glob, err)
			}
		}
		if err := checkResize(r.Resize); err != nil {
			return nil, fmt.Errorf("fault rule %d: %w", i, err)
		}
	}
	return rules, nil
}

func checkResize(mode string) error {
	switch mode {
	case "", ResizeInfeasible, ResizeNever, ResizeFilesystemPending, ResizeTransient:
		return nil
	}
	return fmt.Errorf("resize %q: want %s, %s, %s or %s", mode, ResizeInfeasible, ResizeNever, ResizeFilesystemPending, ResizeTransient)
}

// mode is how the growth to that size goes wrong; empty when it does not.
func (f ClaimFaults) mode(want resource.Quantity) string {
	if f.Above != nil && want.Cmp(*f.Above) <= 0 {
		return ""
	}
	return f.Resize
}

// podFaults merges the rules that match a pod and then its annotations, which know best.
func podFaults(rules []Rule, pod metav1.Object) (PodFaults, error) {
	var f PodFaults
	for _, r := range rules {
		if r.Pod == "" || !matches(r.Pod, r.UID, pod) {
			continue
		}
		f.ReadyAfter = either(r.ReadyAfter, f.ReadyAfter)
		f.TerminateAfter = either(r.TerminateAfter, f.TerminateAfter)
		f.NeverReady = either(r.NeverReady, f.NeverReady)
		f.CrashLoop = either(r.CrashLoop, f.CrashLoop)
		if r.RefuseSecret != "" {
			f.RefuseSecret = r.RefuseSecret
		}
		if r.RefuseIssuer != "" {
			f.RefuseIssuer = r.RefuseIssuer
		}
	}
	a := annotations{values: pod.GetAnnotations()}
	f.ReadyAfter = either(a.duration("ready-after"), f.ReadyAfter)
	f.TerminateAfter = either(a.duration("terminate-after"), f.TerminateAfter)
	f.NeverReady = either(a.bool("never-ready"), f.NeverReady)
	f.CrashLoop = either(a.bool("crash-loop"), f.CrashLoop)
	return f, a.err
}

// claimFaults merges the rules that match a claim and then its annotations.
func claimFaults(rules []Rule, claim metav1.Object) (ClaimFaults, error) {
	var f ClaimFaults
	for _, r := range rules {
		if r.Claim == "" || !matches(r.Claim, r.UID, claim) {
			continue
		}
		if r.Resize != "" {
			f.Resize, f.Above, f.Failures = r.Resize, r.Above, r.Failures
		}
		f.GrowAfter = either(r.GrowAfter, f.GrowAfter)
	}
	a := annotations{values: claim.GetAnnotations()}
	f.GrowAfter = either(a.duration("grow-after"), f.GrowAfter)
	if mode, set := a.values[annotationPrefix+"resize"]; set {
		f.Resize, f.Above, f.Failures = mode, nil, 0
		if err := checkResize(mode); err != nil && a.err == nil {
			a.err = err
		}
	}
	return f, a.err
}

func matches(glob, uid string, o metav1.Object) bool {
	hit, err := path.Match(glob, o.GetName())
	return err == nil && hit && (uid == "" || uid == string(o.GetUID()))
}

func either[T any](first, second *T) *T {
	if first != nil {
		return first
	}
	return second
}

// orElse is the value of a fault's delay, or the usual one.
func orElse(d *metav1.Duration, usual time.Duration) time.Duration {
	if d != nil {
		return d.Duration
	}
	return usual
}

// annotations reads typed values and remembers the first that does not parse.
type annotations struct {
	values map[string]string
	err    error
}

func (a *annotations) duration(name string) *metav1.Duration {
	text, set := a.values[annotationPrefix+name]
	if !set {
		return nil
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		a.fail(name, err)
		return nil
	}
	return &metav1.Duration{Duration: d}
}

func (a *annotations) bool(name string) *bool {
	text, set := a.values[annotationPrefix+name]
	if !set {
		return nil
	}
	b, err := strconv.ParseBool(text)
	if err != nil {
		a.fail(name, err)
		return nil
	}
	return &b
}

func (a *annotations) fail(name string, err error) {
	if a.err == nil {
		a.err = fmt.Errorf("annotation %s%s: %w", annotationPrefix, name, err)
	}
}
