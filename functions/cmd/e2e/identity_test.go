package e2e

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/go-json-experiment/json"

	cosmosserver "github.com/onepane/onepane/infra/local/cosmos"
)

// issuer is every token service: Entra, the AWS and GCP services that assert a platform's identity, App Service's
// endpoint.
type issuer struct {
	key    *rsa.PrivateKey
	mu     sync.Mutex
	tokens int // given out
}

const assertion = "platform.says.so" // what STS and the metadata server sign, and Entra trusts

func newIssuer(t testing.TB) *issuer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return &issuer{key: key}
}

func (i *issuer) public(t testing.TB) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(&i.key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

// token is an access token of the deployment's identity for a scope or resource.
func (i *issuer) token(scope string) (string, error) {
	i.mu.Lock()
	i.tokens++
	i.mu.Unlock()
	return i.sign(map[string]any{"aud": strings.TrimSuffix(scope, "/.default"), "sub": client, "exp": time.Now().Add(time.Hour).Unix()})
}

func (i *issuer) sign(claims map[string]any) (string, error) {
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: i.key, KeyID: keyID}}, nil)
	if err != nil {
		return "", err
	}
	return jwt.Signed(signer).Claims(claims).Serialize()
}

// holds reports whether a token was given out for a service.
func (i *issuer) holds(token, audience string) error {
	parsed, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		return err
	}
	var claims jwt.Claims
	if err := parsed.Claims(&i.key.PublicKey, &claims); err != nil {
		return err
	}
	if claims.Expiry == nil {
		return fmt.Errorf("the token never expires")
	}
	return claims.ValidateWithLeeway(jwt.Expected{AnyAudience: jwt.Audience{audience}, Subject: client, Time: time.Now()}, 0)
}

// verify lets the identity read and write data in Cosmos DB.
func (i *issuer) verify(token string) (cosmosserver.Access, error) {
	return cosmosserver.WriteData, i.holds(token, "https://127.0.0.1")
}

// entra is the directory: tokens for the deployment's identity, and the keys that people's tokens are signed with.
func (i *issuer) entra(t testing.TB) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/"+directory+"/oauth2/v2.0/token", i.exchange)
	mux.HandleFunc("/"+directory+"/v2.0/.well-known/openid-configuration", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `{"issuer":"https://%s/%s/v2.0","jwks_uri":"https://%s/keys"}`, r.Host, directory, r.Host)
	})
	set, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: &i.key.PublicKey, KeyID: keyID, Algorithm: "RS256", Use: "sig"}}})
	if err != nil {
		t.Fatal(err)
	}
	mux.HandleFunc("/keys", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(set) })
	return mux
}

const (
	keyID    = "k1"
	audience = "api://onepane-contoso" // of the deployment's own application
)

// person is a token of somebody with roles in the application of the API.
func (i *issuer) person(t testing.TB, authority, name string, roles ...string) string {
	t.Helper()
	signed, err := i.sign(map[string]any{
		"iss": authority + "/" + directory + "/v2.0", "aud": audience, "sub": name, "tid": directory, "preferred_username": name, "roles": roles,
		"nbf": time.Now().Add(-time.Minute).Unix(), "exp": time.Now().Add(time.Hour).Unix(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

// exchange is Entra's token endpoint: the platform's word for an access token.
func (i *issuer) exchange(w http.ResponseWriter, r *http.Request) {
	if r.FormValue("client_id") != client || r.FormValue("client_assertion") != assertion {
		http.Error(w, `{"error":"invalid_client","error_codes":[700213]}`, http.StatusUnauthorized)
		return
	}
	i.answer(w, r.FormValue("scope"))
}

func (i *issuer) answer(w http.ResponseWriter, scope string) {
	token, err := i.token(scope)
	if err != nil {
		http.Error(w, "", http.StatusInternalServerError)
		return
	}
	fmt.Fprintf(w, `{"token_type":"Bearer","expires_in":"3600","expires_on":"%d","access_token":%q}`, time.Now().Add(time.Hour).Unix(), token)
}

// platforms are the services through which each platform's own identity is asked for.
type platforms struct{ sts, metadata, managed *httptest.Server }

func (i *issuer) platforms(t testing.TB) platforms {
	p := platforms{
		sts: httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.FormValue("Action") != "GetWebIdentityToken" || !strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/") {
				http.Error(w, "", http.StatusForbidden)
				return
			}
			_, _ = io.WriteString(w, `<GetWebIdentityTokenResponse><GetWebIdentityTokenResult><WebIdentityToken>`+assertion+
				`</WebIdentityToken></GetWebIdentityTokenResult></GetWebIdentityTokenResponse>`)
		})),
		metadata: httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Metadata-Flavor", r.Header.Get("Metadata-Flavor"))
			_, _ = io.WriteString(w, assertion)
		})),
		managed: httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("X-Identity-Header") != "inside" || r.FormValue("client_id") != client {
				http.Error(w, "", http.StatusBadRequest)
				return
			}
			i.answer(w, r.FormValue("resource"))
		})),
	}
	t.Cleanup(func() { p.sts.Close(); p.metadata.Close(); p.managed.Close() })
	return p
}

// GetToken implements azcore.TokenCredential, for the Functions host's own connection.
func (i *issuer) GetToken(_ context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	token, err := i.token(o.Scopes[0])
	return azcore.AccessToken{Token: token, ExpiresOn: time.Now().Add(time.Hour)}, err
}

// container is the blob container of claims, as far as blob.Container asks for it.
type container struct {
	issuer *issuer
	mu     sync.Mutex
	blobs  map[string][]byte
}

func (c *container) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	refuse := func(status int, code string) {
		w.Header().Set("X-Ms-Error-Code", code)
		w.WriteHeader(status)
	}
	if c.issuer.holds(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "), "https://storage.azure.com") != nil {
		refuse(http.StatusUnauthorized, "NoAuthenticationInformation")
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	have, there := c.blobs[r.URL.Path]
	switch {
	case r.Method == http.MethodPut && there:
		refuse(http.StatusConflict, "BlobAlreadyExists")
	case r.Method == http.MethodPut:
		c.blobs[r.URL.Path] = body
		w.WriteHeader(http.StatusCreated)
	case !there:
		refuse(http.StatusNotFound, "BlobNotFound")
	default:
		_, _ = w.Write(have)
	}
}
