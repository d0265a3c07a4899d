package perconaxtradb

import (
	"strings"
	"testing"

	"github.com/drydock-db/drydock/engines/enginetest"
)

func TestCheckDatabase(t *testing.T) {
	enginetest.Databases(t, New(), []enginetest.Rule{
		{Name: "nothing set", Spec: `{}`},
		{Name: "longest name", ObjectName: strings.Repeat("a", 32), Spec: `{}`},
		{Name: "long name", ObjectName: strings.Repeat("a", 33), Spec: `{}`, Want: []string{
			`metadata.name: Too long: may not be more than 32 bytes`,
		}},
		{Name: "long name of a stored object", ObjectName: strings.Repeat("a", 33), Spec: `{}`, Stored: true},
		{Name: "ephemeral and kept", Spec: `{storageType: Ephemeral, deletionPolicy: Halt}`, Want: []string{
			`spec.deletionPolicy: Invalid value: "Halt": Halt keeps volumes, and an Ephemeral database has none: use Delete or WipeOut, or storageType Durable`,
		}},
		{Name: "ephemeral and halted", Spec: `{storageType: Ephemeral, halted: true}`, Want: []string{
			`spec.halted: Forbidden: an Ephemeral database has no volumes that would outlast its pods: leave halted out, or delete the database`,
		}},
		{Name: "reserved", Spec: `{podTemplate: {spec: {
			volumes: [{name: run-script}],
			env: [{name: MYSQL_ALLOW_EMPTY_PASSWORD}],
			initContainers: [{name: mine, image: i, env: [{name: MYSQL_ROOT_PASSWORD}], volumeMounts: [{name: x, mountPath: /var/lib/mysql/sub}]}],
			containers: [
			  {name: perconaxtradb, volumeMounts: [{name: x, mountPath: /var/lib/mysql-files}, {name: x, mountPath: /etc/mysql/custom.conf.d/}]},
			  {name: px-coordinator, env: [{name: MYSQL_ROOT_USERNAME}, {name: MYSQL_ONETIME_PASSWORD}]}]}}}`, Want: []string{
			`spec.podTemplate.spec.volumes[0].name: Forbidden: the operator has a volume of the name run-script: choose another`,
			`spec.podTemplate.spec.env[0].name: Forbidden: the operator decides on MYSQL_ALLOW_EMPTY_PASSWORD: put credentials into the Secret that spec.authSecret names`,
			`spec.podTemplate.spec.initContainers[0].env[0].name: Forbidden: the operator decides on MYSQL_ROOT_PASSWORD: put credentials into the Secret that spec.authSecret names`,
			`spec.podTemplate.spec.initContainers[0].volumeMounts[0].mountPath: Forbidden: the operator mounts its own volume at /var/lib/mysql: choose another path`,
			`spec.podTemplate.spec.containers[0].volumeMounts[1].mountPath: Forbidden: the operator mounts its own volume at /etc/mysql/custom.conf.d: choose another path`,
			`spec.podTemplate.spec.containers[1].env[1].name: Forbidden: the operator decides on MYSQL_ONETIME_PASSWORD: put credentials into the Secret that spec.authSecret names`,
		}},
	})
}

func TestCheckDatabaseWithoutDefaults(t *testing.T) {
	got := New().CheckDatabase(enginetest.Database(t, New(), "", `{}`), nil).ToAggregate().Error()
	if want := "spec.replicas: Required value: say how many pods there should be"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestCheckRequest(t *testing.T) {
	enginetest.Requests(t, New(), []enginetest.Rule{
		{Name: "restart", Spec: `{type: Restart}`},
		{Name: "all at once", Spec: `{type: Reconfigure, configuration: {removeCustomConfig: true, configSecret: {name: s}, applyConfig: {my.cnf: x}}}`},
		{Name: "nothing", Spec: `{type: Reconfigure, configuration: {}}`, Want: []string{
			`spec.configuration: Required value: nothing to change is given: set configSecret, applyConfig or removeCustomConfig`,
		}},
		{Name: "Secret without a name", Spec: `{type: Reconfigure, configuration: {configSecret: {}}}`, Want: []string{
			`spec.configuration.configSecret.name: Required value: name the Secret to use, or leave configSecret out; removeCustomConfig: true stops using the present one`,
		}},
		{Name: "size", Spec: `{type: VolumeExpansion, volumeExpansion: {mode: Online, perconaxtradb: 2Gi}}`},
		{Name: "no size", Spec: `{type: VolumeExpansion, volumeExpansion: {mode: Online}}`, Want: []string{
			`spec.volumeExpansion.perconaxtradb: Required value: say how large the volumes shall be, for example 10Gi`,
		}},
		{Name: "size zero", Spec: `{type: VolumeExpansion, volumeExpansion: {mode: Online, perconaxtradb: 0}}`, Want: []string{
			`spec.volumeExpansion.perconaxtradb: Invalid value: "0": a size is above zero, for example 10Gi`,
		}},
	})
}
