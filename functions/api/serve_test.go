package api

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
)

// serveAPI starts the API over a reader; adjust changes the server first.
func serveAPI(t *testing.T, r Reader, adjust ...func(*Server)) string {
	t.Helper()
	s := &Server{Reader: r, Authenticate: AllowLoopback, Version: "test", Now: func() time.Time { return day }}
	for _, a := range adjust {
		a(s)
	}
	ts := httptest.NewServer(s.Handler())
	t.Cleanup(ts.Close)
	return ts.URL
}

// response is one reply, its body unpacked.
type response struct {
	*http.Response
	body []byte
}

// sendGet sends a GET with the given "Name: value" pairs as headers.
func sendGet(t *testing.T, url string, headers ...string) response {
	t.Helper()
	return sendRequest(t, http.MethodGet, url, "", headers...)
}

func sendRequest(t *testing.T, method, url, body string, headers ...string) response {
	t.Helper()
	req, err := http.NewRequest(method, url, bytes.NewBufferString(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Add(headers[i], headers[i+1])
	}
	resp, err := (&http.Transport{DisableCompression: true, DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	in := io.Reader(resp.Body)
	if resp.Header.Get("Content-Encoding") == "gzip" {
		if in, err = gzip.NewReader(in); err != nil {
			t.Fatal(err)
		}
	}
	b, err := io.ReadAll(in)
	if err != nil {
		t.Fatal(err)
	}
	return response{resp, b}
}

// into decodes the body and fails unless the status is as wanted.
func (a response) into(t *testing.T, status int, v any) {
	t.Helper()
	if a.StatusCode != status {
		t.Fatalf("status %d, want %d: %s", a.StatusCode, status, a.body)
	}
	if err := json.Unmarshal(a.body, v); err != nil {
		t.Fatalf("%v in %s", err, a.body)
	}
}

// object is the body as a free object.
func (a response) object(t *testing.T, status int) map[string]any {
	t.Helper()
	var m map[string]any
	a.into(t, status, &m)
	return m
}

// titles are the titles of a page's items.
func (a response) titles(t *testing.T) []string {
	t.Helper()
	var p struct {
		Value []struct {
			Title string `json:"title"`
		} `json:"value"`
	}
	a.into(t, http.StatusOK, &p)
	out := []string{}
	for _, v := range p.Value {
		out = append(out, v.Title)
	}
	return out
}
