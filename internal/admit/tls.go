package admit

import (
	"fmt"
	"slices"
	"strings"

	cmv1 "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	"github.com/drydock-db/drydock/engines"
)

// checkCertificates is about certificates[] of a database or of a request. merged are the certificates that come of it: those of
// the database with what the request changes.
func checkCertificates(path *field.Path, list, merged []kubedbv1.CertificateSpec, e engines.Engine, db engines.Database) field.ErrorList {
	var errs field.ErrorList
	aliases := slices.Sorted(slices.Values(e.Aliases()))
	secrets := othersSecrets(list, merged, aliases, db)
	for i, c := range list {
		item := path.Child("certificates").Index(i)
		if c.Alias != "" && !slices.Contains(aliases, c.Alias) {
			errs = append(errs, field.NotSupported(item.Child("alias"), c.Alias, aliases))
		}
		if c.SecretName != "" {
			for _, problem := range validation.IsDNS1123Subdomain(c.SecretName) {
				errs = append(errs, field.Invalid(item.Child("secretName"), c.SecretName, problem))
			}
			if other, taken := secrets[c.SecretName]; taken && other != c.Alias {
				errs = append(errs, field.Invalid(item.Child("secretName"), c.SecretName,
					"the certificate "+other+" is kept in that Secret: give each its own"))
			}
			secrets[c.SecretName] = c.Alias
		}
		errs = append(errs, checkRenewal(item, c, becomes(c, merged))...)
	}
	return errs
}

// othersSecrets are the Secrets of the certificates that the list gives none, by name: the alias that has it.
func othersSecrets(list, merged []kubedbv1.CertificateSpec, aliases []string, db engines.Database) map[string]string {
	secrets := map[string]string{}
	for _, alias := range aliases {
		given := func(c kubedbv1.CertificateSpec) bool { return c.Alias == alias && c.SecretName != "" }
		if slices.ContainsFunc(list, given) {
			continue
		}
		name := engines.CertificateSecret(db, alias)
		if i := slices.IndexFunc(merged, given); i >= 0 {
			name = merged[i].SecretName
		}
		secrets[name] = alias
	}
	return secrets
}

// becomes is what a certificate is in the end.
func becomes(c kubedbv1.CertificateSpec, merged []kubedbv1.CertificateSpec) kubedbv1.CertificateSpec {
	if i := slices.IndexFunc(merged, func(m kubedbv1.CertificateSpec) bool { return m.Alias == c.Alias }); i >= 0 {
		return merged[i]
	}
	return c
}

// checkRenewal refuses a certificate that would have to be renewed before it is issued, at the field that asks for that.
func checkRenewal(path *field.Path, c, merged kubedbv1.CertificateSpec) field.ErrorList {
	lifetime := cmv1.DefaultCertificateDuration
	if merged.Duration != nil {
		lifetime = merged.Duration.Duration
	}
	switch {
	case merged.RenewBefore == nil || merged.RenewBefore.Duration < lifetime:
		return nil
	case c.RenewBefore != nil:
		return field.ErrorList{field.Invalid(path.Child("renewBefore"), c.RenewBefore.Duration.String(),
			fmt.Sprintf("it must be less than the certificate's duration, which is %s", lifetime))}
	case c.Duration != nil:
		return field.ErrorList{field.Invalid(path.Child("duration"), c.Duration.Duration.String(),
			fmt.Sprintf("it must be more than the certificate's renewBefore, which the database has as %s", merged.RenewBefore.Duration))}
	}
	return nil
}

// checkIssuers is about references to issuers: what can never work is refused. Whether one that is missing is an error
// or worth a warning depends on who asks.
func checkIssuers(refs []issuerRef, known map[string]issuerFact, who string) field.ErrorList {
	var errs field.ErrorList
	for _, i := range refs {
		errs = append(errs, checkIssuerKind(i)...)
		fact := known[i.key()]
		switch {
		case !i.known():
		case fact.never != "":
			errs = append(errs, field.Invalid(i.field("name"), i.ref.Name, "no "+i.ref.Kind+" can have that name: "+fact.never))
		case fact.denied:
			errs = append(errs, field.Forbidden(i.field("name"), fmt.Sprintf(
				"%s may not use ClusterIssuer %s: the right to use clusterissuers.%s is needed, "+
					"or an administrator allows it to everybody with --allowed-cluster-issuers", user(who), i.ref.Name, groupCertManager)))
		case fact.notInstalled:
			errs = append(errs, field.Invalid(i.field("kind"), i.ref.Kind,
				"cert-manager, which issues all certificates, was not there when the operator started: install it, then restart the operator"))
		case fact.managed:
			errs = append(errs, field.Invalid(i.field("name"), i.ref.Name,
				"it is the managed issuer of a database, which goes when the database names an issuer: leave issuerRef out to keep it, or name one of your own"))
		case fact.acme:
			errs = append(errs, field.Invalid(i.field("name"), i.ref.Name, fmt.Sprintf(
				"%s %s is an ACME issuer, which cannot sign names inside a cluster and hands out no CA: use a CA, Vault or self-signed CA issuer",
				i.ref.Kind, i.ref.Name)))
		}
	}
	return errs
}

func checkIssuerKind(i issuerRef) field.ErrorList {
	var errs field.ErrorList
	if i.group() != groupCertManager {
		errs = append(errs, field.NotSupported(i.path.Child("apiGroup"), i.group(), []string{groupCertManager}))
	}
	if i.ref.Kind != cmv1.IssuerKind && i.ref.Kind != cmv1.ClusterIssuerKind {
		errs = append(errs, field.NotSupported(i.path.Child("kind"), i.ref.Kind, []string{cmv1.ClusterIssuerKind, cmv1.IssuerKind}))
	}
	if i.ref.Name == "" {
		errs = append(errs, field.Required(i.path.Child("name"), "name the issuer, or leave issuerRef out"))
	}
	return errs
}

// missing tells whether the issuer could have been there and is not.
func (f issuerFact) missing() bool { return !f.found && !f.denied && !f.notInstalled && f.never == "" }

// whereabouts of an issuer, for messages.
func (i issuerRef) whereabouts(namespace string) string {
	if i.ref.Kind == cmv1.ClusterIssuerKind {
		return "there is no ClusterIssuer of that name"
	}
	return "there is no Issuer of that name in namespace " + namespace
}

// unready lists the issuers that exist and cannot sign yet.
func unready(refs []issuerRef, known map[string]issuerFact) []string {
	var list []string
	for _, i := range refs {
		fact, ok := known[i.key()]
		if !ok || !fact.found || fact.ready || fact.acme {
			continue
		}
		text := i.ref.Kind + " " + i.ref.Name + " is not ready"
		if fact.why != "" {
			text += " (" + strings.TrimSuffix(fact.why, ".") + ")"
		}
		if !slices.Contains(list, text) {
			list = append(list, text)
		}
	}
	return list
}
