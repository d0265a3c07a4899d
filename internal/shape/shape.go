// Package shape checks structs against their validate tags and reports what is wrong at the user's own fields.
//
// It knows nothing of databases: specs of the API and the operator's options are checked by the same rules.
package shape

import (
	"errors"
	"reflect"
	"time"

	"github.com/go-playground/validator/v10"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// Tags that are the project's own.
const (
	// tagMinDuration wants a duration of at least its parameter: min_duration=1h.
	tagMinDuration = "min_duration"
	// tagDNSName wants a name that a certificate can have, with or without a wildcard in front.
	tagDNSName = "dns_name"
)

// validate is the one validator of the program; it caches what it learns about types and is safe for concurrent use.
var validate = newValidator()

func newValidator() *validator.Validate {
	v := validator.New(validator.WithRequiredStructEnabled())
	v.RegisterCustomTypeFunc(func(value reflect.Value) any {
		d, _ := value.Interface().(metav1.Duration)
		return d.Duration
	}, metav1.Duration{})
	// A tag compares numbers; what is shown to the user is read from the object instead (see find).
	v.RegisterCustomTypeFunc(func(value reflect.Value) any {
		q, _ := value.Interface().(resource.Quantity)
		return q.AsApproximateFloat64()
	}, resource.Quantity{})
	for _, own := range []struct {
		tag     string
		check   validator.Func
		evenNil bool
	}{
		{tagMinDuration, minDuration, false},
		{tagDNSName, dnsName, false},
		{"required_if", requiredIf, true},
		{"excluded_unless", excludedUnless, true},
	} {
		if err := v.RegisterValidation(own.tag, own.check, own.evenNil); err != nil {
			panic(err) // the names above are constants
		}
	}
	return v
}

func minDuration(f validator.FieldLevel) bool {
	least, err := time.ParseDuration(f.Param())
	return err == nil && f.Field().Kind() == reflect.Int64 && time.Duration(f.Field().Int()) >= least
}

func dnsName(f validator.FieldLevel) bool {
	name := f.Field().String()
	return len(validation.IsDNS1123Subdomain(name)) == 0 || len(validation.IsWildcardDNS1123Subdomain(name)) == 0
}

// Check returns everything that the validate tags of a struct say is wrong with it. obj is a struct or a pointer to
// one; path is where the user wrote it, nil or empty at the top. A nil pointer has no fields and so nothing wrong.
func Check(obj any, path *field.Path) field.ErrorList {
	value := reflect.Indirect(reflect.ValueOf(obj))
	if !value.IsValid() {
		return nil
	}
	err := validate.Struct(obj)
	if err == nil {
		return nil
	}
	if path != nil && path.String() == field.NewPath("").String() {
		path = nil
	}
	var broken validator.ValidationErrors
	if !errors.As(err, &broken) {
		return field.ErrorList{field.InternalError(path, err)}
	}
	var errs field.ErrorList
	for _, b := range broken {
		at, actual := find(value, b.StructNamespace(), path)
		errs = append(errs, translate(b, at, actual)...)
	}
	return errs
}
