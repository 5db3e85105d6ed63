package hosttest

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/go-json-experiment/json"
)

// Cloud Run: Pub/Sub pushes, CloudEvents by Eventarc, plain requests; and standalone, which takes the same requests.
var (
	CloudRunPush     = Platform{Name: "Cloud Run, push", Start: func(t *testing.T, s Setup) Instance { return cloudRun(t, s, pubsubPush) }}
	CloudRunEvents   = Platform{Name: "Cloud Run, CloudEvents", Start: func(t *testing.T, s Setup) Instance { return cloudRun(t, s, cloudEvent) }}
	CloudRunRequests = Platform{Name: "Cloud Run, requests", Many: true, Streams: true, Start: func(t *testing.T, s Setup) Instance { return cloudRun(t, s, webhookRequest) }}
	Standalone       = Platform{Name: "standalone", Many: true, Streams: true, NoDeadline: true, Start: func(t *testing.T, s Setup) Instance {
		port := freePort(t)
		return &server{s: s, p: startSubject(t, s, "HOSTTEST_PLATFORM=standalone", "PORT="+port), base: "http://127.0.0.1:" + port, call: webhookRequest}
	}}
)

// Facts of the push subscription.
const (
	PushAudience = "https://ingest-gcp-abc-ew.a.run.app"
	PushEmail    = "ingest-gcp-push@example-project.iam.gserviceaccount.com"
)

// server is a subject that serves HTTP.
type server struct {
	s     Setup
	p     *process
	base  string
	token string
	call  func(s *server, t *testing.T, fs []Finding) []bool
}

func cloudRun(t *testing.T, s Setup, call func(*server, *testing.T, []Finding) []bool) Instance {
	g, port := NewGoogle(t), freePort(t)
	return &server{s: s, base: "http://127.0.0.1:" + port, token: g.Token(nil), call: call,
		p: startSubject(t, s, "HOSTTEST_PLATFORM=cloudrun", "PORT="+port, "ONEPANE_BIND=127.0.0.1",
			"HOSTTEST_AUDIENCE="+PushAudience, "HOSTTEST_EMAIL="+PushEmail, "HOSTTEST_KEYS="+g.URL)}
}

// Deliver implements Instance.
func (s *server) Deliver(t *testing.T, fs ...Finding) []bool { return s.call(s, t, fs) }

// Stop implements Instance.
func (s *server) Stop() error { return s.p.stopProcess(syscall.SIGTERM) }

// Draining implements drainer, by what every such host logs.
func (s *server) Draining(t *testing.T) {
	for !strings.Contains(s.p.log.String(), `"draining"`) {
		select {
		case <-t.Context().Done():
			return
		case <-time.After(time.Millisecond):
		}
	}
}

// pubsubPush delivers each finding as Pub/Sub does: any 2xx acknowledges.
func pubsubPush(s *server, t *testing.T, fs []Finding) []bool {
	out := make([]bool, len(fs))
	for i, f := range fs {
		data := []byte(f.JSON())
		if f.Pad > 0 {
			data = gzipBytes(f.JSON())
		}
		body := fmt.Sprintf(`{"message":{"data":%q,"messageId":"2070443601311540","publishTime":"2026-03-03T00:07:33Z","attributes":{}},`+
			`"subscription":"projects/example/subscriptions/scc-findings"}`, base64.StdEncoding.EncodeToString(data))
		code := s.postWhenListening(t, "/", body, http.Header{"Content-Type": {"application/json"}, "Authorization": {"Bearer " + s.token}})
		out[i] = code >= 200 && code < 300
	}
	return out
}

