package localstore

import (
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/cloudevent"
	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/incident"
)

// Only what no alert's body is goes from the log.
func TestTrim(t *testing.T) {
	s, dir := openStore(t, vfs.NewMem())
	event := func(id, subject string) cloudevent.Event {
		return cloudevent.Event{Tenant: "t", Subject: subject, Data: []byte(`{"id":"` + id + `"}`), Position: publishAlert(t, dir, alert.Alert{ID: id, Tenant: "t"})}
	}
	kept, grown, folded := event("kept", "kept"), event("grown", "grown"), event("folded", "folded")
	changes := incident.Changes{Alerts: []incident.AlertRecord{
		{Alert: alert.Alert{ID: "kept", Tenant: "t"}, Position: kept.Position},
		{Alert: alert.Alert{ID: "grown", Tenant: "t"}}, // its body is the store's
		{Alert: alert.Alert{ID: "folded", Tenant: "t"}, FoldedInto: "kept"},
	}}
	if err := s.Commit(t.Context(), "t", 0, changes); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		event cloudevent.Event
		goes  bool
	}{
		"the body of an alert":          {kept, false},
		"a repeat":                      {event("kept", "kept"), true},
		"what an alert has taken in":    {grown, true},
		"another product's copy":        {folded, true},
		"of an alert that is not there": {event("new", "new"), false},
		"that names another alert":      {event("new", "kept"), false},
		"that names no alert":           {event("kept", ""), false},
	} {
		if err := s.Trim([]cloudevent.Event{tt.event}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		_, err := s.log.DataAt(dir.DB, "t", tt.event.Position)
		if gone := fault.Of(err) == fault.NotFound; gone != tt.goes {
			t.Errorf("%s: gone %v, %v", name, gone, err)
		}
	}
	if m, err := s.Alert(t.Context(), "t", "kept"); err != nil || m.Alert.ID != "kept" {
		t.Errorf("%+v, %v", m, err)
	}
}
