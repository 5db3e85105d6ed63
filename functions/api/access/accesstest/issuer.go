// Package accesstest is an OpenID Connect issuer for tests: discovery, a key set over HTTP, and tokens that it signs.
//
//	i := accesstest.New(t); token := i.Token(t, now, map[string]any{"tid": "dir-1"})
package accesstest

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
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-json-experiment/json"
)

// Audience is whom its tokens are for.
const Audience = "api://onepane"

// Issuer is one issuer, at its URL.
type Issuer struct {
	*httptest.Server
	Reads atomic.Int32 // of the key set
	Down  atomic.Bool  // answers 503

	mu      sync.Mutex
	Signers []jose.SigningKey
	kids    int
}

// Keys are an RSA key, an EC key, and again; made once, since that is slow.
var Keys = sync.OnceValue(func() []crypto.Signer {
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

// New starts an issuer with an RS256 and an ES256 key.
func New(t testing.TB) *Issuer {
	t.Helper()
	i := &Issuer{}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.MarshalWrite(w, map[string]any{"issuer": i.URL, "jwks_uri": i.URL + "/keys"})
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		i.Reads.Add(1)
		i.mu.Lock()
		defer i.mu.Unlock()
		set := jose.JSONWebKeySet{}
		for _, s := range i.Signers {
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
		if i.Down.Load() {
			http.Error(w, "down", http.StatusServiceUnavailable)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(i.Close)
	i.Rotate()
	return i
}

// Rotate replaces the keys by others with other ids.
func (i *Issuer) Rotate() {
	i.mu.Lock()
	defer i.mu.Unlock()
	pool := Keys()
	from := i.kids % len(pool)
	i.Signers = nil
	for n, alg := range []jose.SignatureAlgorithm{jose.RS256, jose.ES256} {
		id := fmt.Sprintf("key-%d", i.kids+n)
		i.Signers = append(i.Signers, jose.SigningKey{Algorithm: alg, Key: jose.JSONWebKey{Key: pool[from+n], KeyID: id, Algorithm: string(alg), Use: "sig"}})
	}
	i.kids += 2
}

// Sign makes a token of claims.
func Sign(t testing.TB, key jose.SigningKey, claims map[string]any) string {
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

// Claims are those of a good token of a reader, changed as told.
func (i *Issuer) Claims(now time.Time, change map[string]any) map[string]any {
	c := map[string]any{
		"iss": i.URL, "aud": Audience, "sub": "dora", "tid": "dir-1", "iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(time.Hour).Unix(),
		"roles": []string{"SecurityAlert.Read.All", "SecurityIncident.Read.All"}, "preferred_username": "dora@contoso.example",
	}
	maps.Copy(c, change)
	return c
}

// Token is signed with RS256.
func (i *Issuer) Token(t testing.TB, now time.Time, change map[string]any) string {
	t.Helper()
	return Sign(t, i.Signers[0], i.Claims(now, change))
}
