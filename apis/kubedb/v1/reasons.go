package v1

// Reasons of a database's conditions. docs/conditions.md is made from their comments.
const (
	// ReasonOperationInProgress is the reason of a Paused condition that an OpsRequest holds; any other reason is a person's pause.
	ReasonOperationInProgress = "OperationInProgress"
	// ReasonProvisioningStarted: the operator provisions the database.
	ReasonProvisioningStarted = "DatabaseProvisioningStartedSuccessfully"
	// ReasonProvisioned: all replicas have been Ready once.
	ReasonProvisioned = "DatabaseSuccessfullyProvisioned"
	// ReasonAllReplicasReady: every pod is Ready.
	ReasonAllReplicasReady = "AllReplicasReady"
	// ReasonSomeReplicasNotReady: the message names the workloads that lack pods.
	ReasonSomeReplicasNotReady = "SomeReplicasNotReady"
	// ReasonAcceptingConnection: every group has a pod that is Ready.
	ReasonAcceptingConnection = "DatabaseAcceptingConnectionRequest"
	// ReasonNotAcceptingConnection: a group has no pod that is Ready.
	ReasonNotAcceptingConnection = "DatabaseNotAcceptingConnectionRequest"
	// ReasonReadinessSucceeded: the database is Ready as a whole.
	ReasonReadinessSucceeded = "ReadinessCheckSucceeded"
	// ReasonReadinessFailed: the message names what is missing.
	ReasonReadinessFailed = "ReadinessCheckFailed"
	// ReasonHalting: spec.halted is true, and the pods that the message names are still on their way out.
	ReasonHalting = "Halting"
	// ReasonHaltedSuccessfully: spec.halted is true, and the workloads and all of their pods are gone.
	ReasonHaltedSuccessfully = "DatabaseHaltedSuccessfully"
	// ReasonHalted: spec.halted is true, so that no pod runs.
	ReasonHalted = "Halted"
	// ReasonUpToDate: the pods run what the spec asks for, or mount the latest certificates.
	ReasonUpToDate = "UpToDate"
	// ReasonRestartNeeded: pods run another template than the spec asks for.
	ReasonRestartNeeded = "RestartNeeded"
	// ReasonRestartRecommended: pods mount other certificates than the latest.
	ReasonRestartRecommended = "RestartRecommended"
	// ReasonOldAuthorityTrusted: pods still trust an authority that no certificate needs any more, until their next restart.
	ReasonOldAuthorityTrusted = "OldAuthorityTrusted"
	// ReasonExpansionUnfinished: claims or claim templates have other sizes than the spec asks for, since an expansion was cut off.
	ReasonExpansionUnfinished = "ExpansionUnfinished"
	// ReasonCertificatesIssued: cert-manager has issued every certificate.
	ReasonCertificatesIssued = "CertificatesIssued"
	// ReasonCertManagerMissing: TLS needs cert-manager, which was not there when the operator started.
	ReasonCertManagerMissing = "CertManagerMissing"
	// ReasonVersionNotFound: the catalog has no such version.
	ReasonVersionNotFound = "VersionNotFound"
	// ReasonConfigSecretNotFound: the Secret that the configuration names does not exist.
	ReasonConfigSecretNotFound = "ConfigSecretNotFound"
	// ReasonCannotRender: the spec cannot be turned into objects, for the reason that the message gives.
	ReasonCannotRender = "CannotRender"
	// ReasonCredentialsMissing: a Secret with passwords that the data know has been deleted; the message says which.
	ReasonCredentialsMissing = "CredentialsMissing"
	// ReasonNameTaken: an object that the operator would make exists and is somebody else's.
	ReasonNameTaken = "NameTaken"
	// ReasonObjectRefused: the API server refuses an object as the spec asks for it, or a quota or somebody's webhook does; the
	// message has its words.
	ReasonObjectRefused = "ObjectRefused"
	// ReasonInvalidSpec: the spec breaks rules of admission, which was not asked; the message has all of them.
	ReasonInvalidSpec = "Invalid"
	// ReasonReconciled: the database is what its spec asks for.
	ReasonReconciled = "Reconciled"
	// ReasonSpecNotObserved: the operator has not carried out the present spec yet.
	ReasonSpecNotObserved = "SpecNotObserved"
	// ReasonPausedByUser: a person paused the database, so nothing is done about it.
	ReasonPausedByUser = "Paused"
	// ReasonNotStalled: nothing keeps the operator from what the spec asks for.
	ReasonNotStalled = "NotStalled"
	// ReasonOtherWorkloadKind: the pods are run by a workload of the other kind, StatefulSet or PetSet.
	ReasonOtherWorkloadKind = "OtherWorkloadKind"
)
