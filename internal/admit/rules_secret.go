package admit

import (
	"fmt"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

// checkSecretRefs says which names no Secret can have, and which Secrets the requester may not have used. Nothing else is
// said about those.
func checkSecretRefs(refs []secretRef, known map[string]secretFact, who string) field.ErrorList {
	var errs field.ErrorList
	for _, ref := range refs {
		fact := known[ref.key()]
		if fact.never != "" && ref.use != forIssuing { // those are a rule of certificates
			errs = append(errs, field.Invalid(ref.path, ref.name, "no Secret can have that name: "+fact.never))
		}
		if !fact.denied {
			continue
		}
		why := "%s may not read Secret %s, which the database would read for them: the right to get secrets is needed"
		if ref.use == forIssuing {
			why = "%s may not write Secret %s, which a certificate would be written into: the right to update secrets is needed"
		}
		errs = append(errs, field.Forbidden(ref.path, fmt.Sprintf(why, user(who), ref.name)))
	}
	return errs
}
