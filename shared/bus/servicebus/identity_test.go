package servicebus_test

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	standin "github.com/onepane/onepane/infra/local/servicebus"
	"github.com/onepane/onepane/shared/fault"
)

const namespace = "onepane-test.servicebus.windows.net"

// identity is a credential whose tokens an issuer with this key would give.
type identity struct {
	key      *rsa.PrivateKey
	audience string
}

func (i identity) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	until := time.Now().Add(time.Hour)
	part := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	text := part(`{"alg":"RS256","typ":"JWT"}`) + "." + part(fmt.Sprintf(`{"aud":%q,"exp":%d,"sub":"ingest"}`, i.audience, until.Unix()))
	sum := sha256.Sum256([]byte(text))
	sig, err := rsa.SignPKCS1v15(rand.Reader, i.key, crypto.SHA256, sum[:])
	return azcore.AccessToken{Token: text + "." + base64.RawURLEncoding.EncodeToString(sig), ExpiresOn: until}, err
}

func TestIdentity(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	cert, secret, roots := newCertificate(t, key)
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	b := standin.Start(t, standin.Config{
		Queues: standin.Queues(lock), Certificate: cert, Key: secret,
		PublicKey: string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})),
	})
	opts := quickOptions()
	opts.Namespace, opts.Endpoint, opts.TLS = namespace, b.Address, &tls.Config{RootCAs: roots, ServerName: namespace}
	opts.Credential = identity{key, "https://servicebus.azure.net"}
	q := openBus(t, opts)
	if err := q.Publish(t.Context(), newEvent("a", "1")); err != nil {
		t.Fatal(err)
	}
	var l log
	startSubscription(t, q, l.recordEvents)
	waitForSession(t, q, "a")
	if got := l.sessionIDs("a"); len(got) != 1 {
		t.Errorf("offered %v", got)
	}
	opts.Credential = identity{key, "https://elsewhere.azure.net"}
	if err := openBus(t, opts).Publish(t.Context(), newEvent("a", "2")); fault.Of(err) != fault.Unavailable {
		t.Errorf("with a token for another service: %v", err)
	}
}

func newCertificate(t *testing.T, key *rsa.PrivateKey) (cert, secret string, roots *x509.CertPool) {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: namespace}, DNSNames: []string{namespace},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots = x509.NewCertPool()
	roots.AddCert(parsed)
	private := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), string(private), roots
}
