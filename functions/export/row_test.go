package export_test

import (
	"testing"

	"github.com/onepane/onepane/functions/export"
	"github.com/onepane/onepane/functions/export/exporttest"
	"github.com/onepane/onepane/shared/incident"
)

// A merge of incidents is told by the incidents: what a store then shows of their alerts, and of a redirect's end,
// makes no new state.
func TestAMergeRenamesNoRow(t *testing.T) {
	a := incident.AlertRecord{Alert: exporttest.Alert(1), Incident: "10001"}
	b := a
	b.Incident = "20001"
	before, err := export.OfAlert("t", a)
	after, err2 := export.OfAlert("t", b)
	if err != nil || err2 != nil || before.ID != after.ID || after.Alert.Incident != "20001" {
		t.Errorf("alert: %s became %s, of incident %q: %v, %v", before.ID, after.ID, after.Alert.Incident, err, err2)
	}
	i := incident.Incident{ID: "1", Status: incident.Redirected, RedirectTo: "2"}
	j := i
	j.RedirectTo = "3"
	first, err := export.OfIncident("t", i)
	last, err2 := export.OfIncident("t", j)
	if err != nil || err2 != nil || first.ID != last.ID || last.Incident.RedirectTo != "3" {
		t.Errorf("incident: %s became %s, redirected to %q: %v, %v", first.ID, last.ID, last.Incident.RedirectTo, err, err2)
	}
}
