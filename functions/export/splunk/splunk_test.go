package splunk

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/functions/export"
	"github.com/onepane/onepane/functions/export/exporttest"
	"github.com/onepane/onepane/shared/fault"
)

const (
	token   = "11111111-2222-3333-4444-555555555555"
	channel = "99999999-2222-3333-4444-555555555555"
)

// collector is an HTTP Event Collector: it confirms a batch when it is asked the second time, and keeps it only then.
type collector struct {
	url string

	mu      sync.Mutex
	down    bool
	noAck   bool
	index   string // the only one; empty takes any
	waiting map[string][]string
	asked   map[string]int
	next    int
	ids     []string
}

func newCollector(t testing.TB) *collector {
	c := &collector{waiting: map[string][]string{}, asked: map[string]int{}}
	s := httptest.NewServer(c)
	t.Cleanup(s.Close)
	c.url = s.URL
	return c
}

func (c *collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.down:
		reply(w, 503, `{"text":"Server is busy","code":9}`)
	case r.Header.Get("Authorization") != "Splunk "+token:
		reply(w, 403, `{"text":"Invalid token","code":4}`)
	case r.Header.Get("X-Splunk-Request-Channel") == "":
		reply(w, 400, `{"text":"Data channel is missing","code":10}`)
	case r.ContentLength > maxBatch+1000:
		reply(w, 413, `{"text":"Content-Length too large","code":27}`)
	case r.URL.Path == "/services/collector/ack":
		c.ack(w, r)
	case r.URL.Path == "/services/collector/event":
		c.event(w, r)
	default:
		reply(w, 404, `{"text":"The requested URL was not found on this server.","code":404}`)
	}
}

func (c *collector) event(w http.ResponseWriter, r *http.Request) {
	d := jsontext.NewDecoder(r.Body)
	var ids []string
	for n := 0; d.PeekKind() > 0; n++ {
		var e struct {
			Time   float64           `json:"time"`
			Index  string            `json:"index"`
			Event  jsontext.Value    `json:"event"`
			Fields map[string]string `json:"fields"`
		}
		switch err := json.UnmarshalDecode(d, &e); {
		case err != nil:
			reply(w, 400, fmt.Sprintf(`{"text":"Invalid data format","code":6,"invalid-event-number":%d}`, n))
			return
		case e.Event == nil:
			reply(w, 400, fmt.Sprintf(`{"text":"Event field is required","code":12,"invalid-event-number":%d}`, n))
			return
		case c.index != "" && e.Index != c.index:
			reply(w, 400, fmt.Sprintf(`{"text":"Incorrect index","code":7,"invalid-event-number":%d}`, n))
			return
		}
		ids = append(ids, e.Fields["onepane_id"])
	}
	if c.noAck {
		c.ids = append(c.ids, ids...)
		reply(w, 200, `{"text":"Success","code":0}`)
		return
	}
	id := strconv.Itoa(c.next)
	c.next++
	c.waiting[id] = ids
	reply(w, 200, `{"text":"Success","code":0,"ackId":`+id+`}`)
}

func (c *collector) ack(w http.ResponseWriter, r *http.Request) {
	var q struct {
		Acks []int `json:"acks"`
	}
	if err := json.UnmarshalRead(r.Body, &q); err != nil {
		reply(w, 400, `{"text":"Invalid data format","code":6}`)
		return
	}
	out := map[string]bool{}
	for _, n := range q.Acks {
		id := strconv.Itoa(n)
		c.asked[id]++
		if out[id] = c.asked[id] == 2; out[id] {
			c.ids = append(c.ids, c.waiting[id]...)
		}
	}
	data, _ := json.Marshal(map[string]any{"acks": out})
	reply(w, 200, string(data))
}

func reply(w http.ResponseWriter, code int, body string) {
	w.WriteHeader(code)
	_, _ = w.Write([]byte(body))
}

func (c *collector) Target() export.Target { return c.target() }
func (c *collector) target() *Target {
	return &Target{
		URL: c.url, Token: token, Channel: channel, Write: export.EncodeJSON, HTTP: export.NewHTTPClient(), Now: func() time.Time { return exporttest.Begin },
		Wait: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
	}
}

func (c *collector) Taken(testing.TB) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.ids)
}

func (c *collector) Refuse(down bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.down = down
}

func TestPromises(t *testing.T) {
	exporttest.Run(t, func(t testing.TB) exporttest.Receiver { return newCollector(t) })
}

func TestSettingsAreNoRecordsFault(t *testing.T) {
	one := []export.Record{{ID: "a-1", Data: []byte(`{"event":{},"fields":{}}`)}}
	for name, tt := range map[string]struct {
		change func(*collector, *Target)
		data   string
		want   fault.Kind
	}{
		"wrong token":      {func(_ *collector, t *Target) { t.Token = "x" }, "", fault.Denied},
		"wrong index":      {func(c *collector, _ *Target) { c.index = "security" }, "", fault.Denied},
		"no channel":       {func(_ *collector, t *Target) { t.Channel = "" }, "", fault.Denied},
		"acknowledged off": {func(c *collector, _ *Target) { c.noAck = true }, "", fault.Denied},
		"a record's own":   {func(*collector, *Target) {}, `{"fields":{}}`, fault.Invalid},
	} {
		c := newCollector(t)
		target := c.target()
		tt.change(c, target)
		rs := slices.Clone(one)
		if tt.data != "" {
			rs[0].Data = []byte(tt.data)
		}
		if n, err := target.Send(t.Context(), rs); n != 0 || fault.Of(err) != tt.want {
			t.Errorf("%s: %d, %v", name, n, err)
		}
	}
}

func BenchmarkExport(b *testing.B) { exporttest.Bench(b, newCollector(b)) }