// cloudEvent delivers findings as Eventarc does, alternately in binary and in structured mode.
func cloudEvent(s *server, t *testing.T, fs []Finding) []bool {
	out := make([]bool, len(fs))
	for i, f := range fs {
		h := http.Header{"Authorization": {"Bearer " + s.token}}
		data := f.JSON()
		if f.Pad > 0 {
			data = fmt.Sprintf(`{"message":{"data":%q}}`, gzipBase64(data))
		}
		if len(f.ID)%2 == 0 {
			h.Set("Content-Type", "application/json")
			for k, v := range map[string]string{"Specversion": "1.0", "Id": "1", "Source": "//pubsub.googleapis.com/t", "Type": "google.cloud.pubsub.topic.v1.messagePublished"} {
				h.Set("Ce-"+k, v)
			}
		} else {
			h.Set("Content-Type", "application/cloudevents+json")
			data = fmt.Sprintf(`{"specversion":"1.0","id":"1","source":"//pubsub.googleapis.com/t","type":"google.cloud.pubsub.topic.v1.messagePublished","data":%s}`, data)
		}
		code := s.postWhenListening(t, "/", data, h)
		out[i] = code >= 200 && code < 300
	}
	return out
}

// webhookRequest posts all findings as an array to the webhook route.
func webhookRequest(s *server, t *testing.T, fs []Finding) []bool {
	h := http.Header{"Content-Type": {"application/json"}}
	body := findingsArray(fs)
	if isAnyPadded(fs) {
		body = string(gzipBytes(body))
		h.Set("Content-Encoding", "gzip")
	}
	return sameAnswers(len(fs), isFinalStatus(s.postWhenListening(t, "/api/ingest/webhook", body, h)))
}

// postWhenListening sends a request as soon as the subject listens and returns the status of the answer, 0 when there
// was none.
func (s *server) postWhenListening(t *testing.T, path, body string, h http.Header) int {
	waitUntilListening(t, s.p, s.base)
	return postStatus(t, s.base+path, body, h, s.s.Deadline)
}

// waitUntilListening waits until something accepts connections there.
func waitUntilListening(t *testing.T, p *process, base string) {
	for {
		c, err := net.Dial("tcp", base[len("http://"):])
		if err == nil {
			_ = c.Close()
			return
		}
		select {
		case <-p.gone:
			return
		case <-t.Context().Done():
			return
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// postStatus posts within the platform's deadline; 0 is no answer.
func postStatus(t *testing.T, address, body string, h http.Header, limit time.Duration) int {
	code, _ := postRequest(t, address, body, h, limit)
	return code
}

func postRequest(t *testing.T, address, body string, h http.Header, limit time.Duration) (int, []byte) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), limit)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader([]byte(body)))
	if err != nil {
		t.Error(err)
		return 0, nil
	}
	req.Header = h
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		if ctx.Err() != nil {
			t.Error("the request was not answered before its deadline")
		}
		return 0, nil
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, nil
	}
	return resp.StatusCode, b
}

func gzipBytes(text string) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = io.WriteString(z, text) // a buffer takes everything
	_ = z.Close()
	return b.Bytes()
}

func jsonString(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err) // it is our own text
	}
	return string(b)
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}

// Google signs identity tokens and publishes its keys.
type Google struct {
	*httptest.Server
	t   *testing.T
	key *rsa.PrivateKey
}

// NewGoogle serves the keys at its URL.
func NewGoogle(t *testing.T) *Google {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	b64 := base64.RawURLEncoding.EncodeToString
	keys := fmt.Sprintf(`{"keys":[{"kty":"RSA","alg":"RS256","use":"sig","kid":"k1","n":%q,"e":%q}]}`,
		b64(key.N.Bytes()), b64(big.NewInt(int64(key.E)).Bytes()))
	g := &Google{t: t, key: key, Server: httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, keys)
	}))}
	t.Cleanup(g.Close)
	return g
}

// Token is a push token, with other claims where a test wants them.
func (g *Google) Token(other map[string]any) string {
	claims := map[string]any{"iss": "https://accounts.google.com", "aud": PushAudience, "sub": "104857600000000000002", "email": PushEmail,
		"email_verified": true, "iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix()}
	for k, v := range other {
		claims[k] = v
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: g.key, KeyID: "k1"}}, nil)
	if err != nil {
		g.t.Error(err)
		return ""
	}
	s, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		g.t.Error(err)
	}
	return s
}
