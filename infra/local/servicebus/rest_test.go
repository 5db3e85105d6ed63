package servicebus

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// What "Send Message" of the REST API takes and refuses (its documented response codes), and what of it a receiver over
// AMQP gets.
func TestREST(t *testing.T) {
	b := Start(t, Config{Queues: map[string]Queue{"plain": {}, "sessions": {RequiresSession: true, DuplicateWindow: 60_000}, "full": {}}})
	b.LimitMessages("full", 0)
	for _, tt := range []struct {
		name, method, path, token, properties string
		size                                  int
		header                                string
		want                                  int
	}{
		{"a message", "POST", "/plain/messages", b.sasToken("plain"), `{"MessageId":"1"}`, 10, "", 201},
		{"without properties", "POST", "/plain/messages?timeout=60", b.sasToken("plain"), "", 10, "", 201},
		{"without a token", "POST", "/plain/messages", "", "", 10, "", 401},
		{"with a token for another queue", "POST", "/plain/messages", b.sasToken("sessions"), "", 10, "", 401},
		{"with a token of nobody known", "POST", "/plain/messages", "Bearer a.b.c", "", 10, "", 401},
		{"to no queue", "POST", "/nowhere/messages", b.sasToken("nowhere"), "", 10, "", 410},
		{"to the queue itself", "POST", "/plain", b.sasToken("plain"), "", 10, "", 404},
		{"by another method", "PUT", "/plain/messages", b.sasToken("plain"), "", 10, "", 404},
		{"without the session it needs", "POST", "/sessions/messages", b.sasToken("sessions"), `{"MessageId":"1"}`, 10, "", 400},
		{"with a session", "POST", "/sessions/messages", b.sasToken("sessions"), `{"MessageId":"1","SessionId":"s"}`, 10, "", 201},
		{"again, and it is dropped", "POST", "/sessions/messages", b.sasToken("sessions"), `{"MessageId":"1","SessionId":"s"}`, 10, "", 201},
		{"with a number for a session", "POST", "/sessions/messages", b.sasToken("sessions"), `{"SessionId":7}`, 10, "", 400},
		{"with a session of 129 letters", "POST", "/sessions/messages", b.sasToken("sessions"), `{"SessionId":"` + strings.Repeat("s", 129) + `"}`, 10, "", 400},
		{"with two partitions", "POST", "/sessions/messages", b.sasToken("sessions"), `{"SessionId":"s","PartitionKey":"p"}`, 10, "", 400},
		{"with properties that are no JSON", "POST", "/plain/messages", b.sasToken("plain"), "{", 10, "", 400},
		{"with properties that are no object", "POST", "/plain/messages", b.sasToken("plain"), "[]", 10, "", 400},
		{"of 257 KB", "POST", "/plain/messages", b.sasToken("plain"), "", 257 << 10, "", 403},
		{"with 65 KB of headers", "POST", "/plain/messages", b.sasToken("plain"), "", 10, strings.Repeat("x", 65<<10), 403},
		{"to a full queue", "POST", "/full/messages", b.sasToken("full"), "", 10, "", 403},
	} {
		if got, text := b.postMessage(t, tt.method, tt.path, tt.token, tt.properties, tt.size, tt.header); got != tt.want {
			t.Errorf("%s: %d %s, want %d", tt.name, got, text, tt.want)
		}
	}
	got := b.Stats()
	if got.Queues["plain"].Active != 2 || got.Queues["sessions"].Active != 1 || got.Operations.Send != 4 {
		t.Errorf("the broker holds %+v", got)
	}
}

func TestRESTArrivesOverAMQP(t *testing.T) {
	b := Start(t, Config{Queues: map[string]Queue{"q": {}}})
	if got, text := b.postMessage(t, "POST", "/q/messages", b.sasToken("q"), `{"MessageId":"m-1"}`, 3, `"ü"`); got != 201 {
		t.Fatalf("%d %s", got, text)
	}
	c := &client{Client: dialClient(t, b.ConnectionString()), t: t, broker: b, queue: "q"}
	m := c.receiveOne(c.newReceiver(nil))
	if m.MessageID != "m-1" || string(m.Body) != "xxx" || *m.ContentType != "a/b" || m.ApplicationProperties["own"] != "ü" || m.ApplicationProperties["count"] != 7.0 {
		t.Errorf("it came as %+v", m)
	}
}

// postMessage sends a body of so many bytes and gives the status and what the broker said.
func (b *Broker) postMessage(t *testing.T, method, path, token, properties string, size int, own string) (int, string) {
	t.Helper()
	req, err := http.NewRequest(method, b.REST+path, strings.NewReader(strings.Repeat("x", size)))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "a/b")
	for name, v := range map[string]string{"Authorization": token, "BrokerProperties": properties} {
		if v != "" {
			req.Header.Set(name, v)
		}
	}
	if own != "" {
		req.Header["own"], req.Header["count"] = []string{strings.ReplaceAll(own, "ü", `\u00fc`)}, []string{"7"}
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

// sasToken is a shared access signature for one queue.
func (b *Broker) sasToken(queue string) string {
	resource := url.QueryEscape(b.REST + "/" + queue)
	until := fmt.Sprint(time.Now().Add(time.Hour).Unix())
	h := hmac.New(sha256.New, []byte(b.key))
	h.Write([]byte(resource + "\n" + until))
	return "SharedAccessSignature sr=" + resource + "&sig=" + url.QueryEscape(base64.StdEncoding.EncodeToString(h.Sum(nil))) + "&se=" + until + "&skn=test"
}
