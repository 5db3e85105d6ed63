package azure

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/onepane/onepane/functions/api/access/accesstest"
	"github.com/onepane/onepane/shared/config"
)

// TestExportsLinkToTheBaseURL lets both deployments send an incident to a receiver, with a link that leads where the
// API's do.
func TestExportsLinkToTheBaseURL(t *testing.T) {
	const base = "https://soc.contoso.example"
	for name, deploy := range map[string]func(*testing.T, config.Config, *accesstest.Issuer) *deployment{"standalone": standalone, "app": functionApp} {
		t.Run(name, func(t *testing.T) {
			var mu sync.Mutex
			var got strings.Builder
			receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				b, _ := io.ReadAll(r.Body)
				mu.Lock()
				defer mu.Unlock()
				got.Write(b)
			}))
			defer receiver.Close()
			cfg, issuer := settings(t)
			cfg.BaseURL = base
			cfg.Exports[0].Format, cfg.Exports[0].What, cfg.Exports[0].Options = "ocsf", []string{"incidents"}, map[string]string{"url": receiver.URL}
			d := deploy(t, cfg, issuer)
			d.furnish(t)
			want := base + "/incidents/" + d.ids["incident"] + "?tid=contoso"
			mu.Lock()
			sent := got.String()
			mu.Unlock()
			if !strings.Contains(sent, want) {
				t.Errorf("no link %s in %s", want, sent)
			}
			if _, answer := d.ask(t, http.MethodGet, "/v1.0/security/incidents/"+d.ids["incident"], ""); !strings.Contains(answer, want) {
				t.Errorf("the API does not link to %s: %s", want, answer)
			}
		})
	}
}
