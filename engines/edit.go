package engines

import (
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	catalogv1 "github.com/drydock-db/drydock/apis/catalog/v1alpha1"
	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/ops"
)

// Edit changes the database's spec, in place, into what the request asks for. A restart asks for nothing there. It
// fails on a group that the database does not have and on a configuration that cannot be merged; the object may be
// half changed then. Editing twice gives the same as editing once.
func Edit(e Engine, db Database, r ops.Request, version *catalogv1.VersionSpec) error {
	settings := e.Settings(db)
	switch r.Type {
	case opsv1.Reconfigure:
		for _, name := range slices.Sorted(maps.Keys(r.Configuration)) {
			group, err := settings.group(name)
			if err != nil {
				return err
			}
			if err := group.reconfigure(e, version, r.Configuration[name]); err != nil {
				return fmt.Errorf("group %q: %w", name, err)
			}
		}
	case opsv1.ReconfigureTLS:
		settings.changeTLS(r.TLS)
		defaultCertificates(db, inner(settings.TLS), e.Aliases()) // the webhook leaves the operator's edits alone
	case opsv1.VolumeExpansion:
		for _, name := range slices.Sorted(maps.Keys(r.Volumes)) {
			group, err := settings.group(name)
			if err != nil {
				return err
			}
			if err := group.grow(r.Volumes[name]); err != nil {
				return err
			}
		}
	case opsv1.Restart, opsv1.UpdateVersion, opsv1.HorizontalScaling, opsv1.VerticalScaling, opsv1.RotateAuth, opsv1.StorageMigration:
	}
	return nil
}

// Describe returns the database's groups as operations see them.
func Describe(e Engine, db Database) ops.Topology {
	settings := e.Settings(db)
	topology := ops.Topology{Database: db.GetName()}
	ephemeral := settings.StorageType != nil && *settings.StorageType == kubedbv1.StorageEphemeral
	for _, g := range settings.Groups {
		group := ops.Group{Name: g.Name, Title: g.Title, Workload: g.Workload, Replicas: g.ReplicaCount()}
		if !ephemeral && g.Storage != nil && *g.Storage != nil {
			if size, ok := (*g.Storage).Resources.Requests[corev1.ResourceStorage]; ok {
				group.Storage = &size
			}
		}
		topology.Groups = append(topology.Groups, group)
	}
	return topology
}

func (s Settings) group(name string) (GroupSettings, error) {
	for _, g := range s.Groups {
		if g.Name == name {
			return g, nil
		}
	}
	return GroupSettings{}, fmt.Errorf("the database has no group %q", name)
}

// reconfigure takes over the Secret of the older configSecret field too, if defaulting has not come by yet: what the
// request replaces or removes must not come back from there.
func (g GroupSettings) reconfigure(e Engine, version *catalogv1.VersionSpec, change opsv1.ReconfigurationSpec) error {
	old := (*g.Configuration).DeepCopy()
	if g.ConfigSecret != nil && *g.ConfigSecret != nil {
		if old == nil {
			old = &kubedbv1.ConfigurationSpec{}
		}
		if old.SecretName == "" {
			old.SecretName = (*g.ConfigSecret).Name
		}
		*g.ConfigSecret = nil
	}
	changed, err := ops.Reconfigured(old, change, e.Dialect(version))
	if err != nil {
		return err
	}
	*g.Configuration = changed
	return nil
}

func (s Settings) changeTLS(change *ops.TLSChange) {
	if change == nil || s.TLS == nil {
		return
	}
	*s.TLS = ops.ChangedTLS(*s.TLS, *change)
	switch {
	case s.RequireSSL == nil:
	case change.Remove:
		*s.RequireSSL = false
	case change.RequireSSL != nil:
		*s.RequireSSL = *change.RequireSSL
	}
}

// grow never makes a volume smaller: claims cannot shrink.
func (g GroupSettings) grow(size resource.Quantity) error {
	if g.Storage == nil || *g.Storage == nil {
		return fmt.Errorf("group %q keeps no volumes", g.Name)
	}
	requests := &(*g.Storage).Resources.Requests
	if present := (*requests)[corev1.ResourceStorage]; present.Cmp(size) >= 0 {
		return nil
	}
	*requests = maps.Clone(*requests)
	if *requests == nil {
		*requests = corev1.ResourceList{}
	}
	(*requests)[corev1.ResourceStorage] = size.DeepCopy()
	return nil
}
