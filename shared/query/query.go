// Package query is a typed question to the store: which alerts or incidents, in what order, which page. The API
// parses requests into it, drivers answer it from their indexes, Match is what it means.
package query

import (
	"fmt"
	"strings"
	"time"
)

// Field is a property that can be filtered and ordered by, in the Graph's spelling.
type Field string

// The fields. Times are compared as instants, all others as text without case.
const (
	ID             Field = "id"
	Created        Field = "createdDateTime"
	Updated        Field = "lastUpdateDateTime"
	FirstActivity  Field = "firstActivityDateTime"
	LastActivity   Field = "lastActivityDateTime"
	Severity       Field = "severity" // ordered by rank, not by spelling, where drivers order by it
	Status         Field = "status"
	AssignedTo     Field = "assignedTo"
	Classification Field = "classification"
	Determination  Field = "determination"
	ServiceSource  Field = "serviceSource"
	IncidentID     Field = "incidentId"
	Title          Field = "title"
	DisplayName    Field = "displayName"
	Priority       Field = "priorityScore" // of incidents, 0 to 100: a text as Number writes it
)

// Number writes a number from 0 to 999 so that texts compare as numbers do.
func Number(n int) string { return fmt.Sprintf("%03d", n) }

// IsNumber reports whether f holds what Number writes.
func (f Field) IsNumber() bool { return f == Priority }

// IsTime reports whether f holds an instant.
func (f Field) IsTime() bool {
	return f == Created || f == Updated || f == FirstActivity || f == LastActivity
}

// Op is a comparison.
type Op string

// The comparisons of OData.
const (
	Eq Op = "eq"
	Ne Op = "ne"
	Gt Op = "gt"
	Ge Op = "ge"
	Lt Op = "lt"
	Le Op = "le"
)

// Expr is a condition: And, Or, Not or Compare. A nil Expr holds for everything.
type Expr interface{ holdsFor(Row) bool }

// And holds when both sides do.
type And struct{ Left, Right Expr }

// Or holds when one side does.
type Or struct{ Left, Right Expr }

// Not holds when X does not.
type Not struct{ X Expr }

// Compare holds when the field's value stands in relation Op to Time (for time fields) or Text. Null compares
// with "not set", which is the empty text and the zero time.
type Compare struct {
	Field Field
	Op    Op
	Text  string
	Time  time.Time
	Null  bool
}

// Row gives the values of one alert or incident.
type Row interface {
	// Text is the value of a text field, "" when not set.
	Text(Field) string
	// Time is the value of a time field, zero when not set.
	Time(Field) time.Time
}

// Order is one term of a sort order.
type Order struct {
	Field Field
	Desc  bool
}

// Query is one question.
type Query struct {
	Where Expr
	// Order defaults to newest created first. Ties keep the order of ids.
	Order []Order
	Skip  int
	Top   int  // at most this many rows; must be positive
	Count bool // also count all rows that match
}

// Match reports whether e holds for r.
func Match(e Expr, r Row) bool { return e == nil || e.holdsFor(r) }

func (e And) holdsFor(r Row) bool { return Match(e.Left, r) && Match(e.Right, r) }
func (e Or) holdsFor(r Row) bool  { return Match(e.Left, r) || Match(e.Right, r) }
func (e Not) holdsFor(r Row) bool { return !Match(e.X, r) }

func (e Compare) holdsFor(r Row) bool {
	if e.Field.IsTime() {
		t := r.Time(e.Field)
		if e.Null {
			return t.IsZero() == (e.Op == Eq)
		}
		return e.Op.allows(t.Compare(e.Time))
	}
	v := r.Text(e.Field)
	if e.Null {
		return (v == "") == (e.Op == Eq)
	}
	return e.Op.allows(strings.Compare(strings.ToLower(v), strings.ToLower(e.Text)))
}

func (op Op) allows(c int) bool {
	switch op {
	case Eq:
		return c == 0
	case Ne:
		return c != 0
	case Gt:
		return c > 0
	case Ge:
		return c >= 0
	case Lt:
		return c < 0
	case Le:
		return c <= 0
	}
	return false
}

// Span is the range of a time field that e cannot leave: rows outside it never match. Either end may be zero (open).
// Drivers use it to read less than everything.
func Span(e Expr, f Field) (from, to time.Time) {
	switch e := e.(type) {
	case And:
		from, to = Span(e.Left, f)
		f2, t2 := Span(e.Right, f)
		if f2.After(from) {
			from = f2
		}
		if to.IsZero() || !t2.IsZero() && t2.Before(to) {
			to = t2
		}
	case Compare:
		if e.Field != f || e.Null {
			return
		}
		switch e.Op {
		case Gt, Ge:
			from = e.Time
		case Lt, Le:
			to = e.Time
		case Eq:
			from, to = e.Time, e.Time
		}
	}
	return from, to
}
