package graphtest

import (
	"slices"
	"testing"

	"github.com/microsoftgraph/msgraph-sdk-go/models/security"
)

func TestWorkOnAnAlert(t *testing.T) {
	c := as(t, "CLIENT_WRITER")
	id := value(alertOf(t, everything(t), "Malware: Bad Domain").GetId())
	one := c.Security().Alerts_v2().ByAlertId(id)
	change := security.NewAlert()
	change.SetStatus(to(security.INPROGRESS_ALERTSTATUS))
	change.SetClassification(to(security.TRUEPOSITIVE_ALERTCLASSIFICATION))
	change.SetDetermination(to(security.MALWARE_ALERTDETERMINATION))
	change.SetAssignedTo(to("dora@contoso.example"))
	c.wire.exchanges()
	got, err := one.Patch(t.Context(), change, nil)
	if err != nil {
		t.Fatal(err)
	}
	worked(t, "PATCH", got)
	if sent := c.wire.exchanges(); len(sent) != 1 || sent[0].encoding != "gzip" || !sent[0].compressed {
		t.Errorf("the SDK sent %+v: no longer what this test is for", sent)
	}
	if got, err = one.Get(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	worked(t, "GET", got)
}

func worked(t *testing.T, how string, a security.Alertable) {
	t.Helper()
	if value(a.GetStatus()) != security.INPROGRESS_ALERTSTATUS || value(a.GetClassification()) != security.TRUEPOSITIVE_ALERTCLASSIFICATION ||
		value(a.GetDetermination()) != security.MALWARE_ALERTDETERMINATION || value(a.GetAssignedTo()) != "dora@contoso.example" {
		t.Errorf("%s: status %v, classification %v, determination %v, assigned to %q", how, a.GetStatus(), a.GetClassification(), a.GetDetermination(), value(a.GetAssignedTo()))
	}
}

// TestComments: the SDK sends and takes bare lists, which the documents do not say.
func TestComments(t *testing.T) {
	c := as(t, "CLIENT_WRITER")
	a := alertOf(t, everything(t), "Malware: Bad Domain")
	comment := security.NewAlertComment()
	comment.SetComment(to("Asked the owner of till-gw."))
	for how, post := range map[string]func() ([]security.AlertCommentable, error){
		"alert": func() ([]security.AlertCommentable, error) {
			return c.Security().Alerts_v2().ByAlertId(value(a.GetId())).Comments().Post(t.Context(), []security.AlertCommentable{comment}, nil)
		},
		"alert of its incident": func() ([]security.AlertCommentable, error) {
			return c.Security().Incidents().ByIncidentId(value(a.GetIncidentId())).Alerts().ByAlertId(value(a.GetId())).Comments().Post(t.Context(), []security.AlertCommentable{comment}, nil)
		},
	} {
		all, err := post()
		if err != nil || len(all) == 0 {
			t.Fatalf("%s: %d comments, %v", how, len(all), err)
		}
		last := all[len(all)-1]
		expect(t, how, value(last.GetComment()), "Asked the owner of till-gw.", value(last.GetCreatedByDisplayName()), "writer@contoso.example")
	}
}

// TestWorkOnAnIncident: who resolves an incident resolves its alerts.
func TestWorkOnAnIncident(t *testing.T) {
	c := as(t, "CLIENT_WRITER")
	one := c.Security().Incidents().ByIncidentId(value(alertOf(t, everything(t), "Someone without a name changed cluster till-cluster.").GetIncidentId()))
	change := security.NewIncident()
	change.SetStatus(to(security.RESOLVED_INCIDENTSTATUS))
	change.SetClassification(to(security.INFORMATIONALEXPECTEDACTIVITY_ALERTCLASSIFICATION))
	change.SetDetermination(to(security.SECURITYTESTING_ALERTDETERMINATION))
	change.SetCustomTags([]string{"drill", "tills"})
	change.SetAssignedTo(to("erik@contoso.example"))
	i, err := one.Patch(t.Context(), change, nil)
	if err != nil {
		t.Fatal(err)
	}
	if value(i.GetStatus()) != security.RESOLVED_INCIDENTSTATUS || value(i.GetDetermination()) != security.SECURITYTESTING_ALERTDETERMINATION ||
		!slices.Equal(i.GetCustomTags(), []string{"drill", "tills"}) || value(i.GetLastModifiedBy()) != "writer@contoso.example" {
		t.Errorf("status %v, determination %v, tags %v, by %q", i.GetStatus(), i.GetDetermination(), i.GetCustomTags(), value(i.GetLastModifiedBy()))
	}
	alerts, err := one.Alerts().Get(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range alerts.GetValue() {
		if value(a.GetStatus()) != security.RESOLVED_ALERTSTATUS || value(a.GetAssignedTo()) != "erik@contoso.example" {
			t.Errorf("alert %s: %v, assigned to %q", value(a.GetId()), a.GetStatus(), value(a.GetAssignedTo()))
		}
	}
}
