package localstore

import (
	"fmt"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/datadir"
	"github.com/onepane/onepane/shared/entity"
	"github.com/onepane/onepane/shared/incident"
	"github.com/onepane/onepane/shared/query"
)

var morning = time.Date(2026, 3, 3, 0, 0, 0, 0, time.UTC)

// openCrowded commits n incidents, one a minute: every hundredth is of high severity, every tenth of those active, and
// active ones are the oldest: whoever walks from the newest meets them last.
func openCrowded(t *testing.T, n int) *Store {
	t.Helper()
	s, _ := openStore(t, vfs.NewMem())
	var c incident.Changes
	for i := range n {
		at := morning.Add(time.Duration(i) * time.Minute)
		one := incident.Incident{ID: fmt.Sprint(1_000_000 + i), Tenant: "t", Status: incident.Resolved, Severity: alert.Low, Created: at, Updated: at, First: at, Last: at}
		if i%100 == 0 {
			one.Severity = alert.High
		}
		if i < n/10 {
			one.Status = incident.Active
		}
		if i%1000 == 7 {
			one.AssignedTo = "Dora@contoso.example"
		}
		if c.Incidents = append(c.Incidents, one); len(c.Incidents) == 5000 || i == n-1 {
			if err := s.Commit(t.Context(), "t", s.tenants["t"].version(), c); err != nil {
				t.Fatal(err)
			}
			c.Incidents = nil
		}
	}
	return s
}

func (t *tenant) version() uint64 {
	if t == nil {
		return 0
	}
	return t.state.Version
}

// TestPagesReadFewRows counts the rows that a page of 50 looks at, of 100,000 incidents.
func TestPagesReadFewRows(t *testing.T) {
	const stored = 100_000
	s := openCrowded(t, stored)
	text := func(f query.Field, v string) query.Expr { return query.Compare{Field: f, Op: query.Eq, Text: v} }
	high, active := text(query.Severity, "high"), text(query.Status, "active")
	both := query.And{Left: high, Right: active} // 100 of them
	updated := func(desc bool) []query.Order { return []query.Order{{Field: query.Updated, Desc: desc}} }
	for _, tt := range []struct {
		name  string
		q     query.Query
		total int64 // -1 when not asked for
		most  int64 // rows looked at
	}{
		{"no filter, counted", query.Query{Count: true}, stored, 51},
		{"severity and status", query.Query{Where: both}, -1, 51},
		{"severity and status, counted", query.Query{Where: both, Count: true}, 100, 51},
		{"any but low or resolved", query.Query{Where: query.Not{X: query.Or{Left: text(query.Severity, "low"), Right: text(query.Status, "resolved")}}, Count: true}, 100, 51},
		{"severity alone, of two states", query.Query{Where: high, Count: true}, 1000, 51},
		{"the second page", query.Query{Where: both, Skip: 50}, -1, 100},
		{"oldest first", query.Query{Where: both, Order: []query.Order{{Field: query.Created}}}, -1, 100},
		{"lately updated", query.Query{Where: both, Order: updated(true)}, -1, 100},
		{"lately updated, of many", query.Query{Where: active, Order: updated(false)}, -1, 51},
		{"by name", query.Query{Where: both, Order: []query.Order{{Field: query.DisplayName}, {Field: query.Created}}}, -1, 100},
		{"before a time", query.Query{Where: query.And{Left: both, Right: query.Compare{Field: query.Created, Op: query.Lt, Time: morning.Add(1000 * time.Minute)}}}, -1, 51},
		{"assigned", query.Query{Where: text(query.AssignedTo, "dora@CONTOSO.example"), Count: true}, 100, 100},
		{"by id", query.Query{Where: text(query.ID, "1000777")}, -1, 1},
		{"of a state that nothing is in", query.Query{Where: text(query.Status, "inProgress"), Count: true}, 0, 0},
	} {
		tt.q.Top = 50
		before := s.looked.Load()
		p, err := s.Incidents(t.Context(), "t", tt.q)
		if err != nil {
			t.Fatal(err)
		}
		if looked := s.looked.Load() - before; looked > tt.most {
			t.Errorf("%s: %d rows looked at, at most %d are meant", tt.name, looked, tt.most)
		}
		if p.Total != tt.total {
			t.Errorf("%s: total %d, want %d", tt.name, p.Total, tt.total)
		}
		all, want := 0, min(50, max(tt.total, 0))
		for _, i := range p.Items {
			if query.Match(tt.q.Where, i) {
				all++
			}
		}
		if all != len(p.Items) || tt.total >= 0 && int64(all) != want {
			t.Errorf("%s: %d of %d items match, want %d", tt.name, all, len(p.Items), want)
		}
	}
}

// TestIndexesAreMadeForOldDirectories takes the indexes away as an Onepane leaves a directory that does not know them.
func TestIndexesAreMadeForOldDirectories(t *testing.T) {
	fs := vfs.NewMem()
	s, dir := openStore(t, fs)
	var ms []incident.AlertRecord
	for n := range 60 {
		m := incident.AlertRecord{Created: morning.Add(time.Duration(n) * time.Minute), Status: alert.StatusNew, Alert: alert.Alert{
			ID: fmt.Sprintf("a%02d", n), Tenant: "t", Severity: alert.High, Origin: alert.Origin{Provider: "p"},
			Evidence: []alert.Evidence{{Entity: entity.Entity{Kind: entity.Host, Value: fmt.Sprintf("web-%d", n%2)}}},
		}}
		if n%3 == 0 {
			m.Position = publishAlert(t, dir, m.Alert)
		}
		ms = append(ms, m)
	}
	one := incident.Incident{ID: "1", Status: incident.Active, Severity: alert.Low, Created: morning}
	if err := s.Commit(t.Context(), "t", 0, incident.Changes{Alerts: ms, Incidents: []incident.Incident{one}}); err != nil {
		t.Fatal(err)
	}
	whole := dumpTables(t, dir)
	var old map[string]jsontext.Value
	record, err := readValue(dir.DB, datadir.Key(tenantTable, "t"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(record, &old); err != nil {
		t.Fatal(err)
	}
	delete(old, "groups")
	delete(old, "sources")
	delete(old, "indexed")
	record, _ = json.Marshal(old)
	b := dir.DB.NewBatch()
	for _, table := range []byte{groupTable, mentionTable} {
		_ = b.DeleteRange([]byte{table}, []byte{table + 1}, nil)
	}
	_ = b.Set(datadir.Key(groupTable, "t", "As\x00stale"), nil, nil)
	_ = b.Set(datadir.Key(tenantTable, "t"), record, nil)
	if err := dir.Apply(b, true); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir, Options{}); err != nil {
		t.Fatal(err)
	}
	if now := dumpTables(t, dir); now != whole {
		t.Errorf("made anew:\n%.500s\nas written:\n%.500s", now, whole)
	}
}

// dumpTables is all that indexes hold, and the tenant's record.
func dumpTables(t *testing.T, dir *datadir.Dir) string {
	t.Helper()
	out := ""
	for _, table := range []byte{groupTable, mentionTable, tenantTable} {
		it, err := dir.DB.NewIter(nil)
		if err != nil {
			t.Fatal(err)
		}
		for ok := it.SeekGE([]byte{table}); ok && it.Key()[0] == table; ok = it.Next() {
			value := it.Value()
			if table == tenantTable { // counts have no order
				var st state
				if err := json.Unmarshal(value, &st); err != nil {
					t.Fatal(err)
				}
				value, _ = json.Marshal(st, json.Deterministic(true))
			}
			out += fmt.Sprintf("%q %q\n", it.Key(), value)
		}
		if err := it.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return out
}
