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
