package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
)

// leaks is what no answer may show: stacks, sources, paths of the machine.
var leaks = regexp.MustCompile(`goroutine|\.go:\d|panic|runtime error|/tmp/|/home/|/root/|pebble`)

// TestHostileQuestions sends the API all that a client can get wrong or wish to break. Each is a clear 4xx in the
// Graph's error shape, tells nothing of the inside, and the next good question is answered.
func TestHostileQuestions(t *testing.T) {
	s := start(t, t.TempDir())
	r := s.deliver("webhook", []byte(alert("a", `,"entities":[{"kind":"host","value":"web-03.contoso.example"}]`)))
	a, i := "/v1.0/security/alerts_v2/"+r.Accepted[0].AlertID, "/v1.0/security/incidents/"+r.Accepted[0].IncidentID
	list := "/v1.0/security/alerts_v2?"
	long := strings.Repeat("a", 30_001)
	for _, h := range []struct {
		name, method, path, body string
		status                   int
		says                     string
	}{
		{"a filter of 60 KB", "GET", list + "$filter=" + strings.Repeat("a", 60_000), "", 400, "bytes long"},
		{"a filter of 100 KB", "GET", list + "$filter=" + strings.Repeat("a", 100_000), "", 431, ""},
		{"a filter nested 3,000 deep", "GET", list + "$filter=" + strings.Repeat("(", 3000), "", 400, "deep"},
		{"a filter of 2,000 nots", "GET", list + "$filter=" + strings.Repeat("not%20", 2000) + "id%20eq%20null", "", 400, "$filter"},
		{"$top=-1", "GET", list + "$top=-1", "", 400, "$top"},
		{"$top=1e9 as a word", "GET", list + "$top=1e9", "", 400, "$top"},
		{"incidents $top=1000000000", "GET", "/v1.0/security/incidents?$top=1000000000", "", 400, "Top"},
		{"$top beyond 64 bits", "GET", list + "$top=99999999999999999999", "", 400, "$top"},
		{"$skip=2000000000", "GET", list + "$skip=2000000000", "", 400, "Skip"},
		{"$skiptoken of nonsense", "GET", list + "$skiptoken=AAAA", "", 400, "$skiptoken"},
		{"8 orders and one", "GET", list + "$orderby=id,id,id,id,id,id,id,id,id", "", 400, "$orderby"},
		{"a query that is none", "GET", list + "%zz", "", 400, "read"},
		{"a search of 3 KB", "GET", "/api/v1/search?q=" + strings.Repeat("a", 3000), "", 400, "'q'"},
		{"a search of NUL", "GET", "/api/v1/search?q=%00", "", 200, "[]"},
		{"PATCH of what does not exist", "PATCH", a, `{"colour":"red"}`, 400, "colour"},
		{"PATCH of what cannot be set", "PATCH", a, `{"severity":"low"}`, 400, "severity"},
		{"PATCH with a number", "PATCH", a, `{"status":7}`, 400, "status"},
		{"PATCH with an object", "PATCH", i, `{"displayName":{"a":1}}`, 400, "displayName"},
		{"PATCH with a list", "PATCH", a, `[]`, 400, "object"},
		{"PATCH with a name twice", "PATCH", a, `{"status":"new","status":"resolved"}`, 400, "object"},
		{"PATCH nested 20,000 deep", "PATCH", a, strings.Repeat(`{"a":`, 20_000), 400, "object"},
		{"PATCH with bad UTF-8", "PATCH", a, "{\"assignedTo\":\"\xff\xfe\"}", 400, ""},
		{"PATCH of 10 MB", "PATCH", a, `{"assignedTo":"` + strings.Repeat("a", 10<<20) + `"}`, 413, "larger"},
		{"PATCH with nothing", "PATCH", a, "", 400, "object"},
		{"a comment beyond 30,000 characters", "POST", i + "/comments", `{"@odata.type":"microsoft.graph.security.alertComment","comment":"` + long + `"}`, 400, "30000"},
		{"21 comments", "POST", i + "/comments", "[" + strings.Repeat(`{"comment":"a"},`, 20) + `{"comment":"a"}]`, 400, "20 comments"},
		{"a gzip bomb", "PATCH", a, string(zip(make([]byte, 256<<20))), 413, "larger"},
		{"gzip that breaks off", "PATCH", a, string(zip([]byte(`{"status":"new"}`))[:20]), 400, "packed"},
		{"a slash in an id", "GET", "/v1.0/security/alerts_v2/a%2fb", "", 404, ""},
		{"dots in an id", "GET", "/v1.0/security/alerts_v2/%2e%2e", "", 404, ""},
		{"dots upwards, encoded", "GET", "/v1.0/security/alerts_v2/%2e%2e%2f%2e%2e%2fetc%2fpasswd", "", 404, ""},
		{"a backslash", "GET", `/v1.0/security/alerts_v2/..%5c..%5cwindows`, "", 404, ""},
		{"NUL in an id", "GET", "/v1.0/security/alerts_v2/a%00b", "", 404, ""},
		{"an id of 4 KB", "GET", "/v1.0/security/alerts_v2/" + strings.Repeat("x", 4000), "", 404, ""},
		{"a tenant of 4 KB", "GET", list + "tid=" + strings.Repeat("x", 4000), "", 400, ""},
		{"an entity of nothing", "GET", "/api/v1/entities/AA", "", 404, ""},
		{"an incident's story of nobody", "GET", "/api/v1/incidents/-1/reasons", "", 404, ""},
		{"a merge with itself", "POST", "/api/v1" + strings.TrimPrefix(i, "/v1.0/security") + "/merge", `{"incidents":null,"x":1}`, 400, ""},
		{"DELETE", "DELETE", a, "", 405, "DELETE"},
		{"TRACE", "TRACE", a, "", 405, "TRACE"},
	} {
		t.Run(h.name, func(t *testing.T) {
			s := s.in(t)
			req, err := http.NewRequest(h.method, s.base+h.path, strings.NewReader(h.body))
			if err != nil {
				t.Fatal(err)
			}
			resp, err := http.DefaultTransport.RoundTrip(req) // as it is: no redirect is followed
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			b, err := io.ReadAll(resp.Body)
			if err != nil {
				t.Fatal(err)
			}
			if resp.StatusCode != h.status || !strings.Contains(string(b), h.says) {
				t.Errorf("%d, want %d with %q\n%.500s", resp.StatusCode, h.status, h.says, b)
			}
			if resp.StatusCode >= 400 && resp.StatusCode != http.StatusRequestHeaderFieldsTooLarge { // the last is net/http's own, before any handler
				refusal(t, resp, b)
			}
			if leak := leaks.Find(b); leak != nil || len(b) > 20_000 {
				t.Errorf("the answer of %d bytes shows %q\n%.500s", len(b), leak, b)
			}
			if code := s.get(a, nil); code != http.StatusOK {
				t.Errorf("a good question after it is answered %d", code)
			}
		})
	}
	if got := s.peak(); got > 300 {
		t.Errorf("all this took %d MB", got)
	}
	s.stop()
}

