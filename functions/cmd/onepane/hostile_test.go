package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/testdata/demo"
)

// most bounds the memory of the server under everything that the tests here send, in MB.
const most = 1024

// hostile is one bad delivery and what must become of it.
type hostile struct {
	name    string
	route   string // webhook when empty
	headers map[string]string
	body    []byte
	status  int
	says    string // in the error or the receipt

	accepted, rejected int    // only of a 202
	aside              string // reason of what is new in quarantine; empty when nothing is
}

const (
	refused = http.StatusBadRequest
	taken   = http.StatusAccepted
	tooBig  = http.StatusRequestEntityTooLarge
)

// TestHostileDeliveries sends a server all that a sender can get wrong. Each is answered with what is wrong and where,
// the good records beside it are taken, the bad ones set aside, and the next good alert is found.
func TestHostileDeliveries(t *testing.T) {
	s := start(t, t.TempDir())
	for i, h := range deliveries() {
		t.Run(h.name, func(t *testing.T) {
			s := s.in(t)
			before := s.quarantined()
			status, answer := s.send(h)
			if status != h.status || !strings.Contains(answer, h.says) {
				t.Errorf("%d, want %d with %q\n%.600s", status, h.status, h.says, answer)
			}
			var r ingest.Receipt
			if status == taken {
				if err := json.Unmarshal([]byte(answer), &r); err != nil {
					t.Fatalf("the receipt is no JSON: %v\n%.300s", err, answer)
				}
			}
			if len(r.Accepted) != h.accepted || len(r.Rejected) != h.rejected {
				t.Errorf("%d accepted, %d rejected; want %d, %d\n%.600s", len(r.Accepted), len(r.Rejected), h.accepted, h.rejected, answer)
			}
			s.checkAside(before, h)
			s.takesGood(fmt.Sprintf("good-%d", i))
		})
	}
	s.peak()
	s.stop()
}

// alert is a generic alert with further members.
func alert(id, more string) string {
	return `{"id":"` + id + `","time":"2026-03-03T00:07:33Z","title":"seen"` + more + `}`
}

