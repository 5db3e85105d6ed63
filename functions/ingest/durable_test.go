package ingest_test

import (
	"context"
	"testing"
	"time"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/functions/ingest/generic"
	"github.com/onepane/onepane/functions/ingest/webhook"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/cloudevent"
	"github.com/onepane/onepane/shared/fault"
)

type refusingQueue struct{}

func (refusingQueue) Publish(context.Context, ...cloudevent.Event) error {
	return fault.Errorf(fault.TooLarge, "more than the queue takes")
}

type contosoTenant struct{}

func (contosoTenant) Tenant(alert.Account, string) (string, error) { return "contoso", nil }

// A host takes a permanent error for "it is in quarantine": a queue's refusal must not look like one.
func TestWhatNoQueueTookIsNotSettled(t *testing.T) {
	f := &ingest.Function{Route: "webhook", Envelope: webhook.Envelope{}, Providers: []ingest.Provider{generic.Provider{}}, Tenants: contosoTenant{},
		Alerts: refusingQueue{}, Quarantine: refusingQueue{}}
	for name, body := range map[string]string{
		"an alert": `{"id":"a","time":"2026-03-03T00:00:00Z","title":"x"}`, "a rejected record": `{"id":"a","title":"x","time":"never"}`, "a body": "\xff\xfe{",
	} {
		_, err := f.Handle(t.Context(), ingest.Delivery{Body: []byte(body), Received: time.Unix(0, 0)})
		if err == nil || fault.Permanent(err) {
			t.Errorf("%s: %v (%v)", name, err, fault.Of(err))
		}
	}
}
