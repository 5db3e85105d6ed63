package graphtest

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
	"testing"

	abstractions "github.com/microsoft/kiota-abstractions-go"
	"github.com/microsoft/kiota-abstractions-go/serialization"
	kiota "github.com/microsoft/kiota-http-go"
	graph "github.com/microsoftgraph/msgraph-sdk-go"
	core "github.com/microsoftgraph/msgraph-sdk-go-core"
	"github.com/microsoftgraph/msgraph-sdk-go/models/odataerrors"
	"github.com/microsoftgraph/msgraph-sdk-go/models/security"
)

func TestMain(m *testing.M) {
	if os.Getenv("CLIENT_URL") == "" {
		fmt.Fprintln(os.Stderr, "CLIENT_URL is not set: functions/cmd/clients starts the server that is walked here; run `make clients`")
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// client is the SDK as it comes, with its own middleware, at a server that is not Microsoft's.
type client struct {
	*graph.GraphServiceClient
	adapter *graph.GraphRequestAdapter
	wire    *wire
}

// as is the SDK of whoever holds the token in that variable, at the server of two others.
func as(t *testing.T, token string) client { return at(t, token, "CLIENT_URL", "CLIENT_CA") }

func at(t *testing.T, token, url, ca string) client {
	t.Helper()
	pem, err := os.ReadFile(os.Getenv(ca))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		t.Fatalf("%s holds no certificate", ca)
	}
	w := &wire{next: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}
	own := core.GetDefaultClient(&core.GraphClientOptions{GraphServiceVersion: "v1.0"})
	own.Transport = kiota.NewCustomTransportWithParentTransport(w, core.GetDefaultMiddlewaresWithOptions(&core.GraphClientOptions{GraphServiceVersion: "v1.0"})...)
	adapter, err := graph.NewGraphRequestAdapterWithParseNodeFactoryAndSerializationWriterFactoryAndHttpClient(bearer(os.Getenv(token)), nil, nil, own)
	if err != nil {
		t.Fatal(err)
	}
	adapter.SetBaseUrl(os.Getenv(url) + "/v1.0")
	return client{graph.NewGraphServiceClient(adapter), adapter, w}
}

// bearer is an authentication provider with a token at hand, in place of a credential of Azure's.
type bearer string

func (b bearer) AuthenticateRequest(_ context.Context, r *abstractions.RequestInformation, _ map[string]any) error {
	r.Headers.Add("Authorization", "Bearer "+string(b))
	return nil
}

// wire keeps what the SDK's middleware really sent, and what it was answered.
type wire struct {
	next http.RoundTripper
	mu   sync.Mutex
	sent []exchange
}

type exchange struct {
	method     string
	encoding   string // as the header says
	compressed bool   // as the body begins
	status     int
}

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	x := exchange{method: r.Method, encoding: r.Header.Get("Content-Encoding")}
	if r.Body != nil {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		x.compressed = bytes.HasPrefix(body, []byte{0x1f, 0x8b})
		r = r.Clone(r.Context())
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	}
	resp, err := w.next.RoundTrip(r)
	if err == nil {
		x.status = resp.StatusCode
		w.mu.Lock()
		w.sent = append(w.sent, x)
		w.mu.Unlock()
	}
	return resp, err
}

// exchanges are those since the last call.
func (w *wire) exchanges() []exchange {
	w.mu.Lock()
	defer w.mu.Unlock()
	sent := w.sent
	w.sent = nil
	return sent
}

// to is a pointer to v: the SDK takes and gives everything so.
func to[T any](v T) *T { return &v }

// value is what p points at, the zero value for nothing.
func value[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

// allMembers asks for the members of enums that came after the first version.
func allMembers() *abstractions.RequestHeaders {
	h := abstractions.NewRequestHeaders()
	h.Add("Prefer", "include-unknown-enum-members")
	return h
}

// each reads a listing to its end with the SDK's iterator.
func each[T any](t *testing.T, c client, page any, factory serialization.ParsableFactory) (all []T) {
	t.Helper()
	i, err := core.NewPageIterator[T](page, c.adapter, factory)
	if err != nil {
		t.Fatal(err)
	}
	if err := i.Iterate(t.Context(), func(item T) bool { all = append(all, item); return true }); err != nil {
		t.Fatal(err)
	}
	return all
}

// refusal is the Graph's error in err.
func refusal(t *testing.T, err error, status int, code string) odataerrors.MainErrorable {
	t.Helper()
	var e *odataerrors.ODataError
	if !errors.As(err, &e) || e.GetErrorEscaped() == nil {
		t.Fatalf("%v is no ODataError", err)
	}
	main := e.GetErrorEscaped()
	if e.ResponseStatusCode != status || value(main.GetCode()) != code || value(main.GetMessage()) == "" || e.Error() != value(main.GetMessage()) {
		t.Errorf("%d %q %q, want %d %q", e.ResponseStatusCode, value(main.GetCode()), value(main.GetMessage()), status, code)
	}
	if in := main.GetInnerError(); in == nil || value(in.GetRequestId()) == "" || in.GetDate() == nil {
		t.Errorf("%d %s: no inner error", status, code)
	}
	return main
}

// alertOf finds an alert by its title.
func alertOf(t *testing.T, alerts []security.Alertable, title string) security.Alertable {
	t.Helper()
	for _, a := range alerts {
		if value(a.GetTitle()) == title {
			return a
		}
	}
	t.Fatalf("no alert is titled %q", title)
	return nil
}
