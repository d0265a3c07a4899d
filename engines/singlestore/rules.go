package singlestore

import (
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	kubedbv1alpha2 "github.com/drydock-db/drydock/apis/kubedb/v1alpha2"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/engines"
)

var (
	spec              = field.NewPath("spec")
	configurationPath = spec.Child("configuration")
)

func (e engine) CheckDatabase(db, old engines.Database) field.ErrorList {
	s := &db.(*kubedbv1alpha2.Singlestore).Spec
	settings := e.Settings(db)
	errs := append(engines.CheckCommon(db, old, settings), engines.CheckDeletionPolicy(settings)...)
	if s.LicenseSecret == nil || s.LicenseSecret.Name == "" {
		errs = append(errs, field.Required(spec.Child("licenseSecret", "name"),
			`SingleStore needs a licence: name the Secret that has it under the key "password"`))
	}
	if s.Topology == nil {
		return errs
	}
	topology := spec.Child("topology")
	errs = append(errs, checkNode(topology.Child(aggregator), s.Topology.Aggregator)...)
	errs = append(errs, checkNode(topology.Child(leaf), s.Topology.Leaf)...)
	return append(errs, checkStandaloneFields(s)...)
}

func checkNode(at *field.Path, n *kubedbv1alpha2.SinglestoreNode) field.ErrorList {
	if n == nil {
		return field.ErrorList{field.Required(at,
			"a cluster needs aggregators and leaves: describe both, or leave topology out for a standalone database")}
	}
	errs := engines.CheckReplicas(at, n.Replicas)
	if n.Suffix != "" {
		for _, problem := range validation.IsDNS1123Label(n.Suffix) {
			errs = append(errs, field.Invalid(at.Child("suffix"), n.Suffix, "it becomes part of the workload's name: "+problem))
		}
	}
	return errs
}

// checkStandaloneFields refuses what a cluster would silently not use.
func checkStandaloneFields(s *kubedbv1alpha2.SinglestoreSpec) field.ErrorList {
	var errs field.ErrorList
	for _, f := range []struct {
		name  string
		given bool
	}{
		{"storage", s.Storage != nil},
		{"configuration", s.Configuration != nil},
		{"configSecret", s.ConfigSecret != nil},
		{"podTemplate", s.PodTemplate != nil && !equality.Semantic.DeepEqual(*s.PodTemplate, kubedbv1.PodTemplateSpec{})},
	} {
		if f.given {
			errs = append(errs, field.Forbidden(spec.Child(f.name), "this is for standalone databases; with a topology, move it to "+
				"spec.topology.aggregator."+f.name+" and spec.topology.leaf."+f.name))
		}
	}
	return errs
}

func (engine) CheckRequest(r engines.OpsRequest, db engines.Database) field.ErrorList {
	s := &r.(*opsv1.SinglestoreOpsRequest).Spec
	var errs field.ErrorList
	if c := s.Configuration; s.Type == opsv1.Reconfigure && c != nil {
		errs = append(errs, checkComponents(configurationPath, db, c.Node != nil, c.Aggregator != nil, c.Leaf != nil)...)
		for _, part := range []struct {
			name   string
			change *opsv1.ReconfigurationSpec
		}{{node, c.Node}, {aggregator, c.Aggregator}, {leaf, c.Leaf}} {
			if part.change != nil {
				errs = append(errs, engines.CheckReconfiguration(configurationPath.Child(part.name), part.change)...)
			}
		}
	}
	if v := s.VolumeExpansion; s.Type == opsv1.VolumeExpansion && v != nil {
		at := spec.Child("volumeExpansion")
		errs = append(errs, checkComponents(at, db, v.Node != nil, v.Aggregator != nil, v.Leaf != nil)...)
		for _, name := range []string{node, aggregator, leaf} {
			errs = append(errs, engines.CheckSize(at.Child(name), sizes(v)[name])...)
		}
	}
	return errs
}

func sizes(v *opsv1.SinglestoreVolumeExpansion) map[string]*resource.Quantity {
	return map[string]*resource.Quantity{node: v.Node, aggregator: v.Aggregator, leaf: v.Leaf}
}

// checkComponents says whether a section speaks of the components that the database has.
func checkComponents(at *field.Path, db engines.Database, onNode, onAggregator, onLeaf bool) field.ErrorList {
	database, ok := db.(*kubedbv1alpha2.Singlestore)
	if !ok || database == nil {
		return nil
	}
	var errs field.ErrorList
	if database.Spec.Topology == nil {
		for _, c := range []struct {
			name  string
			given bool
		}{{aggregator, onAggregator}, {leaf, onLeaf}} {
			if c.given {
				errs = append(errs, field.Forbidden(at.Child(c.name),
					"Singlestore "+database.Name+" is standalone and has no "+c.name+": use node"))
			}
		}
		if !onNode && len(errs) == 0 {
			errs = append(errs, field.Required(at.Child(node), "Singlestore "+database.Name+" is standalone: say what to change under node"))
		}
		return errs
	}
	if onNode {
		errs = append(errs, field.Forbidden(at.Child(node),
			"Singlestore "+database.Name+" is a cluster and has no node: use aggregator, leaf or both"))
	} else if !onAggregator && !onLeaf {
		errs = append(errs, field.Required(at, "Singlestore "+database.Name+" is a cluster: say what to change under aggregator, leaf or both"))
	}
	return errs
}
