package identity

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/go-json-experiment/json"
)

// Facts of the stand-ins' world.
const (
	directory  = "0b7c9f0e-1111-4222-8333-444455556666"
	clientID   = "5a1d2c3b-aaaa-4bbb-8ccc-ddddeeeeffff"
	scope      = "https://servicebus.azure.net/.default"
	awsIssuer  = "https://3f0e9d5a.tokens.sts.global.api.aws"
	awsSubject = "arn:aws:iam::111122223333:role/onepane/ingest-aws"
	gcpIssuer  = "https://accounts.google.com"
	gcpSubject = "104857600000000000001"
	region     = "eu-west-1"
	appHeader  = "not-for-other-processes"
)

var testKeys = Keys{ID: "AKIDEXAMPLE", Secret: "wJalrXUtnFEMI", Session: "session-words/with+signs="}

// now is when everything in these tests happens.
var now = time.Date(2026, 3, 3, 12, 0, 0, 0, time.UTC)

func fixedTime() time.Time { return now }

// cloud is every token service at once. It checks each parameter and signs real tokens.
type cloud struct {
	*httptest.Server
	t   *testing.T
	key *rsa.PrivateKey

	mu     sync.Mutex
	asked  map[string]int
	fail   func(service string, n int, w http.ResponseWriter, r *http.Request) bool // whether it answered instead
	secret []string                                                                 // whatever no error may show
}

func newCloud(t *testing.T) *cloud {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	c := &cloud{t: t, key: key, asked: map[string]int{}, secret: []string{testKeys.Secret, testKeys.Session, appHeader}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /sts", c.answerAs("sts", c.serveSTS))
	mux.HandleFunc("GET /computeMetadata/v1/instance/service-accounts/default/identity", c.answerAs("metadata", c.serveMetadata))
	mux.HandleFunc("POST /"+directory+"/oauth2/v2.0/token", c.answerAs("entra", c.serveEntra))
	mux.HandleFunc("GET /msi/token", c.answerAs("app", c.serveApp))
	c.Server = httptest.NewServer(mux)
	t.Cleanup(c.Close)
	return c
}

// answerAs counts requests and lets a test answer in the service's place.
func (c *cloud) answerAs(service string, h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		c.asked[service]++
		n, fail := c.asked[service], c.fail
		c.mu.Unlock()
		if fail == nil || !fail(service, n, w, r) {
			h(w, r)
		}
	}
}

func (c *cloud) countCalls(service string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.asked[service]
}

func (c *cloud) signAssertion(claims map[string]any) string {
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: c.key}, nil)
	if err != nil {
		c.t.Error(err)
		return ""
	}
	s, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		c.t.Error(err)
	}
	c.mu.Lock()
	c.secret = append(c.secret, s)
	c.mu.Unlock()
	return s
}

// checkEqual reports every parameter that is not as it must be.
func (c *cloud) checkEqual(where string, got url.Values, want map[string]string) {
	for k, v := range want {
		if got.Get(k) != v {
			c.t.Errorf("%s: %s = %q, want %q", where, k, got.Get(k), v)
		}
	}
	for k := range got {
		if _, ok := want[k]; !ok {
			c.t.Errorf("%s: unexpected %s", where, k)
		}
	}
}

func (c *cloud) serveSTS(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	signed := sdkSigned(c.t, r, body)
	for _, name := range []string{"Authorization", "X-Amz-Date", "X-Amz-Security-Token"} {
		if got, want := r.Header.Get(name), signed.Get(name); got != want {
			c.t.Errorf("%s = %q, the SDK sends %q", name, got, want)
		}
	}
	form, _ := url.ParseQuery(string(body))
	c.checkEqual("STS", form, map[string]string{"Action": "GetWebIdentityToken", "Version": "2011-06-15", "Audience.member.1": Audience,
		"SigningAlgorithm": "RS256", "DurationSeconds": "300"})
	c.stsAnswer(w)
}

func (c *cloud) stsAnswer(w http.ResponseWriter) {
	token := c.signAssertion(map[string]any{"iss": awsIssuer, "sub": awsSubject, "aud": Audience, "iat": now.Unix(), "exp": now.Add(5 * time.Minute).Unix()})
	w.Header().Set("Content-Type", "text/xml")
	fmt.Fprintf(w, `<GetWebIdentityTokenResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetWebIdentityTokenResult>`+
		`<WebIdentityToken>%s</WebIdentityToken><Expiration>%s</Expiration></GetWebIdentityTokenResult>`+
		`<ResponseMetadata><RequestId>r-1</RequestId></ResponseMetadata></GetWebIdentityTokenResponse>`,
		token, now.Add(5*time.Minute).Format(time.RFC3339))
}

