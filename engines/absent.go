package engines

import catalogv1 "github.com/drydock-db/drydock/apis/catalog/v1alpha1"

// AbsentContainers are the operator's containers that the pods of a group do without, and why. Settings for them have no
// effect: a template only overrides what is there.
func AbsentContainers(e Engine, s Settings, g GroupSettings, v *catalogv1.VersionSpec) map[string]string {
	if v == nil {
		v = &catalogv1.VersionSpec{}
	}
	reserved, absent := e.Reserved(), map[string]string{}
	note := func(name string, image *catalogv1.Image, wanted bool, unwanted string) {
		switch {
		case !wanted:
			absent[name] = unwanted
		case image == nil:
			absent[name] = "the catalog names no image for it"
		}
	}
	for _, name := range reserved.InitContainers {
		note(name, v.InitContainer, true, "")
	}
	for _, name := range reserved.Containers[1:] { // the first is the database itself
		if name == ContainerExporter {
			note(name, v.Exporter, inner(s.Monitor) != nil, "no metrics are asked for")
			continue
		}
		note(name, v.Coordinator, g.Replicas != nil, "a database of one pod has nothing to coordinate")
	}
	return absent
}
