package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/pem"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/functions/export/exporttest"
	"github.com/onepane/onepane/infra/local/azurite"
	"github.com/onepane/onepane/infra/local/s3rver"
)

// receivers are one of each kind of target.
var receivers = []struct {
	name string
	open func(*testing.T, *killTrap) receiver
}{
	{"file", toFile},
	{"webhook", toWebhook},
	{"splunk", toSplunk},
	{"cef over TCP", func(t *testing.T, x *killTrap) receiver { return toSyslog(t, x, false) }},
	{"cef over TLS", func(t *testing.T, x *killTrap) receiver { return toSyslog(t, x, true) }},
	{"sentinel", toSentinel},
	{"blob", toBlob},
	{"s3", toS3},
}

const hookSecret = "whsec_b25lcGFuZS10ZXN0LXdlYmhvb2stc2VjcmV0LWtleQ=="

// plainRow is a record of format json.
type plainRow struct {
	ID   string    `json:"id"`
	Time time.Time `json:"time"`
}

func plainArrival(t *testing.T, line []byte) arrival {
	t.Helper()
	var row plainRow
	if err := json.Unmarshal(line, &row); err != nil || row.ID == "" {
		t.Errorf("not a record: %q, %v", line, err)
	}
	return arrival{row.ID, row.Time, string(line)}
}

// toFile looks at the files: what is on disk is taken. Nobody sees a batch arrive, so that point is any moment.
func toFile(t *testing.T, x *killTrap) receiver {
	dir := t.TempDir()
	files := func() []string {
		paths, _ := filepath.Glob(filepath.Join(dir, "*.ndjson")) // the pattern is one
		slices.Sort(paths)
		return paths
	}
	written := func() (n int64) {
		for _, p := range files() {
			if i, err := os.Stat(p); err == nil {
				n += i.Size()
			}
		}
		return n
	}
	ctx, cancel := context.WithCancel(context.Background())
	var watch sync.WaitGroup
	watch.Go(func() {
		size := int64(0)
		for ctx.Err() == nil {
			if n := written(); n != size {
				size = n
				_ = x.passed(onArrival) || x.passed(onceKept)
			}
			time.Sleep(time.Millisecond)
		}
	})
	t.Cleanup(func() { cancel(); watch.Wait() })
	return receiver{settings: "target: file, options: {directory: " + dir + "}", taken: func(t *testing.T) (out []arrival) {
		for _, p := range files() {
			data, err := os.ReadFile(p)
			if err != nil {
				t.Error(err)
			}
			for _, line := range exporttest.Lines(data) {
				out = append(out, plainArrival(t, line))
			}
		}
		return out
	}}
}

func listen(t *testing.T, h http.HandlerFunc) string {
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

func toWebhook(t *testing.T, x *killTrap) receiver {
	k := &kept{}
	address := listen(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || x.passed(onArrival) {
			hangUp()
		}
		var m struct {
			Data jsontext.Value `json:"data"`
		}
		if err := json.Unmarshal(body, &m); err != nil {
			t.Errorf("not a message: %s", body)
		}
		a := plainArrival(t, m.Data)
		if id := r.Header.Get("webhook-id"); id != a.id {
			t.Errorf("%s arrived as %s", a.id, id)
		}
		k.add(a)
		if x.passed(onceKept) {
			hangUp()
		}
		w.WriteHeader(http.StatusNoContent)
	})
	return receiver{"target: webhook, options: {url: '" + address + "/hook'}, secrets: ['env:HOOK']", []string{"HOOK=" + hookSecret}, k.taken}
}

