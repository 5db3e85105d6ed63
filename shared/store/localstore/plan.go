package localstore

import (
	"slices"
	"strings"

	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/query"
)

// planWalk chooses the walk that looks at the fewest rows; ordered says that it gives them in the query's order. The
// first that applies wins:
//
//  1. the rows are those of one incident            → their places, in the listing's own order
//  2. the condition names an id or an incident      → that row, or the incident's, unordered
//  3. newest first, and groups exclude some rows    → those groups, in order
//  4. by creation or update, and it is the cheaper  → that index, in order
//  5. the condition bounds update times alone       → the index of update times, unordered
//  6. groups exclude some rows                      → those groups, unordered
//  7. nothing of the above                          → all rows, unordered
func (l listing[R, T]) planWalk(q query.Query) (walk func(visitFunc) error, ordered bool, err error) {
	if l.walk != nil {
		return l.walk, slices.Equal(q.Order, l.order), nil
	}
	if places, named, err := l.placesNamedIn(q.Where); named || err != nil {
		return func(do visitFunc) error { return l.rows.walkPlaces(places, do) }, false, err
	}
	created, updated := rangeOf(q, query.Created), rangeOf(q, query.Updated)
	groups := groupChoice{allRows: true}
	if l.groups != nil {
		groups = l.groups.chooseGroups(l.rows.table, q.Where)
	}
	byGroup := func(do visitFunc) error { return l.rows.walkGroups(groups.labels, created, do) }
	byCreated := func(asc bool) func(visitFunc) error {
		return func(do visitFunc) error { return l.rows.walkByCreation(created, asc, do) }
	}
	byUpdated := func(asc bool) func(visitFunc) error {
		return func(do visitFunc) error { return l.rows.walkByUpdate(updated, asc, do) }
	}
	by, desc := q.Order[0].Field, q.Order[0].Desc
	switch {
	case len(q.Order) > 1: // more than times can tell
	case by == query.Created && desc && !groups.allRows:
		return byGroup, true, nil
	case by == query.Created && (desc || !groups.isCheaper(q, l.total)):
		return byCreated(!desc), true, nil
	case by == query.Updated && (updated != timeRange{} || !groups.isCheaper(q, l.total)):
		return byUpdated(!desc), true, nil
	}
	if created == (timeRange{}) && updated != (timeRange{}) {
		return byUpdated(false), false, nil
	}
	if !groups.allRows {
		return byGroup, false, nil
	}
	return byCreated(false), false, nil
}

// rangeOf is the range of a time field that the query's condition cannot leave.
func rangeOf(q query.Query, f query.Field) timeRange {
	from, to := query.Span(q.Where, f)
	return timeRange{from, to}
}

// placesNamedIn are the rows that e can hold for when it names one by id, or the incident that they are in; named is
// false when it does neither.
func (l listing[R, T]) placesNamedIn(e query.Expr) (places []place, named bool, err error) {
	if id, ok := textEqualTo(e, query.ID); ok {
		at, found, err := l.rows.placeOf(strings.ToLower(id))
		if err == nil && found {
			places = []place{at}
		}
		return places, true, err
	}
	id, ok := textEqualTo(e, query.IncidentID)
	if !ok || l.rows.table != alertRows {
		return nil, false, nil
	}
	i, err := l.rows.storedIncident(id)
	switch {
	case fault.Of(err) == fault.NotFound: // alerts may say so all the same
		places, err = l.rows.alertsOf([]string{id})
	case err == nil:
		places, err = l.rows.alertsOf(append([]string{id}, i.Merged...))
	}
	return places, true, err
}

// textEqualTo is the text that a field has in every row e holds for; ok is false when e does not fix it.
func textEqualTo(e query.Expr, f query.Field) (text string, ok bool) {
	switch e := e.(type) {
	case query.And:
		if text, ok = textEqualTo(e.Left, f); ok {
			return text, ok
		}
		return textEqualTo(e.Right, f)
	case query.Compare:
		return e.Text, e.Field == f && e.Op == query.Eq && !e.Null
	}
	return "", false
}
