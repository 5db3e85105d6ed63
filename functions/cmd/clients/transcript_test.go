package clients

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
)

// page is a page of a Graph listing.
type page struct {
	Value []item `json:"value"`
	Next  string `json:"@odata.nextLink"`
}

// item is what clients read of an alert or an incident.
type item struct {
	ID       string    `json:"id"`
	Status   string    `json:"status"`
	Redirect *string   `json:"redirectIncidentId"`
	Created  time.Time `json:"createdDateTime"`
	Updated  string    `json:"lastUpdateDateTime"` // as text: cursors are sent back as they came
	Severity string    `json:"severity"`
	Service  string    `json:"serviceSource"`
	Alerts   []item    `json:"alerts"`
}

// list reads one page that must be answered.
func (s *stage) list(address string, headers ...string) page {
	s.t.Helper()
	status, answer := s.ask(http.MethodGet, address, nil, headers...)
	var p page
	if err := json.Unmarshal(answer, &p); err != nil || status != http.StatusOK {
		s.t.Fatalf("GET %s: %d %v\n%.500s", address, status, err, answer)
	}
	return p
}

// pages follows the links of a listing to its end.
func (s *stage) pages(address string, headers ...string) (all []item) {
	s.t.Helper()
	for address != "" {
		p := s.list(address, headers...)
		all, address = append(all, p.Value...), p.Next
	}
	return all
}

const (
	alerts    = "/v1.0/security/alerts_v2"
	incidents = "/v1.0/security/incidents"
)

// TestTranscripts sends requests byte by byte as integrations for Defender send them. NOW stands for a minute from now,
// THEN for a year ago.
func TestTranscripts(t *testing.T) {
	s := open(t)
	s.furnish()
	every := func(item) bool { return true }
	grave := func(i item) bool { return i.Severity == "high" || i.Severity == "medium" }
	known := func(i item) bool { return i.Service == "microsoftDefenderForCloud" }
	for _, tt := range []struct {
		client, request string
		prefer          string
		all             string // the listing that it must be the whole of, as far as keep goes
		keep            func(item) bool
	}{
		{"Wazuh ms-graph, alerts", alerts + "?$top=100&$filter=createdDateTime+ge+THEN+and+createdDateTime+lt+NOW", "", alerts, every},
		{"Wazuh ms-graph, incidents", incidents + "?$top=50&$filter=createdDateTime+ge+THEN+and+createdDateTime+lt+NOW", "", incidents, every},
		{"Elastic m365_defender, incidents", incidents + "?%24expand=alerts&%24filter=lastUpdateDateTime+ge+THEN&%24orderby=lastUpdateDateTime+asc&%24skip=0&%24top=50", "", incidents, every},
		{"Elastic m365_defender, alerts", alerts + "?%24filter=lastUpdateDateTime+gt+THEN&%24orderby=lastUpdateDateTime+asc&%24skip=0&%24top=1000", "include-unknown-enum-members", alerts, known},
		{"Cortex XSOAR, fetch", alerts + "?%24filter=createdDateTime+ge+THEN+and+createdDateTime+le+NOW+and+serviceSource+eq+%27microsoftDefenderForEndpoint%27+or+serviceSource+eq+%27microsoftDefenderForCloud%27", "include-unknown-enum-members", alerts, known},
		{"Cortex XSOAR, search", alerts + "?%24top=50&%24skip=0&%24filter=lastUpdateDateTime+gt+2020-01-31+and+severity+eq+%27high%27+and+status+eq+%27new%27", "", alerts, func(i item) bool { return i.Severity == "high" }},
		{"quotes and parentheses as they are", alerts + "?$filter=(severity+eq+'high'+or+severity+eq+'medium')+and+classification+eq+null", "", alerts, grave},
		{"everything encoded", alerts + "?%24filter=serviceSource%20eq%20%27microsoftDefenderForCloud%27%20and%20status%20ne%20%27resolved%27", "include-unknown-enum-members", alerts, known},
		{"a path in another case", "/v1.0/security/alerts_V2?$filter=status+eq+'new'", "", alerts, every},
		{"an offset instead of Z", alerts + "?$filter=createdDateTime+lt+2100-01-01T00:00:00%2B02:00", "", alerts, every},
		{"beta", "/beta/security/incidents?$expand=alerts", "", incidents, every},
	} {
		t.Run(tt.client, func(t *testing.T) {
			s := s.in(t)
			request := strings.NewReplacer("THEN", stamp(time.Now().AddDate(-1, 0, 0)), "NOW", stamp(time.Now().Add(time.Minute))).Replace(tt.request)
			var headers []string
			if tt.prefer != "" {
				headers = []string{"Prefer", tt.prefer}
			}
			got := s.pages(request, headers...)
			want := slices.DeleteFunc(s.pages(tt.all, headers...), func(i item) bool { return !tt.keep(i) })
			if !slices.Equal(ids(got), ids(want)) || len(got) == 0 {
				t.Errorf("%d came, want %d\n%v\n%v", len(got), len(want), ids(got), ids(want))
			}
			if strings.Contains(tt.request, "orderby=lastUpdate") && !slices.IsSortedFunc(got, func(a, b item) int { return strings.Compare(pad(a.Updated), pad(b.Updated)) }) {
				t.Error("not in the order of lastUpdateDateTime")
			}
			if strings.Contains(tt.request, "expand") && slices.ContainsFunc(got, func(i item) bool { return len(i.Alerts) == 0 }) {
				t.Error("an incident without alerts")
			}
		})
	}
}

