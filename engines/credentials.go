package engines

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
)

// Credentials is the Secret of one database user, named after the database; none when the user brings a Secret of
// another name or has somebody else look after it.
func (b Blueprint) Credentials(ref *kubedbv1.SecretReference, suffix, username string) []AuthSecret {
	name := Suffixed(b.Database.GetName(), suffix)
	if ref != nil && (ref.ExternallyManaged || ref.Name != "" && ref.Name != name) {
		return nil
	}
	return []AuthSecret{{
		Secret: &corev1.Secret{
			TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"},
			ObjectMeta: b.meta(name),
			Type:       corev1.SecretTypeBasicAuth,
			Data:       map[string][]byte{corev1.BasicAuthUsernameKey: []byte(username)},
		},
		Generate: []string{corev1.BasicAuthPasswordKey},
		Named:    ref != nil && ref.Name != "",
	}}
}
