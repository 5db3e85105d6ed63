// Package storetest checks every promise of package store by name. A driver that passes may stand in for any other.
//
//	func TestPromises(t *testing.T) { storetest.Run(t, func(t *testing.T) storetest.Driver { … }) }
package storetest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/incident"
	"github.com/onepane/onepane/shared/query"
	"github.com/onepane/onepane/shared/store"
)

// Store is what a driver offers.
type Store interface {
	store.Correlation
	store.Reader
	store.Index
	store.Feed
	store.Retention
	DocumentStore
}

// Driver is one fresh, empty store under test.
type Driver struct {
	Store Store
	// Crash gives the store as a crash right now could leave it; seed chooses among the ways. Nil when it cannot.
	Crash func(t *testing.T, seed uint64) Store
	// Publish puts an alert on the log that the store shares with the bus and gives its position; nil when there is none.
	Publish func(t *testing.T, a alert.Alert) uint64
}

// Run checks the promises, each on a fresh driver.
func Run(t *testing.T, open func(t *testing.T) Driver) {
	for _, p := range []struct {
		name  string
		check func(*testing.T, Driver)
	}{
		{"a tenant never seen is version 0 with nothing in it", empty},
		{"what was committed is loaded whole", loadedWhole},
		{"Load leaves out what does not exist", leavesOut},
		{"a commit moves the tenant to the next version", versions},
		{"a commit from another version is a conflict and changes nothing", conflict},
		{"a commit replaces what was there", replaces},
		{"the same commit again changes no row", idempotent},
		{"a commit holds 100 alerts and not more", hundred},
		{"a commit is whole or not there after a crash", atomic},
		{"what no bus would repeat survives a crash", durable},
		{"a commit's journal is there when the commit is, and only then", journaled},
		{"a body on the bus's log is read from there", shared},
		{"of concurrent commits one wins", race},
		{"tenants never see one another", isolation},
		{"tenants are listed sorted", tenants},
		{"what is not there is not found", notFound},
		{"alerts are listed newest first, ties by id", newestFirst},
		{"pages cover everything once, ties included", paging},
		{"every order is kept", orders},
		{"times order by nanoseconds, those not set first", fractions},
		{"alerts of many commits are in order, page by page", scattered},
		{"filters choose what query.Match chooses", filters},
		{"totals count what matches, and only when asked", totals},
		{"a page of nothing is refused", noPage},
		{"exposures are listed apart", exposures},
		{"a folded alert's id finds the alert it was folded into", folds},
		{"an alert of a merged incident is listed with the survivor", merges},
		{"alerts of an incident come by first activity", firstActivity},
		{"an alert moves between incidents", moves},
		{"incidents are found, listed and filtered", incidents},
		{"every change is in the feed, in commit order", feed},
		{"statistics count rows of all tenants", stats},
		{"nodes are remembered within their life", nodes},
		{"an alert is found by every name in its evidence", named},
		{"mentions come newest first, page by page", mentionPages},
		{"mentions follow changes, folds, moves and merges", mentionsFollow},
		{"an identity follows what correlation learned", identities},
		{"sources count what each provider brought", sources},
		{"what is resolved and old is forgotten with its alerts", forgets},
		{"an incident that is not resolved is never forgotten", neverForgets},
		{"what was merged and folded is forgotten with the survivor", forgetsMerged},
		{"large incidents and many are forgotten whole", forgetsMany},
		{"an alert that comes again after it was forgotten is new", forgottenComesAgain},
		{"who decides from what was there before forgetting loses", forgettingIsACommit},
	} {
		t.Run(p.name, func(t *testing.T) { p.check(t, open(t)) })
	}
}

const tenant = "contoso"

var start = time.Date(2026, 3, 3, 0, 0, 0, 0, time.UTC)

// minute is the n-th minute of the story.
func minute(n int) time.Time { return start.Add(time.Duration(n) * time.Minute) }

