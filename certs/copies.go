package certs

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Copy is the content of the immutable Secret that pods mount: every certificate with its key, and one bundle of
// authorities. So what cert-manager issues never changes files under a running pod, trust can change before
// certificates do, and an undo has something to go back to.
type Copy map[string][]byte

// Extensions of the keys of a copy; before them stands the alias.
const (
	extChain   = ".crt"
	extPrivate = ".key"
)

// NewCopy puts certificates, by alias, beside the authorities to trust.
func NewCopy(pairs map[string]Pair, authorities []byte) Copy {
	c := Copy{keyAuthority: authorities}
	for alias, p := range pairs {
		c[alias+extChain], c[alias+extPrivate] = p.Chain, p.Key
	}
	return c
}

// trusting is the same certificates beside other authorities.
func (c Copy) trusting(authorities []byte) Copy {
	other := maps.Clone(c)
	other[keyAuthority] = authorities
	return other
}

// chains are the certificates of the copy. What cannot be read is left out: nobody can verify it either.
func (c Copy) chains() [][]*x509.Certificate {
	var all [][]*x509.Certificate
	for _, key := range slices.Sorted(maps.Keys(c)) {
		if key == keyAuthority || !strings.HasSuffix(key, extChain) {
			continue
		}
		if chain, err := Parse(c[key]); err == nil {
			all = append(all, chain)
		}
	}
	return all
}

// Exchange is how the pods of a database get from the copies that they mount to one with other certificates.
type Exchange struct {
	// Trust are the copies to mount first, by group: the certificates that the group has, and every authority. Where
	// nothing new has to be trusted it is what the group mounts already.
	Trust map[string]Copy
	// After is the copy to mount then, the same for every group.
	After Copy
	// NewAuthority says that Trust differs from what is mounted.
	NewAuthority bool
	// OldAuthority says that After trusts an authority that signs none of its certificates: it may go with the next
	// restart, once no pod presents a certificate of it any more.
	OldAuthority bool
}

// NewExchange works out how to get from the mounted copies, by group, to the current certificates, by alias.
//
// While pods change one by one, any two of them have to trust one another: so every pod first trusts every authority
// that signs a certificate which is mounted now or is to be mounted. Authorities that do neither are left out of After.
// others are copies that only pods still mount, left there by an operation that could not be undone.
func NewExchange(now time.Time, current map[string]Pair, mounted map[string]Copy, others ...Copy) (Exchange, error) {
	if len(current) == 0 {
		return Exchange{}, errors.New("there are no certificates")
	}
	fresh, err := freshAuthorities(now, current)
	if err != nil {
		return Exchange{}, err
	}
	e := Exchange{Trust: map[string]Copy{}}
	everything, needed := [][]byte{fresh}, [][]byte{fresh}
	present := slices.AppendSeq(slices.Clone(others), maps.Values(mounted))
	for _, old := range present {
		e.NewAuthority = e.NewAuthority || !SameAuthority(old[keyAuthority], fresh)
		everything = append(everything, old[keyAuthority])
		if signing := signing(old[keyAuthority], present); len(signing) > 0 {
			needed = append(needed, signing)
		}
	}
	if err := e.trust(now, mounted, everything); err != nil {
		return Exchange{}, err
	}
	bundle, err := Union(now, needed...)
	if err != nil {
		return Exchange{}, err
	}
	e.OldAuthority = !bytes.Equal(bundle, fresh)
	e.After = NewCopy(current, bundle)
	return e, nil
}

// freshAuthorities are those of the current certificates.
func freshAuthorities(now time.Time, current map[string]Pair) ([]byte, error) {
	var bundles [][]byte
	for _, alias := range slices.Sorted(maps.Keys(current)) {
		bundles = append(bundles, current[alias].Authority)
	}
	fresh, err := Union(now, bundles...)
	if err != nil {
		return nil, err
	}
	if len(fresh) == 0 {
		return nil, errors.New("every authority of the certificates has expired")
	}
	return fresh, nil
}

func (e *Exchange) trust(now time.Time, mounted map[string]Copy, bundles [][]byte) error {
	if !e.NewAuthority {
		maps.Copy(e.Trust, mounted)
		return nil
	}
	bundle, err := Union(now, bundles...)
	if err != nil {
		return fmt.Errorf("a mounted copy: %w", err)
	}
	for name, old := range mounted {
		e.Trust[name] = old.trusting(bundle)
	}
	return nil
}

// signing keeps the authorities of a bundle that vouch for a certificate of any mounted copy; nil if none does.
func signing(bundle []byte, mounted []Copy) []byte {
	authorities, err := Parse(bundle)
	if err != nil {
		return nil
	}
	var chains [][]*x509.Certificate
	for _, c := range mounted {
		chains = append(chains, c.chains()...)
	}
	return format(slices.DeleteFunc(authorities, func(a *x509.Certificate) bool {
		return !slices.ContainsFunc(chains, func(chain []*x509.Certificate) bool { return signs(a, chain) })
	}))
}
