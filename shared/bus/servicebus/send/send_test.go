package send_test

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"net/http/httptest"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	standin "github.com/onepane/onepane/infra/local/servicebus"
	"github.com/onepane/onepane/shared/bus"
	"github.com/onepane/onepane/shared/bus/bustest"
	"github.com/onepane/onepane/shared/bus/servicebus"
	"github.com/onepane/onepane/shared/bus/servicebus/send"
	"github.com/onepane/onepane/shared/cloudevent"
	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/identity"
)

// lock is how long the stand-in's locks last: long for a handler, short for a test that waits for one to expire.
const lock = 1500 * time.Millisecond

// TestPromises runs the bus suite with what is published going over HTTPS and coming back over AMQP.
func TestPromises(t *testing.T) {
	key := newKey(t)
	bustest.Run(t, func(t *testing.T) bustest.Driver {
		return newDriver(t, key, standin.Start(t, standin.Config{Queues: standin.Queues(lock), PublicKey: publicKey(t, key)}))
	})
}

func newDriver(t *testing.T, key *rsa.PrivateKey, b *standin.Broker) bustest.Driver {
	s, q := sendOptions(t, b, key), openReceiver(t, b, servicebus.Options{})
	return bustest.Driver{
		Queue: queue{s, q}, Quarantine: quarantineQueue{s.Quarantine(), q.Quarantine()}, Advance: b.AgeMessages, Window: 10 * time.Minute, DedupesCalls: true,
		Reopen: func(t *testing.T) bustest.Driver {
			b.DropConnections()
			return newDriver(t, key, b)
		},
	}
}

// queue publishes by HTTPS and receives by AMQP.
type queue struct {
	bus.Publisher
	*servicebus.Bus
}

func (q queue) Publish(ctx context.Context, evs ...cloudevent.Event) error {
	return q.Publisher.Publish(ctx, evs...)
}

// quarantineQueue sends by HTTPS and does all else over AMQP, as queue does.
type quarantineQueue struct {
	bus.Publisher
	*servicebus.Quarantine
}

func (s quarantineQueue) Publish(ctx context.Context, evs ...cloudevent.Event) error {
	return s.Publisher.Publish(ctx, evs...)
}