// sdkSigned is the header that the AWS SDK would have given the request.
func sdkSigned(t *testing.T, r *http.Request, body []byte) http.Header {
	again, err := http.NewRequest(r.Method, "http://"+r.Host+r.URL.Path, bytes.NewReader(body))
	if err != nil {
		t.Error(err)
		return nil
	}
	again.Header.Set("Content-Type", r.Header.Get("Content-Type"))
	again.ContentLength = -1 // the SDK would sign the length as well, which is not asked for
	k := aws.Credentials{AccessKeyID: testKeys.ID, SecretAccessKey: testKeys.Secret, SessionToken: testKeys.Session}
	if err := v4.NewSigner().SignHTTP(t.Context(), k, again, sha256Hex(string(body)), "sts", region, now); err != nil {
		t.Error(err)
	}
	return again.Header
}

func (c *cloud) serveMetadata(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Metadata-Flavor") != "Google" {
		c.t.Error("metadata: no Metadata-Flavor")
	}
	c.checkEqual("metadata", r.URL.Query(), map[string]string{"audience": Audience, "format": "full"})
	w.Header().Set("Metadata-Flavor", "Google")
	fmt.Fprint(w, c.signAssertion(map[string]any{"iss": gcpIssuer, "sub": gcpSubject, "aud": Audience, "exp": now.Add(time.Hour).Unix()}))
}

// serveEntra trusts the roles of both clouds, as two federated credentials would.
func (c *cloud) serveEntra(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		c.t.Error(err)
	}
	assertion := r.PostForm.Get("client_assertion")
	c.checkEqual("Entra", r.PostForm, map[string]string{"grant_type": "client_credentials", "client_id": clientID, "client_assertion": assertion,
		"client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer", "scope": scope})
	var claims jwt.Claims
	token, err := jwt.ParseSigned(assertion, []jose.SignatureAlgorithm{jose.RS256})
	if err == nil {
		err = token.Claims(&c.key.PublicKey, &claims)
	}
	if err == nil && claims.Expiry != nil {
		err = claims.ValidateWithLeeway(jwt.Expected{AnyAudience: jwt.Audience{Audience}, Time: now}, 0)
	}
	trusted := claims.Expiry != nil && (claims.Issuer == awsIssuer && claims.Subject == awsSubject || claims.Issuer == gcpIssuer && claims.Subject == gcpSubject)
	if err != nil || !trusted {
		c.refuseRequest(w, 700211, assertion)
		return
	}
	c.answerJSON(w, map[string]any{"token_type": "Bearer", "expires_in": 3599, "ext_expires_in": 3599, "access_token": c.accessToken(scope)})
}

// refuseRequest answers as Entra does, with a description that quotes more than an error should.
func (c *cloud) refuseRequest(w http.ResponseWriter, code int, quoted string) {
	w.WriteHeader(http.StatusUnauthorized)
	c.answerJSON(w, map[string]any{"error": "invalid_client", "error_codes": []int{code},
		"error_description": fmt.Sprintf("AADSTS%d: No matching federated identity record found for presented assertion %s.", code, quoted)})
}

func (c *cloud) answerJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.MarshalWrite(w, v); err != nil {
		c.t.Error(err)
	}
}

func (c *cloud) accessToken(scope string) string {
	return c.signAssertion(map[string]any{"iss": "https://sts.windows.net/" + directory, "aud": strings.TrimSuffix(scope, "/.default"), "n": c.countCalls("entra") + c.countCalls("app")})
}

func (c *cloud) serveApp(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("X-IDENTITY-HEADER") != appHeader {
		c.t.Error("app: no X-IDENTITY-HEADER")
	}
	c.checkEqual("app", r.URL.Query(), map[string]string{"api-version": "2019-08-01", "resource": "https://servicebus.azure.net", "client_id": clientID})
	c.answerJSON(w, map[string]any{"access_token": c.accessToken(scope), "expires_on": fmt.Sprint(now.Add(24 * time.Hour).Unix()),
		"resource": "https://servicebus.azure.net", "token_type": "Bearer", "client_id": clientID})
}

// stsRefusal is an error answer of the query protocol.
func stsRefusal(w http.ResponseWriter, status int, code, message string) {
	type fields struct {
		Type, Code, Message string
	}
	w.WriteHeader(status)
	_ = xml.NewEncoder(w).Encode(struct {
		XMLName xml.Name `xml:"ErrorResponse"`
		Error   fields
	}{Error: fields{"Sender", code, message}})
}
