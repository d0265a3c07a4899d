//go:build lab

package tls

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"strings"
	"sync"

	cmv1 "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	cmmeta "github.com/cert-manager/cert-manager/pkg/apis/meta/v1"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/drydock-db/drydock/certs"
	"github.com/drydock-db/drydock/test/framework"
)

// issuances are those of each Certificate for which there were CertificateRequests, and those for which the operator asked.
type issuances struct {
	mu          sync.Mutex
	made, asked map[string]map[string]bool
	stop        func()
}

func (a *arena) countIssuances() *issuances {
	GinkgoHelper()
	ctx, cancel := context.WithCancel(context.Background())
	i := &issuances{made: map[string]map[string]bool{}, asked: map[string]map[string]bool{}, stop: cancel}
	for _, list := range []client.ObjectList{&cmv1.CertificateRequestList{}, &cmv1.CertificateList{}} {
		w, err := a.Client.Watch(ctx, list, client.InNamespace(a.Name))
		Expect(err).NotTo(HaveOccurred())
		go func() {
			for e := range w.ResultChan() {
				i.see(e)
			}
		}()
	}
	return i
}

func (i *issuances) see(e watch.Event) {
	i.mu.Lock()
	defer i.mu.Unlock()
	switch o := e.Object.(type) {
	case *cmv1.CertificateRequest:
		if e.Type == watch.Added {
			// cert-manager's key manager, when it is behind, replaces the key of an issuance, and the request is made again. That
			// is the same revision of the same Certificate; another issuance would be another one.
			issuance := o.Annotations[cmv1.CertificateRequestRevisionAnnotationKey]
			if owner := metav1.GetControllerOf(o); owner != nil {
				issuance += " of " + string(owner.UID)
			}
			note(i.made, o.Annotations[cmv1.CertificateNameKey], issuance)
		}
	case *cmv1.Certificate:
		for _, c := range o.Status.Conditions {
			if c.Type == cmv1.CertificateConditionIssuing && c.Reason == certs.ReasonTriggered && c.Status == cmmeta.ConditionTrue {
				note(i.asked, o.Name, string(o.UID)+c.LastTransitionTime.String())
			}
		}
	}
}

func note(of map[string]map[string]bool, certificate, what string) {
	if of[certificate] == nil {
		of[certificate] = map[string]bool{}
	}
	of[certificate][what] = true
}

// askedFor is how often the operator asked for each of the sample's certificates.
func (i *issuances) askedFor(s sample) map[string]int {
	i.mu.Lock()
	defer i.mu.Unlock()
	counts := map[string]int{}
	for _, alias := range s.aliases {
		counts[alias] = len(i.asked[s.name+"-"+alias+"-cert"])
	}
	return counts
}

// of is how often each of the sample's certificates was requested so far.
func (i *issuances) of(s sample) map[string]int {
	i.mu.Lock()
	defer i.mu.Unlock()
	counts := map[string]int{}
	for _, alias := range s.aliases {
		counts[alias] = len(i.made[s.name+"-"+alias+"-cert"])
	}
	return counts
}

// whyIssued is what cert-manager told of the issuances that it began by itself.
func (a *arena) whyIssued() string {
	var b strings.Builder
	for _, e := range a.Record.Story().Events {
		if told, ok := e.Object.(*eventsv1.Event); ok && told.Regarding.Kind == cmv1.CertificateKind {
			fmt.Fprintf(&b, "%s %s %s: %s\n", e.Seen.Format("05.000"), told.Regarding.Name, told.Reason, told.Note)
		}
	}
	return b.String()
}

// all is the same number for every alias.
func all(s sample, n int) map[string]int {
	counts := map[string]int{}
	for _, alias := range s.aliases {
		counts[alias] = n
	}
	return counts
}

// mounts checks that every pod mounts one and the same copy, at the reference's paths, with the latest certificates, and
// returns its content.
func (a *arena) mounts(ctx context.Context, s sample) map[string][]byte {
	GinkgoHelper()
	names := map[string]bool{}
	for _, name := range s.pods {
		pod, ok := framework.Latest[*corev1.Pod](a.Record, name)
		Expect(ok).To(BeTrue(), name)
		names[framework.CopyOf(pod)] = true
		for path, files := range s.files {
			Expect(filesAt(pod, path)).To(ConsistOf(files), "%s of %s", path, name)
		}
	}
	Expect(names).To(HaveLen(1), "copies that are mounted")
	var secret corev1.Secret
	for name := range names {
		Expect(a.Client.Get(ctx, client.ObjectKey{Namespace: a.Name, Name: name}, &secret)).To(Succeed())
	}
	Expect(secret.Immutable).To(HaveValue(BeTrue()))
	Expect(secret.Data).To(HaveLen(2*len(s.aliases) + 1))
	for _, alias := range s.aliases {
		var issued corev1.Secret
		Expect(a.Client.Get(ctx, client.ObjectKey{Namespace: a.Name, Name: s.name + "-" + alias + "-cert"}, &issued)).To(Succeed())
		Expect(secret.Data[alias+".crt"]).To(Equal(issued.Data["tls.crt"]), alias)
		_, err := tls.X509KeyPair(secret.Data[alias+".crt"], secret.Data[alias+".key"])
		Expect(err).NotTo(HaveOccurred(), alias)
	}
	return secret.Data
}

// filesAt are the files that the pod's first container finds in a directory that is a Secret.
func filesAt(pod *corev1.Pod, path string) []string {
	var files []string
	for _, m := range pod.Spec.Containers[0].VolumeMounts {
		for _, v := range pod.Spec.Volumes {
			if m.MountPath == path && v.Name == m.Name && v.Secret != nil {
				for _, item := range v.Secret.Items {
					files = append(files, item.Path)
				}
			}
		}
	}
	return files
}

func leaf(data map[string][]byte, alias string) *x509.Certificate {
	GinkgoHelper()
	chain, err := framework.Chain(data[alias+".crt"])
	Expect(err).NotTo(HaveOccurred())
	return chain[0]
}
