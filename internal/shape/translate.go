package shape

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/go-playground/validator/v10"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// translate says in the API's words what a broken tag means.
func translate(b validator.FieldError, at *field.Path, actual reflect.Value) field.ErrorList {
	one := func(e *field.Error) field.ErrorList { return field.ErrorList{e} }
	param := b.Param()
	switch b.Tag() {
	case "required":
		return one(field.Required(at, "it must not be empty"))
	case "required_if":
		return one(field.Required(at, "it is needed when "+condition(param, " is ")))
	case "excluded_unless":
		return one(field.Forbidden(at, "it is for "+condition(param, " ")+" only: leave it out"))
	case "oneof":
		supported := strings.Fields(param)
		slices.Sort(supported)
		return one(field.NotSupported(at, text(actual), supported))
	case "unique":
		return duplicates(at, actual, param)
	}
	return one(field.Invalid(at, shown(actual), wish(b.Tag(), param, b.Kind())))
}

// bounds and forms say what would be right, for tags with a parameter and for tags without. Tags that nobody has put
// into words yet still get a correct answer from wish.
var (
	bounds = map[string]string{
		"min": "it must be at least ", "gte": "it must be at least ", "max": "it must be at most ", "lte": "it must be at most ",
		"gt": "it must be more than ", "lt": "it must be less than ", tagMinDuration: "it must be a duration of at least ",
	}
	forms = map[string]string{
		"ip":       "it must be an IP address, for example 10.0.0.7 or fd00::7",
		"email":    "it must be an e-mail address, for example dba@example.org",
		"uri":      "it must be a URI, for example spiffe://example.org/db",
		tagDNSName: "it must be a DNS name, for example db.example.org or *.db.example.org",
	}
)

// wish says what would be right for tags that all mean an invalid value.
func wish(tag, param string, kind reflect.Kind) string {
	if text, ok := forms[tag]; ok {
		return text
	}
	if text, ok := bounds[tag]; ok {
		return text + param + counted(kind)
	}
	if param != "" {
		return fmt.Sprintf("it must satisfy %s=%s", tag, param)
	}
	return "it must satisfy " + tag
}

// counted is what a bound counts in values of a kind.
func counted(kind reflect.Kind) string {
	switch kind {
	case reflect.Slice, reflect.Array, reflect.Map:
		return " entries"
	case reflect.String:
		return " characters"
	default:
		return ""
	}
}

// condition puts "Type Restart" into words; the tag may hold several pairs.
func condition(param, is string) string {
	words := strings.Fields(param)
	var parts []string
	for i := 0; i+1 < len(words); i += 2 {
		parts = append(parts, lowerFirst(words[i])+is+words[i+1])
	}
	return strings.Join(parts, " and ")
}

// duplicates names every entry of a list that repeats an earlier one; the validator only says that there are some.
func duplicates(at *field.Path, list reflect.Value, by string) field.ErrorList {
	if !list.IsValid() || list.Kind() != reflect.Slice {
		return field.ErrorList{field.Invalid(at, shown(list), "its entries must differ from each other")}
	}
	var errs field.ErrorList
	var seen []any
	for i := range list.Len() {
		entry, where := reflect.Indirect(list.Index(i)), at.Index(i)
		if by != "" && entry.Kind() == reflect.Struct {
			described, ok := entry.Type().FieldByName(by)
			if !ok {
				continue
			}
			name, _ := jsonName(described)
			entry, where = entry.FieldByIndex(described.Index), where.Child(name)
		}
		value := shown(entry)
		if slices.ContainsFunc(seen, func(other any) bool { return reflect.DeepEqual(other, value) }) {
			double := field.Duplicate(where, value)
			double.Detail = "it is listed above already: leave one of them out"
			errs = append(errs, double)
		}
		seen = append(seen, value)
	}
	return errs
}

// shown is a value as a message prints it: the way the user could have written it.
func shown(value reflect.Value) any {
	value = reflect.Indirect(value)
	if !value.IsValid() || !value.CanInterface() {
		return field.OmitValueType{}
	}
	switch v := value.Interface().(type) {
	case resource.Quantity:
		return v.String()
	case metav1.Duration:
		return v.Duration.String()
	default:
		if value.Kind() == reflect.String {
			return value.String()
		}
		return v
	}
}

// text is a value as a string.
func text(value reflect.Value) string { return fmt.Sprint(shown(value)) }
