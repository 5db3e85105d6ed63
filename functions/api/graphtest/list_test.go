package graphtest

import (
	"slices"
	"testing"

	"github.com/microsoftgraph/msgraph-sdk-go/models/security"
	requests "github.com/microsoftgraph/msgraph-sdk-go/security"
)

func TestAlertsAreListedByPage(t *testing.T) {
	c := as(t, "CLIENT_READER")
	ask := requests.Alerts_v2RequestBuilderGetQueryParameters{Top: to[int32](5), Count: to(true), Orderby: []string{"createdDateTime asc"}}
	page, err := c.Security().Alerts_v2().Get(t.Context(), &requests.Alerts_v2RequestBuilderGetRequestConfiguration{QueryParameters: &ask})
	if err != nil {
		t.Fatal(err)
	}
	if len(page.GetValue()) != 5 || value(page.GetOdataCount()) <= 5 || page.GetOdataNextLink() == nil {
		t.Fatalf("%d alerts of %d", len(page.GetValue()), value(page.GetOdataCount()))
	}
	all := each[security.Alertable](t, c, page, security.CreateAlertCollectionResponseFromDiscriminatorValue)
	seen, products := map[string]bool{}, map[string]bool{}
	for i, a := range all {
		seen[value(a.GetId())], products[value(a.GetProductName())] = true, true
		if i > 0 && a.GetCreatedDateTime().Before(*all[i-1].GetCreatedDateTime()) {
			t.Errorf("alert %d was created before the one before it", i)
		}
	}
	if len(seen) != len(all) || int64(len(all)) != value(page.GetOdataCount()) {
		t.Errorf("%d alerts, %d of them different, of %d", len(all), len(seen), value(page.GetOdataCount()))
	}
	for _, p := range []string{"Microsoft Defender for Cloud", "Amazon GuardDuty", "Google Security Command Center"} {
		if !products[p] {
			t.Errorf("no alert of %s", p)
		}
	}
}

func TestFilterSelectSkipAndCount(t *testing.T) {
	c := as(t, "CLIENT_READER")
	const filter = "severity eq 'high' and status ne 'resolved'"
	list := func(q requests.Alerts_v2RequestBuilderGetQueryParameters) []security.Alertable {
		t.Helper()
		q.Filter = to(filter)
		page, err := c.Security().Alerts_v2().Get(t.Context(), &requests.Alerts_v2RequestBuilderGetRequestConfiguration{QueryParameters: &q})
		if err != nil {
			t.Fatal(err)
		}
		return page.GetValue()
	}
	ids := func(alerts []security.Alertable) (out []string) {
		for _, a := range alerts {
			out = append(out, value(a.GetId()))
		}
		return out
	}
	high := list(requests.Alerts_v2RequestBuilderGetQueryParameters{Select: []string{"id", "severity"}})
	for _, a := range high {
		if value(a.GetSeverity()) != security.HIGH_ALERTSEVERITY || a.GetTitle() != nil || len(a.GetEvidence()) > 0 {
			t.Errorf("%s: %v, title %v", value(a.GetId()), value(a.GetSeverity()), a.GetTitle())
		}
	}
	if rest := list(requests.Alerts_v2RequestBuilderGetQueryParameters{Skip: to[int32](1)}); len(high) < 2 || !slices.Equal(ids(rest), ids(high)[1:]) {
		t.Errorf("with $skip=1 %v of %v", ids(rest), ids(high))
	}
	n, err := c.Security().Alerts_v2().Count().Get(t.Context(), &requests.Alerts_v2CountRequestBuilderGetRequestConfiguration{
		QueryParameters: &requests.Alerts_v2CountRequestBuilderGetQueryParameters{Filter: to(filter)},
	})
	if err != nil || int(value(n)) != len(high) {
		t.Errorf("$count is %d, want %d: %v", value(n), len(high), err)
	}
}

func TestIncidentsWithTheirAlerts(t *testing.T) {
	c := as(t, "CLIENT_READER")
	ask := requests.IncidentsRequestBuilderGetQueryParameters{Expand: []string{"alerts"}, Top: to[int32](2), Filter: to("status ne 'redirected'"), Orderby: []string{"lastUpdateDateTime asc"}}
	page, err := c.Security().Incidents().Get(t.Context(), &requests.IncidentsRequestBuilderGetRequestConfiguration{QueryParameters: &ask})
	if err != nil {
		t.Fatal(err)
	}
	all := each[security.Incidentable](t, c, page, security.CreateIncidentCollectionResponseFromDiscriminatorValue)
	if len(all) < 4 {
		t.Fatalf("only %d incidents", len(all))
	}
	for _, i := range all {
		id := value(i.GetId())
		if len(i.GetAlerts()) == 0 || value(i.GetStatus()) != security.ACTIVE_INCIDENTSTATUS || i.GetSeverity() == nil || value(i.GetIncidentWebUrl()) == "" || i.GetLastUpdateDateTime() == nil {
			t.Errorf("incident %s: %d alerts, status %v, severity %v", id, len(i.GetAlerts()), i.GetStatus(), i.GetSeverity())
		}
		one := c.Security().Incidents().ByIncidentId(id)
		got, err := one.Get(t.Context(), nil)
		if err != nil || value(got.GetDisplayName()) != value(i.GetDisplayName()) || len(got.GetAlerts()) != 0 {
			t.Errorf("incident %s by itself: %v", id, err)
		}
		members, err := one.Alerts().Get(t.Context(), nil)
		if err != nil || len(members.GetValue()) != len(i.GetAlerts()) {
			t.Fatalf("alerts of incident %s: %v", id, err)
		}
		member := value(members.GetValue()[0].GetId())
		a, err := one.Alerts().ByAlertId(member).Get(t.Context(), nil)
		if err != nil || value(a.GetIncidentId()) != id {
			t.Errorf("alert %s of incident %s: %v", member, id, err)
		}
	}
}