// toSplunk is an Event Collector that keeps a batch when it confirms it.
func toSplunk(t *testing.T, x *killTrap) receiver {
	k := &kept{}
	var mu sync.Mutex
	waiting := map[string][]arrival{}
	address := listen(t, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		body, err := io.ReadAll(r.Body)
		if err != nil {
			hangUp()
		}
		if strings.HasSuffix(r.URL.Path, "/ack") {
			var q struct {
				Acks []int `json:"acks"`
			}
			if err := json.Unmarshal(body, &q); err != nil || len(q.Acks) != 1 {
				t.Errorf("asked for acknowledgement by %s", body)
				hangUp()
			}
			id := strconv.Itoa(q.Acks[0])
			k.add(waiting[id]...)
			if x.passed(onceKept) {
				hangUp()
			}
			_, _ = io.WriteString(w, `{"acks":{"`+id+`":true}}`)
			return
		}
		id := strconv.Itoa(len(waiting))
		waiting[id] = events(t, body)
		if x.passed(onArrival) {
			hangUp()
		}
		_, _ = io.WriteString(w, `{"text":"Success","code":0,"ackId":`+id+`}`)
	})
	return receiver{"target: splunk, options: {url: '" + address + "', channel: 99999999-2222-3333-4444-555555555555}, secrets: ['env:HEC']", []string{"HEC=token"}, k.taken}
}

func events(t *testing.T, body []byte) (out []arrival) {
	for _, line := range exporttest.Lines(body) {
		var e struct {
			Event jsontext.Value `json:"event"`
		}
		if err := json.Unmarshal(line, &e); err != nil {
			t.Errorf("not an event: %s", line)
		}
		out = append(out, plainArrival(t, e.Event))
	}
	return out
}

// toSyslog takes octet-counted frames (RFC 6587) and closes when its peer has.
func toSyslog(t *testing.T, x *killTrap, secure bool) receiver {
	k := &kept{}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := receiver{settings: "target: cef, options: {address: '" + l.Addr().String() + "', tls: 'false'}", taken: k.taken}
	if secure {
		s := httptest.NewTLSServer(nil) // for its certificate
		t.Cleanup(s.Close)
		path := filepath.Join(t.TempDir(), "root.pem")
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), 0o600); err != nil {
			t.Fatal(err)
		}
		l = tls.NewListener(l, &tls.Config{Certificates: s.TLS.Certificates})
		r.settings = strings.Replace(r.settings, ", tls: 'false'", "", 1)
		r.env = []string{"SSL_CERT_FILE=" + path}
	}
	var serve sync.WaitGroup
	serve.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			frames(t, c, x, k)
		}
	})
	t.Cleanup(func() { _ = l.Close(); serve.Wait() })
	return r
}

var (
	cefID   = regexp.MustCompile(`[| ]externalId=(\S+)`)
	cefTime = regexp.MustCompile(` rt=(\d+)`)
)

func frames(t *testing.T, c net.Conn, x *killTrap, k *kept) {
	defer c.Close()
	in := bufio.NewReader(c)
	var batch []arrival
	for {
		length, err := in.ReadString(' ')
		if err != nil {
			break
		}
		n, err := strconv.Atoi(strings.TrimSpace(length))
		if err != nil {
			t.Errorf("%q is no frame's length", length)
			return
		}
		frame := make([]byte, n)
		if _, err := io.ReadFull(in, frame); err != nil {
			break // torn by the sender's death: no whole message
		}
		id, at := cefID.FindSubmatch(frame), cefTime.FindSubmatch(frame)
		if id == nil || at == nil {
			t.Errorf("not CEF: %s", frame)
			return
		}
		millis, _ := strconv.ParseInt(string(at[1]), 10, 64) // digits
		batch = append(batch, arrival{string(id[1]), time.UnixMilli(millis), string(frame)})
	}
	if x.passed(onArrival) {
		return
	}
	k.add(batch...)
	x.passed(onceKept)
}

