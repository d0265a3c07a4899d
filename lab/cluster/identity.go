package cluster

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"strings"
	"time"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// user is an identity of the static token file. Controllers have the names that Kubernetes' own RBAC
// rules know; the lab's own parts are administrators.
type user struct{ name, group, kubeconfig string }

func (l *Lab) users() []user {
	return []user{
		{"lab-admin", "system:masters", l.path("kubeconfig")},
		{"lab-fake-kubelet", "system:masters", l.data("fake-kubelet.kubeconfig")},
		{"lab-cert-manager", "system:masters", l.data("cert-manager.kubeconfig")},
		{"lab-csi-resizer", "system:masters", l.data("csi-resizer.kubeconfig")},
		{"system:kube-controller-manager", "", l.data("kube-controller-manager.kubeconfig")},
		{"system:kube-scheduler", "", l.data("kube-scheduler.kubeconfig")},
	}
}

// writeIdentities makes the serving certificate, the key that signs service account tokens, the token
// file and a kubeconfig per user. It does nothing when they are there.
func (l *Lab) writeIdentities() error {
	if _, err := os.Stat(l.data("pki", "tokens.csv")); err == nil {
		return nil
	}
	if err := os.MkdirAll(l.data("pki"), 0o700); err != nil {
		return fmt.Errorf("make the key folder: %w", err)
	}
	authority, err := l.writeCertificates()
	if err != nil {
		return err
	}
	if _, err := writeKey(l.data("pki", "service-accounts.key")); err != nil {
		return err
	}
	var tokens strings.Builder
	for _, u := range l.users() {
		token := make([]byte, 24)
		_, _ = rand.Read(token) // never fails, see its documentation
		fmt.Fprintf(&tokens, "%x,%s,%s,%q\n", token, u.name, u.name, u.group)
		if err := l.writeKubeconfig(u.kubeconfig, u.name, hex.EncodeToString(token), authority); err != nil {
			return err
		}
	}
	if err := os.WriteFile(l.data("pki", "tokens.csv"), []byte(tokens.String()), 0o600); err != nil {
		return fmt.Errorf("write the token file: %w", err)
	}
	return nil
}

// writeKubeconfig writes a kubeconfig for this lab's API server with one user.
func (l *Lab) writeKubeconfig(path, name, token string, authority []byte) error {
	config := clientcmdapi.NewConfig()
	config.Clusters["lab"] = &clientcmdapi.Cluster{Server: "https://" + l.address(portAPIServer), CertificateAuthorityData: authority}
	config.AuthInfos[name] = &clientcmdapi.AuthInfo{Token: token}
	config.Contexts["lab"] = &clientcmdapi.Context{Cluster: "lab", AuthInfo: name}
	config.CurrentContext = "lab"
	if err := clientcmd.WriteToFile(*config, path); err != nil {
		return fmt.Errorf("write kubeconfig of %s: %w", name, err)
	}
	return nil
}

// writeCertificates makes a certificate authority and the API server's certificate, and returns the
// authority's certificate in PEM.
func (l *Lab) writeCertificates() ([]byte, error) {
	authorityKey, err := writeKey(l.data("pki", "ca.key"))
	if err != nil {
		return nil, err
	}
	authority := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "drydock-lab"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(10, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	authorityPEM, err := writeCertificate(l.data("pki", "ca.crt"), authority, authority, authorityKey, authorityKey)
	if err != nil {
		return nil, err
	}
	key, err := writeKey(l.data("pki", "apiserver.key"))
	if err != nil {
		return nil, err
	}
	serving := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "kube-apiserver"},
		NotBefore: authority.NotBefore, NotAfter: authority.NotAfter,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:    []string{"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	if _, err := writeCertificate(l.data("pki", "apiserver.crt"), serving, authority, key, authorityKey); err != nil {
		return nil, err
	}
	return authorityPEM, nil
}

func writeKey(path string) (*ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make key %s: %w", path, err)
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("encode key %s: %w", path, err)
	}
	content := pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der})
	if err := os.WriteFile(path, content, 0o600); err != nil {
		return nil, fmt.Errorf("write key: %w", err)
	}
	return key, nil
}

func writeCertificate(path string, cert, parent *x509.Certificate, key, parentKey *ecdsa.PrivateKey) ([]byte, error) {
	der, err := x509.CreateCertificate(rand.Reader, cert, parent, &key.PublicKey, parentKey)
	if err != nil {
		return nil, fmt.Errorf("sign certificate %s: %w", path, err)
	}
	content := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	if err := os.WriteFile(path, content, 0o644); err != nil {
		return nil, fmt.Errorf("write certificate: %w", err)
	}
	return content, nil
}
