package framework

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
)

// CopyOf is the name of the copy of certificates that a pod mounts; empty when there is none.
func CopyOf(pod *corev1.Pod) string {
	for _, v := range pod.Spec.Volumes {
		if v.Secret != nil && strings.Contains(v.Secret.SecretName, "-tls-") {
			return v.Secret.SecretName
		}
	}
	return ""
}

// Chain are the certificates of a file, at least one.
func Chain(text []byte) ([]*x509.Certificate, error) {
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

// Authorities are the common names in a bundle, without the namespace that Authority puts before them.
func (s *Space) Authorities(bundle []byte) ([]string, error) {
	list, err := Chain(bundle)
	names := make([]string, len(list))
	for i, c := range list {
		names[i] = strings.TrimPrefix(c.Subject.CommonName, s.Name+"-")
	}
	return names, err
}

// believes tells whether whoever mounts the one copy believes every certificate in the other.
func believes(mine, theirs map[string][]byte) error {
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(mine["ca.crt"]) {
		return errors.New("there is no authority in ca.crt")
	}
	for file, text := range theirs {
		if file == "ca.crt" || !strings.HasSuffix(file, ".crt") {
			continue
		}
		chain, err := Chain(text)
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

// contents are those of all Secrets that ever were, by name, as they were first. Copies never change.
func (s Story) contents() map[string]map[string][]byte {
	all := map[string]map[string][]byte{}
	for _, e := range s.Events {
		if secret, ok := e.Object.(*corev1.Secret); ok && all[secret.Name] == nil {
			all[secret.Name] = secret.Data
		}
	}
	return all
}

// Strangers lists the events after which two pods that both speak TLS did not trust one another. Pods count from their
// first moment to their last, ready or not.
func (s Story) Strangers() []string {
	var found []string
	contents, pods, met := s.contents(), map[types.UID]*corev1.Pod{}, map[string]bool{}
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
				mine, theirs := CopyOf(p), CopyOf(q)
				if mine == "" || theirs == "" || met[mine+theirs] {
					continue
				}
				met[mine+theirs] = true
				if err := believes(contents[mine], contents[theirs]); err != nil {
					found = append(found, fmt.Sprintf("%s (%s) does not trust %s (%s) at version %d: %v",
						p.Name, mine, q.Name, theirs, e.Version, err))
				}
			}
		}
	}
	return found
}

// Passage are the contents of the copies that pods of that name mounted one after another, after that version.
func (s Story) Passage(pod string, after uint64) []map[string][]byte {
	var passed []map[string][]byte
	contents, last := s.contents(), ""
	for _, e := range s.Events {
		p, ok := e.Object.(*corev1.Pod)
		if !ok || p.Name != pod || e.Version <= after || e.Type != watch.Added {
			continue
		}
		if name := CopyOf(p); name != last {
			last = name
			passed = append(passed, contents[name])
		}
	}
	return passed
}

// LastBare is the version at which the last pod without a certificate was told to leave.
func (s Story) LastBare() uint64 {
	var last uint64
	for _, e := range s.Events {
		if pod, ok := e.Object.(*corev1.Pod); ok && CopyOf(pod) == "" && pod.DeletionTimestamp != nil {
			last = e.Version
		}
	}
	return last
}

// FirstConfigured is the version at which the first pod was there whose configuration contains the text; 0 if there was none.
func (s Story) FirstConfigured(text string) uint64 {
	return s.First(func(e Event) bool {
		pod, ok := e.Object.(*corev1.Pod)
		return ok && s.Configured(pod, text)
	})
}

// Configured tells whether a file of the pod's configuration contains the text.
func (s Story) Configured(pod *corev1.Pod, text string) bool {
	for _, v := range pod.Spec.Volumes {
		if v.Name != "custom-config" || v.Secret == nil {
			continue
		}
		for _, e := range s.Events {
			if secret, ok := e.Object.(*corev1.Secret); ok && secret.Name == v.Secret.SecretName && mentions(secret, text) {
				return true
			}
		}
	}
	return false
}

func mentions(secret *corev1.Secret, text string) bool {
	for _, content := range secret.Data {
		if bytes.Contains(content, []byte(text)) {
			return true
		}
	}
	return false
}
