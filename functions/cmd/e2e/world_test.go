package e2e

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/data/azcosmos"
	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/functions/host/hosttest"
	cosmosserver "github.com/onepane/onepane/infra/local/cosmos"
	broker "github.com/onepane/onepane/infra/local/servicebus"
	"github.com/onepane/onepane/shared/store/cosmos"
)

// Facts of the deployment.
const (
	tenant    = "contoso"
	namespace = "sb-contoso.servicebus.windows.net"
	directory = "3c1b8a1f-0001-4d40-9f4e-7d556f1c3a0e"
	client    = "9f4e3c1b-8a1f-4001-8d55-4d406f1c3a0e"
	database  = "onepane"
)

// world is everything around the binaries.
type world struct {
	bus    *broker.Broker
	cosmos *cosmosserver.Server
	issuer *issuer
	google *hosttest.Google
	trust  *x509.CertPool
	common []string // environment of every binary
	entra  string   // address of the directory
	db     string   // address of cosmos
}

// newWorld starts the stand-ins. lock is how long a session stays with a host that has gone: it must be long enough for
// a batch, and whatever breaks a connection waits for its end.
func newWorld(t testing.TB, lock time.Duration) *world {
	t.Helper()
	w := &world{issuer: newIssuer(t)}
	cert, key, roots := certificate(t)
	w.trust = roots
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	serve := func(h http.Handler) string {
		s := httptest.NewUnstartedServer(h)
		s.TLS = &tls.Config{Certificates: []tls.Certificate{pair}}
		s.StartTLS()
		t.Cleanup(s.Close)
		return s.URL
	}
	w.bus = broker.Start(t, broker.Config{Queues: broker.Queues(lock), Certificate: string(cert), Key: string(key), PublicKey: w.issuer.public(t)})
	w.cosmos = cosmosserver.New(cosmosserver.Options{VerifyToken: w.issuer.verify, Databases: []cosmosserver.Database{{ID: database,
		Containers: []cosmosserver.Container{described(t, cosmos.StateContainer("state")), described(t, cosmos.BlobsContainer("blobs"))}}}})
	w.db = serve(w.cosmos)
	if tt, ok := t.(*testing.T); ok {
		w.google = hosttest.NewGoogle(tt)
	}
	w.entra = serve(w.issuer.entra(t))
	ca := filepath.Join(t.TempDir(), "roots.pem")
	if err := os.WriteFile(ca, cert, 0o600); err != nil {
		t.Fatal(err)
	}
	w.common = []string{
		"SSL_CERT_FILE=" + ca, "ONEPANE_TENANT=" + tenant, "ONEPANE_LOG_JSON=true",
		"ONEPANE_BUS_NAMESPACE=" + namespace, "ONEPANE_BUS_ENDPOINT=" + w.bus.Address, "ONEPANE_BUS_QUEUE=alerts", "ONEPANE_QUARANTINE_QUEUE=quarantine",
		"ONEPANE_CLAIM_CONTAINER=" + serve(&container{blobs: map[string][]byte{}, issuer: w.issuer}) + "/claims",
		"ONEPANE_AZURE_TENANT_ID=" + directory, "ONEPANE_AZURE_CLIENT_ID=" + client, "AZURE_AUTHORITY_HOST=" + w.entra,
	}
	return w
}

// described is a container's description as the server takes it: by way of the wire.
func described(t testing.TB, properties azcosmos.ContainerProperties) cosmosserver.Container {
	t.Helper()
	data, err := properties.MarshalJSON()
	var c cosmosserver.Container
	if err == nil {
		err = json.Unmarshal(data, &c)
	}
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// store looks at what the deployment has stored.
func (w *world) store(t testing.TB) *cosmos.Store {
	t.Helper()
	c := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: w.trust}}}
	s, err := cosmos.Open(cosmos.Options{Connect: cosmos.ConnectWithKey(w.db, w.cosmos.Key(), c), Database: database})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// certificate is one for every stand-in, and its own authority.
func certificate(t testing.TB) (cert, key []byte, roots *x509.CertPool) {
	t.Helper()
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "stand-ins"}, DNSNames: []string{namespace, "localhost"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	cert = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	roots = x509.NewCertPool()
	roots.AppendCertsFromPEM(cert)
	return cert, pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(private)}), roots
}

// producer is the environment of a producer's binary, app that of the function app: they speak to the bus in different
// ways.
func (w *world) producer(more ...string) []string {
	return slices.Concat(w.common, []string{"ONEPANE_BUS_ENDPOINT=" + strings.TrimPrefix(w.bus.REST, "https://")}, more)
}

func (w *world) app(more ...string) []string {
	return slices.Concat(w.common, []string{"ONEPANE_BUS_ENDPOINT=" + w.bus.Address}, more)
}