func deliveries() []hostile {
	all := []hostile{
		{name: "20 MB and a byte", body: spaces(alert("a", ""), ingest.MaxBody+1), status: tooBig, says: "more than 20 MB", aside: "more than 20 MB"},
		{name: "20 MB and a byte as gzip", body: zip(spaces(alert("b", ""), ingest.MaxBody+1)), status: tooBig, says: "more than 20 MB", aside: "more than 20 MB"},
		{name: "20 MB", body: spaces(alert("mb", ""), ingest.MaxBody), status: taken, accepted: 1},
		{name: "a gzip bomb", body: zip(make([]byte, 1<<30)), status: tooBig, says: "more than 20 MB", aside: "more than 20 MB"},
		{name: "a thousand bombs in CloudEvents", body: bombs(1000), status: tooBig, says: "data_base64: ", aside: "data_base64: "},
		{name: "gzip in gzip", body: zip(zip([]byte(alert("zz", "")))), status: refused, says: "gzip: compressed twice", aside: "compressed twice"},
		{name: "gzip that breaks off", body: zip([]byte(alert("zt", "")))[:40], status: refused, says: "gzip: unexpected EOF", aside: "gzip: unexpected EOF"},
		{name: "gzip with a wrong checksum", body: damaged(zip([]byte(alert("zc", "")))), status: refused, says: "gzip: ", aside: "checksum"},
		{name: "says gzip, is plain", headers: map[string]string{"Content-Encoding": "gzip"}, body: []byte(alert("lie1", "")), status: taken, accepted: 1},
		{name: "says plain, is gzip", headers: map[string]string{"Content-Encoding": "identity"}, body: zip([]byte(alert("lie2", ""))), status: taken, accepted: 1},
		{name: "br", headers: map[string]string{"Content-Encoding": "br"}, body: []byte(alert("br", "")), status: http.StatusUnsupportedMediaType, says: `Content-Encoding: \"br\"`},
		{name: "gzip, zstd", headers: map[string]string{"Content-Encoding": "gzip, zstd"}, body: []byte(alert("zstd", "")), status: http.StatusUnsupportedMediaType, says: "zstd"},

		{name: "nothing", status: refused, says: "body: empty"},
		{name: "spaces", body: []byte("  \r\n\t "), status: refused, says: "body: empty", aside: "body: empty"},
		{name: "words", body: []byte("hello there"), status: refused, says: "malformed JSON", aside: "malformed JSON"},
		{name: "HTML", body: []byte("<html><body>502 Bad Gateway</body></html>"), status: refused, says: "malformed JSON", aside: "malformed JSON"},
		{name: "NUL bytes", body: make([]byte, 64), status: refused, says: "malformed JSON", aside: "malformed JSON"},
		{name: "UTF-16", body: wide(alert("wide", ""), true), status: refused, says: "UTF-16", aside: "UTF-16"},
		{name: "UTF-16 without mark", body: wide(alert("wide", ""), false), status: refused, says: "UTF-16", aside: "UTF-16"},
		{name: "a byte order mark", body: []byte("\xef\xbb\xbf" + alert("bom", "")), status: taken, accepted: 1},
		{name: "a number", body: []byte("42"), status: refused, says: "a JSON number is not a finding", aside: "number"},
		{name: "a string", body: []byte(`"text"`), status: refused, says: "a JSON string is not a finding", aside: "string"},

		{name: "an array that breaks off", body: []byte("[" + alert("t1", "") + "," + alert("t2", "") + `,{"id":"t3","time":"2026-`), status: taken, accepted: 2, rejected: 1, says: `"index":2`, aside: "unexpected EOF"},
		{name: "indented JSON that breaks off", body: []byte("{\n \"id\": \"t4\",\n \"time\": \"2026-03-03T00:00:00Z\",\n \"title\": \"x\",\n \"entities\": [\n  {\n   \"kind\": \"ip\","), status: refused, says: "entities.0", aside: "unexpected EOF"},
		{name: "lines of which two break off", body: []byte(alert("l1", "") + "\n" + `{"id":"l2","entities":[{"kind":` + "\n" + alert("l3", "") + "\n" + `{"id":"l4` + "\n" + alert("l5", "")), status: taken, accepted: 3, rejected: 2, says: `{"index":3,"reason":"id: malformed JSON`, aside: "malformed JSON"},
		{name: "an element that is no JSON", body: []byte("[" + alert("e1", "") + `,{"id":tru},` + alert("e2", "") + "]"), status: taken, accepted: 2, rejected: 1, says: `"index":1,"reason":"id: malformed`, aside: "id: malformed"},
		{name: "a name twice", body: []byte("[" + alert("d1", "") + "," + alert("d2", `,"id":"d3"`) + "]"), status: taken, accepted: 1, rejected: 1, says: `{"index":1,"reason":"id: malformed JSON: the name is there twice"}`, aside: "id: malformed JSON: the name is there twice"},
		{name: "a name twice inside", body: []byte(alert("d4", "") + "\n" + alert("d5", `,"entities":[{"kind":"ip","value":"192.0.2.1","value":"192.0.2.2"}]`)), status: taken, accepted: 1, rejected: 1, says: "entities.0.value: malformed JSON: the name is there twice", aside: "entities.0.value"},
		{name: "a name twice in another spelling", body: []byte(alert("d6", `,"Id":"d7"`)), status: taken, accepted: 1},
		{name: "broken UTF-8 in a value", body: []byte("[" + alert("u1", "") + "," + alert("u2", `,"source":"a`+"\xff\xfe"+`"`) + "]"), status: taken, accepted: 1, rejected: 1, says: "source: malformed JSON", aside: "invalid UTF-8"},
		{name: "broken UTF-8 in a name", body: []byte("[" + alert("u3", "") + "," + alert("u4", `,"a`+"\xff"+`":1`) + "]"), status: taken, accepted: 1, rejected: 1, says: `"index":1`, aside: "invalid UTF-8"},
		{name: "half a surrogate pair", body: []byte("[" + alert("u5", "") + "," + alert("u6", `,"type":"\ud83d"`) + "]"), status: taken, accepted: 1, rejected: 1, says: "type: malformed JSON", aside: "surrogate"},
		{name: "NUL in texts", body: []byte(alert(`n\u0000l`, `,"type":"a\u0000b"`)), status: taken, accepted: 1},
		{name: "5,000 deep", body: []byte(alert("deep", `,"x":`+strings.Repeat("[", 5000)+strings.Repeat("]", 5000))), status: refused, says: "nested 5001 deep, at most 200", aside: "nested 5001 deep"},
		{name: "5,000 deep beside a good one", body: []byte("[" + alert("flat", "") + "," + alert("deeper", `,"y":`+strings.Repeat(`{"a":`, 5000)+"1"+strings.Repeat("}", 5000)) + "]"), status: taken, accepted: 1, rejected: 1, says: `"index":1,"reason":"body: nested`, aside: "nested"},
		{name: "100,000 deep beside a good one", body: []byte("[" + alert("flat2", "") + "," + alert("abyss", `,"z":`+strings.Repeat("[", 100000)+strings.Repeat("]", 100000)) + "]"), status: taken, accepted: 1, rejected: 1, says: "nested 100001 deep", aside: "nested"},
		{name: "a million brackets that open", body: bytes.Repeat([]byte("["), 1e6), status: refused, says: "nested", aside: "nested"},
		{name: "a million lines that open a bracket", body: bytes.Repeat([]byte("[\n"), 1e6), status: refused, says: "nested", aside: "nested"},
		{name: "a million lines that open a brace", body: bytes.Repeat([]byte("{\n"), 1e6), status: tooBig, says: "more than 100000 records", aside: "more than 100000 records"},
		{name: "lists that end in nothing", body: []byte(strings.Repeat("[0,\n", 9000) + strings.Repeat("0,\n", 5e6)), status: refused, says: "record 1: body: nested", aside: "nested"},
		{name: "a million tiny records", body: bytes.Repeat([]byte("{\"a\":1}\n"), 1e6), status: tooBig, says: "more than 100000 records", aside: "more than 100000 records"},
		{name: "a million tiny elements", body: []byte("[" + strings.Repeat("1,", 1e6) + "1]"), status: tooBig, says: "more than 100000 records", aside: "more than 100000 records"},

		{name: "a title of 15 MB", body: []byte(`{"id":"big","time":"2026-03-03T00:07:33Z","title":"` + strings.Repeat("x", 15<<20) + `"}`), status: refused, says: "title: 15728640 bytes, at most 65536", aside: "title: 15728640 bytes"},
		{name: "an id of 1 MB", body: []byte(alert(strings.Repeat("i", 1<<20), "")), status: refused, says: "id: 1048576 bytes", aside: "id: 1048576 bytes"},
		{name: "an entity of 1 MB", body: []byte(alert("fat", `,"entities":[{"kind":"host","value":"`+strings.Repeat("h", 1<<20)+`"}]`)), status: refused, says: "entities: a host: 1048576 bytes", aside: "entities: a host"},
		{name: "1,200 resources", body: []byte(alert("r1200", resources(1200))), status: taken, accepted: 1},
		{name: "50,000 resources", body: []byte(alert("r50000", resources(50000))), status: taken, accepted: 1},
		{name: "100,000 entities", body: []byte(alert("r100000", resources(100000))), status: taken, accepted: 1},
		{name: "an entity of no kind", body: []byte("[" + alert("k1", "") + "," + alert("k2", `,"entities":[{"kind":"ip","value":"192.0.2.1"},{"value":"x"}]`) + "]"), status: taken, accepted: 1, rejected: 1, says: "entities[1].kind: missing", aside: "entities[1].kind: missing"},
		{name: "words that are no enum values", body: []byte(alert("enum", `,"severity":"apocalyptic","status":"dreamt","tactics":["Juggling"],"techniques":["X9"],"entities":[{"kind":"spaceship","value":"enterprise","role":"captain"}]`)), status: taken, accepted: 1},
		{name: "1e999 and -0", body: []byte(alert("inf", `,"severity":1e999,"tactics":[-0],"url":-1e-999`)), status: taken, accepted: 1},
		{name: "objects for texts", body: []byte("[" + alert("o1", `,"severity":{}`) + "," + alert("o2", `,"type":[]`) + "," + alert("o3", "") + "]"), status: taken, accepted: 1, rejected: 2, says: "type: must be text", aside: "must be text"},

		{name: "the year 9999", body: []byte(when("y9999", `"9999-12-31T23:59:59Z"`)), status: taken, accepted: 1},
		{name: "behind the year 9999", body: []byte(when("y10000", `"9999-12-31T23:59:59-23:59"`)), status: taken, accepted: 1},
		{name: "delivered in 9999", body: []byte(`{"id":"d9999","title":"t","time":"9998-01-01T00:00:00Z","delivered":"9999-01-01T00:00:00Z"}`), status: taken, accepted: 1},
		{name: "the year 1", body: []byte(when("y1", `"0001-01-01T00:00:00Z"`)), status: refused, says: `time: \"0001-01-01T00:00:00Z\" is not set`, aside: "time: "},
		{name: "no time", body: []byte(`{"id":"none","title":"t"}`), status: refused, says: "time: missing", aside: "time: missing"},
		{name: "time null", body: []byte(when("null", "null")), status: refused, says: "time: missing", aside: "time: missing"},
		{name: "time 1e400", body: []byte(when("1e400", "1e400")), status: refused, says: `time: \"1e400\" is not a time`, aside: "is not a time"},
		{name: "time -1e308", body: []byte(when("-1e308", "-1e308")), status: refused, says: "time: ", aside: "time: "},
		{name: "the 45th of a 13th month", body: []byte(when("45", `"2026-13-45T00:00:00Z"`)), status: refused, says: "is not a time", aside: "is not a time"},

		{name: "tenant with slashes", body: []byte(alert("ten1", `,"tenant":"../../etc/passwd"`)), status: taken, accepted: 1},
		{name: "tenant with NUL", body: []byte("[" + alert("ten2", "") + "," + alert("ten3", `,"tenant":"a\u0000b"`) + "]"), status: taken, accepted: 1, rejected: 1, says: "tenant: ", aside: "control characters"},
		{name: "tenant of 201 bytes", body: []byte("[" + alert("ten4", "") + "," + alert("ten5", `,"tenant":"`+strings.Repeat("t", 201)+`"`) + "]"), status: taken, accepted: 1, rejected: 1, says: "tenant: 201 bytes, at most 200", aside: "tenant: 201 bytes"},
		{name: "tenant of 200 bytes", body: []byte(alert("ten6", `,"tenant":"`+strings.Repeat("t", 200)+`"`)), status: taken, accepted: 1},

		{name: "absurd preferences", headers: map[string]string{"Prefer": "wait=99999999999999999999, wait=-1;;;==, ,wait=abc, respond-async"}, body: []byte(alert("prefer", "")), status: taken, accepted: 1},
		{name: "a trace that is none", headers: map[string]string{"Traceparent": "00-zz-zz-ff"}, body: []byte(alert("trace", "")), status: taken, accepted: 1},
		{name: "a CloudEvent of another version", headers: map[string]string{"Ce-Specversion": "9.9"}, body: []byte(alert("ce9", "")), status: refused, says: `ce-specversion: \"9.9\" is not 1.0`, aside: "ce-specversion"},
		{name: "a CloudEvent with bad base64", body: []byte(`{"specversion":"1.0","id":"e","source":"/s","type":"t","data_base64":"***"}`), status: refused, says: "data_base64: illegal base64", aside: "data_base64: illegal base64"},

		{name: "gzip in base64 in SNS in SQS", route: "aws", body: queued(base64.StdEncoding.EncodeToString(zip(story("aws")))), status: taken, accepted: 1},
		{name: "a bomb in base64 in SNS in SQS", route: "aws", body: queued(base64.StdEncoding.EncodeToString(zip(make([]byte, 64<<20)))), status: tooBig, says: "Message: body: more than 20 MB", aside: "Message: body: more than 20 MB"},
		{name: "half a message in SNS in SQS", route: "aws", body: queued(`{"detail-type":"GuardDuty Fin`), status: refused, says: "malformed JSON", aside: "malformed JSON"},
		{name: "a forged source", route: "aws", body: bytes.Replace(story("aws"), []byte(`"aws.guardduty"`), []byte(`"acme.guardduty"`), 1), status: refused, says: "source: ", aside: "source: "},
		{name: "bad base64 from Pub/Sub", route: "gcp", body: []byte(`{"message":{"data":"%%%","messageId":"1"}}`), status: refused, says: "message.data: illegal base64", aside: "message.data"},
		{name: "a thousand bombs from Pub/Sub", route: "gcp", body: pulled(1000), status: tooBig, says: "message.data: ", aside: "message.data: "},
	}
	for _, route := range []string{"aws", "azure", "gcp", "webhook"} {
		good := string(story(route))
		all = append(all,
			hostile{name: route + ": a bad record between good ones", route: route, body: []byte("[" + good + `,{"severity":{"a":1,"a":2}},` + good + "]"), status: taken, accepted: 2, rejected: 1, says: `"index":1,"reason":"severity.a: malformed JSON: the name is there twice"`, aside: "severity.a"},
			hostile{name: route + ": a record of nobody", route: route, body: []byte("[" + good + `,{"colour":"green"}]`), status: taken, accepted: 1, rejected: 1, says: "no provider of route " + route, aside: "colour"},
			hostile{name: route + ": breaks off", route: route, body: []byte(good[:len(good)/2]), status: refused, says: "unexpected EOF", aside: "unexpected EOF"},
			hostile{name: route + ": too large", route: route, body: spaces(good, ingest.MaxBody+1), status: tooBig, says: "more than 20 MB", aside: "more than 20 MB"},
			hostile{name: route + ": 5,000 deep", route: route, body: []byte(strings.Repeat(`{"`+route+`":`, 5000) + "1" + strings.Repeat("}", 5000)), status: refused, says: "nested 5000 deep", aside: "nested 5000 deep"},
			hostile{name: route + ": UTF-16", route: route, body: wide(good, true), status: refused, says: "UTF-16", aside: "UTF-16"},
			hostile{name: route + ": compressed twice", route: route, body: zip(zip([]byte(good))), status: refused, says: "compressed twice", aside: "compressed twice"},
		)
	}
	return all
}

