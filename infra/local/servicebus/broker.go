// Package servicebus starts a Service Bus namespace for tests: a broker on an independent AMQP 1.0 engine (broker.js on
// npm rhea), with faults on demand and a counter of what Azure would bill.
//
//	test ──Start──▶ node broker.js ◀──AMQP── azservicebus in the code under test
//	                               ◀──HTTP── the REST API's "Send Message"
//	     ──DropConnections, TakeSession, RepeatCompleted, …──▶ its control port
package servicebus

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/infra/local/npm"
)

// Queue is how a queue is made: the properties of the resource of that name in infra/azure, times in milliseconds.
type Queue struct {
	RequiresSession  bool  `json:"requiresSession"`
	DuplicateWindow  int64 `json:"duplicateWindow,omitzero"`  // 0: no duplicate detection
	LockDuration     int64 `json:"lockDuration,omitzero"`     // default one minute
	MaxDeliveryCount int   `json:"maxDeliveryCount,omitzero"` // default 10
	TimeToLive       int64 `json:"timeToLive,omitzero"`       // default 14 days
	MaxMessageSize   int   `json:"maxMessageSize,omitzero"`   // default 256 KB
}

// Queues are the project's two, with a lock short enough to wait for.
func Queues(lock time.Duration) map[string]Queue {
	return map[string]Queue{
		"alerts":     {RequiresSession: true, DuplicateWindow: (10 * time.Minute).Milliseconds(), LockDuration: lock.Milliseconds()},
		"quarantine": {LockDuration: lock.Milliseconds()},
	}
}

// Config is what a broker is started with.
type Config struct {
	Queues map[string]Queue
	// PublicKey, in PEM, checks RS256 tokens of identities; without it only the connection string is let in.
	PublicKey string
	// Certificate and Key, in PEM, switch to TLS, which azservicebus insists on for identities.
	Certificate, Key string
}

// Broker is a running stand-in. Its methods fail the test when the broker does not answer.
type Broker struct {
	Address string // host:port of AMQP
	REST    string // base URL of the REST API
	t       testing.TB
	key     string
	control string
}

// Start runs a broker until the test ends.
func Start(t testing.TB, c Config) *Broker {
	t.Helper()
	b := &Broker{t: t, key: randomKey(t)}
	settings := map[string]any{"queues": c.Queues, "keyName": "test", "key": b.key}
	if c.PublicKey != "" {
		settings["jwt"] = map[string]any{"publicKey": c.PublicKey}
	}
	if c.Certificate != "" {
		settings["tls"] = map[string]any{"cert": c.Certificate, "key": c.Key}
	}
	raw, err := json.Marshal(settings)
	file := filepath.Join(t.TempDir(), "broker.json")
	if err == nil {
		err = os.WriteFile(file, raw, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	line := npm.Start(t, func(line string) bool { return line != "" }, filepath.Join(npm.Dir(), "servicebus", "broker.js"), file)
	var ports struct{ AMQP, REST, Control int }
	if err := json.Unmarshal([]byte(line), &ports, json.MatchCaseInsensitiveNames(true)); err != nil {
		t.Fatalf("the broker said %q: %v", line, err)
	}
	b.Address = fmt.Sprintf("127.0.0.1:%d", ports.AMQP)
	b.REST = fmt.Sprintf("http://127.0.0.1:%d", ports.REST)
	if c.Certificate != "" {
		b.REST = fmt.Sprintf("https://127.0.0.1:%d", ports.REST)
	}
	b.control = fmt.Sprintf("http://127.0.0.1:%d/", ports.Control)
	return b
}

func randomKey(t testing.TB) string {
	key := make([]byte, 32)
	if _, err := rand.Read(key); err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(key)
}

// ConnectionString lets a client in with every right.
func (b *Broker) ConnectionString() string {
	return "Endpoint=sb://" + b.Address + ";SharedAccessKeyName=test;SharedAccessKey=" + b.key + ";UseDevelopmentEmulator=true"
}

// DropConnections closes every AMQP connection.
func (b *Broker) DropConnections() { b.sendCommand("drop", nil) }

// DropAfterSent breaks every connection when n more messages were handed to consumers.
func (b *Broker) DropAfterSent(n int) { b.sendCommand("drop-after", map[string]any{"sent": n}) }

// DropAfterReceived breaks every connection when n more messages were taken, before the last is acknowledged.
func (b *Broker) DropAfterReceived(n int) { b.sendCommand("drop-after", map[string]any{"received": n}) }

// TakeSession takes a session's lock from the client that holds it; false when no client does.
func (b *Broker) TakeSession(queue, session string) bool {
	var out struct{ Lost bool }
	b.decodeAnswer(b.sendCommand("lose", map[string]any{"queue": queue, "session": session}), &out)
	return out.Lost
}

// RepeatCompleted offers the next n completed messages again, although their completion was acknowledged.
func (b *Broker) RepeatCompleted(queue string, n int) {
	b.sendCommand("repeat", map[string]any{"queue": queue, "n": n})
}

// ThrottleNext refuses the next n messages as an overloaded namespace does.
func (b *Broker) ThrottleNext(n int) { b.sendCommand("throttle", map[string]any{"n": n}) }

// DelayAnswers holds every answer back for d; 0 ends it.
func (b *Broker) DelayAnswers(d time.Duration) {
	b.sendCommand("delay", map[string]any{"ms": d.Milliseconds()})
}

// LimitMessages sets how many messages a queue has room for.
func (b *Broker) LimitMessages(queue string, messages int) {
	b.sendCommand("limit", map[string]any{"queue": queue, "messages": messages})
}

// AgeMessages makes messages and the duplicate window older by d; locks keep their time.
func (b *Broker) AgeMessages(d time.Duration) {
	b.sendCommand("age", map[string]any{"ms": d.Milliseconds()})
}

// Stats is what the broker holds and what it counted.
type Stats struct {
	Operations Operations       `json:"operations"`
	Queues     map[string]Count `json:"queues"`
}

// Operations are what Azure bills: one for every call and message, one more for every 64 KB begun beyond the first.
type Operations struct {
	Send, Receive, Settle, Accept, Manage int
}

// Total is the sum of all operations.
func (o Operations) Total() int { return o.Send + o.Receive + o.Settle + o.Accept + o.Manage }

// Count is what a queue holds, in messages.
type Count struct {
	Active, Deferred, Locked, DeadLettered int
	Sessions                               map[string]int
}

// Stats reads the broker's counters.
func (b *Broker) Stats() Stats {
	b.t.Helper()
	var s Stats
	b.decodeAnswer(b.sendCommand("stats", nil), &s)
	return s
}

func (b *Broker) sendCommand(command string, body map[string]any) []byte {
	b.t.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		b.t.Fatal(err)
	}
	method := http.MethodPost
	if command == "stats" {
		method = http.MethodGet
	}
	req, err := http.NewRequest(method, b.control+command, bytes.NewReader(raw))
	if err != nil {
		b.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		b.t.Fatalf("broker %s: %v", command, err)
	}
	defer resp.Body.Close()
	var out bytes.Buffer
	if _, err := out.ReadFrom(resp.Body); err != nil || resp.StatusCode != http.StatusOK {
		b.t.Fatalf("broker %s: %s %s %v", command, resp.Status, out.String(), err)
	}
	return out.Bytes()
}

func (b *Broker) decodeAnswer(raw []byte, v any) {
	b.t.Helper()
	if err := json.Unmarshal(raw, v, json.MatchCaseInsensitiveNames(true)); err != nil {
		b.t.Fatalf("broker answered %s: %v", raw, err)
	}
}
