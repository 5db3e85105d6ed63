package blob

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/onepane/onepane/functions/export"
	"github.com/onepane/onepane/infra/local/azurite"
	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/identity"
	"github.com/onepane/onepane/shared/identity/azuresdk"
)

// TestManagedIdentity writes with a token of the app's own identity: a stand-in for App Service's token endpoint gives
// one that says what Azurite looks at, which is all but the signature.
func TestManagedIdentity(t *testing.T) {
	web := httptest.NewTLSServer(nil) // lends its certificate
	defer web.Close()
	c := web.TLS.Certificates[0]
	key, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	storage := azurite.StartTLS(t, text("CERTIFICATE", c.Certificate[0]), text("PRIVATE KEY", key))
	audience := "https://storage.azure.com"
	var asked []string
	tokens := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.Query().Get("resource")+" "+r.Header.Get("X-Identity-Header"))
		fmt.Fprintf(w, `{"access_token":%q,"expires_on":"%d","token_type":"Bearer"}`, token(audience), time.Now().Add(time.Hour).Unix())
	}))
	defer tokens.Close()
	open := func() *account {
		who := azuresdk.Credential(&identity.Credential{Now: time.Now, Source: identity.Managed{Endpoint: tokens.URL, Header: "header", Now: time.Now}})
		client, err := OpenAs(storage.URL, who, web.Client())
		if err != nil {
			t.Fatal(err)
		}
		return &account{client: client, container: "none-yet", pack: packers["plain"]}
	}
	a := newAccount(t, open().client, packers["plain"])
	for n := range 3 {
		if taken, err := a.target().Send(t.Context(), []export.Record{record(n, 9)}); taken != 1 || err != nil {
			t.Fatal(taken, err)
		}
	}
	if len(a.names(t)) != 3 || len(asked) != 1 || asked[0] != "https://storage.azure.com header" {
		t.Errorf("%v, asked for %q", a.names(t), asked)
	}
	audience = "https://graph.microsoft.com" // a token for somebody else
	if _, err := open().target().Send(t.Context(), []export.Record{record(1, 1)}); fault.Of(err) != fault.Denied {
		t.Errorf("%v", err)
	}
	tokens.Close()
	if _, err := open().target().Send(t.Context(), []export.Record{record(1, 1)}); fault.Of(err) != fault.Unavailable || strings.Contains(err.Error(), "header") {
		t.Errorf("no token: %v", err)
	}
	if _, err := OpenAs("http://contoso.blob.core.windows.net", nil, nil); fault.Of(err) != fault.Invalid {
		t.Errorf("a token over plain HTTP: %v", err)
	}
}

func text(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func token(audience string) string {
	part := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	now := time.Now()
	return part(`{"alg":"RS256","typ":"JWT"}`) + "." + part(fmt.Sprintf(`{"aud":%q,"iss":"https://sts.windows.net/directory/","nbf":%d,"iat":%d,"exp":%d,"sub":"app"}`,
		audience, now.Add(-time.Minute).Unix(), now.Add(-time.Minute).Unix(), now.Add(time.Hour).Unix())) + "." + part("signature")
}
