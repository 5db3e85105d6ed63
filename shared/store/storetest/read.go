package storetest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/incident"
	"github.com/onepane/onepane/shared/query"
	"github.com/onepane/onepane/shared/store"
)

func notFound(t *testing.T, d Driver) {
	commitChanges(t, d.Store, tenant, incident.Changes{Alerts: alertRecords(0, 1), Incidents: []incident.Incident{plainIncident("10000", 0)}})
	for what, call := range map[string]func() error{
		"alert":           func() error { _, err := d.Store.Alert(t.Context(), tenant, "nope"); return err },
		"incident":        func() error { _, err := d.Store.Incident(t.Context(), tenant, "1"); return err },
		"incident alerts": func() error { _, err := d.Store.IncidentAlerts(t.Context(), tenant, "1", first100); return err },
		"other tenant":    func() error { _, err := d.Store.Alert(t.Context(), "fabrikam", alertID(0)); return err },
	} {
		if err := call(); fault.Of(err) != fault.NotFound {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// commitTied are alerts of which five share each moment, committed in no good order.
func commitTied(t *testing.T, d Driver, n int) []incident.AlertRecord {
	t.Helper()
	ms := alertRecords(0, n)
	for i := range ms {
		ms[i].Created, ms[i].Updated = minuteAt(i/5), minuteAt(100-i/5)
	}
	commitChanges(t, d.Store, tenant, incident.Changes{Alerts: slices.Concat(ms[n/2:], ms[:n/2])})
	return ms
}

func newestFirst(t *testing.T, d Driver) {
	ms := commitTied(t, d, 23)
	slices.SortStableFunc(ms, func(a, b incident.AlertRecord) int { return b.Created.Compare(a.Created) })
	checkStrings(t, "Alerts", idsOf(listAlerts(t, d.Store, first100).Items), idsOf(ms))
}

func pagesCoverAll(t *testing.T, d Driver) {
	commitTied(t, d, 57)
	for _, order := range [][]query.Order{nil, {{Field: query.Created}}, {{Field: query.Updated, Desc: true}}, {{Field: query.Updated}}, {{Field: query.Title}}} {
		all := idsOf(listAlerts(t, d.Store, query.Query{Order: order, Top: 100}).Items)
		if len(all) != 57 {
			t.Errorf("%v: %d rows on one page", order, len(all))
		}
		for _, size := range []int{1, 7, 10, 57} {
			var got []string
			for more := true; more; {
				p := listAlerts(t, d.Store, query.Query{Order: order, Skip: len(got), Top: size})
				got, more = append(got, idsOf(p.Items)...), p.More
			}
			checkStrings(t, fmt.Sprint(order, " by ", size), got, all)
		}
	}
	if p := listAlerts(t, d.Store, query.Query{Skip: 1000, Top: 10}); len(p.Items) != 0 || p.More {
		t.Errorf("a page beyond the end: %+v", p)
	}
}

func everyOrder(t *testing.T, d Driver) {
	ms := commitTied(t, d, 60)
	fields := []query.Field{query.ID, query.Created, query.Updated, query.FirstActivity, query.LastActivity, query.Severity,
		query.Status, query.AssignedTo, query.Title, query.IncidentID}
	for _, f := range fields {
		for _, desc := range []bool{false, true} {
			want := sortedBy(ms, f, desc)
			got := listAlerts(t, d.Store, query.Query{Order: []query.Order{{Field: f, Desc: desc}}, Skip: 3, Top: 40})
			checkStrings(t, fmt.Sprint("by ", f, " desc ", desc), idsOf(got.Items), idsOf(want[3:43]))
		}
	}
	got := listAlerts(t, d.Store, query.Query{Order: []query.Order{{Field: query.Created, Desc: true}, {Field: query.ID, Desc: true}}, Top: 2})
	checkStrings(t, "by two fields", idsOf(got.Items), []string{alertID(59), alertID(58)})
}

// orderOfFractions are alerts whose times are apart by nanoseconds or not set, and whose ids go the other way.
func orderOfFractions(t *testing.T, d Driver) {
	steps := []time.Duration{0, 1, 2, 999, time.Microsecond, time.Microsecond + 1, time.Millisecond - 1, time.Second - 1, time.Second}
	ms := alertRecords(0, 2*len(steps))
	for i := range ms {
		n := len(ms) - 1 - i
		at := start.Add(steps[n/2]) // two of each moment
		ms[i].Created, ms[i].Updated, ms[i].Alert.First, ms[i].Alert.Last, ms[i].Incident = at, at, at, at, "10000"
		if n%4 == 0 {
			ms[i].Alert.Last = time.Time{}
		}
	}
	commitChanges(t, d.Store, tenant, incident.Changes{Alerts: ms[len(steps):], Incidents: []incident.Incident{plainIncident("10000", 0)}})
	commitChanges(t, d.Store, tenant, incident.Changes{Alerts: ms[:len(steps)]})
	in := query.Compare{Field: query.IncidentID, Op: query.Eq, Text: "10000"}
	for _, f := range []query.Field{query.Created, query.Updated, query.FirstActivity, query.LastActivity} {
		for _, desc := range []bool{false, true} {
			want := sortedBy(ms, f, desc)
			for _, where := range []query.Expr{nil, in, query.Compare{Field: f, Op: query.Lt, Time: start.Add(time.Hour)}} {
				for skip := range len(ms) {
					p := listAlerts(t, d.Store, query.Query{Where: where, Order: []query.Order{{Field: f, Desc: desc}}, Skip: skip, Top: 3})
					checkStrings(t, fmt.Sprint("by ", f, " desc ", desc, " after ", skip, " where ", where), idsOf(p.Items), idsOf(want[skip:min(skip+3, len(want))]))
				}
			}
		}
	}
	checkStrings(t, "without an order", idsOf(listAlerts(t, d.Store, query.Query{Where: in, Top: 100}).Items), idsOf(sortedBy(ms, query.Created, true)))
}

// sortedBy are the alerts in the order of a field, those that it leaves equal by id.
func sortedBy(ms []incident.AlertRecord, f query.Field, desc bool) []incident.AlertRecord {
	return slices.SortedFunc(slices.Values(ms), func(a, b incident.AlertRecord) int {
		c := compareBy(a, b, f)
		if desc {
			c = -c
		}
		return cmp.Or(c, strings.Compare(a.Alert.ID, b.Alert.ID))
	})
}

// scatteredCommits commits alerts a few at a time, in no order of theirs, some of them again later.
func scatteredCommits(t *testing.T, d Driver) {
	const n, step = 60, 7 // step shares no factor with n
	ms := alertRecords(0, n)
	for i := range ms {
		ms[i].Created, ms[i].Updated, ms[i].Alert.First = minuteAt(i/2), minuteAt(i*step%n), minuteAt(-i*11%n)
	}
	for i := 0; i < n; i += 3 {
		var part []incident.AlertRecord
		for k := i; k < i+3; k++ {
			part = append(part, ms[k*step%n])
		}
		again := &ms[i*i%(i+1)*step%n]
		again.Updated = again.Updated.Add(time.Second)
		commitChanges(t, d.Store, tenant, incident.Changes{Alerts: append(part, ms[i*step%n])})
	}
	for i := range ms { // what was changed above and not committed after
		if i%20 == 0 {
			commitChanges(t, d.Store, tenant, incident.Changes{Alerts: ms[i : i+20]})
		}
	}
	for _, f := range []query.Field{query.Created, query.Updated, query.FirstActivity, query.Title} {
		for _, desc := range []bool{false, true} {
			want := sortedBy(ms, f, desc)
			for skip := 0; skip < n; skip += 4 {
				p := listAlerts(t, d.Store, query.Query{Order: []query.Order{{Field: f, Desc: desc}}, Skip: skip, Top: 4})
				checkStrings(t, fmt.Sprint("by ", f, " desc ", desc, " after ", skip), idsOf(p.Items), idsOf(want[skip:skip+4]))
				if p.More != (skip+4 < n) {
					t.Errorf("by %s after %d: more %v", f, skip, p.More)
				}
			}
		}
	}
}

func compareBy(a, b incident.AlertRecord, f query.Field) int {
	switch {
	case f.IsTime():
		return a.Time(f).Compare(b.Time(f))
	case f == query.Severity:
		return cmp.Compare(a.Alert.Severity.Graph().Rank(), b.Alert.Severity.Graph().Rank())
	}
	return strings.Compare(strings.ToLower(a.Text(f)), strings.ToLower(b.Text(f)))
}

func filtersMatch(t *testing.T, d Driver) {
	ms := alertRecords(0, 40)
	for n := range ms {
		ms[n].Updated = minuteAt(n * 2)
		if n%4 == 0 {
			ms[n].AssignedTo, ms[n].Classification, ms[n].Determination = "", "truePositive", "malware"
			ms[n].Status = alert.StatusResolved
		}
	}
	commitChanges(t, d.Store, tenant, incident.Changes{Alerts: ms})
	text := func(f query.Field, op query.Op, v string) query.Expr { return query.Compare{Field: f, Op: op, Text: v} }
	at := func(f query.Field, op query.Op, n int) query.Expr {
		return query.Compare{Field: f, Op: op, Time: minuteAt(n)}
	}
	for _, e := range []query.Expr{
		text(query.Severity, query.Eq, "HIGH"), text(query.Status, query.Ne, "resolved"), text(query.AssignedTo, query.Eq, "Dora"),
		query.Compare{Field: query.AssignedTo, Op: query.Eq, Null: true}, query.Compare{Field: query.Classification, Op: query.Ne, Null: true},
		text(query.Determination, query.Eq, "malware"), text(query.ServiceSource, query.Eq, "microsoftDefenderForCloud"),
		text(query.Title, query.Ge, "title d"), text(query.ID, query.Lt, alertID(9)), text(query.IncidentID, query.Eq, "10001"),
		at(query.Created, query.Ge, 10), at(query.Created, query.Lt, 10), at(query.Created, query.Eq, 10), at(query.Updated, query.Gt, 30),
		query.And{Left: at(query.Created, query.Gt, 5), Right: at(query.Created, query.Le, 20)},
		query.And{Left: at(query.Updated, query.Ge, 20), Right: text(query.Severity, query.Eq, "low")},
		query.Or{Left: at(query.Created, query.Lt, 3), Right: at(query.Updated, query.Ge, 70)},
		query.Not{X: query.And{Left: at(query.Created, query.Gt, 5), Right: text(query.Status, query.Eq, "new")}},
		at(query.FirstActivity, query.Ge, 35), at(query.LastActivity, query.Le, 3),
		query.And{Left: at(query.Created, query.Gt, 20), Right: at(query.Created, query.Lt, 10)},
	} {
		for _, order := range [][]query.Order{nil, {{Field: query.Created}}, {{Field: query.Updated, Desc: true}}, {{Field: query.Title}, {Field: query.Created, Desc: true}}} {
			var want []string
			for _, m := range ms {
				if query.Match(e, m) {
					want = append(want, m.Alert.ID)
				}
			}
			p := listAlerts(t, d.Store, query.Query{Where: e, Order: order, Top: 100, Count: true})
			got := idsOf(p.Items)
			slices.Sort(got)
			checkStrings(t, fmt.Sprintf("%+v by %v", e, order), got, want)
			if p.Total != int64(len(want)) {
				t.Errorf("%+v: total %d, want %d", e, p.Total, len(want))
			}
		}
	}
}

func totalsCounted(t *testing.T, d Driver) {
	commitChanges(t, d.Store, tenant, incident.Changes{Alerts: alertRecords(0, 30)})
	where := query.Compare{Field: query.Severity, Op: query.Eq, Text: "low"} // one in six
	for _, tt := range []struct {
		q    query.Query
		want int64
		more bool
	}{
		{query.Query{Top: 10}, -1, true},
		{query.Query{Top: 10, Count: true}, 30, true},
		{query.Query{Top: 30, Count: true}, 30, false},
		{query.Query{Top: 2, Where: where, Count: true}, 5, true},
		{query.Query{Top: 2, Skip: 3, Where: where, Count: true}, 5, false},
		{query.Query{Top: 2, Where: where, Count: true, Order: []query.Order{{Field: query.Title}}}, 5, true},
		{query.Query{Top: 2, Where: where, Order: []query.Order{{Field: query.Title}}}, -1, true},
	} {
		if p := listAlerts(t, d.Store, tt.q); p.Total != tt.want || p.More != tt.more {
			t.Errorf("%+v: total %d, more %v; want %d, %v", tt.q, p.Total, p.More, tt.want, tt.more)
		}
	}
}

func noPage(t *testing.T, d Driver) {
	if _, err := d.Store.Alerts(t.Context(), tenant, query.Query{}); fault.Of(err) != fault.Invalid {
		t.Errorf("Alerts = %v", err)
	}
}

func exposuresAreSeparate(t *testing.T, d Driver) {
	ms := alertRecords(0, 4)
	for _, n := range []int{1, 3} {
		ms[n].Alert.Class, ms[n].Incident = alert.Exposure, ""
	}
	commitChanges(t, d.Store, tenant, incident.Changes{Alerts: ms})
	list := func() []string {
		p, err := d.Store.Exposures(t.Context(), tenant, query.Query{Top: 10, Count: true})
		if err != nil || p.Total != int64(len(p.Items)) {
			t.Errorf("Exposures: total %d of %d, %v", p.Total, len(p.Items), err)
		}
		return idsOf(p.Items)
	}
	checkStrings(t, "alerts", idsOf(listAlerts(t, d.Store, first100).Items), []string{alertID(2), alertID(0)})
	checkStrings(t, "exposures", list(), []string{alertID(3), alertID(1)})
	if m, err := d.Store.Alert(t.Context(), tenant, alertID(3)); err != nil || m.Alert.ID != alertID(3) {
		t.Errorf("Alert of an exposure = %v, %v", m.Alert.ID, err)
	}
	ms[3].Alert.Class = alert.Threat // a source that is now set to give alerts
	commitChanges(t, d.Store, tenant, incident.Changes{Alerts: ms[3:]})
	checkStrings(t, "alerts", idsOf(listAlerts(t, d.Store, first100).Items), []string{alertID(3), alertID(2), alertID(0)})
	checkStrings(t, "exposures", list(), []string{alertID(1)})
}

func foldedAlert(t *testing.T, d Driver) {
	commitChanges(t, d.Store, tenant, incident.Changes{Alerts: alertRecords(0, 3), Incidents: []incident.Incident{plainIncident("10001", 1)}})
	m := alertRecord(1)
	m.Incident, m.FoldedInto = "", alertID(2)
	commitChanges(t, d.Store, tenant, incident.Changes{Alerts: []incident.AlertRecord{m}})
	if got, err := d.Store.Alert(t.Context(), tenant, alertID(1)); err != nil || got.Alert.ID != alertID(2) {
		t.Errorf("Alert(folded) = %q, %v", got.Alert.ID, err)
	}
	p := listAlerts(t, d.Store, query.Query{Top: 10, Count: true})
	checkStrings(t, "alerts", idsOf(p.Items), []string{alertID(2), alertID(0)})
	if p.Total != 2 {
		t.Errorf("total %d", p.Total)
	}
	if in, err := d.Store.IncidentAlerts(t.Context(), tenant, "10001", first100); err != nil || len(in.Items) != 0 {
		t.Errorf("its old incident still has %v, %v", idsOf(in.Items), err)
	}
	if l := loadRefs(t, d.Store, tenant, incident.Refs{Alerts: []string{alertID(1)}}); len(l.Alerts) != 1 || l.Alerts[0].FoldedInto != alertID(2) {
		t.Errorf("Load must not follow: %+v", l.Alerts)
	}
	commitChanges(t, d.Store, tenant, incident.Changes{Alerts: alertRecords(1, 2)}) // undone
	if got, err := d.Store.Alert(t.Context(), tenant, alertID(1)); err != nil || got.Alert.ID != alertID(1) {
		t.Errorf("Alert(unfolded) = %q, %v", got.Alert.ID, err)
	}
}

// commitMerged are incidents 10000, 10001 and 10002, of which the first two went into the third, one by way of the
// other.
func commitMerged(t *testing.T, d Driver) {
	t.Helper()
	a, b, c := plainIncident("10000", 0), plainIncident("10001", 1), plainIncident("10002", 2)
	commitChanges(t, d.Store, tenant, incident.Changes{Alerts: alertRecords(0, 9), Incidents: []incident.Incident{a, b, c}})
	a.Status, a.RedirectTo = incident.Redirected, "10001"
	b.Merged = []string{"10000"}
	commitChanges(t, d.Store, tenant, incident.Changes{Incidents: []incident.Incident{a, b}})
	b.Status, b.RedirectTo, b.Merged = incident.Redirected, "10002", nil
	c.Merged = []string{"10001", "10000"}
	commitChanges(t, d.Store, tenant, incident.Changes{Incidents: []incident.Incident{b, c}})
}

func mergedIncident(t *testing.T, d Driver) {
	commitMerged(t, d)
	for _, id := range []string{"10000", "10001", "10002"} {
		p, err := d.Store.IncidentAlerts(t.Context(), tenant, id, query.Query{Top: 100, Count: true})
		if err != nil || p.Total != 9 {
			t.Errorf("alerts of %s: total %d, %v", id, p.Total, err)
		}
		checkStrings(t, "alerts of "+id, idsOf(p.Items), idsOf(alertRecords(0, 9)))
		for _, m := range p.Items {
			if m.Incident != "10002" {
				t.Errorf("%s names incident %s", m.Alert.ID, m.Incident)
			}
		}
	}
	m, err := d.Store.Alert(t.Context(), tenant, alertID(0))
	if err != nil || m.Incident != "10002" {
		t.Errorf("Alert names incident %s, %v", m.Incident, err)
	}
	p := listAlerts(t, d.Store, query.Query{Where: query.Compare{Field: query.IncidentID, Op: query.Eq, Text: "10002"}, Top: 100})
	if len(p.Items) != 9 {
		t.Errorf("filter by the survivor finds %v", idsOf(p.Items))
	}
	i, err := d.Store.Incident(t.Context(), tenant, "10000")
	if err != nil || i.Status != incident.Redirected || i.RedirectTo != "10002" {
		t.Errorf("Incident = %s to %s, %v", i.Status, i.RedirectTo, err)
	}
	if l := loadRefs(t, d.Store, tenant, incident.Refs{Incidents: []string{"10000"}, Alerts: []string{alertID(0)}}); l.Incidents[0].RedirectTo != "10001" || l.Alerts[0].Incident != "10000" {
		t.Errorf("Load must not follow: %+v", l)
	}
}

func byFirstActivity(t *testing.T, d Driver) {
	ms := alertRecords(0, 12)
	for n := range ms {
		ms[n].Incident, ms[n].Alert.First = "10000", minuteAt(-n/2)
	}
	commitChanges(t, d.Store, tenant, incident.Changes{Alerts: ms, Incidents: []incident.Incident{plainIncident("10000", 0), plainIncident("100001", 0)}})
	slices.SortStableFunc(ms, func(a, b incident.AlertRecord) int { return a.Alert.First.Compare(b.Alert.First) })
	p, err := d.Store.IncidentAlerts(t.Context(), tenant, "10000", query.Query{Skip: 1, Top: 5})
	if err != nil || !p.More {
		t.Errorf("more %v, %v", p.More, err)
	}
	checkStrings(t, "by first activity", idsOf(p.Items), idsOf(ms[1:6]))
	p, err = d.Store.IncidentAlerts(t.Context(), tenant, "10000", query.Query{Order: []query.Order{{Field: query.ID, Desc: true}}, Top: 2})
	if err != nil {
		t.Fatal(err)
	}
	checkStrings(t, "as asked", idsOf(p.Items), []string{alertID(11), alertID(10)})
	p, err = d.Store.IncidentAlerts(t.Context(), tenant, "10000", query.Query{Where: query.Compare{Field: query.Severity, Op: query.Eq, Text: "low"}, Top: 10, Count: true})
	if err != nil || p.Total != 2 || len(p.Items) != 2 {
		t.Errorf("filtered: %v of %d, %v", idsOf(p.Items), p.Total, err)
	}
}

func alertMoves(t *testing.T, d Driver) {
	commitChanges(t, d.Store, tenant, incident.Changes{Alerts: alertRecords(0, 1), Incidents: []incident.Incident{plainIncident("10000", 0), plainIncident("10001", 0)}})
	m := alertRecord(0)
	m.Incident = "10001"
	commitChanges(t, d.Store, tenant, incident.Changes{Alerts: []incident.AlertRecord{m}})
	for id, want := range map[string]int{"10000": 0, "10001": 1} {
		if p, err := d.Store.IncidentAlerts(t.Context(), tenant, id, first100); err != nil || len(p.Items) != want {
			t.Errorf("incident %s has %v, %v", id, idsOf(p.Items), err)
		}
	}
}

func incidentListings(t *testing.T, d Driver) {
	var all []incident.Incident
	for n := range 30 {
		i := plainIncident(fmt.Sprint(10000+n), n/3)
		i.Updated = minuteAt(100 - n)
		if n%5 == 0 {
			i.Status, i.RedirectTo = incident.Redirected, "10001"
		}
		all = append(all, i)
	}
	commitChanges(t, d.Store, tenant, incident.Changes{Incidents: all})
	list := func(q query.Query) store.Page[incident.Incident] {
		t.Helper()
		p, err := d.Store.Incidents(t.Context(), tenant, q)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	want := slices.Clone(all)
	slices.SortStableFunc(want, func(a, b incident.Incident) int { return b.Created.Compare(a.Created) })
	p := list(query.Query{Top: 10, Count: true})
	checkJSON(t, "newest", p.Items, want[:10])
	if p.Total != 30 || !p.More {
		t.Errorf("total %d, more %v", p.Total, p.More)
	}
	p = list(query.Query{Where: query.Compare{Field: query.Status, Op: query.Ne, Text: "redirected"}, Order: []query.Order{{Field: query.Updated, Desc: true}}, Top: 3, Count: true})
	checkStrings(t, "lately updated", incidentIDs(p.Items), []string{"10001", "10002", "10003"})
	if p.Total != 24 {
		t.Errorf("total %d", p.Total)
	}
	p = list(query.Query{Where: query.Compare{Field: query.DisplayName, Op: query.Eq, Text: "case 10007"}, Top: 3})
	checkStrings(t, "by name", incidentIDs(p.Items), []string{"10007"})
	all[7].Created, all[7].Name = minuteAt(500), "Renamed" // a merge may move it
	commitChanges(t, d.Store, tenant, incident.Changes{Incidents: all[7:8]})
	p = list(query.Query{Top: 1, Count: true})
	checkJSON(t, "moved to the front", p.Items, all[7:8])
	if p.Total != 30 {
		t.Errorf("total %d", p.Total)
	}
}

func changeFeed(t *testing.T, d Driver) {
	ms := alertRecords(0, 5)
	ms[1].Alert.Class, ms[1].Incident = alert.Exposure, ""
	if _, next, err := d.Store.Changes(t.Context(), tenant, "", 10); err != nil || next != "" {
		t.Errorf("an empty feed: next %q, %v", next, err)
	}
	commitChanges(t, d.Store, tenant, incident.Changes{Alerts: ms[:3], Incidents: []incident.Incident{plainIncident("10000", 1)}})
	commitChanges(t, d.Store, tenant, incident.Changes{Alerts: ms[3:]})
	for _, limit := range []int{1, 2, 3, 100} {
		var got []string
		cursor, last := "", uint64(0)
		for range 20 {
			changes, next, err := d.Store.Changes(t.Context(), tenant, cursor, limit)
			if err != nil || len(changes) > limit {
				t.Fatalf("%d changes of %d, %v", len(changes), limit, err)
			}
			for _, c := range changes {
				got = append(got, string(c.Kind)+" "+c.ID)
				if c.Version < last || c.Time.IsZero() {
					t.Errorf("change %+v after version %d", c, last)
				}
				last = c.Version
			}
			if cursor = next; len(changes) == 0 {
				break
			}
		}
		slices.Sort(got[:min(4, len(got))]) // one commit has no order within
		checkStrings(t, fmt.Sprint("feed by ", limit), got, []string{"alert " + alertID(0), "alert " + alertID(2), "exposure " + alertID(1), "incident 10000", "alert " + alertID(3), "alert " + alertID(4)})
		staysAtEnd(t, d.Store, cursor)
	}
	if _, _, err := d.Store.Changes(t.Context(), tenant, "no cursor", 10); fault.Of(err) != fault.Invalid {
		t.Errorf("a foreign cursor: %v", err)
	}
}

// staysAtEnd checks that a cursor at the end stays there until something changes; the fresh tenant keeps other readers'
// feeds as they were.
func staysAtEnd(t *testing.T, s Store, cursor string) {
	t.Helper()
	if changes, next, err := s.Changes(t.Context(), tenant, cursor, 10); err != nil || len(changes) != 0 || next != cursor {
		t.Errorf("after the end: %v, next %q after %q, %v", changes, next, cursor, err)
	}
}

func statsCount(t *testing.T, d Driver) {
	ms := alertRecords(0, 5)
	ms[1].Alert.Class = alert.Exposure
	ms[2].FoldedInto = alertID(0)
	commitChanges(t, d.Store, tenant, incident.Changes{Alerts: ms, Incidents: []incident.Incident{plainIncident("10000", 1)}})
	commitChanges(t, d.Store, "fabrikam", incident.Changes{Alerts: alertRecords(0, 2)})
	if st, err := d.Store.Stats(t.Context()); err != nil || st != (store.Stats{Alerts: 5, Exposures: 1, Incidents: 1}) {
		t.Errorf("Stats = %+v, %v", st, err)
	}
}
