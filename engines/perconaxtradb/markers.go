package perconaxtradb

// What the operator may do with this kind. It never creates databases, asks only for
// restarts that databases want when their certificates are renewed, and reads the catalog only.
//
// +kubebuilder:rbac:groups=kubedb.com,resources=perconaxtradbs,verbs=get;list;watch;update;patch
// +kubebuilder:rbac:groups=kubedb.com,resources=perconaxtradbs/status,verbs=get;update;patch
// +kubebuilder:rbac:groups=kubedb.com,resources=perconaxtradbs/finalizers,verbs=update
// +kubebuilder:rbac:groups=ops.kubedb.com,resources=perconaxtradbopsrequests,verbs=get;list;watch;create;update;patch
// +kubebuilder:rbac:groups=ops.kubedb.com,resources=perconaxtradbopsrequests/status,verbs=get;update;patch
// +kubebuilder:rbac:groups=ops.kubedb.com,resources=perconaxtradbopsrequests/finalizers,verbs=update
// +kubebuilder:rbac:groups=catalog.kubedb.com,resources=perconaxtradbversions,verbs=get;list;watch
