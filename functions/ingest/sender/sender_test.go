package sender_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/functions/ingest/generic"
	"github.com/onepane/onepane/functions/ingest/sender"
	"github.com/onepane/onepane/functions/ingest/webhook"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/cloudevent"
	"github.com/onepane/onepane/shared/fault"
)

var (
	now     = time.Date(2026, 3, 3, 12, 0, 0, 0, time.UTC)
	shared  = []byte("an-acme-secret-of-32-bytes-long!")
	retired = []byte("the-one-that-is-being-replaced!!")
	signing = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))
)

const body = `{"id":"a1","time":"2026-03-03T11:59:00Z","title":"LSASS memory read"}`

func parseSecret(t testing.TB, text string) sender.Secret {
	t.Helper()
	s, err := sender.ParseSecret(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func encodeSecret(key []byte) string { return "whsec_" + base64.StdEncoding.EncodeToString(key) }

// queue takes what is published, unless it is broken.
type queue struct {
	mu     sync.Mutex
	events []cloudevent.Event
	broken bool
	gate   chan struct{} // when set, Publish says that it is there, and then waits
}

func (q *queue) Publish(_ context.Context, evs ...cloudevent.Event) error {
	if q.gate != nil {
		q.gate <- struct{}{}
		<-q.gate
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.broken {
		return fmt.Errorf("broken")
	}
	q.events = append(q.events, evs...)
	return nil
}

// unboundTenants gives unbound deliveries to nobody.
type unboundTenants struct{}

func (unboundTenants) Tenant(alert.Account, string) (string, error) { return "unbound", nil }

// front is the ingest route with three sources: acme and two that share no name with it.
type front struct {
	*httptest.Server
	clock      time.Time
	alerts     *queue
	quarantine *queue
}

func openFront(t testing.TB) *front {
	t.Helper()
	f := &front{clock: now, alerts: &queue{}, quarantine: &queue{}}
	v := &sender.Verifier{Now: func() time.Time { return f.clock }, Sources: []sender.Source{
		{Name: "acme", Tenant: "contoso", Routes: []string{"webhook"}, Secrets: []sender.Secret{parseSecret(t, encodeSecret(shared)), parseSecret(t, encodeSecret(retired))}},
		{Name: "blue", Tenant: "fabrikam", Routes: []string{"webhook"}, Secrets: []sender.Secret{
			parseSecret(t, "whpk_"+base64.StdEncoding.EncodeToString(signing.Public().(ed25519.PublicKey)))}},
		{Name: "clouds", Tenant: "contoso", Routes: []string{"aws"}, Secrets: []sender.Secret{parseSecret(t, encodeSecret(shared))}},
	}}
	fn := &ingest.Function{Route: "webhook", Envelope: webhook.Envelope{}, Providers: []ingest.Provider{generic.Provider{}}, Tenants: unboundTenants{},
		Alerts: f.alerts, Quarantine: f.quarantine}
	h := &ingest.HTTP{Functions: map[string]*ingest.Function{"webhook": fn}, Sender: v.Sender, Now: v.Now,
		Refuse: func(w http.ResponseWriter, _ *http.Request, status int, _, message string) {
			http.Error(w, message, status)
		}}
	mux := http.NewServeMux()
	mux.Handle("/api/ingest/{route}", h)
	f.Server = httptest.NewServer(mux)
	t.Cleanup(f.Close)
	return f
}

// signedHeaders are the headers of a delivery of acme's, as pairs.
func signedHeaders(id string, at time.Time, body string) []string {
	stamp := strconv.FormatInt(at.Unix(), 10)
	return []string{"webhook-id", id, "webhook-timestamp", stamp, "webhook-signature", "v1," + macOf(shared, id+"."+stamp+"."+body)}
}

func macOf(key []byte, text string) string {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(text))
	return base64.StdEncoding.EncodeToString(m.Sum(nil))
}

// postBody delivers and gives the status with the answer.
func (f *front) postBody(t testing.TB, query, body string, headers ...string) (int, string) {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, f.URL+"/api/ingest/webhook"+query, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Add(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var b bytes.Buffer
	if _, err := b.ReadFrom(resp.Body); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, b.String()
}

func TestSignatures(t *testing.T) {
	stamp := strconv.FormatInt(now.Unix(), 10)
	text := "m1." + stamp + "." + body
	good := "v1," + macOf(shared, text)
	asymmetric := "v1a," + base64.StdEncoding.EncodeToString(ed25519.Sign(signing, []byte(text)))
	with := func(signature string) []string {
		return []string{"webhook-id", "m1", "webhook-timestamp", stamp, "webhook-signature", signature}
	}
	var squeezed bytes.Buffer
	z := gzip.NewWriter(&squeezed)
	_, _ = z.Write([]byte(body))
	_ = z.Close()
	for name, tt := range map[string]struct {
		query, body string
		headers     []string
		status      int
		tenant      string
	}{
		"good":                        {"?source=acme", body, with(good), 202, "contoso"},
		"by the secret being retired": {"?source=acme", body, with("v1," + macOf(retired, text)), 202, "contoso"},
		"one of several":              {"?source=acme", body, with("v1,AAAA v2,xyz " + good), 202, "contoso"},
		"Ed25519":                     {"?source=blue", body, with(asymmetric), 202, "fabrikam"},
		"compressed as sent":          {"?source=acme", squeezed.String(), signedHeaders("m1", now, squeezed.String()), 202, "contoso"},
		"another source's":            {"?source=blue", body, with(good), 401, ""},
		"another route's source":      {"?source=clouds", body, with(good), 401, ""},
		"an unknown source":           {"?source=nobody", body, with(good), 401, ""},
		"no source of two":            {"", body, with(good), 401, ""},
		"two sources":                 {"?source=acme&source=blue", body, with(good), 401, ""},
		"another body":                {"?source=acme", body + " ", with(good), 401, ""},
		"another id":                  {"?source=acme", body, append([]string{"webhook-id", "m2"}, with(good)[2:]...), 401, ""},
		"another time":                {"?source=acme", body, []string{"webhook-id", "m1", "webhook-timestamp", strconv.FormatInt(now.Unix()-1, 10), "webhook-signature", good}, 401, ""},
		"version without its value":   {"?source=acme", body, with("v1"), 401, ""},
		"HMAC called Ed25519":         {"?source=acme", body, with("v1a," + good[3:]), 401, ""},
		"a public key as HMAC secret": {"?source=blue", body, with("v1," + macOf(signing.Public().(ed25519.PublicKey), text)), 401, ""},
		"no signature header":         {"?source=acme", body, with(good)[:4], 401, ""},
		"two ids":                     {"?source=acme", body, append(with(good), "webhook-id", "m2"), 401, ""},
		"two signature headers":       {"?source=acme", body, append(with(good), "webhook-signature", good), 401, ""},
		"an id with a full stop":      {"?source=acme", body, signedHeaders("m.1", now, body), 401, ""},
		"a long id":                   {"?source=acme", body, signedHeaders(strings.Repeat("m", 201), now, body), 401, ""},
		"a time that is no number":    {"?source=acme", body, []string{"webhook-id", "m1", "webhook-timestamp", "+" + stamp, "webhook-signature", good}, 401, ""},
		"many signatures":             {"?source=acme", body, with(strings.Repeat("v1,AA ", 16) + good), 401, ""},
		"too old":                     {"?source=acme", body, signedHeaders("m1", now.Add(-301*time.Second), body), 401, ""},
		"just not too old":            {"?source=acme", body, signedHeaders("m1", now.Add(-300*time.Second), body), 202, "contoso"},
		"too new":                     {"?source=acme", body, signedHeaders("m1", now.Add(301*time.Second), body), 401, ""},
	} {
		t.Run(name, func(t *testing.T) {
			f := openFront(t)
			status, answer := f.postBody(t, tt.query, tt.body, tt.headers...)
			if status != tt.status {
				t.Fatalf("%d, want %d: %s", status, tt.status, answer)
			}
			if tt.status != 202 {
				if len(f.alerts.events)+len(f.quarantine.events) > 0 {
					t.Error("something of it was kept")
				}
				return
			}
			if len(f.alerts.events) != 1 || f.alerts.events[0].Tenant != tt.tenant {
				t.Errorf("published %+v", f.alerts.events)
			}
		})
	}
}

func TestUnverifiedTooLargeIsNotKept(t *testing.T) {
	f := openFront(t)
	if status, _ := f.postBody(t, "?source=acme", strings.Repeat(" ", ingest.MaxBody+2), signedHeaders("m1", now, "")...); status != 413 {
		t.Errorf("status %d", status)
	}
	if len(f.quarantine.events) > 0 {
		t.Error("it is in quarantine")
	}
}

func TestReplay(t *testing.T) {
	f := openFront(t)
	deliver := func(at time.Time) (int, ingest.Receipt) {
		status, answer := f.postBody(t, "?source=acme", body, signedHeaders("m1", at, body)...)
		var r ingest.Receipt
		if status == 202 {
			if err := json.Unmarshal([]byte(answer), &r); err != nil {
				t.Fatal(err)
			}
		}
		return status, r
	}
	f.alerts.broken, f.quarantine.broken = true, true
	if status, _ := deliver(now); status != 503 {
		t.Fatalf("while the bus is broken: %d", status)
	}
	f.alerts.broken, f.quarantine.broken = false, false
	if status, r := deliver(now); status != 202 || len(r.Accepted) != 1 {
		t.Fatalf("what was not taken may come again: %d %+v", status, r)
	}
	for _, later := range []time.Duration{0, time.Minute, 299 * time.Second} {
		f.clock = now.Add(later)
		if status, r := deliver(now.Add(later)); status != 202 || len(r.Accepted) != 0 || len(r.Ignored) != 1 {
			t.Errorf("again after %v: %d %+v", later, status, r)
		}
	}
	if len(f.alerts.events) != 1 {
		t.Errorf("published %d times", len(f.alerts.events))
	}
	f.clock = now.Add(30 * time.Minute)
	if status, _ := deliver(now); status != 401 {
		t.Errorf("recorded half an hour ago: %d", status)
	}
}

func TestTwoCopiesAtOnce(t *testing.T) {
	f := openFront(t)
	f.alerts.gate = make(chan struct{})
	first := make(chan int)
	go func() {
		status, _ := f.postBody(t, "?source=acme", body, signedHeaders("m1", now, body)...)
		first <- status
	}()
	<-f.alerts.gate // the first is being published
	if status, _ := f.postBody(t, "?source=acme", body, signedHeaders("m1", now, body)...); status != 503 {
		t.Errorf("second, meanwhile: %d", status)
	}
	f.alerts.gate <- struct{}{}
	if status := <-first; status != 202 {
		t.Fatalf("first: %d", status)
	}
	if status, answer := f.postBody(t, "?source=acme", body, signedHeaders("m1", now, body)...); status != 202 || !strings.Contains(answer, "taken before") {
		t.Errorf("second, afterwards: %d %s", status, answer)
	}
}

func TestSecrets(t *testing.T) {
	for _, text := range []string{
		"", "whsec_", "whsec_!", encodeSecret(make([]byte, 23)), encodeSecret(make([]byte, 65)), "whpk_AAAA", "whsk_AAAA", string(shared),
	} {
		if _, err := sender.ParseSecret(text); fault.Of(err) != fault.Invalid || text != "" && len(text) > 6 && strings.Contains(err.Error(), text[6:]) {
			t.Errorf("%q: %v", text, err)
		}
	}
	s := parseSecret(t, encodeSecret(shared))
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "secret", s)
	for _, shown := range []string{fmt.Sprint(s), fmt.Sprintf("%+v %#v %s", s, s, s), log.String()} {
		if strings.Contains(shown, "acme") || strings.Contains(shown, "97 110") || strings.Contains(shown, "0x61") {
			t.Errorf("shows itself: %s", shown)
		}
	}
}

// FuzzHeaders: whatever the headers are, only the right signature is taken, and nothing panics.
func FuzzHeaders(f *testing.F) {
	s := signedHeaders("m1", now, body)
	f.Add(s[1], s[3], s[5], "acme")
	f.Add("m.1", "+1", "v1, v1a,,", "")
	f.Add("", "18446744073709551616", strings.Repeat("v1,A ", 100), "blue")
	v := &sender.Verifier{Now: func() time.Time { return now }, Sources: []sender.Source{
		{Name: "acme", Tenant: "contoso", Routes: []string{"webhook"}, Secrets: []sender.Secret{parseSecret(f, encodeSecret(shared))}}}}
	f.Fuzz(func(t *testing.T, id, stamp, signature, source string) {
		r := httptest.NewRequest(http.MethodPost, "/api/ingest/webhook", nil)
		r.URL.RawQuery = "source=" + source
		r.Header = http.Header{"Webhook-Id": {id}, "Webhook-Timestamp": {stamp}, "Webhook-Signature": {signature}}
		got, err := v.Sender(r, "webhook")
		if err != nil {
			return
		}
		if _, err = got.Check([]byte(body)); err == nil && !strings.Contains(signature, "v1,"+macOf(shared, id+"."+stamp+"."+body)) {
			t.Errorf("taken: %q %q %q", id, stamp, signature)
		}
	})
}
