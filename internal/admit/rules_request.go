package admit

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/internal/journal"
	"github.com/drydock-db/drydock/ops"
)

// Rules about every request, whatever it asks for.
var requestRules = []func(*operation) field.ErrorList{
	checkType, checkKind, checkDatabaseExists, checkDatabaseUsable, checkMayUpdate,
}

// Rules by operation. They are asked only when the database exists.
var operationRules = map[opsv1.OpsType][]func(*operation) field.ErrorList{
	opsv1.Restart:         {},
	opsv1.Reconfigure:     {checkConfigSecrets, checkApplyConfig},
	opsv1.ReconfigureTLS:  {checkOneChange, checkHasTLS, checkResultingTLS, checkRequestCertificates, checkRequestIssuers},
	opsv1.VolumeExpansion: {checkKeepsVolumes, checkSizes, checkExpandable, checkQuota},
}

// Rules by operation that are asked when there is no such database: about what the request says by itself, so that a
// name that is misspelt is not all that one hears of.
var bareRules = map[opsv1.OpsType][]func(*operation) field.ErrorList{
	opsv1.Reconfigure:    {checkConfigSecrets, checkApplyConfig},
	opsv1.ReconfigureTLS: {checkOneChange, checkRequestCertificates, checkRequestIssuers},
}

// Hints about every request.
var requestHints = []func(*operation) []string{hintNotReady, hintQueue, hintPausedByUser, hintDeprecated}

// Hints by operation.
var operationHints = map[opsv1.OpsType][]func(*operation) []string{
	opsv1.Reconfigure:     {hintUnreadKeys, hintNotLoaded},
	opsv1.ReconfigureTLS:  {hintIssuers, hintDowntime},
	opsv1.VolumeExpansion: {hintLarger},
}

// operations that this API serves, in the order in which messages list them.
var operations = []opsv1.OpsType{opsv1.Restart, opsv1.Reconfigure, opsv1.ReconfigureTLS, opsv1.VolumeExpansion}

func checkType(o *operation) field.ErrorList {
	if slices.Contains(operations, o.request.Type) {
		return nil
	}
	return field.ErrorList{field.NotSupported(specPath.Child("type"), o.request.Type, operations)}
}

// checkKind asks the kind's own rules; they get along without a database.
func checkKind(o *operation) field.ErrorList { return o.engine.CheckRequest(o.object, o.db) }

var databasePath = specPath.Child("databaseRef", "name")

func checkDatabaseExists(o *operation) field.ErrorList {
	if o.db != nil || o.request.Database == "" { // an empty name is a matter of shape
		return nil
	}
	return field.ErrorList{notFound(databasePath, o.request.Database, fmt.Sprintf(
		"there is no %s of that name in namespace %s: create it first, or correct the name", o.kind.Database.Kind, o.object.GetNamespace()))}
}

func checkDatabaseUsable(o *operation) field.ErrorList {
	switch {
	case o.db == nil:
		return nil
	case o.db.GetDeletionTimestamp() != nil:
		return field.ErrorList{field.Forbidden(databasePath, fmt.Sprintf(
			"%s %s is being deleted: no operation can start on it any more", o.kind.Database.Kind, o.request.Database))}
	case deref(o.settings.Halted):
		return field.ErrorList{field.Forbidden(databasePath, fmt.Sprintf(
			"%s %s is halted and has no pods: set its spec.halted to false first", o.kind.Database.Kind, o.request.Database))}
	}
	return nil
}

// checkMayUpdate keeps a request from being a way to change a database that one may not change.
func checkMayUpdate(o *operation) field.ErrorList {
	if o.db == nil || o.mayUpdate {
		return nil
	}
	return field.ErrorList{field.Forbidden(databasePath, fmt.Sprintf(
		"%s may not update %s %s, which this request would change: the right to update %s.%s is needed",
		user(o.who), o.kind.Database.Kind, o.request.Database, o.kind.DatabaseResource, o.kind.Database.Group))}
}

func hintNotReady(o *operation) []string {
	if o.db == nil || o.request.Apply == opsv1.ApplyAlways {
		return nil
	}
	phase := ops.DatabasePhase(o.db.DatabaseStatus().Conditions)
	if phase == kubedbv1.PhaseReady {
		return nil
	}
	if ops.LastFailed(o.db.DatabaseStatus()) {
		return []string{fmt.Sprintf("%s %s is not Ready since its last operation, which did not succeed: the request corrects that and does not wait",
			o.kind.Database.Kind, o.request.Database)}
	}
	if phase == "" {
		phase = "not known yet"
	}
	return []string{fmt.Sprintf(
		"%s %s is not Ready (its phase is %s): the request waits until it is; with apply: Always it would not wait",
		o.kind.Database.Kind, o.request.Database, phase)}
}

func hintQueue(o *operation) []string {
	if len(o.siblings) == 0 {
		return nil
	}
	var names []string
	for _, s := range o.siblings {
		names = append(names, fmt.Sprintf("%s (%s)", s.Name, s.Type))
	}
	slices.Sort(names)
	return []string{"other requests about this database are not finished: " + strings.Join(names, ", ") + "; they go one at a time, the oldest first"}
}

func hintPausedByUser(o *operation) []string {
	if o.db == nil {
		return nil
	}
	if _, byUser := journal.Paused(o.db.DatabaseStatus()); !byUser {
		return nil
	}
	return []string{fmt.Sprintf("somebody paused %s %s: the request waits until the condition Paused is removed", o.kind.Database.Kind, o.request.Database)}
}

func hintDeprecated(o *operation) []string {
	if o.version == nil || !o.version.Deprecated {
		return nil
	}
	return []string{fmt.Sprintf("%s %s is deprecated", o.kind.Version.Kind, deref(o.settings.Version))}
}

// notFound is field.NotFound with a sentence on what would be right.
func notFound(path *field.Path, value any, detail string) *field.Error {
	e := field.NotFound(path, value)
	e.Detail = detail
	return e
}

// user names the requester in a message.
func user(name string) string {
	if name == "" {
		return "an unknown user"
	}
	return fmt.Sprintf("user %q", name)
}