// refusal fails unless an answer is an error as the Graph words it.
func refusal(t *testing.T, resp *http.Response, body []byte) {
	t.Helper()
	var e struct {
		Error struct {
			Code    string `json:"code"`
			Message string `json:"message"`
			Inner   struct {
				Date      string `json:"date"`
				RequestID string `json:"request-id"`
			} `json:"innerError"`
		} `json:"error"`
	}
	if err := json.Unmarshal(body, &e); err != nil || e.Error.Message == "" || e.Error.Inner.Date == "" || e.Error.Inner.RequestID != resp.Header.Get("request-id") {
		t.Errorf("not in the Graph's error shape (%v): %.300s", err, body)
	}
}

// TestSmuggledHeaders sends what parts of a network read differently. net/http refuses most of it before any handler;
// what is answered is one answer for one request.
func TestSmuggledHeaders(t *testing.T) {
	s := start(t, t.TempDir())
	for name, tt := range map[string]struct {
		request string
		status  int
	}{
		"two lengths that differ":       {"PATCH /v1.0/security/incidents/1 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nContent-Length: 30\r\n\r\n{}", 400},
		"a length that is a list":       {"PATCH /v1.0/security/incidents/1 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2, 30\r\n\r\n{}", 400},
		"a signed length":               {"PATCH /v1.0/security/incidents/1 HTTP/1.1\r\nHost: localhost\r\nContent-Length: +2\r\n\r\n{}", 400},
		"an encoding nobody knows":      {"PATCH /v1.0/security/incidents/1 HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 501},
		"chunked twice":                 {"PATCH /v1.0/security/incidents/1 HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 501},
		"chunked and a length":          {"PATCH /v1.0/security/incidents/1 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 404},
		"a bare CR in a header":         {"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-A: a\rX-B: b\r\n\r\n", 400},
		"a folded header":               {"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-A: a\r\nTransfer-Encoding : chunked\r\n\r\n", 400},
		"two hosts":                     {"GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n", 400},
		"no host":                       {"GET /healthz HTTP/1.1\r\n\r\n", 400},
		"a line break in the path":      {"GET /healthz%0d%0aX-Injected:%20yes HTTP/1.1\r\nHost: localhost\r\n\r\n", 404},
		"a line break in a client's id": {"GET /v1.0/security/incidents/1 HTTP/1.1\r\nHost: localhost\r\nclient-request-id: a\x00b\r\n\r\n", 400},
		"a header of 100 KB":            {"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-A: " + strings.Repeat("a", 100<<10) + "\r\n\r\n", 431},
		"10,000 headers":                {"GET /healthz HTTP/1.1\r\nHost: localhost\r\n" + strings.Repeat("X-A: a\r\n", 10_000) + "\r\n", 431},
		"a path upwards":                {"GET /v1.0/../../etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n", 404},
		"double slashes":                {"GET //v1.0//security//alerts_v2 HTTP/1.1\r\nHost: localhost\r\n\r\n", 404},
		"an absolute form of elsewhere": {"GET http://evil.example/v1.0/security/alerts_v2 HTTP/1.1\r\nHost: localhost\r\n\r\n", 403},
	} {
		t.Run(name, func(t *testing.T) {
			c := s.in(t).dial()
			if _, err := io.WriteString(c, tt.request); err != nil {
				t.Fatal(err)
			}
			method, _, _ := strings.Cut(tt.request, " ")
			resp, err := http.ReadResponse(bufio.NewReader(c), &http.Request{Method: method})
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			b, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
			if resp.StatusCode != tt.status && !(resp.StatusCode/100 == 3 && tt.status == 404) || resp.Header.Get("X-Injected") != "" || leaks.Match(b) {
				t.Errorf("%d, want %d\n%v\n%.300s", resp.StatusCode, tt.status, resp.Header, b)
			}
		})
	}
	s.stop()
}

// TestManyConnections opens 500 that ask nothing and 100 that stop in the middle of a PATCH: others are answered
// meanwhile.
func TestManyConnections(t *testing.T) {
	s := start(t, t.TempDir())
	r := s.deliver("webhook", []byte(alert("a", "")))
	for n := range 600 {
		c := s.dial()
		switch {
		case n%6 == 0:
			fmt.Fprintf(c, "PATCH /v1.0/security/incidents/1 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n%s", bytes.Repeat([]byte(" "), 1000))
		case n%6 == 1:
			fmt.Fprintf(c, "GET /v1.0/security/incidents HTTP/1.1\r\nHost: localhost\r\nX-A: ")
		}
	}
	if code := s.get("/v1.0/security/alerts_v2/"+r.Accepted[0].AlertID, nil); code != http.StatusOK {
		t.Errorf("%d", code)
	}
	if got := s.peak(); got > 250 {
		t.Errorf("600 connections hold %d MB", got)
	}
	s.kill() // a drain would wait for them
}
