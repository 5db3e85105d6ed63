package access_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/functions/api"
	"github.com/onepane/onepane/functions/api/access"
	"github.com/onepane/onepane/shared/fault"
)

// issuer is an OpenID Connect provider: discovery, keys, and tokens that it signs.
type issuer struct {
	*httptest.Server
	reads atomic.Int32 // of the key set
	down  atomic.Bool

	mu      sync.Mutex
	signers []jose.SigningKey
	kids    int
}

// keyPool is made once: RSA keys are slow to make.
var keyPool = sync.OnceValue(func() []crypto.Signer {
	var out []crypto.Signer
	for range 2 {
		r, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		e, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			panic(err)
		}
		out = append(out, r, e)
	}
	return out
})

// provider starts an issuer with an RS256 and an ES256 key.
func provider(t testing.TB) *issuer {
	t.Helper()
	i := &issuer{}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.MarshalWrite(w, map[string]any{"issuer": i.URL, "jwks_uri": i.URL + "/keys"})
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		i.reads.Add(1)
		i.mu.Lock()
		defer i.mu.Unlock()
		set := jose.JSONWebKeySet{}
		for _, s := range i.signers {
			k := s.Key.(jose.JSONWebKey)
			set.Keys = append(set.Keys, k.Public())
		}
		b, err := json.Marshal(set)
		if err != nil {
			t.Error(err)
		}
		_, _ = w.Write(b)
	})
	i.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if i.down.Load() {
			http.Error(w, "down", http.StatusServiceUnavailable)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(i.Close)
	i.rotate()
	return i
}

// rotate replaces the keys by others with other ids.
func (i *issuer) rotate() {
	i.mu.Lock()
	defer i.mu.Unlock()
	pool := keyPool()
	from := i.kids % len(pool)
	i.signers = nil
	for n, alg := range []jose.SignatureAlgorithm{jose.RS256, jose.ES256} {
		id := fmt.Sprintf("key-%d", i.kids+n)
		i.signers = append(i.signers, jose.SigningKey{Algorithm: alg, Key: jose.JSONWebKey{Key: pool[from+n], KeyID: id, Algorithm: string(alg), Use: "sig"}})
	}
	i.kids += 2
}

