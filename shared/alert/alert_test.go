package alert

import (
	"slices"
	"testing"
	"time"

	"github.com/onepane/onepane/shared/attack"
	"github.com/onepane/onepane/shared/entity"
)

var t0 = time.Date(2026, 3, 3, 0, 7, 33, 0, time.UTC)

func reportAt(updated time.Duration, change func(*Alert)) Alert {
	a := Alert{
		Tenant: "contoso", Origin: Origin{"guardduty", "f1"}, Reporter: "guardduty", ReportID: "f1",
		Title: "first", Severity: Medium, Status: StatusNew, First: t0, Last: t0, Updated: t0.Add(updated), Count: 1,
		Evidence: []Evidence{{Entity: entity.Entity{Kind: entity.IP, Value: "198.51.100.7"}}},
	}
	a.ID = MakeID(a.Tenant, a.Origin)
	if change != nil {
		change(&a)
	}
	return a
}

func TestMakeID(t *testing.T) {
	o := Origin{"guardduty", "f1"}
	if again := (Origin{"guardduty", "f1"}); MakeID("contoso", o) != MakeID("contoso", again) {
		t.Error("the same origin gave two ids")
	}
	for _, other := range []string{MakeID("fabrikam", o), MakeID("contoso", Origin{"guardduty", "f2"}), MakeID("contoso", Origin{"guarddutyf", "1"})} {
		if other == MakeID("contoso", o) {
			t.Error("two origins share an id")
		}
	}
	if got := MakeID("contoso", o)[:2]; got != "gd" {
		t.Errorf("prefix %q, want gd", got)
	}
}

func TestMergeNewerStateWins(t *testing.T) {
	older := reportAt(0, nil)
	newer := reportAt(time.Hour, func(a *Alert) {
		a.Title, a.Severity, a.Status, a.Count = "second", High, StatusResolved, 7
		a.Last = t0.Add(time.Hour)
		a.Tactics = []attack.Tactic{attack.Impact}
		a.Evidence = []Evidence{{Entity: entity.Entity{Kind: entity.Host, Value: "web-03"}}}
	})
	for name, got := range map[string]Alert{"in order": mergeChecked(t, older, newer), "late": mergeChecked(t, newer, older)} {
		if got.Title != "second" || got.Severity != High || got.Status != StatusResolved || got.Count != 7 {
			t.Errorf("%s: %q %s %s %d, want the newer state", name, got.Title, got.Severity, got.Status, got.Count)
		}
		if len(got.Evidence) != 2 || !got.First.Equal(t0) || !got.Last.Equal(t0.Add(time.Hour)) {
			t.Errorf("%s: evidence or span did not grow: %d, %v to %v", name, len(got.Evidence), got.First, got.Last)
		}
		if got.Sightings != nil {
			t.Errorf("%s: one product's reports became sightings: %v", name, got.Sightings)
		}
	}
}

func TestMergeRedeliveryChangesNothing(t *testing.T) {
	a := reportAt(0, func(a *Alert) { a.Delivered = t0 })
	again := reportAt(0, func(a *Alert) { a.Delivered = t0.Add(time.Minute) })
	if _, changed := Merge(a, again); changed {
		t.Error("a re-delivery changed the alert")
	}
}

func TestMergeCrossPost(t *testing.T) {
	direct := reportAt(0, nil)
	copied := reportAt(time.Minute, func(a *Alert) {
		a.Reporter, a.ReportID, a.Title, a.Status = "securityhub", "arn:f1", "copied", StatusResolved
	})
	got := mergeChecked(t, copied, direct)
	if got.Title != "first" || got.ReportID != "f1" {
		t.Errorf("the detecting product's own report must lead, got %q of %q", got.Title, got.ReportID)
	}
	if got.Status != StatusResolved {
		t.Errorf("status %s, want the newest report's", got.Status)
	}
	if len(got.Sightings) != 2 {
		t.Errorf("sightings %v, want both products", got.Sightings)
	}
}

func TestMergeEvidenceOnly(t *testing.T) {
	proof := reportAt(0, func(a *Alert) {
		a.Class, a.Title = EvidenceOnly, "evidence title"
		a.Evidence = []Evidence{{Entity: entity.Entity{Kind: entity.User, Value: "dora"}}}
	})
	info := reportAt(-time.Hour, nil)
	for name, got := range map[string]Alert{"evidence first": mergeChecked(t, proof, info), "evidence last": mergeChecked(t, info, proof)} {
		if got.Title != "first" || got.Class != Threat || len(got.Evidence) != 2 {
			t.Errorf("%s: %q class %q with %d evidence, want the described alert with both", name, got.Title, got.Class, len(got.Evidence))
		}
	}
}

func TestMergeEvidenceJoinsOneThing(t *testing.T) {
	a := []Evidence{{Entity: entity.Entity{Kind: entity.Host, Value: "web-03"}, Role: Victim}}
	b := []Evidence{{Entity: entity.Entity{Kind: entity.Host, Value: "web-03", Attributes: map[string]string{entity.AttrVMID: "v1"}}.WithAlias(entity.IP, "10.0.0.1"), Role: Context}}
	got := MergeEvidence(a, b)
	if len(got) != 1 || got[0].Role != Victim || got[0].Attr(entity.AttrVMID) != "v1" || !slices.Equal(got[0].Aliases, []entity.Alias{{Kind: entity.IP, Value: "10.0.0.1"}}) {
		t.Errorf("MergeEvidence = %+v", got)
	}
	if a[0].Attributes != nil {
		t.Error("MergeEvidence changed its argument")
	}
}

func TestRevisionIgnoresDelivery(t *testing.T) {
	a, b := reportAt(0, nil), reportAt(0, func(a *Alert) { a.Delivered = t0 })
	if a.Revision() != b.Revision() {
		t.Error("delivery time changed the revision")
	}
	if a.Revision() == reportAt(time.Second, nil).Revision() {
		t.Error("an update has the revision of the first report")
	}
}

func TestSeverityAndStatusWords(t *testing.T) {
	for word, want := range map[string]Severity{"High": High, "INFO": Informational, " Informational ": Informational, "critical": Critical, "ludicrous": Unknown, "": Unknown} {
		if got := ParseSeverity(word); got != want {
			t.Errorf("ParseSeverity(%q) = %s, want %s", word, got, want)
		}
	}
	for word, want := range map[string]Status{"": StatusNew, "Active": StatusNew, "In Progress": StatusInProgress, "IN_PROGRESS": StatusInProgress, "ARCHIVED": StatusResolved, "huh": StatusUnknown} {
		if got := ParseStatus(word); got != want {
			t.Errorf("ParseStatus(%q) = %s, want %s", word, got, want)
		}
	}
	if Critical.Graph() != High || Severity("odd").Graph() != Unknown {
		t.Error("Graph severity")
	}
}

func mergeChecked(t *testing.T, a, b Alert) Alert {
	t.Helper()
	got, changed := Merge(a, b)
	if !changed {
		t.Error("Merge reported no change")
	}
	return got
}
