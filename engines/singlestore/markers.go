package singlestore

// What the operator may do with this kind. It never creates databases, asks only for
// restarts that databases want when their certificates are renewed, and reads the catalog only.
//
// +kubebuilder:rbac:groups=kubedb.com,resources=singlestores,verbs=get;list;watch;update;patch
// +kubebuilder:rbac:groups=kubedb.com,resources=singlestores/status,verbs=get;update;patch
// +kubebuilder:rbac:groups=kubedb.com,resources=singlestores/finalizers,verbs=update
// +kubebuilder:rbac:groups=ops.kubedb.com,resources=singlestoreopsrequests,verbs=get;list;watch;create;update;patch
// +kubebuilder:rbac:groups=ops.kubedb.com,resources=singlestoreopsrequests/status,verbs=get;update;patch
// +kubebuilder:rbac:groups=ops.kubedb.com,resources=singlestoreopsrequests/finalizers,verbs=update
// +kubebuilder:rbac:groups=catalog.kubedb.com,resources=singlestoreversions,verbs=get;list;watch
