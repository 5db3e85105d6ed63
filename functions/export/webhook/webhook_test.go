package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/onepane/onepane/functions/export"
	"github.com/onepane/onepane/functions/export/exporttest"
	"github.com/onepane/onepane/shared/fault"
)

const secret = "whsec_b25lcGFuZS10ZXN0LXdlYmhvb2stc2VjcmV0LWtleQ=="

// hook is a receiver that believes nothing unsigned, unfresh or altered.
type hook struct {
	t   testing.TB
	url string

	mu   sync.Mutex
	ids  []string
	code int
}

func newHook(t testing.TB) *hook {
	h := &hook{t: t}
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	h.url = s.URL
	return h
}

func (h *hook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	id, at := r.Header.Get("webhook-id"), r.Header.Get("webhook-timestamp")
	key, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	m := hmac.New(sha256.New, key)
	m.Write([]byte(id + "." + at + "." + string(body)))
	signed := "v1," + base64.StdEncoding.EncodeToString(m.Sum(nil))
	seconds, err := strconv.ParseInt(at, 10, 64)
	switch {
	case !slices.Contains(strings.Fields(r.Header.Get("webhook-signature")), signed), err != nil, seconds != exporttest.Begin.Unix():
		h.t.Errorf("message %s is not signed as it should be", id)
		w.WriteHeader(http.StatusUnauthorized)
	case h.code != 0:
		w.Header().Set("Retry-After", "2")
		w.WriteHeader(h.code)
	default:
		h.ids = append(h.ids, id)
		w.WriteHeader(http.StatusNoContent)
	}
}

func (h *hook) Target() export.Target {
	key, err := ParseKey(secret)
	if err != nil {
		h.t.Fatal(err)
	}
	other, _ := ParseKey("whsec_" + base64.StdEncoding.EncodeToString(make([]byte, 32)))
	return &Target{URL: h.url, Keys: [][]byte{other, key}, Write: export.EncodeJSON, HTTP: export.NewHTTPClient(), Now: func() time.Time { return exporttest.Begin }}
}

func (h *hook) Taken(testing.TB) []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.ids)
}

func (h *hook) Refuse(down bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.code = 0; down {
		h.code = http.StatusServiceUnavailable
	}
}

func TestPromises(t *testing.T) {
	exporttest.Run(t, func(t testing.TB) exporttest.Receiver { return newHook(t) })
}

func TestAnswers(t *testing.T) {
	for _, tt := range []struct {
		code  int
		kind  fault.Kind
		after time.Duration
	}{
		{400, fault.Invalid, 2 * time.Second}, {413, fault.TooLarge, 2 * time.Second}, {422, fault.Invalid, 2 * time.Second}, {401, fault.Denied, 2 * time.Second},
		{404, fault.Unavailable, 2 * time.Second}, {410, fault.Unavailable, 2 * time.Second}, {429, fault.Unavailable, 2 * time.Second}, {302, fault.Unavailable, 2 * time.Second},
	} {
		h := newHook(t)
		h.code = tt.code
		n, err := h.Target().Send(t.Context(), []export.Record{{ID: "a-1", Data: []byte("{}")}})
		if n != 0 || fault.Of(err) != tt.kind || export.RetryAfter(err) != tt.after {
			t.Errorf("%d: %v, %v, after %v", tt.code, n, err, export.RetryAfter(err))
		}
		if strings.Contains(err.Error(), h.url) {
			t.Errorf("%v shows the address", err)
		}
	}
}

func TestKeys(t *testing.T) {
	for _, bad := range []string{"", "secret", "whsec_", "whsec_c2hvcnQ=", "whsec_***", "whsec_" + base64.StdEncoding.EncodeToString(make([]byte, 65))} {
		if _, err := ParseKey(bad); fault.Of(err) != fault.Invalid || bad != "" && len(bad) > 8 && strings.Contains(err.Error(), bad) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func BenchmarkExport(b *testing.B) { exporttest.Bench(b, newHook(b)) }
