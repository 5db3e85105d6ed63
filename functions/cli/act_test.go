package cli_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/onepane/onepane/functions/api"
	"github.com/onepane/onepane/shared/correlation"
	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/incident"
)

// hand remembers what it was asked to do, and refuses what is about incident 10009.
type hand struct{ asked []string }

func (h *hand) Act(_ context.Context, tenant string, a correlation.Action, by correlation.Actor) (correlation.ActionResult, error) {
	told := fmt.Sprintf("%+v", a)
	h.asked = append(h.asked, told)
	if strings.Contains(told, "10009") {
		return correlation.ActionResult{}, fault.Errorf(fault.Precondition, "Incident 10009 is resolved.")
	}
	return correlation.ActionResult{Incident: "10001", Changed: true}, nil
}

// reader also finds single alerts.
type reader struct{ *store }

func (r reader) Alert(_ context.Context, _, id string) (incident.AlertRecord, error) {
	for _, m := range r.alerts {
		if m.Alert.ID == id {
			return m, nil
		}
	}
	return incident.AlertRecord{}, fault.Errorf(fault.NotFound, "no alert %s", id)
}

func TestDeeds(t *testing.T) {
	m, h := stored(3), &hand{}
	ts := httptest.NewServer((&api.Server{Reader: reader{m}, Actions: h, Authenticate: api.AllowLoopback, Version: "test"}).Handler())
	defer ts.Close()
	d := desk{t, m, map[string]string{"ONEPANE_URL": ts.URL}}
	a := m.alerts[0].Alert.ID
	for _, tt := range []struct {
		line  string
		code  int
		told  string // in what is printed
		asked string // in what the hand is asked last; "" when nothing
	}{
		{"incidents resolve 10001 --classification falsePositive --determination notMalicious", 0, "Incident 10001 is resolved.", "Status:0x"},
		{"incidents resolve 10001 -m pentest", 0, "is resolved", "Comment:pentest"},
		{"incidents assign 10001 --to dora", 0, "Incident 10001 is assigned to dora.", "AssignedTo:0x"},
		{"incidents assign 10001", 2, "--to", ""},
		{"incidents merge 10001 10002 -m one", 0, "The incidents are one now, in incident 10001", "{IDs:[10001 10002] Comment:one}"},
		{"incidents merge 10001", 2, "2 arguments", ""},
		{"incidents merge 10001 10009", 1, "Incident 10009 is resolved.", "10009"},
		{"incidents move " + a + " --to 10001", 0, "The alerts are in incident 10001", "{Alerts:[" + a + "] From: To:10001 Comment:}"},
		{"incidents move " + a, 2, "--to", ""},
		{"incidents split 10001 " + a, 0, "The alerts are in incident 10001", "{Alerts:[" + a + "] From:10001 To: Comment:}"},
		{"incidents resolve 10009 10001", 1, "Incident 10001 is resolved.", "10001"},
		{"alerts resolve " + a + " -o json", 0, `"id": "` + a + `"`, "Status:0x"},
		{"alerts assign nobody --to dora", 1, "No alert with id 'nobody'", ""},
		{"alerts unfold " + a, 0, "The alert is in incident 10001", "{ID:" + a + "}"},
	} {
		h.asked = nil
		code, out, errs := d.run(tt.line)
		last := ""
		if n := len(h.asked); n > 0 {
			last = h.asked[n-1]
		}
		if code != tt.code || !strings.Contains(out+errs, tt.told) || !strings.Contains(last, tt.asked) || tt.asked == "" && last != "" {
			t.Errorf("onepane %s: %d, asked %q\n%s%s", tt.line, code, last, out, errs)
		}
	}
}