// sign makes a token of claims.
func sign(t testing.TB, key jose.SigningKey, claims map[string]any) string {
	t.Helper()
	s, err := jose.NewSigner(key, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := s.Sign(b)
	if err != nil {
		t.Fatal(err)
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

const audience = "api://onepane"

var now = time.Date(2026, 3, 3, 12, 0, 0, 0, time.UTC)

// claims are those of a good token with the given roles, changed as told.
func (i *issuer) claims(change map[string]any) map[string]any {
	c := map[string]any{
		"iss": i.URL, "aud": audience, "sub": "dora", "tid": "dir-1", "iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(time.Hour).Unix(),
		"roles": []string{"SecurityAlert.Read.All", "SecurityIncident.Read.All"}, "preferred_username": "dora@contoso.example",
	}
	maps.Copy(c, change)
	return c
}

func (i *issuer) token(t testing.TB, change map[string]any) string {
	return sign(t, i.signers[0], i.claims(change))
}

// trusting is an access.Issuer for the provider; the directory dir-1 is contoso's, dir-2 fabrikam's.
func trusting(i *issuer, clock func() time.Time) *access.Issuer {
	return &access.Issuer{
		URL: i.URL, Audiences: []string{audience, "other-audience"}, HTTP: i.Client(), Now: clock,
		Tenants: func(c access.Claims) ([]string, bool, error) {
			if t := map[string]string{"dir-1": "contoso", "dir-2": "fabrikam"}[c.Text("tid")]; t != "" {
				return []string{t}, false, nil
			}
			return nil, false, fault.Errorf(fault.Denied, "no tenant")
		},
	}
}

func fixed() time.Time { return now }

// ask shows a guard a credential.
func ask(g *access.Guard, headers ...string) (api.Principal, error) {
	r := httptest.NewRequest(http.MethodGet, "/api/v1/status", nil)
	for _, h := range headers {
		r.Header.Add("Authorization", h)
	}
	return g.Authenticate(r)
}

func TestTokens(t *testing.T) {
	i := provider(t)
	g := &access.Guard{Issuers: []*access.Issuer{trusting(i, fixed)}}
	stranger := provider(t)
	for name, tt := range map[string]struct {
		token string
		kind  fault.Kind // of the error; fault.Again for none
		right api.Right
	}{
		"RS256":                         {i.token(t, nil), fault.Again, api.Read},
		"ES256":                         {sign(t, i.signers[1], i.claims(nil)), fault.Again, api.Read},
		"one of several audiences":      {i.token(t, map[string]any{"aud": []string{"x", "other-audience"}}), fault.Again, api.Read},
		"delegated, words":              {i.token(t, map[string]any{"roles": nil, "scp": "openid SecurityAlert.ReadWrite.All"}), fault.Again, api.ReadAlerts | api.WriteAlerts},
		"delegated, list":               {i.token(t, map[string]any{"roles": nil, "scp": []string{"SecurityAlert.Read.All"}}), fault.Again, api.ReadAlerts},
		"RFC 9068 scope, with resource": {i.token(t, map[string]any{"roles": nil, "scope": "api://onepane/SecurityIncident.Read.All"}), fault.Again, api.ReadIncidents},
		"a user does what both allow":   {i.token(t, map[string]any{"scp": "SecurityAlert.ReadWrite.All"}), fault.Again, api.ReadAlerts},
		"a scope that is not ours":      {i.token(t, map[string]any{"scp": "access_as_user"}), fault.Again, api.Read},
		"no scope operates":             {i.token(t, map[string]any{"roles": nil, "scp": "Onepane.Operate.All SecurityAlert.Read.All"}), fault.Again, api.ReadAlerts},
		"a role operates":               {i.token(t, map[string]any{"roles": []string{"Onepane.Operate.All"}}), fault.Again, api.Operate},
		"roles of another":              {i.token(t, map[string]any{"roles": []string{"Mail.Read", "securityalert.read.all"}}), fault.Again, 0},
		"roles that are no list":        {i.token(t, map[string]any{"roles": map[string]any{"SecurityAlert.Read.All": true}}), fault.Again, 0},
		"expired within the skew":       {i.token(t, map[string]any{"exp": now.Add(-30 * time.Second).Unix()}), fault.Again, api.Read},
		"expired":                       {i.token(t, map[string]any{"exp": now.Add(-2 * time.Minute).Unix()}), fault.Invalid, 0},
		"never expires":                 {i.token(t, map[string]any{"exp": nil}), fault.Invalid, 0},
		"not valid yet":                 {i.token(t, map[string]any{"nbf": now.Add(time.Hour).Unix()}), fault.Invalid, 0},
		"another audience":              {i.token(t, map[string]any{"aud": "api://other"}), fault.Invalid, 0},
		"no audience":                   {i.token(t, map[string]any{"aud": nil}), fault.Invalid, 0},
		"an unknown issuer":             {stranger.token(t, nil), fault.Invalid, 0},
		"another's key":                 {sign(t, jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: keyPool()[2], KeyID: "key-0"}}, i.claims(nil)), fault.Invalid, 0},
		"no subject":                    {i.token(t, map[string]any{"sub": ""}), fault.Invalid, 0},
		"a directory of nobody's":       {i.token(t, map[string]any{"tid": "dir-9"}), fault.Denied, 0},
		"HS256 with the public key":     {sign(t, jose.SigningKey{Algorithm: jose.HS256, Key: []byte(strings.Repeat("k", 32))}, i.claims(nil)), fault.Invalid, 0},
		"no signature":                  {unsigned(i.token(t, nil)), fault.Invalid, 0},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := ask(g, "Bearer "+tt.token)
			if (err != nil) != (tt.kind != fault.Again) || err != nil && fault.Of(err) != tt.kind {
				t.Fatalf("%v (%v)", err, fault.Of(err))
			}
			if p.Rights != tt.right || err == nil && (p.Name != "dora@contoso.example" || len(p.Tenants) != 1 || p.AllTenants) {
				t.Errorf("%+v, want rights %b", p, tt.right)
			}
		})
	}
}

