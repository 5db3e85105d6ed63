package fault

import (
	"errors"
	"fmt"
	"testing"
)

func TestOf(t *testing.T) {
	cause := errors.New("unexpected end")
	for _, tt := range []struct {
		err       error
		want      Kind
		permanent bool
	}{
		{cause, Again, false},
		{nil, Again, false},
		{Errorf(Invalid, "decode finding: %w", cause), Invalid, true},
		{fmt.Errorf("deliver: %w", Errorf(TooLarge, "20 MB")), TooLarge, true},
		{Errorf(Again, "try: %w", Errorf(Invalid, "inner")), Again, false},
		{Errorf(Held, "no tenant"), Held, false},
		{fmt.Errorf("move: %w", Errorf(Precondition, "resolved")), Precondition, false},
	} {
		if got := Of(tt.err); got != tt.want {
			t.Errorf("Of(%v) = %v, want %v", tt.err, got, tt.want)
		}
		if got := Permanent(tt.err); got != tt.permanent {
			t.Errorf("Permanent(%v) = %v, want %v", tt.err, got, tt.permanent)
		}
	}
	if !errors.Is(Errorf(Invalid, "decode: %w", cause), cause) {
		t.Error("Errorf hides its cause")
	}
}

// TestNames keeps the names of kinds, by which quarantine and metrics know them.
func TestNames(t *testing.T) {
	for kind, want := range map[Kind]string{
		Again: "again", Invalid: "invalid", TooLarge: "too large", Held: "held", NotFound: "not found", Conflict: "conflict",
		Precondition: "precondition", Denied: "denied", Exhausted: "exhausted", Unavailable: "unavailable", 200: "unknown",
	} {
		if got := kind.String(); got != want {
			t.Errorf("kind %d is called %q, want %q", kind, got, want)
		}
	}
}

func TestOutside(t *testing.T) {
	for kind := Again; kind <= Unavailable; kind++ {
		if got, want := Outside(Errorf(kind, "x")), kind == Exhausted || kind == Unavailable; got != want {
			t.Errorf("Outside(%v) = %v", kind, got)
		}
	}
}

func TestRefused(t *testing.T) {
	bad := errors.New("bad")
	r := Refused{3: nil, 1: bad}
	if got, want := r.Error(), "event 1: bad; event 3: <nil>"; got != want {
		t.Errorf("Error() = %q, want %q", got, want)
	}
	if err := r.Reason(0); err != nil {
		t.Errorf("event 0 is done, and has the reason %v", err)
	}
	if err := r.Reason(1); err != bad {
		t.Errorf("event 1: %v", err)
	}
	if err := r.Reason(3); Of(err) != Invalid {
		t.Errorf("event 3, refused without a reason: %v", err)
	}
	if err := Refused(nil).Reason(0); err != nil {
		t.Errorf("nothing is refused, and event 0 has the reason %v", err)
	}
}
