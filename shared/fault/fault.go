// Package fault says what to do about an error. The kind is set once, where it
// is first known, and read by the host, which settles the message or answers the request.
//
//	decode finding ──Errorf(Invalid)──▶ … %w … ──▶ host: Of(err) ──▶ quarantine, 400, retry
package fault

import (
	"errors"
	"fmt"
)

// Kind is what a caller should do about an error.
type Kind uint8

// The zero kind means "try again": an error that nobody classified is treated as passing trouble.
const (
	Again        Kind = iota // passing trouble: offer the input again
	Invalid                  // the input can never be processed: put it into quarantine with the reason
	TooLarge                 // like Invalid, for input over a stated limit
	Held                     // the input is fine, but no tenant is mapped to its account yet: quarantine until one is
	NotFound                 // what was asked for does not exist
	Conflict                 // someone else changed it first: read again, then decide again
	Precondition             // what the request acts on is in a state that refuses it: resolved, full, or no longer as read
	Denied                   // the caller may not do this
	Exhausted                // a resource ran out (disk full, quota): retrying at once will not help
	Unavailable              // a service it depends on is down: offer the input again for as long as that takes
)

var names = [...]string{"again", "invalid", "too large", "held", "not found", "conflict", "precondition", "denied", "exhausted", "unavailable"}

// String returns the kind's name, as logs, metrics and quarantine show it.
func (k Kind) String() string {
	if int(k) < len(names) {
		return names[k]
	}
	return "unknown"
}

// classified is an error with its kind.
type classified struct {
	kind Kind
	error
}

func (c *classified) Unwrap() error { return c.error }

// Errorf returns an error of kind k, worded as by fmt.Errorf.
func Errorf(k Kind, format string, args ...any) error {
	return &classified{k, fmt.Errorf(format, args...)}
}

// Of returns the kind given to err by the outermost Errorf in its chain, Again when there is none.
func Of(err error) Kind {
	var c *classified
	if errors.As(err, &c) {
		return c.kind
	}
	return Again
}

// Outside reports whether err says nothing about the input, however often it comes: a resource ran out, or a service is
// down.
func Outside(err error) bool {
	k := Of(err)
	return k == Exhausted || k == Unavailable
}

// Permanent reports whether the same input can never succeed: it is Invalid or TooLarge.
func Permanent(err error) bool {
	k := Of(err)
	return k == Invalid || k == TooLarge
}
