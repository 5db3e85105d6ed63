package e2e

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
)

// TestAnalyst lets a person edit and merge incidents through the HTTP trigger of the built binary, while alerts come
// and requests to the store fail: what she decided stays, and alerts find their way to what she made of them.
func TestAnalyst(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: this test builds and runs every binary")
	}
	d := deploy(t, 2*time.Second, "ONEPANE_API_AUDIENCE="+audience, "WEBSITE_HOSTNAME=func-contoso.azurewebsites.net")
	c := &chaos{w: d.world, lambda: d.lambda, run: d.run, host: d.host, done: map[string]int{}}
	c.storms(11)
	ana := d.issuer.person(t, d.entra, "ana@contoso.example", "SecurityIncident.ReadWrite.All", "SecurityAlert.ReadWrite.All", "Onepane.Operate.All")

	d.deliver(delivery{byURL, []string{sighting("fin-lt057", "dora", 0), sighting("hr-lt011", "emil", 0)}})
	d.drained()
	all := d.listed(ana)
	if len(all) != 2 {
		t.Fatalf("incidents: %+v", all)
	}
	first, second := all[0], all[1]
	d.asked(ana, http.MethodPatch, "/v1.0/security/incidents/"+first.ID,
		`{"assignedTo":"ana@contoso.example","classification":"truePositive","determination":"malware","status":"inProgress","customTags":["crown-jewels"]}`, http.StatusOK)
	d.asked(ana, http.MethodPost, "/api/v1/incidents/"+first.ID+"/merge", `{"incidentIds":["`+second.ID+`"],"comment":"one campaign"}`, http.StatusOK)

	for n := 1; n <= 30; n++ {
		switch n { // as the session's owner dies, its lock goes elsewhere, or the app is replaced
		case 10:
			c.loseSession()
		case 20:
			d.host.doom.Store(true)
		}
		d.deliver(delivery{byURL, []string{sighting("fin-lt057", "dora", n), sighting("hr-lt011", "emil", n)}})
	}
	d.drained()
	d.cosmos.Inject(nil)

	all = d.listed(ana)
	gone := d.incident(ana, second.ID)
	if len(all) != 1 || all[0].ID != first.ID || gone.RedirectTo != first.ID || gone.Status != "redirected" {
		t.Fatalf("after later alerts: %+v; %+v", all, gone)
	}
	now := all[0]
	if now.AssignedTo != "ana@contoso.example" || now.Classification != "truePositive" || now.Determination != "malware" || now.Status != "inProgress" || len(now.Tags) != 1 {
		t.Errorf("her edits are now %+v", now)
	}
	if len(now.Alerts) != 62 {
		t.Errorf("%d alerts of 62 are in the incident", len(now.Alerts))
	}
	if want := "https://func-contoso.azurewebsites.net/"; !strings.HasPrefix(now.URL, want) {
		t.Errorf("it is found at %s, want %s…", now.URL, want)
	}
	if audit := string(d.asked(ana, http.MethodGet, "/api/v1/audit", "", http.StatusOK)); !strings.Contains(audit, "ana@contoso.example") || !strings.Contains(audit, "/merge") {
		t.Errorf("the audit log has %s", audit)
	}
	d.asked(d.issuer.person(t, d.entra, "eve@contoso.example", "SecurityIncident.Read.All"), http.MethodPatch, "/v1.0/security/incidents/"+first.ID, `{"status":"resolved"}`, http.StatusForbidden)
}

// sighting is the n-th alert about a machine and its user.
func sighting(host, user string, n int) string {
	at := time.Date(2026, 3, 3, 8, n, 0, 0, time.UTC).Format(time.RFC3339)
	return fmt.Sprintf(`{"id":"%s-%d","tenant":%q,"time":%q,"source":"acme.edr","type":"Step%d","title":"Step %d on %s","severity":"high",`+
		`"entities":[{"kind":"host","value":%q,"role":"victim"},{"kind":"user","value":"%s@contoso.example","role":"victim"}]}`, host, n, tenant, at, n, n, host, host, user)
}

// shown is an incident as the API shows it.
type shown struct {
	ID, Status, AssignedTo, Classification, Determination string
	RedirectTo                                            string   `json:"redirectIncidentId"`
	URL                                                   string   `json:"incidentWebUrl"`
	Tags                                                  []string `json:"customTags"`
	Alerts                                                []struct{ Title string }
}

// listed are the incidents that live, with their alerts.
func (d *deployment) listed(token string) []shown {
	d.t.Helper()
	var page struct{ Value []shown }
	answer := d.asked(token, http.MethodGet, "/v1.0/security/incidents?$expand=alerts&$filter=status+ne+'redirected'", "", http.StatusOK)
	if err := json.Unmarshal(answer, &page, json.MatchCaseInsensitiveNames(true)); err != nil {
		d.t.Fatalf("%s: %v", answer, err)
	}
	return page.Value
}

func (d *deployment) incident(token, id string) (i shown) {
	d.t.Helper()
	answer := d.asked(token, http.MethodGet, "/v1.0/security/incidents/"+id, "", http.StatusOK)
	if err := json.Unmarshal(answer, &i, json.MatchCaseInsensitiveNames(true)); err != nil {
		d.t.Fatalf("%s: %v", answer, err)
	}
	return i
}

// asked wants one status, however often the store fails before.
func (d *deployment) asked(token, method, path, body string, want int) []byte {
	d.t.Helper()
	status, answer := 0, []byte(nil)
	for end := time.Now().Add(patience); time.Now().Before(end); {
		if status, answer = d.request(token, method, path, body); status < 500 {
			break
		}
	}
	if status != want {
		d.t.Fatalf("%s %s: %d, want %d: %s", method, path, status, want, answer)
	}
	return answer
}

// request comes by the HTTP trigger, as the Functions host forwards it.
func (d *deployment) request(token, method, path, body string) (int, []byte) {
	d.t.Helper()
	if err := listening(d.host.address); err != nil {
		d.t.Fatal(err)
	}
	req, err := http.NewRequest(method, "http://"+d.host.address+path, strings.NewReader(body))
	if err != nil {
		d.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Forwarded-For", "192.0.2.1")
	req.Header.Set("X-Forwarded-Proto", "https")
	req.Header.Set("X-Azure-Functions-Invocationid", "d2b7f1a0-3b1e-4a53-8a0f-0d4b1c2e3f41")
	resp, err := local.Do(req)
	if err != nil {
		return http.StatusBadGateway, nil // killed meanwhile
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return http.StatusBadGateway, nil
	}
	return resp.StatusCode, answer
}
