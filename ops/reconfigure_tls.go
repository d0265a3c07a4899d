package ops

import (
	"slices"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
)

// planReconfigureTLS issues certificates and restarts every pod with them. When the authority may change, every pod
// first learns to trust both, so that no two pods ever meet without a common one; when it turns out not to, the steps
// find every pod as it should be. All groups restart: what the certificates will be is not known when the plan is made.
func planReconfigureTLS(r Request, c Change) Plan {
	removes := r.TLS != nil && r.TLS.Remove
	c = c.everywhere()
	all := c.Topology.Groups
	var p program
	p.pause()
	if c.SpecChanged {
		p.editDatabase(After)
	}
	if !removes {
		p.issue(After, c.Certificates)
	}
	p.trustFirst(c, all)
	p.apply(After, all)
	p.roll(After, all)
	p.verify(all)
	if removes {
		p.removeCertificates()
	}
	p.resume()
	return Plan{Steps: p.steps, Undo: undoResume(undoTLS(c))}
}

// undoTLS brings the pods back first: they name the old copy of the certificates, whatever became of those. Only then
// the certificates are put back for the next renewal. A rotation has changed no certificate that could be, and one that
// was removed is issued again when the gate is open.
func undoTLS(c Change) []Step {
	p := program{prefix: undoPrefix, steps: undoRoll(c)}
	switch {
	case c.AddsTLS:
		p.removeCertificates()
	case c.SpecChanged && len(c.Certificates) > 0:
		p.issue(Before, c.Certificates)
	}
	return p.steps
}

// ChangedTLS returns the TLS settings that the change makes of the old ones; nil means no TLS. An issuer replaces the
// old one; certificates are matched by alias, and of each only the fields that are given change. A rotation changes
// nothing, nor does a change of requireSSL alone. The old settings stay as they are.
func ChangedTLS(old *kubedbv1.TLSConfig, c TLSChange) *kubedbv1.TLSConfig {
	given := c.IssuerRef != nil || len(c.Certificates) > 0
	switch {
	case c.Remove:
		return nil
	case c.Rotate, c.RequireSSL != nil && !given:
		return old.DeepCopy()
	}
	result := &kubedbv1.TLSConfig{}
	if old != nil {
		result = old.DeepCopy()
	}
	if c.IssuerRef != nil {
		result.IssuerRef = c.IssuerRef.DeepCopy()
	}
	for _, change := range c.Certificates {
		i := slices.IndexFunc(result.Certificates, func(s kubedbv1.CertificateSpec) bool { return s.Alias == change.Alias })
		if i < 0 {
			result.Certificates = append(result.Certificates, *change.DeepCopy())
			continue
		}
		extend(&result.Certificates[i], change.DeepCopy())
	}
	return result
}

// extend overwrites the fields that the change gives.
func extend(spec, change *kubedbv1.CertificateSpec) {
	replace(&spec.IssuerRef, change.IssuerRef)
	if change.SecretName != "" {
		spec.SecretName = change.SecretName
	}
	replace(&spec.Subject, change.Subject)
	replace(&spec.Duration, change.Duration)
	replace(&spec.RenewBefore, change.RenewBefore)
	replace(&spec.PrivateKey, change.PrivateKey)
	for _, list := range []struct{ old, change *[]string }{
		{&spec.DNSNames, &change.DNSNames},
		{&spec.IPAddresses, &change.IPAddresses},
		{&spec.URIs, &change.URIs},
		{&spec.EmailAddresses, &change.EmailAddresses},
	} {
		if *list.change != nil {
			*list.old = *list.change
		}
	}
}

func replace[T any](old **T, change *T) {
	if change != nil {
		*old = change
	}
}
