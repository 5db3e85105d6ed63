package cli_test

import (
	"context"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/onepane/onepane/functions/api"
	"github.com/onepane/onepane/shared/fault"
)

// wayOut is one export, siem, which remembers what was replayed; its receiver refuses what is about thing a3.
type wayOut struct {
	log      []api.Delivery
	replayed []string
}

func (w *wayOut) Exports(context.Context) ([]api.Export, error) {
	return []api.Export{{ID: "siem", Tenant: tenant, Target: "webhook"}}, nil
}

func (w *wayOut) Deliveries(context.Context, string) ([]api.Delivery, error) { return w.log, nil }

func (w *wayOut) Start(context.Context, string, time.Time, time.Time) (api.ExportRun, error) {
	return api.ExportRun{}, nil
}

func (w *wayOut) Replay(_ context.Context, _, id string) error {
	i := slices.IndexFunc(w.log, func(d api.Delivery) bool { return d.ID == id })
	if i < 0 {
		return fault.Errorf(fault.NotFound, "No delivery with id '%s' was found.", id)
	}
	if w.log[i].Thing == "a3" {
		return &api.NotTakenError{Reason: "still too large"}
	}
	w.replayed = append(w.replayed, id)
	return nil
}

func TestDeliveries(t *testing.T) {
	at := func(minute int) time.Time { return day.Add(time.Duration(minute) * time.Minute) }
	w := &wayOut{log: []api.Delivery{
		{ID: "a2-x", Kind: "alert", Thing: "a2", Time: at(5)},
		{ID: "a1/y", Kind: "alert", Thing: "a1", Time: at(4), DeadLettered: true, Reason: "413 too large"},
		{ID: "a3-x", Kind: "alert", Thing: "a3", Time: at(3), DeadLettered: true, Reason: "413 too large"},
		{ID: "a2-w", Kind: "alert", Thing: "a2", Time: at(2), DeadLettered: true, Reason: "a2 was refused"},
		{ID: "a1-x", Kind: "alert", Thing: "a1", Time: at(1), DeadLettered: true, Reason: "413 too large"},
	}}
	ts := httptest.NewServer((&api.Server{Reader: stored(1), Exports: w, Authenticate: api.AllowLoopback, Version: "test"}).Handler())
	defer ts.Close()
	d := desk{t, nil, map[string]string{"ONEPANE_URL": ts.URL}}
	for _, tt := range []struct {
		line     string
		code     int
		told     string // in what is printed
		untold   string // not in what is printed
		replayed string
	}{
		{"exports", 0, "siem", "a1-x", ""},
		{"exports deliveries siem", 0, "a1-x  2026-03-03 00:01:00  alert  a1     yes        413 too large", "\x00", ""},
		{"exports deliveries siem --set-aside", 0, "a1/y", "a2", ""},
		{"exports deliveries siem -o json", 0, `"thingId": "a2"`, "THING", ""},
		{"exports deliveries other", 1, "other", "a1", ""},
		{"exports deliveries", 2, "1 argument", "", ""},
		{"exports replay siem a2-x", 0, "Delivery a2-x was sent again.", "a1", "a2-x"},
		{"exports replay siem a1/y -o json", 0, `"id": "a1/y"`, "again", "a1/y"},
		{"exports replay siem a3-x a1-x nothing", 1, "still too large", "a2-w", "a1-x"},
		{"exports replay siem nothing", 1, "No delivery with id 'nothing' was found.", "again", ""},
		{"exports replay siem --set-aside", 1, "Delivery a1/y was sent again.", "a2-w", "a1/y"},
		{"exports replay siem", 2, "--set-aside", "", ""},
		{"exports replay siem a1-x --set-aside", 2, "--set-aside", "", ""},
		{"exports replay", 2, "name an export", "", ""},
	} {
		w.replayed = nil
		code, out, errs := d.run(tt.line)
		if code != tt.code || !strings.Contains(out+errs, tt.told) || tt.untold != "" && strings.Contains(out+errs, tt.untold) || strings.Join(w.replayed, " ") != tt.replayed {
			t.Errorf("onepane %s: %d, replayed %q\n%s%s", tt.line, code, w.replayed, out, errs)
		}
	}
	w.log = nil
	if code, out, _ := d.run("exports replay siem --set-aside"); code != 0 || !strings.Contains(out, "Nothing is set aside.") {
		t.Errorf("with an empty log: %d %s", code, out)
	}
}
