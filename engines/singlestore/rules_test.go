package singlestore

import (
	"strings"
	"testing"

	"github.com/drydock-db/drydock/engines/enginetest"
)

const (
	cluster    = `{licenseSecret: {name: l}, topology: {aggregator: {}, leaf: {}}}`
	standalone = `{licenseSecret: {name: l}}`
)

func TestCheckDatabase(t *testing.T) {
	enginetest.Databases(t, New(), []enginetest.Rule{
		{Name: "standalone", Spec: standalone},
		{Name: "cluster", Spec: cluster},
		{Name: "no licence", Spec: `{}`, Want: []string{
			`spec.licenseSecret.name: Required value: SingleStore needs a licence: name the Secret that has it under the key "password"`,
		}},
		{Name: "licence without a name", Spec: `{licenseSecret: {kind: Secret}}`, Want: []string{
			`spec.licenseSecret.name: Required value: SingleStore needs a licence: name the Secret that has it under the key "password"`,
		}},
		{Name: "empty topology", Spec: `{licenseSecret: {name: l}, topology: {}}`, Want: []string{
			`spec.topology.aggregator: Required value: a cluster needs aggregators and leaves: describe both, or leave topology out for a standalone database`,
			`spec.topology.leaf: Required value: a cluster needs aggregators and leaves: describe both, or leave topology out for a standalone database`,
		}},
		{Name: "no leaf", Spec: `{licenseSecret: {name: l}, topology: {aggregator: {}}}`, Want: []string{
			`spec.topology.leaf: Required value: a cluster needs aggregators and leaves: describe both, or leave topology out for a standalone database`,
		}},
		{Name: "standalone fields of a cluster", Spec: `{licenseSecret: {name: l}, topology: {aggregator: {}, leaf: {}}, storage: {},
			configuration: {secretName: s}, podTemplate: {spec: {nodeName: n}}, configSecret: {name: old}}`, Want: []string{
			`spec.storage: Forbidden: this is for standalone databases; with a topology, move it to spec.topology.aggregator.storage and spec.topology.leaf.storage`,
			`spec.configuration: Forbidden: this is for standalone databases; with a topology, move it to spec.topology.aggregator.configuration and spec.topology.leaf.configuration`,
			`spec.configSecret: Forbidden: this is for standalone databases; with a topology, move it to spec.topology.aggregator.configSecret and spec.topology.leaf.configSecret`,
			`spec.podTemplate: Forbidden: this is for standalone databases; with a topology, move it to spec.topology.aggregator.podTemplate and spec.topology.leaf.podTemplate`,
		}},
		{Name: "an empty podTemplate says nothing", Spec: `{licenseSecret: {name: l}, topology: {aggregator: {}, leaf: {}}, podTemplate: {}}`},
		{Name: "bad suffix", Spec: `{licenseSecret: {name: l}, topology: {aggregator: {suffix: A_b}, leaf: {}}}`, Want: []string{
			`spec.topology.aggregator.suffix: Invalid value: "A_b": it becomes part of the workload's name: a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')`,
		}},
		{Name: "ephemeral and kept", Spec: `{licenseSecret: {name: l}, storageType: Ephemeral, deletionPolicy: Halt}`, Want: []string{
			`spec.deletionPolicy: Invalid value: "Halt": Halt keeps volumes, and an Ephemeral database has none: use Delete or WipeOut, or storageType Durable`,
		}},
		{Name: "ephemeral, halted and kept", Spec: `{licenseSecret: {name: l}, storageType: Ephemeral, halted: true, deletionPolicy: Halt}`, Want: []string{
			`spec.deletionPolicy: Invalid value: "Halt": Halt keeps volumes, and an Ephemeral database has none: use Delete or WipeOut, or storageType Durable`,
		}},
		{Name: "ephemeral and halted", Spec: `{licenseSecret: {name: l}, storageType: Ephemeral, halted: true}`},
		{Name: "external credentials without a name", Spec: `{licenseSecret: {name: l}, authSecret: {externallyManaged: true}}`, Want: []string{
			`spec.authSecret.name: Required value: with externallyManaged: true the operator makes no Secret: name the one that holds username and password`,
		}},
		{Name: "inline file names", Spec: `{licenseSecret: {name: l}, topology: {leaf: {configuration: {inline: {"my.cnf": x, "a b.cnf": x, tuning: x}}}, aggregator: {}}}`, Want: []string{
			`spec.topology.leaf.configuration.inline[a b.cnf]: Invalid value: "a b.cnf": file "a b.cnf" cannot be a key of a Secret: a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')`,
			`spec.topology.leaf.configuration.inline[tuning]: Invalid value: "tuning": file "tuning" would not be read: its name has to end in .cnf`,
		}},
		{Name: "name of no Service", ObjectName: "my.db", Spec: standalone, Want: []string{
			`metadata.name: Invalid value: "my.db": the database's Services get this name: a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')`,
		}},
		{Name: "names of stored objects cannot be helped", ObjectName: "my.db", Spec: standalone, Stored: true},
		{Name: "long name", ObjectName: strings.Repeat("a", 42), Spec: cluster, Want: []string{
			`metadata.name: Invalid value: "` + strings.Repeat("a", 42) + `": the workload would be called ` + strings.Repeat("a", 42) +
				`-aggregator, which is 1 character longer than the 52 that a StatefulSet can have: use a shorter name or suffix`,
		}},
		{Name: "longest name", ObjectName: strings.Repeat("a", 41), Spec: cluster},
		{Name: "reserved", Spec: `{licenseSecret: {name: l}, podTemplate: {spec: {
			volumes: [{name: mine}, {name: data}, {name: tls-volume}],
			volumeMounts: [{name: x, mountPath: /scripts}],
			initContainers: [{name: singlestore-init, volumeMounts: [{name: x, mountPath: /etc/memsql/certs}]}],
			containers: [{name: singlestore, volumeMounts: [{name: x, mountPath: /var/lib/memsql/}, {name: x, mountPath: /var/lib/memsql/sub}]}]}}}`, Want: []string{
			`spec.podTemplate.spec.volumes[1].name: Forbidden: the operator has a volume of the name data: choose another`,
			`spec.podTemplate.spec.volumes[2].name: Forbidden: the operator has a volume of the name tls-volume: choose another`,
			`spec.podTemplate.spec.volumeMounts[0].mountPath: Forbidden: the operator mounts its own volume at /scripts: choose another path`,
			`spec.podTemplate.spec.initContainers[0].volumeMounts[0].mountPath: Forbidden: the operator mounts its own volume at /etc/memsql/certs: choose another path`,
			`spec.podTemplate.spec.containers[0].volumeMounts[0].mountPath: Forbidden: the operator mounts its own volume at /var/lib/memsql: choose another path`,
		}},
		{Name: "what a workload refuses", Spec: `{licenseSecret: {name: l}, topology: {aggregator: {}, leaf: {podTemplate: {spec: {
			restartPolicy: Never, activeDeadlineSeconds: 5, nodeSelector: {$patch: replace},
			initContainers: [{name: singlestore, image: i}, {name: a, image: i}, {name: b, image: i}],
			containers: [{name: singelstore}, {name: a, image: i}, {name: a, image: i}]}}}}}`, Want: []string{
			`spec.topology.leaf.podTemplate.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"`,
			`spec.topology.leaf.podTemplate.spec.activeDeadlineSeconds: Forbidden: a database's pods have no deadline: leave it out`,
			`spec.topology.leaf.podTemplate.spec.containers[0].image: Required value: the container singelstore is not one of the operator's (singlestore, singlestore-coordinator, exporter) and needs an image`,
			`spec.topology.leaf.podTemplate.spec.containers[2].name: Invalid value: "a": another container of the list has that name: give each its own`,
			`spec.topology.leaf.podTemplate.spec.initContainers[0].name: Invalid value: "singlestore": a container has that name: give each its own`,
			`spec.topology.leaf.podTemplate.spec.initContainers[1].name: Invalid value: "a": a container has that name: give each its own`,
			`spec.topology.leaf.podTemplate.spec: Forbidden: the key $patch begins with $, which no key here may`,
		}},
	})
}

