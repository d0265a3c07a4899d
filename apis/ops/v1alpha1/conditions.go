package v1alpha1

// Finalizer holds a request until the operation has let go of its database.
const Finalizer = "ops.kubedb.com/operation"

// Names of things that operations leave on objects.
const (
	// AnnotationRequestedBy is the requester's user info as JSON, stamped by admission and never changed.
	AnnotationRequestedBy = "ops.kubedb.com/requested-by"
	// AnnotationRestart is the stamp on a pod template: the UID of the request that last asked for a restart.
	AnnotationRestart = "ops.kubedb.com/restart"
	// AnnotationTemplateHash is the hash of the pod template as it was rendered, without the stamp.
	AnnotationTemplateHash = "ops.kubedb.com/template-hash"
	// AnnotationCertificates on a workload says which issuances of the certificates its pods mount.
	AnnotationCertificates = "ops.kubedb.com/certificate-revisions"
	// AnnotationApplied is the hash of an object as it was last applied, so that an unchanged object costs no write.
	AnnotationApplied = "ops.kubedb.com/applied"
	// LabelKind and LabelName mark what an operation made.
	LabelKind = "ops.kubedb.com/kind"
	LabelName = "ops.kubedb.com/name"
)

// Condition types that summarise a request. Step types are made by package ops; docs/conditions.md lists all.
const (
	// ConditionSuccessful is the root condition: Unknown before, False during, True after; False for good when Failed is True.
	ConditionSuccessful = "Successful"
	// ConditionFailed is True when the operation ended without success; its reason says why.
	ConditionFailed = "Failed"
	// ConditionReady, ConditionReconciling and ConditionStalled are the kstatus trio.
	ConditionReady       = "Ready"
	ConditionReconciling = "Reconciling"
	ConditionStalled     = "Stalled"
)

// Reasons of the summary conditions.
const (
	ReasonPending      = "Pending"
	ReasonProgressing  = "Progressing"
	ReasonSuccessful   = "OpsRequestSuccessful"
	ReasonNotStarted   = "NotStarted"
	ReasonWaiting      = "Waiting"
	ReasonDone         = "Done"
	ReasonRetrying     = "Retrying"
	ReasonUndoing      = "Undoing"
	ReasonNotSupported = "NotSupportedYet"

	// Waiting for a turn.
	ReasonDatabaseNotReady    = "DatabaseNotReady"
	ReasonDatabaseMissing     = "DatabaseNotFound"
	ReasonDatabasePaused      = "DatabasePausedByUser"
	ReasonDatabaseHalted      = "DatabaseHalted"
	ReasonWaitingForOther     = "WaitingForOtherRequest"
	ReasonWaitingForReference = "WaitingForReference"

	// Failing.
	ReasonInvalid        = "Invalid"
	ReasonTimeout        = "Timeout"
	ReasonStepFailed     = "StepFailed"
	ReasonCanceled       = "Canceled"
	ReasonDatabaseGone   = "DatabaseGone"
	ReasonUndoIncomplete = "UndoIncomplete"
)
