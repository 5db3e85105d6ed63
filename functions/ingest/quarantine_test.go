package ingest

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/onepane/onepane/shared/cloudevent"
)

// plainEnvelope opens a body into its values.
type plainEnvelope struct{}

func (plainEnvelope) Open(d Delivery) ([]Record, error) { return SplitValues(d.Body), nil }

// memoryQueue is a queue in memory.
type memoryQueue struct{ evs []cloudevent.Event }

func (k *memoryQueue) Publish(_ context.Context, evs ...cloudevent.Event) error {
	k.evs = append(k.evs, evs...)
	return nil
}

func TestRejectionsAreLoggedOnceAndBounded(t *testing.T) {
	var log bytes.Buffer
	quarantine := &memoryQueue{}
	f := &Function{Route: "webhook", Envelope: plainEnvelope{}, Quarantine: quarantine, Log: slog.New(slog.NewTextHandler(&log, nil))}
	now := time.Date(2026, 3, 3, 0, 0, 0, 0, time.UTC)
	send := func(body string, at time.Time) {
		t.Helper()
		log.Reset()
		if _, err := f.Handle(context.Background(), Delivery{Body: []byte(body), Tenant: "contoso", Received: at}); err == nil {
			t.Fatal("taken")
		}
	}
	send(`{"colour":"green"}`, now)
	for _, want := range []string{"level=WARN", "route=webhook", "index=0", "tenant=contoso", "event=" + quarantine.evs[0].ID, "recognizes a record with the fields colour"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log lacks %s:\n%s", want, log.String())
		}
	}
	var flood strings.Builder
	for i := range 10 * linesPerMinute {
		fmt.Fprintf(&flood, "{\"n\":%d}\n", i)
	}
	send(flood.String(), now.Add(time.Second))
	if got := strings.Count(log.String(), "\n"); got != linesPerMinute-1 {
		t.Errorf("a flood wrote %d lines, want the %d that were left of the minute", got, linesPerMinute-1)
	}
	send("", now.Add(time.Minute))
	if want := fmt.Sprintf("leftOut=%d", 9*linesPerMinute+1); strings.Count(log.String(), "\n") != 1 || !strings.Contains(log.String(), want) {
		t.Errorf("the minute after the flood: %s, want %s", log.String(), want)
	}
	if want := 1 + 10*linesPerMinute; len(quarantine.evs) != want {
		t.Errorf("%d records in quarantine, want %d", len(quarantine.evs), want)
	}
}
