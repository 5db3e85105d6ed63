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
	// Publish puts an alert on the log that the store shares with the bus and gives its position; nil when there is
	// none.
	Publish func(t *testing.T, a alert.Alert) uint64
}

// Run checks the promises, each on a fresh driver.
func Run(t *testing.T, open func(t *testing.T) Driver) {
	for _, p := range []struct {
		name  string
		check func(*testing.T, Driver)
	}{
		{"a tenant never seen is version 0 with nothing in it", emptyTenant},
		{"what was committed is loaded whole", loadedWhole},
		{"Load leaves out what does not exist", loadLeavesOut},
		{"a commit moves the tenant to the next version", nextVersion},
		{"a commit from another version is a conflict and changes nothing", conflictingCommit},
		{"a commit replaces what was there", commitReplaces},
		{"the same commit again changes no row", repeatedCommit},
		{"a commit holds 100 alerts and not more", largestCommit},
		{"a commit is whole or not there after a crash", atomicCommit},
		{"what no bus would repeat survives a crash", durableCommit},
		{"a commit's audit entries are there when the commit is, and only then", auditedCommit},
		{"a body on the bus's log is read from there", sharedBody},
		{"of concurrent commits one wins", commitRace},
		{"tenants never see one another", tenantIsolation},
		{"tenants are listed sorted", tenantsSorted},
		{"what is not there is not found", notFound},
		{"alerts are listed newest first, ties by id", newestFirst},
		{"pages cover everything once, ties included", pagesCoverAll},
		{"every order is kept", everyOrder},
		{"times order by nanoseconds, those not set first", orderOfFractions},
		{"alerts of many commits are in order, page by page", scatteredCommits},
		{"filters choose what query.Match chooses", filtersMatch},
		{"totals count what matches, and only when asked", totalsCounted},
		{"a page of nothing is refused", noPage},
		{"exposures are listed apart", exposuresAreSeparate},
		{"a folded alert's id finds the alert it was folded into", foldedAlert},
		{"an alert of a merged incident is listed with the survivor", mergedIncident},
		{"alerts of an incident come by first activity", byFirstActivity},
		{"an alert moves between incidents", alertMoves},
		{"incidents are found, listed and filtered", incidentListings},
		{"every change is in the feed, in commit order", changeFeed},
		{"statistics count rows of all tenants", statsCount},
		{"nodes are kept within their life", nodesRemembered},
		{"an alert is found by every name in its evidence", foundByName},
		{"mentions come newest first, page by page", mentionPages},
		{"mentions follow changes, folds, moves and merges", mentionsFollow},
		{"an identity follows what correlation learned", identityOfNames},
		{"sources count what each provider brought", sourceCounts},
		{"what is resolved and old is purged with its alerts", purgesResolved},
		{"an incident that is not resolved is never purged", keepsUnresolved},
		{"what was merged and folded is purged with the survivor", purgesMerged},
		{"large incidents and many are purged whole", purgesMany},
		{"an alert that comes again after it was purged is new", purgedComesAgain},
		{"who decides from the state before a purge loses", purgingIsACommit},
	} {
		t.Run(p.name, func(t *testing.T) { p.check(t, open(t)) })
	}
}

const tenant = "contoso"

var start = time.Date(2026, 3, 3, 0, 0, 0, 0, time.UTC)

// minuteAt is the n-th minute of the story.
func minuteAt(n int) time.Time { return start.Add(time.Duration(n) * time.Minute) }

// alertRecord is the n-th alert: everything about it follows from n.
func alertRecord(n int) incident.AlertRecord {
	severities := []alert.Severity{alert.Low, alert.Medium, alert.High, alert.Critical, alert.Informational, alert.Unknown}
	a := alert.Alert{
		ID: alertID(n), Tenant: tenant, Origin: alert.Origin{Provider: "guardduty", ID: fmt.Sprint(n)}, Reporter: "guardduty", ReportID: fmt.Sprint(n),
		Title: fmt.Sprintf("Title %c", 'a'+n%7), Severity: severities[n%len(severities)], Status: alert.StatusNew,
		First: minuteAt(n), Last: minuteAt(n + 1), Updated: minuteAt(n), Evidence: []alert.Evidence{{Role: alert.Victim}},
		Raw: []byte(`{"n":` + fmt.Sprint(n) + `,"text":"` + strings.Repeat("x", 500) + `"}`),
	}
	return incident.AlertRecord{
		Alert: a, Incident: fmt.Sprint(10000 + n%3), Status: alert.StatusNew, Created: minuteAt(n), Updated: minuteAt(n),
		Reasons: []incident.Reason{{Rule: "shared entity", Alert: alertID(0), Weight: 0.5, Gap: time.Minute}},
		Work:    incident.Work{AssignedTo: "dora", Comments: []incident.Comment{{Text: "look", By: "dora", Created: minuteAt(n)}}},
	}
}

func alertID(n int) string { return fmt.Sprintf("gd%04d", n) }

func alertRecords(from, to int) []incident.AlertRecord {
	var out []incident.AlertRecord
	for n := from; n < to; n++ {
		out = append(out, alertRecord(n))
	}
	return out
}

// plainIncident is an incident made by hand.
func plainIncident(id string, n int) incident.Incident {
	return incident.Incident{
		ID: id, Tenant: tenant, Name: "Case " + id, Severity: alert.High, Status: incident.Active, Created: minuteAt(n), Updated: minuteAt(n),
		First: minuteAt(n), Last: minuteAt(n), Alerts: 1, Assets: []incident.Asset{{Key: "host/web", Kind: "host", Name: "web"}}, AssetCount: 1,
	}
}

// commitChanges adds changes at the version that the tenant has.
func commitChanges(t *testing.T, s Store, name string, c incident.Changes) {
	t.Helper()
	for part := range slices.Chunk(c.Alerts, store.MaxCommit) {
		if len(part) < len(c.Alerts) {
			applyOnce(t, s, name, incident.Changes{Alerts: part})
		}
	}
	if len(c.Alerts) > store.MaxCommit {
		c.Alerts = nil
	}
	applyOnce(t, s, name, c)
}

func applyOnce(t *testing.T, s Store, name string, c incident.Changes) {
	t.Helper()
	if err := s.Commit(t.Context(), name, versionOf(t, s, name), c); err != nil {
		t.Fatalf("Commit: %v", err)
	}
}

func versionOf(t *testing.T, s Store, name string) uint64 {
	t.Helper()
	return loadRefs(t, s, name, incident.Refs{}).Version
}

func loadRefs(t *testing.T, s Store, name string, refs incident.Refs) incident.Loaded {
	t.Helper()
	l, err := s.Load(t.Context(), name, refs)
	if err != nil {
		t.Fatalf("Load: %v", err)
	}
	return l
}

func listAlerts(t *testing.T, s Store, q query.Query) store.Page[incident.AlertRecord] {
	t.Helper()
	p, err := s.Alerts(t.Context(), tenant, q)
	if err != nil {
		t.Fatalf("Alerts: %v", err)
	}
	return p
}

func idsOf(ms []incident.AlertRecord) []string {
	var out []string
	for _, m := range ms {
		out = append(out, m.Alert.ID)
	}
	return out
}

func incidentIDs(is []incident.Incident) []string {
	var out []string
	for _, i := range is {
		out = append(out, i.ID)
	}
	return out
}

func checkStrings(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// checkJSON compares by JSON, which is what anyone outside ever sees.
func checkJSON(t *testing.T, what string, got, want any) {
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
