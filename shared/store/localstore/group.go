package localstore

import (
	"bytes"
	"errors"
	"strings"

	"github.com/cockroachdb/pebble/v2"

	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/datadir"
	"github.com/onepane/onepane/shared/incident"
	"github.com/onepane/onepane/shared/query"
)

// groupTable lists rows by label, each label's in the order of the row tables: one label for what a row's status and severity
// are, one for who it is assigned to. Rows of the first kind are counted besides, so that questions about status and severity
// are answered without looking at any.
const groupTable = 'g'

// label names a group of a row table's rows.
type label string

const (
	byState    = "s" // status, severity
	byAssignee = "a"
)

func stateLabel(rows byte, status, severity string) label {
	return label(string(rows) + byState + status + " " + severity)
}

// assigneeLabel is without case, as filters compare; of long names only the beginning counts.
func assigneeLabel(rows byte, name string) label {
	name = strings.ToLower(name)
	return label(string(rows) + byAssignee + name[:min(len(name), datadir.MaxName-10)])
}

// labels are a row's: its state, which there always is, and its assignee's.
func labels(rows byte, status, severity, assignee string) []label {
	out := []label{stateLabel(rows, status, severity)}
	if assignee != "" {
		out = append(out, assigneeLabel(rows, assignee))
	}
	return out
}

func memberLabels(rows byte, m incident.AlertRecord) []label {
	if rows == foldedRows {
		return nil
	}
	return labels(rows, string(m.Status), string(m.Alert.Severity), m.AssignedTo)
}

func incidentLabels(i incident.Incident) []label {
	return labels(incidentRows, string(i.Status), string(i.Severity), i.AssignedTo)
}

// in is the key of a row in a group.
func (p place) in(tenant string, l label) []byte {
	return append(datadir.AppendUint(datadir.Key(groupTable, tenant, string(l)), ^p.created), p.id...)
}

// group moves a row from the groups it was in to those it is in now.
func (w *commit) group(was place, before []label, now place, after []label) error {
	moved := was != now
	for _, l := range before {
		w.state.count(l, -1)
		if moved || !contains(after, l) {
			if err := w.batch.Delete(was.in(w.tenant.name, l), nil); err != nil {
				return err
			}
		}
	}
	for _, l := range after {
		w.state.count(l, 1)
		if moved || !contains(before, l) {
			if err := w.batch.Set(now.in(w.tenant.name, l), nil, nil); err != nil {
				return err
			}
		}
	}
	return nil
}

func contains(all []label, l label) bool {
	for _, has := range all {
		if has == l {
			return true
		}
	}
	return false
}

// count counts a row of a state; assignees are not counted, there is no end to them.
func (st *state) count(l label, n int64) {
	if l[1:2] != byState {
		return
	}
	if st.Groups == nil {
		st.Groups = map[label]int64{}
	}
	if st.Groups[l] += n; st.Groups[l] <= 0 {
		delete(st.Groups, l)
	}
}

// choice is the groups that hold every row a condition can hold for.
type choice struct {
	labels []label
	size   int64 // rows in them at most; -1 when nobody counted
	// exact says that the condition holds for each of them.
	exact bool
	all   bool // they are all rows: the groups are of no help
}

// choose finds the groups of a row table's rows that e can hold for.
func (st *state) choose(rows byte, e query.Expr) choice {
	c := choice{exact: true}
	other := int64(0)
	for l, n := range st.Groups {
		if l[0] != rows {
			continue
		}
		status, severity, _ := strings.Cut(string(l[2:]), " ")
		may, must := decided(e, stated{status, severity})
		if !may {
			other += n
			continue
		}
		c.labels = append(c.labels, l)
		c.size += n
		c.exact = c.exact && must
	}
	c.all = other == 0
	if who := assignee(e); who != "" {
		return choice{labels: []label{assigneeLabel(rows, who)}, size: -1}
	}
	return c
}

// fewer says that looking at all rows of the groups is less work than walking all rows in the query's order until the page is
// full, if the groups' rows lie evenly among them.
func (c choice) fewer(q query.Query, rows int64) bool {
	return !c.all && c.size <= (int64(q.Skip)+int64(q.Top))*rows/max(c.size, 1)
}

// stated is a row of which only status and severity are known.
type stated struct{ status, severity string }

func (s stated) knows(f query.Field) bool { return f == query.Status || f == query.Severity }

// decided says whether e may hold for a row of that state, and whether it must, whatever else the row has.
func decided(e query.Expr, s stated) (may, must bool) {
	switch e := e.(type) {
	case nil:
		return true, true
	case query.And:
		m1, h1 := decided(e.Left, s)
		m2, h2 := decided(e.Right, s)
		return m1 && m2, h1 && h2
	case query.Or:
		m1, h1 := decided(e.Left, s)
		m2, h2 := decided(e.Right, s)
		return m1 || m2, h1 || h2
	case query.Not:
		m, h := decided(e.X, s)
		return !h, !m
	case query.Compare:
		if s.knows(e.Field) {
			holds := query.Match(e, incident.Incident{Status: incident.Status(s.status), Severity: alert.Severity(s.severity)})
			return holds, holds
		}
	}
	return true, false
}

// assignee is whom e wants rows to be assigned to, "" when it may be anybody or nobody.
func assignee(e query.Expr) string {
	switch e := e.(type) {
	case query.And:
		if who := assignee(e.Left); who != "" {
			return who
		}
		return assignee(e.Right)
	case query.Compare:
		if e.Field == query.AssignedTo && e.Op == query.Eq && !e.Null {
			return e.Text
		}
	}
	return ""
}

// grouped walks the rows of groups by creation, newest first.
func (v *view) grouped(table byte, groups []label, within span, do visit) (err error) {
	var heads []*cursor
	defer func() {
		for _, c := range heads {
			err = errors.Join(err, c.Close())
		}
	}()
	for _, l := range groups {
		prefix := datadir.Key(groupTable, v.tenant, string(l))
		it, err := v.NewIter(within.in(prefix))
		if err != nil {
			return err
		}
		c := &cursor{Iterator: it, skip: len(prefix)}
		heads = append(heads, c)
		it.First()
	}
	for {
		var next *cursor
		for _, c := range heads {
			if c.Valid() && (next == nil || bytes.Compare(c.Key()[c.skip:], next.Key()[next.skip:]) < 0) {
				next = c
			}
		}
		if next == nil {
			return nil
		}
		more, err := v.visit(table, place{next.id(), next.at()}, do)
		if err != nil || !more {
			return err
		}
		next.Next()
	}
}

// in bounds a walk of a table ordered newest first.
func (s span) in(prefix []byte) *pebble.IterOptions {
	o := &pebble.IterOptions{LowerBound: prefix, UpperBound: datadir.After(prefix)}
	if !s.to.IsZero() {
		o.LowerBound = datadir.AppendUint(bytes.Clone(prefix), ^datadir.TimeKey(s.to))
	}
	if !s.from.IsZero() {
		o.UpperBound = datadir.AppendUint(bytes.Clone(prefix), ^datadir.TimeKey(s.from)+1)
	}
	return o
}
