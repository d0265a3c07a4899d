package controllers

import (
	"context"
	"crypto/rand"
	"fmt"
	"math/big"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/labels"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	"github.com/drydock-db/drydock/engines"
	"github.com/drydock-db/drydock/internal/apply"
	"github.com/drydock-db/drydock/internal/steps"
)

// createCredentials creates a Secret with credentials, unless it is there. It is not owned: a database that is deleted
// leaves its credentials behind, unless it is wiped out. Nor is it made again where data know the passwords that it had. One that
// somebody else made gets to the pods only if the spec names it: who may create databases may not be allowed to read it.
func (c *Database) createCredentials(ctx context.Context, db engines.Database, auth engines.AuthSecret, groups []engines.GroupObjects) error {
	live, err := c.secret(ctx, auth.Secret.Namespace, auth.Secret.Name)
	switch {
	case err == nil && !auth.Named && !c.madeFor(db, live):
		return &apply.ForeignError{Kind: "Secret", Name: live.Name, Want: c.Engine.Kind().Database.Kind + " " + db.GetName(),
			Instead: "name it in the spec to have it used as it is"}
	case err == nil:
		return nil
	case !apierrors.IsNotFound(err):
		return err
	}
	used, err := c.reads(ctx, db, groups, auth.Secret.Name)
	if err != nil {
		return err
	}
	if used {
		return &refusal{kubedbv1.ReasonCredentialsMissing, fmt.Errorf(
			"the pods have their passwords from Secret %s, which is gone; others would not fit the data: make it again as it was, with the labels %s",
			auth.Secret.Name, labels.FormatLabels(engines.SelectorLabels(c.Engine.Kind(), db)))}
	}
	secret, err := withPasswords(auth)
	if err != nil {
		return err
	}
	return c.Apply.CreateOnly(ctx, db, secret, false)
}

// reads tells whether pods need that Secret which are there, or which will find data of their predecessors.
func (c *Database) reads(ctx context.Context, db engines.Database, groups []engines.GroupObjects, secret string) (bool, error) {
	needs := steps.SecretNeeds{}
	for _, g := range groups {
		live, err := c.Cluster.Workload(ctx, db, g.StatefulSet.Name)
		if err != nil {
			return false, err
		}
		if live == nil {
			claims, err := c.claimsOf(ctx, db, g.StatefulSet.Name)
			if err != nil {
				return false, err
			}
			stays := func(claim corev1.PersistentVolumeClaim) bool { return claim.DeletionTimestamp == nil }
			if len(g.StatefulSet.Spec.VolumeClaimTemplates) == 0 || !slices.ContainsFunc(claims, stays) {
				continue
			}
			live = g.StatefulSet
		}
		needs.AddPod(live.Spec.Template.Spec)
	}
	_, found := needs[secret]
	return found, nil
}

// madeFor tells whether a Secret carries the labels of those that are made for the database.
func (c *Database) madeFor(db engines.Database, secret *corev1.Secret) bool {
	return labels.SelectorFromSet(engines.SelectorLabels(c.Engine.Kind(), db)).Matches(labels.Set(secret.Labels))
}

// withPasswords fills the generated keys of a credentials Secret.
func withPasswords(auth engines.AuthSecret) (*corev1.Secret, error) {
	secret := auth.Secret.DeepCopy()
	if secret.Data == nil {
		secret.Data = map[string][]byte{}
	}
	for _, key := range auth.Generate {
		password, err := randomPassword()
		if err != nil {
			return nil, err
		}
		secret.Data[key] = password
	}
	return secret, nil
}

// randomPassword returns 24 letters and digits, about 142 bits: no character that a shell or a DSN would trip over.
func randomPassword() ([]byte, error) {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	password := make([]byte, 24)
	for i := range password {
		n, err := rand.Int(rand.Reader, big.NewInt(int64(len(letters))))
		if err != nil {
			return nil, err
		}
		password[i] = letters[n.Int64()]
	}
	return password, nil
}
