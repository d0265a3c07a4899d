package admit

import (
	"encoding/json"
	"errors"
	"fmt"

	authenticationv1 "k8s.io/api/authentication/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
)

// ErrNoRequester says that nobody is recorded as the requester of an object.
var ErrNoRequester = errors.New("annotation " + opsv1.AnnotationRequestedBy +
	" is missing: the request was not created through admission; delete it and create it again")

// StampRequester records who creates the object. Whatever was there is overwritten: it is no place for claims.
func StampRequester(object metav1.Object, who authenticationv1.UserInfo) error {
	raw, err := json.Marshal(who)
	if err != nil {
		return fmt.Errorf("recording the requester: %w", err)
	}
	annotations := object.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[opsv1.AnnotationRequestedBy] = string(raw)
	object.SetAnnotations(annotations)
	return nil
}

// Requester returns who created the object, or ErrNoRequester.
func Requester(object metav1.Object) (authenticationv1.UserInfo, error) {
	var who authenticationv1.UserInfo
	raw, ok := object.GetAnnotations()[opsv1.AnnotationRequestedBy]
	if !ok {
		return who, ErrNoRequester
	}
	if err := json.Unmarshal([]byte(raw), &who); err != nil || who.Username == "" {
		return authenticationv1.UserInfo{}, fmt.Errorf("annotation %s does not name a user: delete the request and create it again",
			opsv1.AnnotationRequestedBy)
	}
	return who, nil
}

var stampPath = field.NewPath("metadata", "annotations").Key(opsv1.AnnotationRequestedBy)

// checkStamp refuses a new object whose stamp names somebody else than its creator. An object without a stamp has not
// been through the mutating webhook and would be refused later, when nobody looks.
func checkStamp(object metav1.Object, who authenticationv1.UserInfo) field.ErrorList {
	if raw, err := json.Marshal(who); err == nil && object.GetAnnotations()[opsv1.AnnotationRequestedBy] == string(raw) {
		return nil
	}
	stamped, err := Requester(object)
	if err != nil {
		return field.ErrorList{field.Required(stampPath, err.Error())}
	}
	if !equality.Semantic.DeepEqual(stamped, who) { // JSON makes no difference between empty and absent lists, nor does this
		return field.ErrorList{field.Forbidden(stampPath, fmt.Sprintf(
			"it names %q and the requester is %q: leave the annotation out, admission fills it in", stamped.Username, who.Username))}
	}
	return nil
}

// checkStampKept refuses an edit that makes a request somebody else's.
func checkStampKept(object, old metav1.Object) field.ErrorList {
	if object.GetAnnotations()[opsv1.AnnotationRequestedBy] == old.GetAnnotations()[opsv1.AnnotationRequestedBy] {
		return nil
	}
	return field.ErrorList{field.Forbidden(stampPath,
		"it records who created the request and cannot change: leave it as it is; `kubectl replace` drops it, `kubectl apply` and `kubectl patch` keep it")}
}
