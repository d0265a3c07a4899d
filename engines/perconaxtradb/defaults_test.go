package perconaxtradb

import (
	"testing"

	"github.com/drydock-db/drydock/engines/enginetest"
)

func TestDefault(t *testing.T) {
	enginetest.Defaults(t, New(), []enginetest.Defaulted{
		{Name: "nothing set", Spec: `{}`, Want: `
authSecret: {kind: Secret}
deletionPolicy: Delete
healthChecker: {failureThreshold: 1, periodSeconds: 10, timeoutSeconds: 10}
podTemplate: {controller: {}, metadata: {}, spec: {}}
replicas: 3
storageType: Durable
version: ""`},
		{Name: "older names", Spec: `
configSecret: {name: old}
terminationPolicy: WipeOut
deletionPolicy: Delete
healthChecker: {periodSeconds: 5, disableWriteCheck: true}
tls: {issuerRef: {kind: Issuer, name: ca}, certificates: [{alias: mine}]}`, Want: `
authSecret: {kind: Secret}
configuration: {secretName: old}
deletionPolicy: WipeOut
healthChecker: {failureThreshold: 1, periodSeconds: 5, timeoutSeconds: 10, disableWriteCheck: true}
podTemplate: {controller: {}, metadata: {}, spec: {}}
replicas: 3
storageType: Durable
tls:
  issuerRef: {apiGroup: null, kind: Issuer, name: ca}
  certificates:
  - {alias: mine, secretName: db-mine-cert}
  - {alias: server, secretName: db-server-cert}
  - {alias: client, secretName: db-client-cert}
  - {alias: metrics-exporter, secretName: db-metrics-exporter-cert}
version: ""`},
		{Name: "halted", Spec: `{halted: true, deletionPolicy: WipeOut, replicas: 5}`, Want: `
authSecret: {kind: Secret}
deletionPolicy: Halt
halted: true
healthChecker: {failureThreshold: 1, periodSeconds: 10, timeoutSeconds: 10}
podTemplate: {controller: {}, metadata: {}, spec: {}}
replicas: 5
storageType: Durable
version: ""`},
		{Name: "halted and protected", Spec: `{halted: true, terminationPolicy: DoNotTerminate, podTemplate: {spec: {args: [a]}}}`, Want: `
authSecret: {kind: Secret}
deletionPolicy: DoNotTerminate
halted: true
healthChecker: {failureThreshold: 1, periodSeconds: 10, timeoutSeconds: 10}
podTemplate: {controller: {}, metadata: {}, spec: {args: [a]}}
replicas: 3
storageType: Durable
version: ""`},
	})
}
