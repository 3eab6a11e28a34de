package ledger

import "errors"

// The five kinds of error that mean something outside. Everything else is internal.
var (
	ErrInvalid   = errors.New("invalid")   // the request makes no sense as it stands
	ErrForbidden = errors.New("forbidden") // the actor may not do this at all
	ErrNotFound  = errors.New("not found") // no such thing, or none the actor may know of
	ErrConflict  = errors.New("conflict")  // the request collides with another one under the same name
	ErrRefused   = errors.New("refused")   // well formed and allowed, but a rule says no
)

// Invalid is an input error that says where and what: errors.Is(err, ErrInvalid).
type Invalid struct {
	Code    string // stable, snake case, such as "minutes_out_of_range"
	Pointer string // RFC 6901 pointer into the request, such as "/minutes"
	Detail  string // a sentence for people
}

func (e *Invalid) Error() string { return e.Detail }

// Is makes errors.Is(err, ErrInvalid) true.
func (e *Invalid) Is(target error) bool { return target == ErrInvalid }

// Refusal is a rule's no, which is shown to people and remembered under the idempotency key:
// errors.Is(err, ErrRefused).
type Refusal struct {
	Code   string `json:"code"`            // stable, snake case, such as "shift_overlaps"
	Rule   string `json:"rule,omitempty"`  // the rule of the rule set that said no, when it was one
	Detail string `json:"detail"`          // a sentence for people, without personal data
	Entry  Seq    `json:"entry,omitempty"` // the entry it collides with, when there is one
}

func (e *Refusal) Error() string { return e.Detail }

// Is makes errors.Is(err, ErrRefused) true.
func (e *Refusal) Is(target error) bool { return target == ErrRefused }