// TestPagesOf2000: Cortex XSOAR takes pages of up to 2,000 alerts, and skips by as many as it asked for.
func TestPagesOf2000(t *testing.T) {
	s := open(t)
	var body strings.Builder
	for n := range 2100 {
		fmt.Fprintf(&body, `{"id":"x%d","time":"2026-03-03T00:07:33Z","title":"Seen again","entities":[{"kind":"host","value":"web-01.contoso.example"}]}`+"\n", n)
	}
	s.deliver("webhook", []byte(body.String()))
	first, second := s.list(alerts+"?%24top=2000"), s.list(alerts+"?%24top=2000&%24skip=2000")
	all := map[string]bool{}
	for _, a := range slices.Concat(first.Value, second.Value) {
		all[a.ID] = true
	}
	if len(first.Value) != 2000 || len(all) != 2100 {
		t.Errorf("%d alerts on the first page, %d different ones on both", len(first.Value), len(all))
	}
}

// TestNotServed: what the Graph and Defender have and Onepane has not is refused as the Graph refuses, so that a client
// can say what is wrong.
func TestNotServed(t *testing.T) {
	s := open(t)
	for _, tt := range []struct{ why, method, path, body string }{
		{"batches of the Graph's SDKs", "POST", "/v1.0/$batch", `{"requests":[{"id":"1","method":"GET","url":"/security/incidents"}]}`},
		{"Defender's older API: Filebeat's module microsoft, Cortex XSOAR's Microsoft 365 Defender", "GET", "/api/incidents?$filter=lastUpdateTime+gt+2026-01-01T00:00:00Z", ""},
		{"hunting", "POST", "/v1.0/security/runHuntingQuery", `{"Query":"AlertInfo"}`},
		{"the legacy alerts", "GET", "/v1.0/security/alerts?$top=1", ""},
	} {
		status, answer := s.ask(tt.method, tt.path, []byte(tt.body))
		var e struct {
			Error struct {
				Code    string `json:"code"`
				Message string `json:"message"`
			} `json:"error"`
		}
		if err := json.Unmarshal(answer, &e); err != nil || status != http.StatusNotFound || e.Error.Code != "itemNotFound" || e.Error.Message == "" {
			t.Errorf("%s: %s %s: %d %v\n%.300s", tt.why, tt.method, tt.path, status, err, answer)
		}
	}
}

// in is s for a subtest.
func (s stage) in(t *testing.T) *stage {
	s.t = t
	return &s
}

// stamp is a time as most clients write it, whole seconds in UTC.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

var fraction = regexp.MustCompile(`^(.*T[0-9:]+)(\.[0-9]+)?Z$`)

// pad gives a shown time all seven digits, so that text compares as time does.
func pad(shown string) string {
	m := fraction.FindStringSubmatch(shown)
	return m[1] + (m[2] + ".0000000")[:8]
}

// ids are the items' in order of text.
func ids(items []item) (out []string) {
	for _, i := range items {
		out = append(out, i.ID)
	}
	slices.Sort(out)
	return out
}
