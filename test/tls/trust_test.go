//go:build lab

package tls

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"sync"

	cmv1 "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	cmmeta "github.com/cert-manager/cert-manager/pkg/apis/meta/v1"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/drydock-db/drydock/certs"
	"github.com/drydock-db/drydock/test/framework"
)

// copyOf is the name of the copy of certificates that a pod mounts; empty when there is none.
func copyOf(pod *corev1.Pod) string {
	for _, v := range pod.Spec.Volumes {
		if v.Secret != nil && strings.Contains(v.Secret.SecretName, "-tls-") {
			return v.Secret.SecretName
		}
	}
	return ""
}

// believes tells whether whoever mounts the one copy believes every certificate in the other.
func believes(mine, theirs map[string][]byte) error {
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(mine["ca.crt"]) {
		return fmt.Errorf("there is no authority in ca.crt")
	}
	for file, text := range theirs {
		if file == "ca.crt" || !strings.HasSuffix(file, ".crt") {
			continue
		}
		chain, err := certificates(text)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		between := x509.NewCertPool()
		for _, c := range chain[1:] {
			between.AddCert(c)
		}
		options := x509.VerifyOptions{Roots: pool, Intermediates: between, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}
		if _, err := chain[0].Verify(options); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	return nil
}

// certificates are those of a file, at least one.
func certificates(text []byte) ([]*x509.Certificate, error) {
	var list []*x509.Certificate
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	if len(list) == 0 {
		return nil, errors.New("there is no certificate")
	}
	return list, nil
}

// copies are the contents of all copies of certificates that ever were, by name. They never change.
func copies(s framework.Story) map[string]map[string][]byte {
	all := map[string]map[string][]byte{}
	for _, e := range s.Events {
		if secret, ok := e.Object.(*corev1.Secret); ok && all[secret.Name] == nil {
			all[secret.Name] = secret.Data
		}
	}
	return all
}

// strangers lists the events after which two pods that both speak TLS did not trust one another. Pods count from their
// first moment to their last, ready or not.
func strangers(s framework.Story) []string {
	var found []string
	contents, pods, met := copies(s), map[types.UID]*corev1.Pod{}, map[string]bool{}
	for _, e := range s.Events {
		pod, ok := e.Object.(*corev1.Pod)
		if !ok {
			continue
		}
		if pods[pod.UID] = pod; e.Type == watch.Deleted {
			delete(pods, pod.UID)
		}
		for _, p := range pods {
			for _, q := range pods {
				mine, theirs := copyOf(p), copyOf(q)
				if mine == "" || theirs == "" || met[mine+theirs] {
					continue
				}
				met[mine+theirs] = true
				if err := believes(contents[mine], contents[theirs]); err != nil {
					found = append(found, fmt.Sprintf("%s (%s) does not trust %s (%s) at version %d: %v", p.Name, mine, q.Name, theirs, e.Version, err))
				}
			}
		}
	}
	return found
}

// passage are the contents of the copies that pods of that name mounted one after another, after that version.
func (a *arena) passage(pod string, after uint64) []map[string][]byte {
	var passed []map[string][]byte
	story, last := a.Record.Story(), ""
	contents := copies(story)
	for _, e := range story.Events {
		p, ok := e.Object.(*corev1.Pod)
		if !ok || p.Name != pod || e.Version <= after || e.Type != watch.Added {
			continue
		}
		if name := copyOf(p); name != last {
			last = name
			passed = append(passed, contents[name])
		}
	}
	return passed
}

// issuances counts the CertificateRequests of each Certificate, and how often the operator asked for one.
type issuances struct {
	mu    sync.Mutex
	count map[string]int
	asked map[string]map[string]bool
	stop  func()
}

func (a *arena) countIssuances() *issuances {
	GinkgoHelper()
	ctx, cancel := context.WithCancel(context.Background())
	i := &issuances{count: map[string]int{}, asked: map[string]map[string]bool{}, stop: cancel}
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
			i.count[o.Annotations[cmv1.CertificateNameKey]]++
		}
	case *cmv1.Certificate:
		for _, c := range o.Status.Conditions {
			if c.Type == cmv1.CertificateConditionIssuing && c.Reason == certs.ReasonTriggered && c.Status == cmmeta.ConditionTrue {
				if i.asked[o.Name] == nil {
					i.asked[o.Name] = map[string]bool{}
				}
				i.asked[o.Name][string(o.UID)+c.LastTransitionTime.String()] = true
			}
		}
	}
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
		counts[alias] = i.count[s.name+"-"+alias+"-cert"]
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
		names[copyOf(pod)] = true
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

// authorities are the common names in a bundle, without the namespace.
func (a *arena) authorities(bundle []byte) []string {
	GinkgoHelper()
	list, err := certificates(bundle)
	Expect(err).NotTo(HaveOccurred())
	names := make([]string, len(list))
	for i, c := range list {
		names[i] = strings.TrimPrefix(c.Subject.CommonName, a.Name+"-")
	}
	return names
}

func leaf(data map[string][]byte, alias string) *x509.Certificate {
	GinkgoHelper()
	chain, err := certificates(data[alias+".crt"])
	Expect(err).NotTo(HaveOccurred())
	return chain[0]
}
