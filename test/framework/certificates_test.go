package framework

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/drydock-db/drydock/certs/certstest"
)

// copied is a copy of a certificate that the first of the authorities has signed; all of them are trusted.
func copied(name string, trusted ...certstest.Authority) *corev1.Secret {
	var bundle []byte
	for _, a := range trusted {
		bundle = append(bundle, a.PEM()...)
	}
	issued := trusted[0].Issue(time.Now(), time.Hour)
	return &corev1.Secret{ObjectMeta: named(name, name), Data: map[string][]byte{"ca.crt": bundle, "server.crt": issued["tls.crt"]}}
}

// mounting is a pod that mounts those Secrets.
func mounting(p *corev1.Pod, certificates, configuration string) *corev1.Pod {
	for name, secret := range map[string]string{"tls": certificates, "custom-config": configuration} {
		if secret != "" {
			p.Spec.Volumes = append(p.Spec.Volumes, corev1.Volume{
				Name: name, VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: secret}},
			})
		}
	}
	return p
}

// authorities begins a story with copies by two authorities: of the first, of the first while both are trusted, of the second
// while both are trusted, of the second.
func authorities() *teller {
	one, two := certstest.NewAuthority("one", time.Now(), time.Hour), certstest.NewAuthority("two", time.Now(), time.Hour)
	return (&teller{}).tell(watch.Added, copied("px-tls-old", one), copied("px-tls-trust", one, two), copied("px-tls-new", two, one),
		copied("px-tls-hasty", two))
}

func TestPodsThatPassThroughTrustAreNoStrangers(t *testing.T) {
	story := authorities().
		tell(watch.Added, mounting(pod("px-0", "a", true, false), "px-tls-old", "")).
		tell(watch.Added, mounting(pod("px-1", "b", true, false), "px-tls-old", "")).
		tell(watch.Deleted, mounting(pod("px-1", "b", true, true), "px-tls-old", "")).
		tell(watch.Added, mounting(pod("px-1", "c", true, false), "px-tls-trust", "")).
		tell(watch.Deleted, mounting(pod("px-0", "a", true, true), "px-tls-old", "")).
		tell(watch.Added, mounting(pod("px-0", "d", true, false), "px-tls-trust", "")).
		tell(watch.Deleted, mounting(pod("px-1", "c", true, true), "px-tls-trust", "")).
		tell(watch.Added, mounting(pod("px-1", "e", true, false), "px-tls-new", "")).story
	if found := story.Strangers(); len(found) > 0 {
		t.Errorf("found %v", found)
	}
	passed := story.Passage("px-1", 6) // since both were there
	if len(passed) != 2 || string(passed[0]["server.crt"]) == string(passed[1]["server.crt"]) {
		t.Errorf("px-1 passed %d copies", len(passed))
	}
	names, err := (&Space{}).Authorities(passed[0]["ca.crt"])
	if err != nil || strings.Join(names, " ") != "one two" {
		t.Errorf("px-1 trusted %v first (%v)", names, err)
	}
}

func TestPodsOfTwoAuthoritiesAreStrangers(t *testing.T) {
	story := authorities().tell(watch.Added, mounting(pod("px-0", "a", true, false), "px-tls-old", ""),
		mounting(pod("px-1", "b", true, false), "px-tls-hasty", "")).story
	if found := story.Strangers(); len(found) != 2 {
		t.Errorf("found %v", found)
	}
}

func TestWhenPodsInsistOnTLS(t *testing.T) {
	const insists = "require_secure_transport = ON"
	configured := func(name, line string) *corev1.Secret {
		return &corev1.Secret{ObjectMeta: named(name, name), Data: map[string][]byte{"a.cnf": []byte("[mysqld]\n" + line + "\n")}}
	}
	story := authorities().
		tell(watch.Added, configured("px-config-1", ""), configured("px-config-2", insists)).
		tell(watch.Added, mounting(pod("px-0", "a", true, false), "", "px-config-1")).
		tell(watch.Modified, mounting(pod("px-0", "a", true, true), "", "px-config-1")).
		tell(watch.Added, mounting(pod("px-0", "b", true, false), "px-tls-old", "px-config-1")).
		tell(watch.Added, mounting(pod("px-1", "c", true, false), "px-tls-old", "px-config-2")).story
	if bare, first := story.LastBare(), story.FirstConfigured(insists); bare != 8 || first != 10 {
		t.Errorf("the last pod without a certificate left at %d, and the first that insists came at %d", bare, first)
	}
}