// story is a good delivery for a route.
func story(route string) []byte {
	for _, d := range demo.StoryDeliveries() {
		if d.Route == route {
			return bytes.TrimSpace(d.Body)
		}
	}
	panic("no story for " + route)
}

func spaces(s string, size int) []byte {
	return append([]byte(s), bytes.Repeat([]byte(" "), size-len(s))...)
}

func zip(b []byte) []byte {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	_, _ = z.Write(b) // to memory
	_ = z.Close()
	return out.Bytes()
}

func damaged(zipped []byte) []byte {
	zipped[len(zipped)-6] ^= 0xff
	return zipped
}

func wide(s string, mark bool) []byte {
	var out []byte
	if mark {
		out = []byte{0xff, 0xfe}
	}
	for _, u := range utf16.Encode([]rune(s)) {
		out = append(out, byte(u), byte(u>>8))
	}
	return out
}

// bomb decompresses to a little less than one delivery may hold.
var bomb = base64.StdEncoding.EncodeToString(zip(bytes.Repeat([]byte(" "), ingest.MaxBody-1)))

func bombs(n int) []byte {
	event := `{"specversion":"1.0","id":"e","source":"/s","type":"t","data_base64":"` + bomb + `"}`
	return []byte("[" + strings.Repeat(event+",", min(n, (ingest.MaxBody-100)/len(event))-1) + event + "]")
}

