package fakekubelet

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

func TestParseRules(t *testing.T) {
	for text, wrong := range map[string]string{
		`- {pod: "pxc-*", neverReady: true, readyAfter: 2s}`: "",
		`- {claim: data, resize: infeasible, above: 4Gi}`:    "",
		`- {pod: a, neveready: true}`:                        "unknown field",
		`- {neverReady: true}`:                               "set either pod or claim",
		`- {claim: data, resize: sometimes}`:                 `resize "sometimes"`,
		`- {pod: "[", neverReady: true}`:                     "syntax error in pattern",
		`- {pod: a, readyAfter: soon}`:                       "invalid duration",
	} {
		_, err := ParseRules(text)
		if wrong == "" && err != nil || wrong != "" && (err == nil || !strings.Contains(err.Error(), wrong)) {
			t.Errorf("ParseRules(%s): error %v, want %q", text, err, wrong)
		}
	}
}

func TestPodFaults(t *testing.T) {
	rules, err := ParseRules(`
- {pod: "db-*", readyAfter: 1s, neverReady: true}
- {pod: db-0, neverReady: false}
- {pod: db-0, uid: other, crashLoop: true}
- {claim: "*", resize: never}
`)
	if err != nil {
		t.Fatal(err)
	}
	pod := &metav1.ObjectMeta{Name: "db-0", UID: "u1", Annotations: map[string]string{"lab.drydock.dev/ready-after": "3s"}}
	f, err := podFaults(rules, pod)
	if err != nil || f.ReadyAfter.Duration != 3*time.Second || *f.NeverReady || f.CrashLoop != nil {
		t.Errorf("faults %+v, error %v", f, err)
	}
	pod.Annotations["lab.drydock.dev/crash-loop"] = "perhaps"
	if _, err := podFaults(rules, pod); err == nil {
		t.Error("a wrong annotation is no error")
	}
}

// signed makes an authority and a certificate that it has signed.
func signed(t *testing.T, issuer string) (authority, leaf []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ca := &x509.Certificate{Subject: pkix.Name{CommonName: issuer}, IsCA: true, BasicConstraintsValid: true, SerialNumber: big.NewInt(1)}
	made := make([][]byte, 0, 2)
	for _, c := range []*x509.Certificate{ca, {Subject: pkix.Name{CommonName: "leaf"}, SerialNumber: big.NewInt(2)}} {
		raw, err := x509.CreateCertificate(rand.Reader, c, ca, &key.PublicKey, key)
		if err != nil {
			t.Fatal(err)
		}
		made = append(made, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: raw}))
	}
	return made[0], made[1]
}

func TestInspect(t *testing.T) {
	authority, leaf := signed(t, "ours")
	secrets := map[string]*corev1.Secret{
		"leaf":  {Data: map[string][]byte{"server.crt": append(leaf, authority...)}},
		"trust": {Data: map[string][]byte{"ca.crt": authority}},
		"good":  {Data: map[string][]byte{"my.cnf": []byte("[mysqld]\n# lab_refuse_to_start = 1\nport = 3306\n")}},
		"bad":   {Data: map[string][]byte{"my.cnf": []byte("[mysqld]\n  lab-refuse-to-start=1\n"), "other": nil}},
		"never": {Data: map[string][]byte{"my.cnf": []byte("lab_never_ready\n")}},
	}
	objects := Objects{
		Secret:    func(name string) *corev1.Secret { return secrets[name] },
		ConfigMap: func(string) *corev1.ConfigMap { return nil },
		Claim: func(string) *corev1.PersistentVolumeClaim {
			return &corev1.PersistentVolumeClaim{Status: corev1.PersistentVolumeClaimStatus{Phase: corev1.ClaimPending}}
		},
	}
	secret := func(name string, optional bool, items ...corev1.KeyToPath) corev1.Volume {
		source := &corev1.SecretVolumeSource{SecretName: name, Optional: ptr.To(optional), Items: items}
		return corev1.Volume{Name: "v", VolumeSource: corev1.VolumeSource{Secret: source}}
	}
	claim := corev1.Volume{VolumeSource: corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "data"}}}
	for _, c := range []struct {
		name    string
		volume  corev1.Volume
		faults  PodFaults
		verdict Verdict
		missing string
	}{
		{name: "good", volume: secret("good", false)},
		{name: "bad", volume: secret("bad", false), verdict: Verdict{Refuse: true, Volume: "v"}},
		{name: "bad, but another key is mounted", volume: secret("bad", false, corev1.KeyToPath{Key: "other"})},
		{name: "never ready", volume: secret("never", false), verdict: Verdict{NeverReady: true}},
		{name: "refused by name", volume: secret("good", false), faults: PodFaults{RefuseSecret: "go*"}, verdict: Verdict{Refuse: true, Volume: "v"}},
		{name: "refused by authority", volume: secret("leaf", false), faults: PodFaults{RefuseIssuer: "ours"}, verdict: Verdict{Refuse: true, Volume: "v"}},
		{name: "of another authority", volume: secret("leaf", false), faults: PodFaults{RefuseIssuer: "theirs"}},
		{name: "trusts that authority only", volume: secret("trust", false), faults: PodFaults{RefuseIssuer: "ours"}},
		{name: "missing", volume: secret("none", false), missing: `secret "none" not found`},
		{name: "missing but optional", volume: secret("none", true)},
		{name: "missing key", volume: secret("good", false, corev1.KeyToPath{Key: "x"}), missing: `"good" has no key "x"`},
		{name: "claim not bound", volume: claim, missing: `persistentvolumeclaim "data" is not bound`},
	} {
		pod := &corev1.Pod{Spec: corev1.PodSpec{Volumes: []corev1.Volume{c.volume}}}
		verdict, missing := Inspect(pod, objects, c.faults)
		if verdict != c.verdict || missing != c.missing {
			t.Errorf("%s: verdict %+v, missing %q; want %+v, %q", c.name, verdict, missing, c.verdict, c.missing)
		}
	}
}
