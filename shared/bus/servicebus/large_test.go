package servicebus_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob"

	"github.com/onepane/onepane/infra/local/azurite"
	standin "github.com/onepane/onepane/infra/local/servicebus"
	"github.com/onepane/onepane/shared/bus/servicebus/blob"
	"github.com/onepane/onepane/shared/cloudevent"
	"github.com/onepane/onepane/shared/fault"
)

// An event beyond any message goes through blob storage: in, back out, and into quarantine when it is refused.
func TestLargeEvents(t *testing.T) {
	connection := azurite.Start(t)
	admin, err := azblob.NewClientFromConnectionString(connection, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := admin.CreateContainer(t.Context(), "claims", nil); err != nil {
		t.Fatal(err)
	}
	b := standin.Start(t, standin.Config{Queues: standin.Queues(time.Minute)}) // a lost lock would offer all again
	opts := quickOptions()
	opts.ConnectionString, opts.Lock = b.ConnectionString(), time.Minute
	large := newEvent("a", "large")
	noise := make([]byte, 600<<10)
	rand.Read(noise)
	large.Data = []byte(`"` + base64.StdEncoding.EncodeToString(noise) + `"`)
	if err := openBus(t, opts).Publish(t.Context(), large); fault.Of(err) != fault.TooLarge {
		t.Errorf("without blobs: %v, want too large", err)
	}
	if opts.Blobs, err = blob.OpenConnection(connection, "claims", nil); err != nil {
		t.Fatal(err)
	}
	q := openBus(t, opts)
	publishUntilTaken(t, q, newEvent("a", "1"), large, newEvent("a", "2"))
	var mu sync.Mutex
	var got []cloudevent.Event
	startSubscription(t, q, func(_ context.Context, evs []cloudevent.Event) error {
		mu.Lock()
		defer mu.Unlock()
		bad := fault.Refused{}
		for i, e := range evs {
			got = append(got, e)
			if e.ID == "large" {
				bad[i] = fault.Errorf(fault.Invalid, "too much")
			}
		}
		return bad
	})
	waitForSession(t, q, "a")
	if len(got) != 3 || got[0].ID != "1" || !bytes.Equal(got[1].Data, large.Data) || got[2].ID != "2" {
		t.Errorf("offered %d events", len(got))
	}
	on, _, err := q.Quarantine().List(t.Context(), "", 10)
	if err != nil || len(on) != 1 || !bytes.Equal(on[0].Data, large.Data) {
		t.Errorf("quarantine holds %d events, %v", len(on), err)
	}
}

// A message of somebody else goes to quarantine, whole, and holds up nothing.
func TestForeignMessages(t *testing.T) {
	b, q := startBroker(t)
	sendForeign(t, b, "alerts", "a", "rubbish")
	publishUntilTaken(t, q, newEvent("a", "1"))
	var l log
	startSubscription(t, q, l.recordEvents)
	waitForSession(t, q, "a")
	sendForeign(t, b, "quarantine", "", "more rubbish")
	on, _, err := q.Quarantine().List(t.Context(), "", 10)
	if err != nil || len(on) != 2 || string(on[0].Data) != `"cnViYmlzaA=="` || string(on[1].Data) != `"bW9yZSBydWJiaXNo"` {
		t.Fatalf("quarantine holds %+v, %v", on, err)
	}
	if err := q.Quarantine().Remove(t.Context(), on[0].ID, on[1].ID); err != nil {
		t.Fatal(err)
	}
	if on, _, err = q.Quarantine().List(t.Context(), "", 10); err != nil || len(on) != 0 {
		t.Errorf("after Remove quarantine holds %+v, %v", on, err)
	}
	if got := l.sessionIDs("a"); len(got) != 1 {
		t.Errorf("offered %v", got)
	}
}

func sendForeign(t *testing.T, b *standin.Broker, queue, session, body string) {
	t.Helper()
	c, err := azservicebus.NewClientFromConnectionString(b.ConnectionString(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(context.WithoutCancel(t.Context()))
	s, err := c.NewSender(queue, nil)
	if err != nil {
		t.Fatal(err)
	}
	m := &azservicebus.Message{Body: []byte(body)}
	if session != "" {
		m.SessionID = &session
	}
	if err := s.SendMessage(t.Context(), m, nil); err != nil {
		t.Fatal(err)
	}
}
