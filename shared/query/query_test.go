package query

import (
	"testing"
	"time"
)

var t0 = time.Date(2026, 3, 3, 0, 0, 0, 0, time.UTC)

// rowOf is a row by its fields.
type rowOf map[Field]any

func (r rowOf) Text(f Field) string    { s, _ := r[f].(string); return s }
func (r rowOf) Time(f Field) time.Time { t, _ := r[f].(time.Time); return t }

var sample = rowOf{Status: "new", Severity: "High", Created: t0, AssignedTo: "dora@contoso.example"}

func text(f Field, op Op, v string) Compare { return Compare{Field: f, Op: op, Text: v} }
func at(f Field, op Op, minutes int) Compare {
	return Compare{Field: f, Op: op, Time: t0.Add(time.Duration(minutes) * time.Minute)}
}
func null(f Field, op Op) Compare { return Compare{Field: f, Op: op, Null: true} }

func TestMatch(t *testing.T) {
	for _, tt := range []struct {
		name string
		e    Expr
		want bool
	}{
		{"nothing asked", nil, true},
		{"equal in another case", text(Severity, Eq, "high"), true},
		{"not equal", text(Status, Ne, "resolved"), true},
		{"text in order", text(Status, Gt, "in"), true},
		{"an instant in another zone", Compare{Field: Created, Op: Eq, Time: t0.In(time.FixedZone("x", 3600))}, true},
		{"before", at(Created, Lt, 1), true},
		{"not before itself", at(Created, Lt, 0), false},
		{"at most itself", at(Created, Le, 0), true},
		{"after", at(Created, Gt, -1), true},
		{"at least", at(Created, Ge, 1), false},
		{"set", null(AssignedTo, Ne), true},
		{"not set", null(Classification, Eq), true},
		{"time not set", null(Updated, Eq), true},
		{"time set", null(Created, Eq), false},
		{"and", And{text(Status, Eq, "new"), at(Created, Gt, 0)}, false},
		{"or", Or{text(Status, Eq, "new"), at(Created, Gt, 0)}, true},
		{"not", Not{text(Status, Eq, "new")}, false},
		{"an operator nobody knows", text(Status, "has", "new"), false},
	} {
		if got := Match(tt.e, sample); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}

func TestSpan(t *testing.T) {
	minute := func(n int) time.Time { return t0.Add(time.Duration(n) * time.Minute) }
	var open time.Time
	for _, tt := range []struct {
		name     string
		e        Expr
		from, to time.Time
	}{
		{"nothing asked", nil, open, open},
		{"another field", at(Updated, Gt, 1), open, open},
		{"from", at(Created, Ge, 1), minute(1), open},
		{"to", at(Created, Lt, 2), open, minute(2)},
		{"one moment", at(Created, Eq, 1), minute(1), minute(1)},
		{"unequal says nothing", at(Created, Ne, 1), open, open},
		{"null says nothing", null(Created, Ne), open, open},
		{"and narrows", And{And{at(Created, Ge, 1), at(Created, Ge, 3)}, And{at(Created, Le, 9), at(Created, Lt, 7)}}, minute(3), minute(7)},
		{"and with something else", And{text(Status, Eq, "new"), at(Created, Gt, 1)}, minute(1), open},
		{"or may be anywhere", Or{at(Created, Gt, 1), text(Status, Eq, "new")}, open, open},
		{"not may be anywhere", Not{at(Created, Gt, 1)}, open, open},
	} {
		if from, to := Span(tt.e, Created); !from.Equal(tt.from) || !to.Equal(tt.to) {
			t.Errorf("%s: %v to %v, want %v to %v", tt.name, from, to, tt.from, tt.to)
		}
	}
}
