package send_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob"

	"github.com/onepane/onepane/infra/local/azurite"
	standin "github.com/onepane/onepane/infra/local/servicebus"
	"github.com/onepane/onepane/shared/bus/servicebus"
	"github.com/onepane/onepane/shared/bus/servicebus/blob"
	"github.com/onepane/onepane/shared/bus/servicebus/send"
	"github.com/onepane/onepane/shared/cloudevent"
	"github.com/onepane/onepane/shared/fault"
)

// An event beyond any message goes through blob storage: put with a token, read by the SDK on the other side.
func TestLargeEvents(t *testing.T) {
	key := newKey(t)
	tls := httptest.NewTLSServer(nil) // for its certificate
	defer tls.Close()
	certificate, secret := serverCertificate(t, tls)
	account := azurite.StartTLS(t, certificate, secret)
	admin := &azblob.ClientOptions{ClientOptions: azcore.ClientOptions{Transport: tls.Client()}}
	client, err := azblob.NewClientFromConnectionString(account.Connection, admin)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.CreateContainer(t.Context(), "claims", nil); err != nil {
		t.Fatal(err)
	}
	blobs, err := blob.OpenConnection(account.Connection, "claims", admin)
	if err != nil {
		t.Fatal(err)
	}
	b := standin.Start(t, standin.Config{Queues: standin.Queues(lock), PublicKey: publicKey(t, key)})
	storage := &signer{key: key, audience: "https://storage.azure.com", issuer: "https://sts.windows.net/directory/"}
	put := &send.Container{URL: account.URL + "/claims", Credential: storage, HTTP: tls.Client(), Pause: time.Millisecond, Now: time.Now}
	s := openSender(t, send.Options{Endpoint: b.REST, Credential: &signer{key: key, audience: "https://servicebus.azure.net"}, Blobs: put})
	large := newEvent("a", "large")
	noise := make([]byte, 600<<10)
	_, _ = rand.Read(noise)
	large.Data = []byte(`"` + base64.StdEncoding.EncodeToString(noise) + `"`)
	for range 2 { // the second time its blob is there already
		if err := s.Publish(t.Context(), newEvent("a", "1"), large); err != nil {
			t.Fatal(err)
		}
	}
	if got := receiveOffered(t, openReceiver(t, b, servicebus.Options{Blobs: blobs}), 2); got[0].ID != "1" || !bytes.Equal(got[1].Data, large.Data) {
		t.Errorf("offered %d events", len(got))
	}
	if !slices.Contains(storage.scopes, "https://storage.azure.com/.default") || len(storage.scopes) != 2 {
		t.Errorf("asked for tokens of %v", storage.scopes)
	}
	put.URL = account.URL + "/nowhere"
	if err := put.Put(t.Context(), "a", noise); fault.Of(err) != fault.Unavailable {
		t.Errorf("Put without a container: %v", err)
	}
	storage.audience = "https://elsewhere.azure.com"
	if err := put.Put(t.Context(), "a", noise); fault.Of(err) != fault.Unavailable {
		t.Errorf("Put with a token for something else: %v", err)
	}
}

func TestLargeEventsWithoutStorage(t *testing.T) {
	s := openSender(t, send.Options{Namespace: "contoso.servicebus.windows.net", MaxMessage: 10, Credential: &signer{}})
	if err := s.Publish(t.Context(), newEvent("a", "1")); fault.Of(err) != fault.TooLarge {
		t.Errorf("%v, want too large", err)
	}
}

// receiveOffered subscribes until n events came.
func receiveOffered(t *testing.T, q *servicebus.Bus, n int) []cloudevent.Event {
	t.Helper()
	got := make(chan cloudevent.Event, n)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- q.Subscribe(ctx, func(_ context.Context, evs []cloudevent.Event) error {
			for _, e := range evs {
				got <- e
			}
			return nil
		})
	}()
	var out []cloudevent.Event
	for len(out) < n {
		select {
		case e := <-got:
			out = append(out, e)
		case <-time.After(30 * time.Second):
			t.Fatalf("%d of %d events came", len(out), n)
		}
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
	return out
}
