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
	// AnnotationPlacement on a pod template names the PlacementPolicy of a PetSet's pods.
	AnnotationPlacement = "ops.kubedb.com/placement-policy"
	// AnnotationApplied is the hash of an object as it was last applied, so that an unchanged object costs no write.
	AnnotationApplied = "ops.kubedb.com/applied"
	// LabelKind marks what an operation made.
	LabelKind = "ops.kubedb.com/kind"
)

// Condition types that summarise a request. Step types are made by package ops; docs/conditions.md lists all and is made
// from these comments.
const (
	// ConditionSuccessful is the root: Unknown before, False during, True after a success; it stays False when Failed is True.
	ConditionSuccessful = "Successful"
	// ConditionFailed is True when the operation ended without success; said only after the undo; its reason says why.
	ConditionFailed = "Failed"
	// ConditionReady is True when the operation has succeeded; for tools that know kstatus.
	ConditionReady = "Ready"
	// ConditionReconciling is True until the operation has ended; for tools that know kstatus.
	ConditionReconciling = "Reconciling"
	// ConditionStalled is True when the operation has failed; for tools that know kstatus.
	ConditionStalled = "Stalled"
)

// Reasons of the summary conditions and of steps.
const (
	// ReasonProgressing: the operation, or the step, is under way.
	ReasonProgressing = "Progressing"
	// ReasonUndoing: the operation is being undone; the message says why.
	ReasonUndoing = "Undoing"
	// ReasonCanceling: the request was deleted while the operation was under way, which is being undone.
	ReasonCanceling = "Canceling"
	// ReasonSuccessful: the operation has succeeded.
	ReasonSuccessful = "OpsRequestSuccessful"

	// ReasonNotStarted: the step waits for those before it.
	ReasonNotStarted = "NotStarted"
	// ReasonWaiting: the step waits for what the message says.
	ReasonWaiting = "Waiting"
	// ReasonRetrying: something went wrong and is tried again; the message says what.
	ReasonRetrying = "Retrying"
	// ReasonResting: the step failed and rests for a moment before maxRetries lets it be tried again; the message says what
	// went wrong.
	ReasonResting = "Resting"
	// ReasonPlanLost: what the operation was planned from cannot be read, so the step rests; the message says why.
	ReasonPlanLost = "PlanLost"
	// ReasonDone: the step is done.
	ReasonDone = "Done"

	// ReasonWaitingForOther: another request of the database runs; the message names it.
	ReasonWaitingForOther = "WaitingForOtherRequest"
	// ReasonDatabaseNotProvisioned: a workload of the database is not there, or not as large as the spec asks for; the database says why, if something is wrong.
	ReasonDatabaseNotProvisioned = "DatabaseNotProvisioned"
	// ReasonDatabaseNotReady: the request has apply IfReady, and the database is not Ready.
	ReasonDatabaseNotReady = "DatabaseNotReady"
	// ReasonDatabaseMissing: there is no such database, or it is being deleted.
	ReasonDatabaseMissing = "DatabaseNotFound"
	// ReasonDatabasePaused: a person has paused the database; the request, or the step under way, rests until that pause is removed.
	ReasonDatabasePaused = "DatabasePausedByUser"
	// ReasonDatabaseHalted: spec.halted of the database is true.
	ReasonDatabaseHalted = "DatabaseHalted"
	// ReasonNotSupported: this version does not carry out operations of that type.
	ReasonNotSupported = "NotSupportedYet"

	// ReasonInvalid: the request failed the admission that is repeated before it starts.
	ReasonInvalid = "Invalid"
	// ReasonSecretMissing: pods read a Secret, or a key of one, that is not there, so they would not start again; nothing has been done.
	ReasonSecretMissing = "SecretMissing"
	// ReasonTimeout: a step took longer than it may; the message says which and what it waited for.
	ReasonTimeout = "Timeout"
	// ReasonStepFailed: a step met an error to the end; the message says which.
	ReasonStepFailed = "StepFailed"
	// ReasonCanceled: the request was deleted while the operation was under way.
	ReasonCanceled = "Canceled"
	// ReasonDatabaseGone: the database was deleted while the operation was under way.
	ReasonDatabaseGone = "DatabaseGone"
	// ReasonUndoIncomplete: the undo failed too, or nobody can tell any more what to undo; the database is resumed and says that it is Degraded.
	ReasonUndoIncomplete = "UndoIncomplete"
)