// toSentinel is a Logs Ingestion endpoint, with the endpoint of a managed identity.
func toSentinel(t *testing.T, x *killTrap) receiver {
	k := &kept{}
	address := listen(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/identity" {
			_, _ = io.WriteString(w, `{"access_token":"token","expires_on":"4102444800","resource":"https://monitor.azure.com","token_type":"Bearer"}`)
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil || x.passed(onArrival) {
			hangUp()
		}
		var rows []jsontext.Value
		if err := json.Unmarshal(body, &rows); err != nil || r.Header.Get("Authorization") != "Bearer token" {
			t.Errorf("not rows: %s", body)
		}
		for _, data := range rows {
			var row struct {
				ID   string `json:"OnepaneRowId"`
				Time time.Time
			}
			var when struct{ TimeGenerated time.Time }
			if json.Unmarshal(data, &row) != nil || json.Unmarshal(data, &when) != nil || row.ID == "" {
				t.Errorf("not a row: %s", data)
			}
			k.add(arrival{row.ID, when.TimeGenerated, string(data)})
		}
		if x.passed(onceKept) {
			hangUp()
		}
		w.WriteHeader(http.StatusNoContent)
	})
	return receiver{"target: sentinel, options: {endpoint: '" + address + "', rule: dcr-0011}",
		[]string{"IDENTITY_ENDPOINT=" + address + "/identity", "IDENTITY_HEADER=header"}, k.taken}
}

// toBlob is Azurite behind a proxy, which remembers in which order blobs came to be.
func toBlob(t *testing.T, x *killTrap) receiver {
	connection := azurite.Start(t)
	endpoint := regexp.MustCompile(`BlobEndpoint=(http://[^;]+)`).FindStringSubmatch(connection)[1]
	account, err := url.Parse(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	client, err := azblob.NewClientFromConnectionString(connection, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.CreateContainer(t.Context(), "alerts", nil); err != nil {
		t.Fatal(err)
	}
	k := &kept{}
	address := through(t, x, account.Host, func(path string) {
		_, blob, _ := strings.Cut(path, "/alerts/")
		down, err := client.DownloadStream(context.Background(), "alerts", blob, nil)
		if err != nil {
			t.Errorf("%s: %v", blob, err)
			return
		}
		k.object(t, down.Body)
	})
	throughProxy := strings.Replace(connection, "http://"+account.Host, address, 1)
	return receiver{"target: blob, options: {container: alerts}, secrets: ['env:STORAGE']", []string{"STORAGE=" + throughProxy}, k.taken}
}

// toS3 is another S3 server behind a proxy.
func toS3(t *testing.T, x *killTrap) receiver {
	server := s3rver.Start(t, "alerts")
	k := &kept{}
	address := through(t, x, strings.TrimPrefix(server, "http://"), func(path string) {
		res, err := http.Get(server + path)
		if err != nil || res.StatusCode != http.StatusOK {
			t.Errorf("%s: %v, %v", path, res, err)
			return
		}
		k.object(t, res.Body)
	})
	return receiver{"target: s3, when: change, options: {bucket: alerts, region: eu-west-1, endpoint: '" + address + "'}",
		[]string{"AWS_ACCESS_KEY_ID=" + s3rver.ID, "AWS_SECRET_ACCESS_KEY=" + s3rver.Secret}, k.taken}
}

// object keeps the lines of an object.
func (k *kept) object(t *testing.T, body io.ReadCloser) {
	defer body.Close()
	data, err := io.ReadAll(body)
	if err != nil {
		t.Error(err)
	}
	for _, line := range exporttest.Lines(data) {
		k.add(plainArrival(t, bytes.Clone(line)))
	}
}

// through is a proxy before a server of objects: it tells of those that have come to be, in their order.
func through(t *testing.T, x *killTrap, host string, written func(path string)) string {
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.Out.URL.Host, r.Out.URL.Scheme, r.Out.Host = host, "http", r.In.Host // which is signed
	}}
	proxy.ErrorLog = log.New(io.Discard, "", 0) // a client that was killed hangs up
	proxy.ModifyResponse = func(res *http.Response) error {
		if res.Request.Method == http.MethodPut && res.StatusCode < 300 {
			written(res.Request.URL.Path)
		}
		if x.passed(onceKept) {
			hangUp()
		}
		return nil
	}
	// What a client had under way when it was killed may come to be all the same: it is seen to its end, and before anything
	// that the next client sends.
	var one sync.Mutex
	return listen(t, func(w http.ResponseWriter, r *http.Request) {
		if x.passed(onArrival) {
			hangUp()
		}
		one.Lock()
		defer one.Unlock()
		ctx, cancel := context.WithCancel(context.WithoutCancel(r.Context()))
		defer cancel()
		proxy.ServeHTTP(w, r.WithContext(ctx))
	})
}
