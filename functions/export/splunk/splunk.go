// Package splunk exports to Splunk's HTTP Event Collector, with indexer acknowledgement: what an indexer has not
// confirmed is sent again (Splunk Enterprise, "About HTTP Event Collector Indexer Acknowledgment").
//
//	events ─POST /services/collector/event─▶ ackId ─POST /services/collector/ack─▶ true: taken
package splunk

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/functions/export"
	"github.com/onepane/onepane/shared/fault"
)

// Target posts batches of events.
type Target struct {
	URL     string // "https://splunk.example:8088"
	Token   string
	Channel string // a UUID of this sender; acknowledgement needs one
	NoAck   bool   // the token has acknowledgement off: an answer is all there is
	Index   string // empty leaves it to the token
	Source  string
	Write   export.Encoder
	Alerts  int // how many alerts the encoder wants with an incident
	HTTP    *http.Client
	Now     func() time.Time
	// Wait returns after d, or earlier with ctx's error.
	Wait func(ctx context.Context, d time.Duration) error
}

const (
	maxBatch = 1 << 20 // Splunk Cloud Platform takes 1 MB per request
	ackPause = time.Second
	ackTries = 60 // a minute; indexers confirm after they have written and replicated
)

// event is one event's envelope.
type event struct {
	Time       float64           `json:"time"` // seconds
	Host       string            `json:"host"`
	Source     string            `json:"source,omitzero"`
	Sourcetype string            `json:"sourcetype"`
	Index      string            `json:"index,omitzero"`
	Event      jsontext.Value    `json:"event"`
	Fields     map[string]string `json:"fields"`
}

// Encode implements export.Target. The record's id is the indexed field onepane_id.
func (t *Target) Encode(r export.Row) ([]byte, error) {
	data, err := t.Write(r)
	if err != nil || data == nil {
		return nil, err
	}
	data, err = json.Marshal(event{
		Time: float64(r.Updated.UnixMilli()) / 1000, Host: "onepane", Source: t.Source, Sourcetype: "onepane:" + string(r.Kind), Index: t.Index,
		Event: data, Fields: map[string]string{"onepane_id": r.ID, "tenant": r.Tenant},
	}, json.Deterministic(true))
	if err != nil {
		return nil, fault.Errorf(fault.Invalid, "encode event: %w", err)
	}
	return data, nil
}

// Limits implements export.Target.
func (t *Target) Limits() export.Limits {
	return export.Limits{Records: 1000, Bytes: maxBatch, Overhead: 1, RecordBytes: maxBatch, Alerts: t.Alerts}
}

// answer is the collector's; codes as in "Troubleshoot HTTP Event Collector".
type answer struct {
	Text  string `json:"text"`
	Code  int    `json:"code"`
	AckID *int64 `json:"ackId"`
}

// Send implements export.Target.
func (t *Target) Send(ctx context.Context, records []export.Record) (int, error) {
	var body []byte
	for _, r := range records {
		body = append(append(body, r.Data...), '\n')
	}
	got, err := t.postToCollector(ctx, "/services/collector/event", body)
	if err != nil {
		return 0, classifyAnswer(got, err)
	}
	if t.NoAck {
		return len(records), nil
	}
	var a answer
	if err := json.Unmarshal(got, &a); err != nil || a.AckID == nil {
		return 0, fault.Errorf(fault.Denied, "the collector gave no ackId: its token has indexer acknowledgement off")
	}
	if err := t.awaitAcknowledgement(ctx, *a.AckID); err != nil {
		return 0, err
	}
	return len(records), nil
}

// classifyAnswer makes a 400 for the token's settings fault.Denied, so that no record is dead-lettered for it.
func classifyAnswer(got []byte, err error) error {
	var a answer
	if fault.Of(err) != fault.Invalid || json.Unmarshal(got, &a) != nil {
		return err
	}
	switch a.Code {
	case 7, 10, 11, 14: // incorrect index, data channel missing or invalid, ACK is disabled
		return fault.Errorf(fault.Denied, "the collector's settings: %w", err)
	}
	return err
}

// awaitAcknowledgement waits for the indexers.
func (t *Target) awaitAcknowledgement(ctx context.Context, id int64) error {
	body := []byte(`{"acks":[` + strconv.FormatInt(id, 10) + `]}`)
	for range ackTries {
		got, err := t.postToCollector(ctx, "/services/collector/ack", body)
		if err != nil {
			return fmt.Errorf("ask for acknowledgement: %w", fault.Errorf(fault.Unavailable, "%w", err))
		}
		var a struct {
			Acks map[string]bool `json:"acks"`
		}
		if err := json.Unmarshal(got, &a); err != nil {
			return fault.Errorf(fault.Unavailable, "read acknowledgement: %w", err)
		}
		if a.Acks[strconv.FormatInt(id, 10)] {
			return nil
		}
		if err := t.Wait(ctx, ackPause); err != nil {
			return err
		}
	}
	return fault.Errorf(fault.Unavailable, "the indexers did not confirm within %v", ackTries*ackPause)
}

func (t *Target) postToCollector(ctx context.Context, path string, body []byte) ([]byte, error) {
	h := http.Header{}
	h.Set("Authorization", "Splunk "+t.Token)
	h.Set("Content-Type", "application/json")
	h.Set("X-Splunk-Request-Channel", t.Channel)
	return export.PostRequest(ctx, t.HTTP, strings.TrimSuffix(t.URL, "/")+path, h, body, t.Now)
}
