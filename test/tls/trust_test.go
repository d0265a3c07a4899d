//go:build lab

package tls

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"strings"
	"sync"

	cmv1 "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

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

// believes tells whether whoever mounts the one copy believes the server certificate in the other.
func believes(mine, theirs map[string][]byte) error {
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(mine["ca.crt"]) {
		return fmt.Errorf("there is no authority in ca.crt")
	}
	block, _ := pem.Decode(theirs["server.crt"])
	if block == nil {
		return fmt.Errorf("there is no certificate in server.crt")
	}
	leaf, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return err
	}
	_, err = leaf.Verify(x509.VerifyOptions{Roots: pool, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
	return err
}

// strangers lists the events at which two Ready pods that both speak TLS did not trust one another.
func strangers(s framework.Story) []string {
	var found []string
	copies, pods, told := map[string]map[string][]byte{}, map[types.UID]*corev1.Pod{}, map[string]bool{}
	for _, e := range s.Events {
		switch o := e.Object.(type) {
		case *corev1.Secret:
			if _, known := copies[o.Name]; !known {
				copies[o.Name] = o.Data
			}
			continue
		case *corev1.Pod:
			if pods[o.UID] = o; e.Type == watch.Deleted {
				delete(pods, o.UID)
			}
		default:
			continue
		}
		for _, p := range pods {
			for _, q := range pods {
				mine, theirs := copyOf(p), copyOf(q)
				if mine == "" || theirs == "" || !framework.Ready(p) || !framework.Ready(q) || told[mine+theirs] {
					continue
				}
				if err := believes(copies[mine], copies[theirs]); err != nil {
					told[mine+theirs] = true
					found = append(found, fmt.Sprintf("%s (%s) does not trust %s (%s) at version %d: %v", p.Name, mine, q.Name, theirs, e.Version, err))
				}
			}
		}
	}
	return found
}

// issuances counts the CertificateRequests of each Certificate.
type issuances struct {
	mu    sync.Mutex
	count map[string]int
	stop  func()
}

func (a *arena) countIssuances() *issuances {
	GinkgoHelper()
	ctx, cancel := context.WithCancel(context.Background())
	w, err := a.Client.Watch(ctx, &cmv1.CertificateRequestList{}, client.InNamespace(a.Name))
	Expect(err).NotTo(HaveOccurred())
	i := &issuances{count: map[string]int{}, stop: cancel}
	go func() {
		for e := range w.ResultChan() {
			if r, ok := e.Object.(*cmv1.CertificateRequest); ok && e.Type == watch.Added {
				i.mu.Lock()
				i.count[r.Annotations[cmv1.CertificateNameKey]]++
				i.mu.Unlock()
			}
		}
	}()
	return i
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
		for path := range s.files {
			Expect(pod.Spec.Containers[0].VolumeMounts).To(ContainElement(HaveField("MountPath", path)), name)
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

// authorities are the common names in a bundle, without the namespace.
func (a *arena) authorities(bundle []byte) []string {
	GinkgoHelper()
	var names []string
	for block, rest := pem.Decode(bundle); block != nil; block, rest = pem.Decode(rest) {
		c, err := x509.ParseCertificate(block.Bytes)
		Expect(err).NotTo(HaveOccurred())
		names = append(names, strings.TrimPrefix(c.Subject.CommonName, a.Name+"-"))
	}
	return names
}

func (a *arena) leaf(data map[string][]byte, alias string) *x509.Certificate {
	GinkgoHelper()
	block, _ := pem.Decode(data[alias+".crt"])
	c, err := x509.ParseCertificate(block.Bytes)
	Expect(err).NotTo(HaveOccurred())
	return c
}