// Defaulting sets replicas, so only an object that has not been defaulted lacks them.
func TestCheckDatabaseWithoutDefaults(t *testing.T) {
	db := enginetest.Database(t, New(), "", cluster)
	got := New().CheckDatabase(db, nil).ToAggregate().Error()
	want := "[spec.topology.aggregator.replicas: Required value: say how many pods there should be, " +
		"spec.topology.leaf.replicas: Required value: say how many pods there should be]"
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestCheckRequest(t *testing.T) {
	enginetest.Requests(t, New(), []enginetest.Rule{
		{Name: "restart", Database: cluster, Spec: `{type: Restart}`},
		{Name: "component", Database: cluster, Spec: `{type: Reconfigure, configuration: {leaf: {removeCustomConfig: true}}}`},
		{Name: "both components", Database: cluster,
			Spec: `{type: Reconfigure, configuration: {leaf: {removeCustomConfig: true}, aggregator: {configSecret: {name: s}}}}`},
		{Name: "node", Database: standalone, Spec: `{type: Reconfigure, configuration: {node: {applyConfig: {my.cnf: x}}}}`},
		{Name: "node of a cluster", Database: cluster,
			Spec: `{type: Reconfigure, configuration: {node: {removeCustomConfig: true}}}`, Want: []string{
				`spec.configuration.node: Forbidden: Singlestore db is a cluster and has no node: use aggregator, leaf or both`,
			}},
		{Name: "node and leaf of a cluster", Database: cluster,
			Spec: `{type: VolumeExpansion, volumeExpansion: {mode: Online, node: 1Gi, leaf: 1Gi}}`, Want: []string{
				`spec.volumeExpansion.node: Forbidden: Singlestore db is a cluster and has no node: use aggregator, leaf or both`,
			}},
		{Name: "no component", Database: cluster, Spec: `{type: Reconfigure, configuration: {}}`, Want: []string{
			`spec.configuration: Required value: Singlestore db is a cluster: say what to change under aggregator, leaf or both`,
		}},
		{Name: "no size", Database: cluster, Spec: `{type: VolumeExpansion, volumeExpansion: {mode: Online}}`, Want: []string{
			`spec.volumeExpansion: Required value: Singlestore db is a cluster: say what to change under aggregator, leaf or both`,
		}},
		{Name: "components of a standalone", Database: standalone,
			Spec: `{type: VolumeExpansion, volumeExpansion: {mode: Online, aggregator: 1Gi, leaf: 1Gi}}`, Want: []string{
				`spec.volumeExpansion.aggregator: Forbidden: Singlestore db is standalone and has no aggregator: use node`,
				`spec.volumeExpansion.leaf: Forbidden: Singlestore db is standalone and has no leaf: use node`,
			}},
		{Name: "no node", Database: standalone, Spec: `{type: VolumeExpansion, volumeExpansion: {mode: Offline}}`, Want: []string{
			`spec.volumeExpansion.node: Required value: Singlestore db is standalone: say what to change under node`,
		}},
		{Name: "empty component", Database: cluster, Spec: `{type: Reconfigure, configuration: {aggregator: {}, leaf: {restart: "true"}}}`, Want: []string{
			`spec.configuration.aggregator: Required value: nothing to change is given: set configSecret, applyConfig or removeCustomConfig`,
			`spec.configuration.leaf: Required value: nothing to change is given: set configSecret, applyConfig or removeCustomConfig`,
		}},
		{Name: "Secret without a name", Database: standalone, Spec: `{type: Reconfigure, configuration: {node: {configSecret: {}}}}`, Want: []string{
			`spec.configuration.node.configSecret.name: Required value: name the Secret to use, or leave configSecret out; removeCustomConfig: true stops using the present one`,
		}},
		{Name: "file that is not read", Database: standalone, Spec: `{type: Reconfigure, configuration: {node: {applyConfig: {tuning: x}}}}`, Want: []string{
			`spec.configuration.node.applyConfig[tuning]: Invalid value: "tuning": file "tuning" would not be read: its name has to end in .cnf`,
		}},
		{Name: "sizes above zero", Database: cluster, Spec: `{type: VolumeExpansion, volumeExpansion: {mode: Online, aggregator: "0", leaf: -1Gi}}`, Want: []string{
			`spec.volumeExpansion.aggregator: Invalid value: "0": a size is above zero, for example 10Gi`,
			`spec.volumeExpansion.leaf: Invalid value: "-1Gi": a size is above zero, for example 10Gi`,
		}},
		{Name: "sizes below 8Ei", Database: cluster, Spec: `{type: VolumeExpansion, volumeExpansion: {mode: Online, aggregator: 8Ei, leaf: 1e999999999}}`, Want: []string{
			`spec.volumeExpansion.aggregator: Invalid value: "9223372036854775807": a size is below 8Ei, for example 10Gi`,
			`spec.volumeExpansion.leaf: Invalid value: "1e999999999": a size is below 8Ei, for example 10Gi`,
		}},
		{Name: "large sizes", Database: cluster, Spec: `{type: VolumeExpansion, volumeExpansion: {mode: Online, aggregator: 7Ei, leaf: 1e18}}`},
		{Name: "sections of other types are looked at elsewhere", Database: standalone, Spec: `{type: Restart, configuration: {leaf: {}}}`},
	})
}