// Whichever of the two sent it first, the other's is a repeat: the messages are the same.
func TestBothWaysSendTheSameMessage(t *testing.T) {
	key := newKey(t)
	b := standin.Start(t, standin.Config{Queues: standin.Queues(lock), PublicKey: publicKey(t, key)})
	s, q := sendOptions(t, b, key), openReceiver(t, b, servicebus.Options{})
	first, second := []cloudevent.Event{newEvent("a", "1"), newEvent("a", "2")}, []cloudevent.Event{newEvent("b", "3")}
	for _, publish := range []func(context.Context, ...cloudevent.Event) error{s.Publish, q.Publish, s.Publish} {
		for _, evs := range [][]cloudevent.Event{first, second} {
			if err := publish(t.Context(), evs...); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got := b.Stats().Queues["alerts"]; got.Active != 2 {
		t.Errorf("the queue holds %d messages, want 2", got.Active)
	}
}

// A tenant's name travels whatever letters it has.
func TestSessionsKeepTheirNames(t *testing.T) {
	key := newKey(t)
	b := standin.Start(t, standin.Config{Queues: standin.Queues(lock), PublicKey: publicKey(t, key)})
	s := sendOptions(t, b, key)
	for _, name := range []string{"Zürich 😀", `a"b\c`, "tab\there"} {
		if err := s.Publish(t.Context(), newEvent(name, "1")); err != nil {
			t.Fatal(err)
		}
		if got := b.Stats().Queues["alerts"].Sessions; got[name] != 1 {
			t.Errorf("%q: sessions %v", name, got)
		}
	}
}

// What was taken although the answer was lost is sent again, and is there once.
func TestALostAnswerIsNoRepeat(t *testing.T) {
	key := newKey(t)
	b := standin.Start(t, standin.Config{Queues: standin.Queues(lock), PublicKey: publicKey(t, key)})
	s := sendOptions(t, b, key)
	for i := range 5 {
		b.DropAfterReceived(1)
		if err := s.Publish(t.Context(), newEvent("a", fmt.Sprint(i))); err != nil {
			t.Fatal(err)
		}
	}
	if got := b.Stats().Queues["alerts"].Active; got != 5 {
		t.Errorf("the queue holds %d messages, want 5", got)
	}
}

func TestThrottling(t *testing.T) {
	key := newKey(t)
	b := standin.Start(t, standin.Config{Queues: standin.Queues(lock), PublicKey: publicKey(t, key)})
	s := sendOptions(t, b, key)
	b.ThrottleNext(2)
	if err := s.Publish(t.Context(), newEvent("a", "1")); err != nil {
		t.Errorf("after two refusals: %v", err)
	}
	b.ThrottleNext(1000)
	if err := s.Publish(t.Context(), newEvent("a", "2")); fault.Of(err) != fault.Exhausted {
		t.Errorf("under lasting throttling: %v", err)
	}
	b.ThrottleNext(0)
	b.LimitMessages("alerts", 1)
	if err := s.Publish(t.Context(), newEvent("a", "3")); fault.Of(err) != fault.Exhausted {
		t.Errorf("to a full queue: %v", err)
	}
}

// Over TLS, with a token for Service Bus and with one for something else.
func TestIdentity(t *testing.T) {
	key := newKey(t)
	other := httptest.NewTLSServer(nil) // for its certificate
	defer other.Close()
	certificate, secret := serverCertificate(t, other)
	b := standin.Start(t, standin.Config{Queues: standin.Queues(lock), PublicKey: publicKey(t, key), Certificate: certificate, Key: secret})
	for audience, want := range map[string]fault.Kind{"https://servicebus.azure.net": fault.Again, "https://elsewhere.azure.net": fault.Unavailable} {
		s := openSender(t, send.Options{Endpoint: b.REST, Credential: &signer{key: key, audience: audience}, HTTP: other.Client()})
		err := s.Publish(t.Context(), newEvent("a", "1"))
		if fault.Of(err) != want || (err == nil) != (want == fault.Again) {
			t.Errorf("with a token for %s: %v", audience, err)
		}
	}
}

// Who only sends carries neither SDK nor AMQP.
func TestStaysLean(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", ".").CombinedOutput()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, out)
	}
	for _, dear := range []string{"github.com/Azure/", "github.com/cloudevents/", "golang.org/x/net/http2"} {
		for dep := range strings.Lines(string(out)) {
			if strings.HasPrefix(dep, dear) {
				t.Errorf("it pulls in %s", strings.TrimSpace(dep))
			}
		}
	}
}

func newEvent(session, id string) cloudevent.Event {
	return cloudevent.Event{ID: id, Source: "/test", Type: "test", Tenant: session, Data: []byte(`{"id":"` + id + `"}`)}
}

// sendOptions sends to b over HTTP, without waiting long.
func sendOptions(t *testing.T, b *standin.Broker, key *rsa.PrivateKey) *send.Sender {
	return openSender(t, send.Options{Endpoint: b.REST, Credential: &signer{key: key, audience: "https://servicebus.azure.net"}})
}

func openSender(t *testing.T, opts send.Options) *send.Sender {
	t.Helper()
	opts.Pause = time.Millisecond
	s, err := send.Open(opts)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// openReceiver is the AMQP driver on b.
func openReceiver(t *testing.T, b *standin.Broker, opts servicebus.Options) *servicebus.Bus {
	t.Helper()
	opts.ConnectionString, opts.Reject = b.ConnectionString(), bustest.Reject
	opts.Lock, opts.Idle, opts.Pause, opts.MaxPause = lock, 250*time.Millisecond, time.Millisecond, 5*time.Millisecond
	opts.Retry = azservicebus.RetryOptions{RetryDelay: time.Millisecond, MaxRetryDelay: 10 * time.Millisecond, MaxRetries: 5}
	q, err := servicebus.Open(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = q.Close(ctx) // its connection may be broken on purpose
	})
	return q
}

// signer gives tokens that an issuer with this key would give.
type signer struct {
	key      *rsa.PrivateKey
	audience string
	issuer   string

	mu     sync.Mutex
	scopes []string // that tokens were asked for
}

func (s *signer) Token(_ context.Context, r identity.Request) (identity.Token, error) {
	s.mu.Lock()
	s.scopes = append(s.scopes, r.Scope)
	s.mu.Unlock()
	now := time.Now()
	part := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	text := part(`{"alg":"RS256","typ":"JWT"}`) + "." + part(fmt.Sprintf(`{"aud":%q,"iss":%q,"nbf":%d,"iat":%d,"exp":%d,"sub":"ingest"}`,
		s.audience, s.issuer, now.Add(-time.Minute).Unix(), now.Add(-time.Minute).Unix(), now.Add(time.Hour).Unix()))
	sum := sha256.Sum256([]byte(text))
	sig, err := rsa.SignPKCS1v15(rand.Reader, s.key, crypto.SHA256, sum[:])
	return identity.Token{Value: text + "." + base64.RawURLEncoding.EncodeToString(sig), ExpiresOn: now.Add(time.Hour)}, err
}

func newKey(t *testing.T) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func publicKey(t *testing.T, key *rsa.PrivateKey) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

// serverCertificate gives the certificate of a test server, in PEM, which that server's client trusts.
func serverCertificate(t *testing.T, s *httptest.Server) (certificate, key string) {
	t.Helper()
	c := s.TLS.Certificates[0]
	der, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Certificate[0]})), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}
