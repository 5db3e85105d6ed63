package api

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/query"
)

// walkAll follows links from the first page to the last and gives the titles with their tenants.
func walkAll(t *testing.T, first string, between func()) (all []string) {
	t.Helper()
	for next, pages := first, 0; next != ""; pages++ {
		if pages > 100 {
			t.Fatalf("no end after %d pages: %s", pages, next)
		}
		m := sendGet(t, next).object(t, 200)
		for _, v := range m["value"].([]any) {
			v := v.(map[string]any)
			all = append(all, fmt.Sprint(v["tenantId"], " ", v["title"]))
		}
		next, _ = m["@odata.nextLink"].(string)
		if strings.Contains(next, "$skip=") {
			t.Errorf("a link by number: %s", next)
		}
		if between != nil {
			between()
		}
	}
	return all
}

// TestLinksKeepTheirPlace walks every kind of order over tenants whose rows are alike in all but a few things.
func TestLinksKeepTheirPlace(t *testing.T) {
	m := &memoryReader{}
	for i := range 90 {
		a := alertRecord([]string{"contoso", "fabrikam"}[i%2], i/2) // both tenants have alerts of the same moments
		a.Alert.ID = fmt.Sprintf("x%03d", i/2)                      // and the same ids
		a.Alert.Severity = []alert.Severity{alert.Low, alert.High, alert.Critical, alert.Unknown, alert.Medium}[i%5]
		a.Created = day.Add(time.Duration(i/12) * time.Minute)
		a.Updated = day.Add(-time.Duration(i/7) * time.Nanosecond)
		a.AssignedTo = []string{"", "Dora", "eve"}[i%3]
		m.Members = append(m.Members, a)
	}
	base := serveAPI(t, m) + "/v1.0/security/alerts_v2?$count=true"
	for _, order := range []string{
		"", "createdDateTime", "createdDateTime desc", "lastUpdateDateTime", "severity desc,createdDateTime", "severity", "title desc", "assignedTo,severity desc,lastUpdateDateTime desc",
		"id desc", "status,id",
	} {
		list := base
		if order != "" {
			list += "&$orderby=" + url.QueryEscape(order)
		}
		whole := sendGet(t, list+"&$top=100").titles(t)
		all := walkAll(t, list+"&$top=7", nil)
		if len(all) != 90 {
			t.Errorf("%s: %d alerts on all pages", order, len(all))
			continue
		}
		for i := range whole {
			if !strings.HasSuffix(all[i], " "+whole[i]) {
				t.Errorf("%s: row %d is %s, on one page it is %s", order, i, all[i], whole[i])
				break
			}
		}
	}
}

func TestLinksSkipNothingWhileAlertsArrive(t *testing.T) {
	m := numberedAlerts(50)
	base := serveAPI(t, m)
	n := 1000
	all := walkAll(t, base+"/v1.0/security/alerts_v2?$top=10", func() {
		m.Members = append(m.Members, alertRecord("contoso", n), alertRecord("contoso", n+1)) // newer than all
		n += 2
	})
	seen := map[string]bool{}
	for _, title := range all {
		if seen[title] {
			t.Errorf("%s twice", title)
		}
		seen[title] = true
	}
	if len(all) != 50 {
		t.Errorf("%d alerts, want the 50 that there were", len(all))
	}
}

func TestTokensAreNotToBeMade(t *testing.T) {
	base := serveAPI(t, numberedAlerts(3)) + "/v1.0/security/alerts_v2?"
	own, err := encodePageToken(alertRecord("contoso", 1), "contoso", newestFirst)
	if err != nil {
		t.Fatal(err)
	}
	if got := sendGet(t, base+"$skiptoken="+own).titles(t); len(got) != 1 || got[0] != "Alert 0" {
		t.Errorf("after the middle: %v", got)
	}
	for name, options := range map[string]string{
		"nonsense": "$skiptoken=nonsense", "no base64": "$skiptoken=%00", "another order's": "$orderby=title&$skiptoken=" + own,
		"with $skip": "$skip=1&$skiptoken=" + own, "far too long": "$skiptoken=" + strings.Repeat("a", 50_000), "null": "$skiptoken=bnVsbA",
	} {
		var e errorBody
		sendGet(t, base+options).into(t, 400, &e)
		if !strings.Contains(e.Error.Message, "$skip") {
			t.Errorf("%s: %s", name, e.Error.Message)
		}
	}
	var e errorBody
	sendGet(t, base+"$skip=50001").into(t, 400, &e)
	if e.Error.Target != "$skip" || !strings.Contains(e.Error.Message, "nextLink") {
		t.Errorf("%+v", e.Error)
	}
	if m := sendGet(t, base+"$skip=50000").object(t, 200); len(m["value"].([]any)) != 0 {
		t.Errorf("beyond the end: %v", m)
	}
}

func FuzzMarks(f *testing.F) {
	own, err := encodePageToken(alertRecord("contoso", 1), "contoso", newestFirst)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(own)
	f.Add("e30")
	f.Fuzz(func(t *testing.T, token string) {
		m, err := parsePageToken(token, newestFirst)
		if err == nil && m != nil {
			query.Match(m.rowsAfter("contoso", newestFirst), alertRecord("contoso", 2))
		}
	})
}
