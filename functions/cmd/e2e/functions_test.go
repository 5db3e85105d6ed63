package e2e

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
)

// functionsHost is the Azure Functions host: it starts the handler, listens to the queue's sessions, posts batches of
// messages to it and completes or abandons each as a whole. Times and sizes are those of infra/azure/app/host.json, or
// less.
type functionsHost struct {
	p       *process
	address string
	client  *azservicebus.Client
	doom    atomic.Bool // kill the handler while it has the next batch
	// gate is held by whoever wants no batch moved: where operations are counted, messages come while the queue is
	// asked for nothing, for those that come between two requests the SDK hands back, at a price that the real host
	// does not pay.
	gate sync.RWMutex

	batches, messages, abandoned atomic.Int64
}

const maxMessageBatch = 16 // maxMessageBatchSize

func (w *world) functionsHost(t testing.TB, dir string, at platforms, more ...string) *functionsHost {
	t.Helper()
	port := freePort(t)
	h := &functionsHost{address: "127.0.0.1:" + port}
	h.p = run(t, dir+"/azure", w.app(append(more, "FUNCTIONS_CUSTOMHANDLER_PORT="+port,
		"ONEPANE_COSMOS_ENDPOINT="+w.db+"/", "ONEPANE_COSMOS_DATABASE="+database, "IDENTITY_ENDPOINT="+at.managed.URL, "IDENTITY_HEADER=inside")...)...)
	var err error
	h.client, err = azservicebus.NewClient(namespace, w.issuer, &azservicebus.ClientOptions{CustomEndpoint: w.bus.Address,
		TLSConfig: &tls.Config{RootCAs: w.trust, ServerName: namespace}, RetryOptions: azservicebus.RetryOptions{RetryDelay: 5 * time.Millisecond, MaxRetryDelay: 50 * time.Millisecond}})
	if err != nil {
		t.Fatal(err)
	}
	var pumps sync.WaitGroup
	ctx, stop := context.WithCancel(context.Background())
	for range 2 { // more than one hand, so that a session whose lock was lost is taken while the first is still at it
		pumps.Go(func() { h.pump(ctx) })
	}
	t.Cleanup(func() { stop(); pumps.Wait() })
	return h
}

// pump takes one session after the other until ctx ends. What goes wrong on the way the broker offers again.
func (h *functionsHost) pump(ctx context.Context) {
	for ctx.Err() == nil {
		s, err := h.client.AcceptNextSessionForQueue(ctx, "alerts", nil)
		if err != nil {
			continue
		}
		for h.batch(ctx, s) {
		}
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		_ = s.Close(closing) // the session is free when its lock ends
		cancel()
	}
}

// batch moves one batch; false ends the session.
func (h *functionsHost) batch(ctx context.Context, s *azservicebus.SessionReceiver) bool {
	h.gate.RLock()
	defer h.gate.RUnlock()
	soon, cancel := context.WithTimeout(ctx, 300*time.Millisecond) // sessionIdleTimeout
	ms, err := s.ReceiveMessages(soon, maxMessageBatch, nil)
	cancel()
	if err != nil || len(ms) == 0 {
		return false
	}
	h.batches.Add(1)
	h.messages.Add(int64(len(ms)))
	settle := s.CompleteMessage
	done := h.correlate(s.SessionID(), ms)
	for _, m := range ms {
		if done {
			err = settle(ctx, m, nil)
		} else {
			h.abandoned.Add(1)
			err = s.AbandonMessage(ctx, m, nil)
		}
		if err != nil {
			return false
		}
	}
	return true
}

// correlate posts the envelope of a batch, messages as binary: base64 in a list that is passed as a string, as is every
// array of the metadata.
func (h *functionsHost) correlate(session string, ms []*azservicebus.ReceivedMessage) bool {
	var bodies, ids, types, sessions, counts []string
	for _, m := range ms {
		bodies = append(bodies, quoted(base64.StdEncoding.EncodeToString(m.Body)))
		ids, types = append(ids, quoted(m.MessageID)), append(types, quoted(*m.ContentType))
		sessions, counts = append(sessions, quoted(session)), append(counts, strconv.Itoa(int(m.DeliveryCount)))
	}
	return h.invoke("correlate", `{"messages":`+list(bodies)+`}`, fmt.Sprintf(
		`{"MessageIdArray":%s,"ContentTypeArray":%s,"SessionIdArray":%s,"DeliveryCountArray":%s,"sys":{"MethodName":"correlate","UtcNow":"2026-03-03T00:07:33Z"}}`,
		list(ids), list(types), list(sessions), list(counts)))
}

// hub posts the envelope of a batch of Event Hubs.
func (h *functionsHost) hub(records []string) (bool, error) {
	var events, keys []string
	for _, r := range records {
		events, keys = append(events, quoted(r)), append(keys, "null")
	}
	if err := listening(h.address); err != nil {
		return false, err
	}
	return h.invoke("ingest-azure", `{"events":`+list(events)+`}`, `{"PartitionKeyArray":`+list(keys)+`,"sys":{"MethodName":"ingest-azure"}}`), nil
}

// tick posts the envelope of a timer, and says whether the invocation succeeded.
func (h *functionsHost) tick() bool {
	return h.invoke("export", `{"timer":{"Schedule":{"AdjustForDST":true},"ScheduleStatus":null,"IsPastDue":false}}`, `{"sys":{"MethodName":"export"}}`)
}

func list(elements []string) string { return quoted("[" + strings.Join(elements, ",") + "]") }

func (h *functionsHost) invoke(function, data, metadata string) bool {
	if listening(h.address) != nil {
		return false
	}
	req, err := http.NewRequest(http.MethodPost, "http://"+h.address+"/"+function, strings.NewReader(`{"Data":`+data+`,"Metadata":`+metadata+`}`))
	if err != nil {
		return false
	}
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	req.Header.Set("X-Azure-Functions-Invocationid", "d2b7f1a0-3b1e-4a53-8a0f-0d4b1c2e3f40")
	killed := make(chan error, 1)
	if function == "correlate" && h.doom.Swap(false) {
		go func() { killed <- h.p.restart() }()
	} else {
		killed <- nil
	}
	resp, err := local.Do(req)
	<-killed
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return err == nil && resp.StatusCode == http.StatusOK && strings.HasPrefix(string(body), `{"Outputs":`)
}
