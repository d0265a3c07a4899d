// Package ops decides: which request runs next, what its plan is, which pod restarts next. It takes values and
// returns values; it never talks to a cluster.
package ops

import (
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/types"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
)

// Request is an OpsRequest as plain values, the same for every kind.
type Request struct {
	Kind, Namespace, Name string
	UID                   types.UID
	// Database is the name that databaseRef gives.
	Database string
	Type     opsv1.OpsType
	Apply    opsv1.ApplyOption
	// Timeout of each step, and of each pod of a step that restarts one after the other; zero means DefaultTimeout for each
	// unit of the step.
	Timeout    time.Duration
	MaxRetries int32
	Created    time.Time
	// Deleting is true once the request has a deletion timestamp: a running one is cancelled.
	Deleting bool
	// Started and Finished are read from the request's status.
	Started, Finished bool

	// Configuration changes by group name, for Reconfigure.
	Configuration map[string]opsv1.ReconfigurationSpec
	// TLS is the change for ReconfigureTLS.
	TLS *TLSChange
	// Volumes are the new sizes by group name, for VolumeExpansion.
	Volumes map[string]resource.Quantity
	Mode    opsv1.VolumeExpansionMode
}

// RevisionName is the name of the ControllerRevision in which the request's change is saved.
func (r Request) RevisionName() string {
	return r.Database + "-ops-" + string(r.UID[:min(8, len(r.UID))])
}

// TLSChange is the change that a ReconfigureTLS request asks for.
type TLSChange struct {
	kubedbv1.TLSConfig
	Rotate, Remove bool
	// RequireSSL is nil when the request does not mention it.
	RequireSSL *bool
}

// DefaultTimeout is how long one pod, claim or certificate of a step may take.
const DefaultTimeout = 10 * time.Minute
