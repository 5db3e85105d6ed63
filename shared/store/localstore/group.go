package localstore

import (
	"strings"

	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/datadir"
	"github.com/onepane/onepane/shared/incident"
	"github.com/onepane/onepane/shared/query"
)

// groupTable lists rows by label, each label's in the order of the row tables: one label for a row's status and
// severity, one for its assignee. Rows of the first kind are counted besides, so that a count by status and severity
// looks at no row.
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

// labelsOf are a row's labels: of its status and severity, and of its assignee when it has one.
func labelsOf(rows byte, status, severity, assignee string) []label {
	out := []label{stateLabel(rows, status, severity)}
	if assignee != "" {
		out = append(out, assigneeLabel(rows, assignee))
	}
	return out
}

func alertLabels(rows byte, m incident.AlertRecord) []label {
	if rows == foldedRows {
		return nil
	}
	return labelsOf(rows, string(m.Status), string(m.Alert.Severity), m.AssignedTo)
}

func incidentLabels(i incident.Incident) []label {
	return labelsOf(incidentRows, string(i.Status), string(i.Severity), i.AssignedTo)
}

// groupKey is the key of a row in a group.
func (p place) groupKey(tenant string, l label) []byte {
	return append(datadir.AppendUint(datadir.Key(groupTable, tenant, string(l)), ^p.created), p.id...)
}

// moveGroups moves a row from the groups it was in to those it is in now.
func (w *indexer) moveGroups(was place, before []label, now place, after []label) error {
	moved := was != now
	for _, l := range before {
		w.state.countGroup(l, -1)
		if moved || !hasLabel(after, l) {
			if err := w.batch.Delete(was.groupKey(w.tenant, l), nil); err != nil {
				return err
			}
		}
	}
	for _, l := range after {
		w.state.countGroup(l, 1)
		if moved || !hasLabel(before, l) {
			if err := w.batch.Set(now.groupKey(w.tenant, l), nil, nil); err != nil {
				return err
			}
		}
	}
	return nil
}

func hasLabel(all []label, l label) bool {
	for _, has := range all {
		if has == l {
			return true
		}
	}
	return false
}

// groupChoice is the groups that hold every row a condition can hold for.
type groupChoice struct {
	labels []label
	size   int64 // rows in them at most; -1 when nobody counted
	// exact says that the condition holds for each of them.
	exact   bool
	allRows bool // they are all rows: the groups are of no help
}

// chooseGroups finds the groups of a row table's rows that e can hold for.
func (st *state) chooseGroups(rows byte, e query.Expr) groupChoice {
	c := groupChoice{exact: true}
	other := int64(0)
	for l, n := range st.Groups {
		if l[0] != rows {
			continue
		}
		status, severity, _ := strings.Cut(string(l[2:]), " ")
		may, must := decideByState(e, knownState{status, severity})
		if !may {
			other += n
			continue
		}
		c.labels = append(c.labels, l)
		c.size += n
		c.exact = c.exact && must
	}
	c.allRows = other == 0
	if who := assigneeIn(e); who != "" {
		return groupChoice{labels: []label{assigneeLabel(rows, who)}, size: -1}
	}
	return c
}

// isCheaper says that looking at all rows of the groups is less work than walking all rows in the query's order until
// the page is full, if the groups' rows lie evenly among them.
func (c groupChoice) isCheaper(q query.Query, rows int64) bool {
	return !c.allRows && c.size <= (int64(q.Skip)+int64(q.Top))*rows/max(c.size, 1)
}

// knownState is a row of which only status and severity are known.
type knownState struct{ status, severity string }

func (s knownState) knowsField(f query.Field) bool { return f == query.Status || f == query.Severity }

// decideByState says whether e may hold for a row of that status and severity, and whether it must, whatever its other
// fields are.
func decideByState(e query.Expr, s knownState) (may, must bool) {
	switch e := e.(type) {
	case nil:
		return true, true
	case query.And:
		m1, h1 := decideByState(e.Left, s)
		m2, h2 := decideByState(e.Right, s)
		return m1 && m2, h1 && h2
	case query.Or:
		m1, h1 := decideByState(e.Left, s)
		m2, h2 := decideByState(e.Right, s)
		return m1 || m2, h1 || h2
	case query.Not:
		m, h := decideByState(e.X, s)
		return !h, !m
	case query.Compare:
		if s.knowsField(e.Field) {
			holds := query.Match(e, incident.Incident{Status: incident.Status(s.status), Severity: alert.Severity(s.severity)})
			return holds, holds
		}
	}
	return true, false
}

// assigneeIn is the assignee of every row e holds for, "" when e does not fix it.
func assigneeIn(e query.Expr) string {
	switch e := e.(type) {
	case query.And:
		if who := assigneeIn(e.Left); who != "" {
			return who
		}
		return assigneeIn(e.Right)
	case query.Compare:
		if e.Field == query.AssignedTo && e.Op == query.Eq && !e.Null {
			return e.Text
		}
	}
	return ""
}