// member is the n-th alert: everything about it follows from n.
func member(n int) incident.AlertRecord {
	severities := []alert.Severity{alert.Low, alert.Medium, alert.High, alert.Critical, alert.Informational, alert.Unknown}
	a := alert.Alert{
		ID: id(n), Tenant: tenant, Origin: alert.Origin{Provider: "guardduty", ID: fmt.Sprint(n)}, Reporter: "guardduty", ReportID: fmt.Sprint(n),
		Title: fmt.Sprintf("Title %c", 'a'+n%7), Severity: severities[n%len(severities)], Status: alert.StatusNew,
		First: minute(n), Last: minute(n + 1), Updated: minute(n), Evidence: []alert.Evidence{{Role: alert.Victim}},
		Raw: []byte(`{"n":` + fmt.Sprint(n) + `,"text":"` + strings.Repeat("x", 500) + `"}`),
	}
	return incident.AlertRecord{
		Alert: a, Incident: fmt.Sprint(10000 + n%3), Status: alert.StatusNew, Created: minute(n), Updated: minute(n),
		Reasons: []incident.Reason{{Rule: "shared entity", Alert: id(0), Weight: 0.5, Gap: time.Minute}},
		Work:    incident.Work{AssignedTo: "dora", Comments: []incident.Comment{{Text: "look", By: "dora", Created: minute(n)}}},
	}
}

func id(n int) string { return fmt.Sprintf("gd%04d", n) }

func members(from, to int) []incident.AlertRecord {
	var out []incident.AlertRecord
	for n := from; n < to; n++ {
		out = append(out, member(n))
	}
	return out
}

// aCase is an incident made by hand.
func aCase(id string, n int) incident.Incident {
	return incident.Incident{
		ID: id, Tenant: tenant, Name: "Case " + id, Severity: alert.High, Status: incident.Active, Created: minute(n), Updated: minute(n),
		First: minute(n), Last: minute(n), Alerts: 1, Assets: []incident.Asset{{Key: "host/web", Kind: "host", Name: "web"}}, AssetCount: 1,
	}
}

// commit adds changes at the version that the tenant has.
func commit(t *testing.T, s Store, name string, c incident.Changes) {
	t.Helper()
	for part := range slices.Chunk(c.Alerts, store.MaxCommit) {
		if len(part) < len(c.Alerts) {
			apply(t, s, name, incident.Changes{Alerts: part})
		}
	}
	if len(c.Alerts) > store.MaxCommit {
		c.Alerts = nil
	}
	apply(t, s, name, c)
}

func apply(t *testing.T, s Store, name string, c incident.Changes) {
	t.Helper()
	if err := s.Commit(t.Context(), name, version(t, s, name), c); err != nil {
		t.Fatalf("Commit: %v", err)
	}
}

func version(t *testing.T, s Store, name string) uint64 {
	t.Helper()
	return load(t, s, name, incident.Refs{}).Version
}

func load(t *testing.T, s Store, name string, refs incident.Refs) incident.Loaded {
	t.Helper()
	l, err := s.Load(t.Context(), name, refs)
	if err != nil {
		t.Fatalf("Load: %v", err)
	}
	return l
}

func alerts(t *testing.T, s Store, q query.Query) store.Page[incident.AlertRecord] {
	t.Helper()
	p, err := s.Alerts(t.Context(), tenant, q)
	if err != nil {
		t.Fatalf("Alerts: %v", err)
	}
	return p
}

func ids(ms []incident.AlertRecord) []string {
	var out []string
	for _, m := range ms {
		out = append(out, m.Alert.ID)
	}
	return out
}

func caseIDs(is []incident.Incident) []string {
	var out []string
	for _, i := range is {
		out = append(out, i.ID)
	}
	return out
}

func same(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// equal compares by JSON, which is what anyone outside ever sees.
func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	a, err := json.Marshal(got, json.Deterministic(true))
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(want, json.Deterministic(true))
	if err != nil {
		t.Fatal(err)
	}
	if string(a) != string(b) {
		t.Errorf("%s:\n got %s\nwant %s", what, a, b)
	}
}
