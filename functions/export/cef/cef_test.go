package cef

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/onepane/onepane/functions/export"
	"github.com/onepane/onepane/functions/export/exporttest"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/incident"
)

// listener reads octet-counted frames, and refuses what RFC 5424 and CEF do not allow.
type listener struct {
	t    testing.TB
	l    net.Listener
	tls  *tls.Config
	root *x509.CertPool

	mu       sync.Mutex
	down     bool
	ids      []string
	messages []string
}

func newListener(t testing.TB, secure bool) *listener {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &listener{t: t, l: l}
	if secure {
		s := httptest.NewTLSServer(nil) // for its certificate
		t.Cleanup(s.Close)
		r.root = x509.NewCertPool()
		r.root.AddCert(s.Certificate())
		r.tls = &tls.Config{Certificates: s.TLS.Certificates}
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			r.serve(c)
		}
	})
	t.Cleanup(func() { _ = l.Close(); wg.Wait() })
	return r
}

var frame = regexp.MustCompile(`^<(\d{1,3})>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z \S+ onepane - (?:alert|incident|exposure) - CEF:0\|Onepane\|Onepane\|(?:[^|\\\n]|\\.)*\|(?:[^|\\\n]|\\.)*\|(?:[^|\\\n]|\\.)*\|(?:10|\d)\|(.*)$`)
var externalID = regexp.MustCompile(`(?:^| )externalId=(\S+)`)

func (l *listener) serve(c net.Conn) {
	defer c.Close()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.down {
		_, _ = c.Read(make([]byte, 1)) // the rest has arrived or will: closing resets the connection
		return
	}
	if l.tls != nil {
		c = tls.Server(c, l.tls)
		defer c.Close()
	}
	r := bufio.NewReader(c)
	for {
		length, err := r.ReadString(' ')
		if err != nil {
			return
		}
		n, err := strconv.Atoi(strings.TrimSuffix(length, " "))
		if err != nil || n > maxMessage {
			l.t.Errorf("frame of %q bytes", length)
			return
		}
		data := make([]byte, n)
		if _, err := io.ReadFull(r, data); err != nil {
			return
		}
		m := frame.FindStringSubmatch(string(data))
		if m == nil {
			l.t.Errorf("not CEF in syslog: %s", data)
			return
		}
		l.ids = append(l.ids, externalID.FindStringSubmatch(m[2])[1])
		l.messages = append(l.messages, string(data))
	}
}

func (l *listener) Target() export.Target {
	t := &Target{Address: l.l.Addr().String(), Host: "pane", Version: "1.0"}
	if l.root != nil {
		t.TLS = &tls.Config{RootCAs: l.root, ServerName: "example.com"}
	}
	return t
}

func (l *listener) Taken(testing.TB) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.ids)
}

// Refuse closes every connection with most of what came unread, which resets it.
func (l *listener) Refuse(down bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = down
}

func TestPromises(t *testing.T) {
	for _, secure := range []bool{false, true} {
		t.Run(fmt.Sprintf("tls %v", secure), func(t *testing.T) {
			exporttest.Run(t, func(t testing.TB) exporttest.Receiver { return newListener(t, secure) })
		})
	}
}

func TestAnUnknownCertificateGetsNothing(t *testing.T) {
	l := newListener(t, true)
	l.root = x509.NewCertPool()
	if n, err := l.Target().Send(t.Context(), []export.Record{{Data: []byte("x")}}); n != 0 || err == nil {
		t.Errorf("sent %d, %v", n, err)
	}
}

// TestAReceiverThatClosesTooEarlyHasTakenNothing: it closes before it reads, or with some of the batch unread, whenever
// the batch comes. Its end looks like one that has read everything.
func TestAReceiverThatClosesTooEarlyHasTakenNothing(t *testing.T) {
	for name, read := range map[string]func(net.Conn){
		"at once":              func(net.Conn) {},
		"after a byte":         func(c net.Conn) { _, _ = c.Read(make([]byte, 1)) },
		"with most of it read": func(c net.Conn) { _, _ = io.ReadFull(c, make([]byte, 50_000)) },
	} {
		t.Run(name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			var serve sync.WaitGroup
			serve.Go(func() {
				for {
					c, err := l.Accept()
					if err != nil {
						return
					}
					read(c)
					_ = c.Close()
				}
			})
			defer serve.Wait()
			defer l.Close()
			target := &Target{Address: l.Addr().String()}
			for n := range 200 {
				batch := []export.Record{{Data: bytes.Repeat([]byte("x"), 60_000+n)}}
				if taken, err := target.Send(t.Context(), batch); taken != 0 || fault.Of(err) != fault.Unavailable {
					t.Fatalf("connection %d: %d records taken, %v", n, taken, err)
				}
			}
		})
	}
}

// TestAReceiverThatNeverClosesIsAFailure: there is no other sign that it has read.
func TestAReceiverThatNeverClosesIsAFailure(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ctx, cancel := context.WithCancel(t.Context())
	var serve sync.WaitGroup
	serve.Go(func() {
		c, err := l.Accept()
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		_, _ = io.Copy(io.Discard, c) // to the end, and no further
		cancel()
		<-t.Context().Done()
	})
	if n, err := (&Target{Address: l.Addr().String()}).Send(ctx, []export.Record{{Data: []byte("x")}}); n != 0 || err == nil {
		t.Errorf("%d records taken, %v", n, err)
	}
}

func TestEncode(t *testing.T) {
	a := exporttest.Alert(3)
	a.Title, a.Description, a.Type = "pipe | and \\ slash\nline", "key=value\r\nsecond", "Recon:EC2/Port=22|x"
	row, err := export.OfAlert("contoso", incident.AlertRecord{Alert: a, Incident: "10001", Status: alert.StatusNew, Updated: exporttest.Begin})
	if err != nil {
		t.Fatal(err)
	}
	data, err := (&Target{Version: "1.0"}).Encode(row)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"<106>1 2026-03-03T08:00:00.000Z - onepane - alert - CEF:0|Onepane|Onepane|1.0|",
		`|Recon:EC2/Port=22\|x|pipe \| and \\ slash line|10|`, `msg=key\=value\nsecond`, "cs3Label=incidentId cs3=10001", "src=198.51.100.4", "dhost=host-3.example",
		"start=1772524860000",
	} {
		if !strings.Contains(string(data), want) {
			t.Errorf("%q is not in\n%s", want, data)
		}
	}
}

func BenchmarkExport(b *testing.B) { exporttest.Bench(b, newListener(b, true)) }
