package graphtest

import (
	"slices"
	"strings"
	"testing"

	"github.com/microsoftgraph/msgraph-sdk-go/models/security"
	requests "github.com/microsoftgraph/msgraph-sdk-go/security"
)

func TestRefusals(t *testing.T) {
	reader, writer := as(t, "CLIENT_READER"), as(t, "CLIENT_WRITER")
	change := security.NewAlert()
	change.SetStatus(to(security.RESOLVED_ALERTSTATUS))
	id := value(everything(t)[0].GetId())

	_, err := reader.Security().Alerts_v2().ByAlertId("nothing").Get(t.Context(), nil)
	refusal(t, err, 404, "itemNotFound")
	_, err = reader.Security().Alerts_v2().ByAlertId(id).Patch(t.Context(), change, nil)
	refusal(t, err, 403, "accessDenied")
	_, err = as(t, "CLIENT_NOBODY").Security().Alerts_v2().Get(t.Context(), nil)
	refusal(t, err, 401, "unauthenticated")

	_, err = reader.Security().Alerts_v2().Get(t.Context(), &requests.Alerts_v2RequestBuilderGetRequestConfiguration{
		QueryParameters: &requests.Alerts_v2RequestBuilderGetQueryParameters{Filter: to("severity is 'high'")},
	})
	e := refusal(t, err, 400, "invalidRequest")
	if value(e.GetTarget()) != "$filter" || len(e.GetDetails()) != 1 || !strings.Contains(value(e.GetMessage()), "column 10") {
		t.Errorf("a bad filter: %q at %q", value(e.GetMessage()), value(e.GetTarget()))
	}
	_, err = reader.Security().Incidents().Get(t.Context(), &requests.IncidentsRequestBuilderGetRequestConfiguration{
		QueryParameters: &requests.IncidentsRequestBuilderGetQueryParameters{Top: to[int32](100)},
	})
	refusal(t, err, 400, "") // as Microsoft's: without a code

	wrong := security.NewAlert()
	wrong.SetSeverity(to(security.LOW_ALERTSEVERITY))
	_, err = writer.Security().Alerts_v2().ByAlertId(id).Patch(t.Context(), wrong, nil)
	if e := refusal(t, err, 400, "invalidRequest"); value(e.GetTarget()) != "severity" {
		t.Errorf("the target is %q", value(e.GetTarget()))
	}
}

// TestTooManyRequests: the SDK waits as long as Retry-After says, then sends again what it had packed: with the
// header of a packed body in any case, the body packed or, as often, plain.
func TestTooManyRequests(t *testing.T) {
	c := at(t, "CLIENT_TIGHT_WRITER", "CLIENT_TIGHT_URL", "CLIENT_TIGHT_CA")
	page, err := c.Security().Alerts_v2().Get(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	one := c.Security().Alerts_v2().ByAlertId(value(page.GetValue()[0].GetId()))
	waited := func() bool {
		return slices.ContainsFunc(c.wire.exchanges(), func(x exchange) bool { return x.status == 429 })
	}
	for !waited() {
		if _, err := one.Get(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
	}
	for who := "dora"; ; who += "+" {
		change := security.NewAlert()
		change.SetAssignedTo(&who)
		a, err := one.Patch(t.Context(), change, nil)
		if err != nil {
			t.Fatal(err)
		}
		expect(t, "assigned", value(a.GetAssignedTo()), who)
		if sent := c.wire.exchanges(); len(sent) > 1 {
			if again := sent[1]; sent[0].status != 429 || again.encoding != "gzip" {
				t.Errorf("the SDK sent %+v: no longer what this test is for", sent)
			}
			return
		}
	}
}
