package ops

import "time"

// Status of a step after one look.
type Status string

// What a look at a step can find.
const (
	Done    Status = "Done"
	Waiting Status = "Waiting"
	Failed  Status = "Failed"
)

// Outcome is what one look at a step found. It is a fact, not an error: an error is a surprise and backs off.
type Outcome struct {
	Status Status
	// Reason is one CamelCase word, Message says the same to a person.
	Reason, Message string
	// Account is what the pod that is waited for says of itself, if the Message does not tell: it may pass, and is told only when the
	// time is over.
	Account string
	// Turn is when a step that takes one pod after the other came to the present one; zero where nobody can tell.
	Turn time.Time
	// After asks for another look after that time, where no watch would bring one. Zero asks for none.
	After time.Duration
	// Quiet is for how long a wait is not worth a write: what it waits for comes in a moment. Zero is not at all.
	Quiet time.Duration
	// Passing is true when a step is done by what the next one changes: it has to be told before that one begins.
	Passing bool
}

// IsDone tells whether the step needs no more work.
func (o Outcome) IsDone() bool { return o.Status == Done }
