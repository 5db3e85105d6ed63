// Package fault says what to do about an error. The kind is set once, where it
// is first known, and read by whoever settles the message or answers the request.
//
//	decode finding ──Errorf(Invalid)──▶ … %w … ──▶ host: Of(err) ──▶ quarantine, 400, retry
package fault

import (
	"errors"
	"fmt"
)

// Kind is what a caller should do about an error.
type Kind uint8

// The zero kind means "try again": an error nobody classified is treated as passing.
const (
	Again       Kind = iota // passing trouble: offer it again
	Invalid                 // the input can never be processed: set it aside with the reason
	TooLarge                // like Invalid, for input over a stated limit
	Held                    // the input is fine but may not go on yet: no tenant is mapped to its account
	NotFound                // what was asked for does not exist
	Conflict                // someone else changed it first: read again, then decide again
	Denied                  // the caller may not do this
	Exhausted               // a resource ran out (disk full, quota): retrying at once will not help
	Unavailable             // something it depends on is down: offer it again for as long as that takes
)

var names = [...]string{"again", "invalid", "too large", "held", "not found", "conflict", "denied", "exhausted", "unavailable"}

// String gives the kind's name as logs and metrics show it.
func (k Kind) String() string {
	if int(k) < len(names) {
		return names[k]
	}
	return "unknown"
}

type faulty struct {
	kind Kind
	error
}

func (f *faulty) Unwrap() error { return f.error }

// Errorf is fmt.Errorf with a kind.
func Errorf(k Kind, format string, args ...any) error {
	return &faulty{k, fmt.Errorf(format, args...)}
}

// Of returns the kind given to err by the outermost Errorf in its chain, Again when there is none.
func Of(err error) Kind {
	var f *faulty
	if errors.As(err, &f) {
		return f.kind
	}
	return Again
}

// Outside reports whether err is not the input's doing, so that however often it fails says nothing about it.
func Outside(err error) bool {
	k := Of(err)
	return k == Exhausted || k == Unavailable
}

// Permanent reports whether offering the same input again can never succeed.
func Permanent(err error) bool {
	k := Of(err)
	return k == Invalid || k == TooLarge
}
