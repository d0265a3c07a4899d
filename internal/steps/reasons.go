package steps

// Reasons of steps. docs/conditions.md is made from their comments.
const (
	// ReasonWorkloadMissing: the workload is gone.
	ReasonWorkloadMissing = "WorkloadMissing"
	// ReasonWrongSecrets: a pod does not mount the Secrets that its workload names.
	ReasonWrongSecrets = "WrongSecrets"
	// ReasonDetachingWorkload: the workload object is being removed; its pods keep running.
	ReasonDetachingWorkload = "DetachingWorkload"
	// ReasonOtherPodDown: a second pod of the group would go down.
	ReasonOtherPodDown = "OtherPodNotReady"
	// ReasonStoppingPod: the pod is leaving, so that its volume can grow.
	ReasonStoppingPod = "StoppingPod"
	// ReasonStartingPod: the pod has been brought back and is not Ready yet.
	ReasonStartingPod = "StartingPod"
	// ReasonIssuing: cert-manager is issuing certificates.
	ReasonIssuing = "IssuingCertificates"
	// ReasonIssuanceFailed: cert-manager has given up on a certificate; the message has its words.
	ReasonIssuanceFailed = "IssuanceFailed"
	// ReasonNameTaken: an object that the operation would make exists and is somebody else's.
	ReasonNameTaken = "NameTaken"
	// ReasonNoAuthority: an issued certificate comes without its authority, or is not signed by it, so that pods could not trust it.
	ReasonNoAuthority = "NoAuthority"
	// ReasonCopyMissing: the copy of certificates that pods mount is gone.
	ReasonCopyMissing = "CopyMissing"
)
