package singlestore

import (
	"testing"

	"github.com/drydock-db/drydock/engines/enginetest"
)

func TestDefault(t *testing.T) {
	enginetest.Defaults(t, New(), []enginetest.Defaulted{
		{Name: "standalone", Spec: `{licenseSecret: {name: l}, configSecret: {name: old}}`, Want: `
authSecret: {kind: Secret}
configuration: {secretName: old}
deletionPolicy: Delete
healthChecker: {failureThreshold: 1, periodSeconds: 10, timeoutSeconds: 10}
licenseSecret: {kind: Secret, name: l}
storageType: Durable`},
		{Name: "cluster", Spec: `
authSecret: {name: mine}
configSecret: {name: stays}
storageType: Ephemeral
tls: {issuerRef: {kind: Issuer, name: ca}, certificates: [{alias: server, secretName: s}, {alias: client}]}
topology: {aggregator: {configSecret: {}}, leaf: {replicas: 4, configSecret: {name: old}, configuration: {secretName: new, inline: {a.cnf: x}}}}`, Want: `
authSecret: {kind: Secret, name: mine}
configSecret: {name: stays}
deletionPolicy: Delete
healthChecker: {failureThreshold: 1, periodSeconds: 10, timeoutSeconds: 10}
licenseSecret: null
storageType: Ephemeral
tls: {issuerRef: {apiGroup: null, kind: Issuer, name: ca}, certificates: [{alias: server, secretName: s}, {alias: client, secretName: db-client-cert}]}
topology: {aggregator: {replicas: 3}, leaf: {replicas: 4, configuration: {secretName: new, inline: {a.cnf: x}}}}`},
		{Name: "the older name of the deletion policy", Spec: `{terminationPolicy: Halt, deletionPolicy: WipeOut}`, Want: `
authSecret: {kind: Secret}
deletionPolicy: Halt
healthChecker: {failureThreshold: 1, periodSeconds: 10, timeoutSeconds: 10}
licenseSecret: null
storageType: Durable`},
		{Name: "half of a topology", Spec: `{topology: {leaf: {}}, tls: {}, halted: true, monitor: {prometheus: {}}}`, Want: `
authSecret: {kind: Secret}
deletionPolicy: Delete
halted: true
healthChecker: {failureThreshold: 1, periodSeconds: 10, timeoutSeconds: 10}
licenseSecret: null
monitor: {prometheus: {exporter: {port: 9104, resources: {}}}}
storageType: Durable
tls: {}
topology: {leaf: {replicas: 2}}`},
	})
}