// unsigned says "alg":"none" and drops the signature.
func unsigned(token string) string {
	parts := strings.Split(token, ".")
	return "eyJhbGciOiJub25lIn0." + parts[1] + "."
}

func TestKeysRotate(t *testing.T) {
	i := provider(t)
	clock := now
	g := &access.Guard{Issuers: []*access.Issuer{trusting(i, func() time.Time { return clock })}}
	good := func(token string) bool { _, err := ask(g, "Bearer "+token); return err == nil }
	claims := map[string]any{"exp": now.Add(100 * time.Hour).Unix()}
	old := i.token(t, claims)
	if !good(old) || !good(old) || i.reads.Load() != 1 {
		t.Fatalf("keys are read %d times for two tokens", i.reads.Load())
	}
	i.rotate()
	fresh := i.token(t, claims)
	clock = clock.Add(11 * time.Second)
	if !good(fresh) {
		t.Error("a token of the new key is not taken")
	}
	if good(old) {
		t.Error("a token of a withdrawn key is taken")
	}
	// Tokens that name keys which do not exist make us ask only now and then.
	reads := i.reads.Load()
	for n := range 50 {
		key := jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: keyPool()[1], KeyID: fmt.Sprint("made up ", n)}}
		if good(sign(t, key, i.claims(nil))) {
			t.Fatal("a made-up key is taken")
		}
	}
	if got := i.reads.Load(); got != reads {
		t.Errorf("asked %d times more", got-reads)
	}
	// An issuer that is down stops nobody for a day, and then everybody.
	i.down.Store(true)
	clock = now.Add(20 * time.Hour)
	if !good(fresh) {
		t.Error("a good token is refused while the issuer is down")
	}
	clock = now.Add(26 * time.Hour)
	if _, err := ask(g, "Bearer "+fresh); fault.Of(err) != fault.Unavailable {
		t.Errorf("keys of yesterday: %v", err)
	}
	// A withdrawn key is forgotten within the hour, without a new one being named.
	i.down.Store(false)
	clock = clock.Add(time.Minute)
	if !good(fresh) {
		t.Fatal("the issuer is back, and the token refused")
	}
	i.rotate()
	clock = clock.Add(61 * time.Minute)
	if good(fresh) {
		t.Error("a withdrawn key is believed after an hour")
	}
}

func TestIssuerIsDownAtFirst(t *testing.T) {
	i := provider(t)
	i.down.Store(true)
	clock := now
	g := &access.Guard{Issuers: []*access.Issuer{trusting(i, func() time.Time { return clock })}}
	if _, err := ask(g, "Bearer "+i.token(t, nil)); fault.Of(err) != fault.Unavailable {
		t.Errorf("while it is down: %v", err)
	}
	i.down.Store(false)
	clock = clock.Add(11 * time.Second)
	if _, err := ask(g, "Bearer "+i.token(t, nil)); err != nil {
		t.Errorf("when it is back: %v", err)
	}
}

func TestDirectory(t *testing.T) {
	for url, want := range map[string]string{
		"https://login.microsoftonline.com/6b1c/v2.0": "https://login.microsoftonline.com/6b1c/v2.0 https://sts.windows.net/6b1c/",
		"https://sts.windows.net/6b1c/":               "https://sts.windows.net/6b1c/",
		"https://id.example/realms/x":                 "https://id.example/realms/x",
	} {
		if got := strings.Join(access.Directory(url), " "); got != want {
			t.Errorf("%s: %s", url, got)
		}
	}
}