func pulled(n int) []byte {
	message := `{"message":{"data":"` + bomb + `","messageId":"1"}}`
	return []byte(`{"receivedMessages":[` + strings.Repeat(message+",", min(n, (ingest.MaxBody-100)/len(message))-1) + message + "]}")
}

// queued is text as SNS puts it into SQS.
func queued(text string) []byte {
	quote := func(s string) string { b, _ := json.Marshal(s); return string(b) }
	body := `{"Type":"Notification","MessageId":"n","TopicArn":"arn:aws:sns:eu-west-1:111122223333:t","Message":` + quote(text) + `}`
	return []byte(`{"Records":[{"messageId":"m","eventSource":"aws:sqs","body":` + quote(body) + `}]}`)
}

func resources(n int) string {
	var b strings.Builder
	b.WriteString(`,"entities":[`)
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"kind":"resource","value":"arn:aws:s3:::bucket-%d-of-%d"}`, i, n)
	}
	b.WriteByte(']')
	return b.String()
}

func when(id, time string) string { return `{"id":"` + id + `","title":"t","time":` + time + `}` }

// in is the server for a subtest.
func (s *server) in(t *testing.T) *server {
	c := *s
	c.t = t
	return &c
}

func (s *server) send(h hostile) (status int, answer string) {
	s.t.Helper()
	route := h.route
	if route == "" {
		route = "webhook"
	}
	req, err := http.NewRequest(http.MethodPost, s.base+"/api/ingest/"+route, bytes.NewReader(h.body))
	if err != nil {
		s.t.Fatal(err)
	}
	for name, v := range h.headers {
		req.Header.Set(name, v)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

// quarantined is what waits in quarantine: reasons by id.
func (s *server) quarantined() map[string]string {
	s.t.Helper()
	out := map[string]string{}
	for _, q := range s.all("/api/v1/quarantine?$top=1000") {
		out[q["id"].(string)] = q["reason"].(string)
	}
	return out
}

func (s *server) checkAside(before map[string]string, h hostile) {
	s.t.Helper()
	found := h.aside == ""
	for id, reason := range s.quarantined() {
		if _, old := before[id]; old {
			continue
		}
		if h.aside == "" {
			s.t.Errorf("quarantine holds a new record: %s", reason)
		}
		found = found || strings.Contains(reason, h.aside)
	}
	if !found {
		s.t.Errorf("nothing new in quarantine says %q", h.aside)
	}
}

// takesGood fails unless a good alert is taken, correlated and found.
func (s *server) takesGood(id string) {
	s.t.Helper()
	r := s.deliver("webhook", []byte(alert(id, "")))
	if len(r.Accepted) != 1 || r.Accepted[0].IncidentID == "" {
		s.t.Fatalf("a good alert gave %+v", r)
	}
	if code := s.get("/v1.0/security/alerts_v2/"+r.Accepted[0].AlertID, nil); code != http.StatusOK {
		s.t.Errorf("a good alert that was taken is answered %d", code)
	}
}

// peak fails the test when the server ever took more memory than most, and returns what it took, in MB.
func (s *server) peak() int {
	s.t.Helper()
	status, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(s.cmd.Process.Pid), "status"))
	if err != nil {
		s.t.Skipf("no /proc to read the server's memory from: %v", err)
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	kb, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		s.t.Fatal(err)
	}
	if kb>>10 > most {
		s.t.Errorf("the server took %d MB, at most %d are meant", kb>>10, most)
	}
	s.t.Logf("peak %d MB", kb>>10)
	return kb >> 10
}

// TestFloodIsBounded sends 64 deliveries of 10 MB at once: each is taken whole or told to come again, and memory holds.
func TestFloodIsBounded(t *testing.T) {
	s := start(t, t.TempDir())
	var body bytes.Buffer
	for i := 0; body.Len() < 10<<20; i++ {
		body.WriteString(alert(fmt.Sprintf("f%d", i), `,"description":"`+strings.Repeat("d", 1000)+`"`) + "\n")
	}
	var mu sync.Mutex
	answers := map[int]int{}
	var senders sync.WaitGroup
	for range 64 {
		senders.Go(func() {
			resp, err := http.Post(s.base+"/api/ingest/webhook", "application/x-ndjson", bytes.NewReader(body.Bytes()))
			if err != nil {
				t.Error(err)
				return
			}
			defer resp.Body.Close()
			_, _ = io.Copy(io.Discard, resp.Body)
			if resp.StatusCode == http.StatusServiceUnavailable && resp.Header.Get("Retry-After") == "" {
				t.Error("503 does not say when to come again")
			}
			mu.Lock()
			defer mu.Unlock()
			answers[resp.StatusCode]++
		})
	}
	senders.Wait()
	if answers[taken] == 0 || answers[taken]+answers[http.StatusServiceUnavailable] != 64 {
		t.Errorf("answers by status: %v", answers)
	}
	t.Logf("answers by status: %v", answers)
	s.peak()
	s.settled()
	s.takesGood("after")
	s.stop()
}

// TestHostileRequests sends what is no delivery at all.
func TestHostileRequests(t *testing.T) {
	s := start(t, t.TempDir())
	for _, tt := range []struct {
		name, request string
		status        string
		allow         string
	}{
		{"HEAD", "HEAD /api/ingest/webhook HTTP/1.1\r\nHost: localhost\r\n\r\n", "405", "POST"},
		{"GET", "GET /api/ingest/webhook HTTP/1.1\r\nHost: localhost\r\n\r\n", "405", "POST"},
		{"PUT", "PUT /api/ingest/webhook HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}", "405", "POST"},
		{"DELETE", "DELETE /api/ingest/webhook HTTP/1.1\r\nHost: localhost\r\n\r\n", "405", "POST"},
		{"PUT to a listing", "PUT /v1.0/security/alerts_v2 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}", "405", "GET"},
		{"no such route", "POST /api/ingest/oracle HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}", "404", ""},
		{"a path upwards", "POST /api/ingest/../ingest/%2e%2e/etc HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}", "30", ""},
		{"a path with NUL", "POST /api/ingest/webhook%00 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}", "404", ""},
		{"a path of 100 KB", "GET /" + strings.Repeat("a", 100<<10) + " HTTP/1.1\r\nHost: localhost\r\n\r\n", "431", ""},
		{"a header with a line break", "POST /api/ingest/webhook HTTP/1.1\r\nHost: localhost\r\nX-A: a\n b\r\nBad\x00Name: x\r\n\r\n", "400", ""},
		{"a host of elsewhere", "POST /api/ingest/webhook HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 2\r\n\r\n{}", "401", ""},
		{"two lengths", "POST /api/ingest/webhook HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}", "400", ""},
		{"a negative length", "POST /api/ingest/webhook HTTP/1.1\r\nHost: localhost\r\nContent-Length: -2\r\n\r\n{}", "400", ""},
		{"chunks that are none", "POST /api/ingest/webhook HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n", "400", ""},
		{"no HTTP", "\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", "400", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := s.in(t)
			c := s.dial()
			method, _, _ := strings.Cut(tt.request, " ")
			if _, err := io.WriteString(c, tt.request); err != nil {
				t.Fatal(err)
			}
			resp, err := http.ReadResponse(bufio.NewReader(c), &http.Request{Method: method})
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if got := strconv.Itoa(resp.StatusCode); !strings.HasPrefix(got, tt.status) || !strings.Contains(resp.Header.Get("Allow"), tt.allow) {
				t.Errorf("%s, Allow %q; want %s, %q", got, resp.Header.Get("Allow"), tt.status, tt.allow)
			}
			s.takesGood("after " + tt.name)
		})
	}
	s.stop()
}

// TestSendersThatStop opens uploads that never go on. They hold neither memory nor anybody else up, and the server's
// time limits end them.
func TestSendersThatStop(t *testing.T) {
	s := start(t, t.TempDir())
	for i := range 200 {
		c := s.dial()
		switch i % 4 {
		case 0: // in the middle of a chunk
			fmt.Fprintf(c, "POST /api/ingest/webhook HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n[{")
		case 1: // much is announced, little is sent
			fmt.Fprintf(c, "POST /api/ingest/aws HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n{", ingest.MaxBody)
		case 2: // in the middle of a header
			fmt.Fprintf(c, "POST /api/ingest/gcp HTTP/1.1\r\nHost: localhost\r\nX-A: ")
		case 3: // gone
			fmt.Fprintf(c, "POST /api/ingest/webhook HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{\"id\":")
			c.Close()
		}
	}
	s.takesGood("meanwhile")
	if got := s.peak(); got > 200 {
		t.Errorf("200 idle senders hold %d MB", got)
	}
	s.kill() // a drain would wait for them
}

func (s *server) dial() net.Conn {
	s.t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(s.base, "http://"))
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		s.t.Fatal(err)
	}
	return c
}
