package cloudrun

import (
	"context"
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/onepane/onepane/shared/fault"
)

const (
	audience = "https://ingest.example"
	account  = "push@example-project.iam.gserviceaccount.com"
)

// now is when everything in these tests happens.
var now = time.Date(2026, 3, 3, 12, 0, 0, 0, time.UTC)

// google publishes keys and counts who asks.
type google struct {
	*httptest.Server
	mu      sync.Mutex
	keys    []string // of a JWK set, by their JSON
	control string   // Cache-Control
	status  int
	fetches atomic.Int32
}

func newGoogle(t testing.TB, keys ...string) *google {
	g := &google{keys: keys, status: 200}
	g.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		g.fetches.Add(1)
		g.mu.Lock()
		defer g.mu.Unlock()
		w.Header().Set("Cache-Control", g.control)
		w.WriteHeader(g.status)
		_, _ = io.WriteString(w, `{"keys":[`+strings.Join(g.keys, ",")+`]}`)
	}))
	t.Cleanup(g.Close)
	return g
}

func (g *google) setAnswer(status int, keys ...string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.status, g.keys = status, keys
}

func (g *google) newVerifier(at func() time.Time) func(context.Context, string) error {
	return Sender{Audience: audience, Email: account, Keys: g.URL, Now: at}.Verifier()
}

func fixedTime() time.Time { return now }

func newKey(t testing.TB, bits int) *rsa.PrivateKey {
	t.Helper()
	k, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// publishedKey is a key as a JWK, with other members where a test wants them.
func publishedKey(k *rsa.PrivateKey, id string, more ...string) string {
	m := map[string]string{"kid": id, "kty": "RSA", "alg": "RS256", "use": "sig",
		"n": encodeBase64(k.N.Bytes()), "e": encodeBase64(big.NewInt(int64(k.E)).Bytes())}
	for i := 0; i < len(more); i += 2 {
		m[more[i]] = more[i+1]
	}
	return jsonObject(m)
}

func jsonObject(m map[string]string) string {
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		parts = append(parts, fmt.Sprintf("%q:%q", k, m[k]))
	}
	return "{" + strings.Join(parts, ",") + "}"
}

func encodeBase64[T string | []byte](v T) string {
	return base64.RawURLEncoding.EncodeToString([]byte(v))
}

// signToken signs a token of the given header and claims.
func signToken(t testing.TB, k *rsa.PrivateKey, head, claims string) string {
	t.Helper()
	text := encodeBase64(head) + "." + encodeBase64(claims)
	sum := sha256.Sum256([]byte(text))
	sig, err := rsa.SignPKCS1v15(rand.Reader, k, crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return text + "." + encodeBase64(sig)
}

// otherSpelling is another letter with the same value where only its upper two bits count, as at the end of 256 bytes.
func otherSpelling(last byte) string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return string(letters[strings.IndexByte(letters, last)^1])
}

const head = `{"alg":"RS256","kid":"k1","typ":"JWT"}`

// claimsJSON are the claims of a good token, in which a test replaces words.
func claimsJSON(replace ...string) string {
	text := fmt.Sprintf(`{"iss":"https://accounts.google.com","aud":%q,"sub":"104857600000000000002","email":%q,"email_verified":true,"iat":%d,"exp":%d}`,
		audience, account, now.Add(-time.Minute).Unix(), now.Add(time.Hour).Unix())
	return strings.NewReplacer(replace...).Replace(text)
}

func TestOnlyGooglesTokenIsTaken(t *testing.T) {
	k, other := newKey(t, 2048), newKey(t, 2048)
	g := newGoogle(t, publishedKey(k, "k1"), publishedKey(other, "k2"))
	good := signToken(t, k, head, claimsJSON())
	part := strings.Split(good, ".")
	expires := fmt.Sprint(now.Add(time.Hour).Unix())
	symmetric := func(head string, secret []byte) string {
		text := encodeBase64(head) + "." + encodeBase64(claimsJSON())
		h := hmac.New(sha256.New, secret)
		h.Write([]byte(text))
		return text + "." + encodeBase64(h.Sum(nil))
	}
	for _, tt := range []struct {
		name, token string
		taken       bool
	}{
		{"the push account's", good, true},
		{"of another key that is known", signToken(t, other, strings.Replace(head, "k1", "k2", 1), claimsJSON()), true},
		{"valid from in half a minute", signToken(t, k, head, claimsJSON(`"iat"`, fmt.Sprintf(`"nbf":%d,"iat"`, now.Add(30*time.Second).Unix()))), true},
		{"signed by a key under the name of another", signToken(t, other, head, claimsJSON()), false},
		{"of a key nobody published", signToken(t, k, strings.Replace(head, "k1", "k3", 1), claimsJSON()), false},
		{"that names no key", signToken(t, k, `{"alg":"RS256"}`, claimsJSON()), false},
		{"without a signature, as it says", encodeBase64(`{"alg":"none","kid":"k1"}`) + "." + encodeBase64(claimsJSON()) + ".", false},
		{"without a signature", part[0] + "." + part[1] + ".", false},
		{"signed by HMAC with the public key", symmetric(`{"alg":"HS256","kid":"k1"}`, k.N.Bytes()), false},
		{"signed by HMAC under RS256", symmetric(head, k.N.Bytes()), false},
		{"that says RS384", signToken(t, k, strings.Replace(head, "256", "384", 1), claimsJSON()), false},
		{"that says rs256", signToken(t, k, strings.Replace(head, "RS", "rs", 1), claimsJSON()), false},
		{"with a critical header", signToken(t, k, strings.Replace(head, `"typ"`, `"crit":["b64"],"typ"`, 1), claimsJSON()), false},
		{"with other claims under the signature", part[0] + "." + encodeBase64(claimsJSON(expires, "9999999999")) + "." + part[2], false},
		{"with another header under the signature", encodeBase64(head+" ") + "." + part[1] + "." + part[2], false},
		{"with two algorithms", signToken(t, k, strings.Replace(head, `"alg"`, `"alg":"RS256","alg"`, 1), claimsJSON()), false},
		{"with two audiences, one after the other", signToken(t, k, head, claimsJSON(`"aud"`, `"aud":"x","aud"`)), false},
		{"with a list of audiences", signToken(t, k, head, claimsJSON(`"`+audience+`"`, `["`+audience+`"]`)), false},
		{"for another service", signToken(t, k, head, claimsJSON(audience, audience+"/")), false},
		{"for nobody", signToken(t, k, head, claimsJSON(`"aud":"`+audience+`",`, "")), false},
		{"of another account", signToken(t, k, head, claimsJSON(account, "x"+account)), false},
		{"of no account", signToken(t, k, head, claimsJSON(`"email":"`+account+`",`, "")), false},
		{"of an account not verified", signToken(t, k, head, claimsJSON("true", "false")), false},
		{"of an account verified in words", signToken(t, k, head, claimsJSON("true", `"true"`)), false},
		{"by another issuer", signToken(t, k, head, claimsJSON("accounts.google.com", "accounts.google.com.example")), false},
		{"by the issuer without https", signToken(t, k, head, claimsJSON("https://accounts", "http://accounts")), false},
		{"that ends now", signToken(t, k, head, claimsJSON(expires, fmt.Sprint(now.Unix()))), false},
		{"that never ends", signToken(t, k, head, claimsJSON(`,"exp":`+expires, "")), false},
		{"that ends in words", signToken(t, k, head, claimsJSON(expires, `"`+expires+`"`)), false},
		{"valid from in two minutes", signToken(t, k, head, claimsJSON(`"iat"`, fmt.Sprintf(`"nbf":%d,"iat"`, now.Add(2*time.Minute).Unix()))), false},
		{"of two parts", part[0] + "." + part[1], false},
		{"of four parts", good + ".", false},
		{"padded", good + "==", false},
		{"spelled with other spare bits", good[:len(good)-1] + otherSpelling(good[len(good)-1]), false},
		{"broken over lines", part[0] + "." + part[1] + "." + part[2][:8] + "\n" + part[2][8:], false},
		{"too long", signToken(t, k, head, claimsJSON(`"iat"`, `"x":"`+strings.Repeat("x", maxToken)+`","iat"`)), false},
		{"of claims that are no object", signToken(t, k, head, `[]`), false},
		{"empty", "", false},
		{"of dots", "..", false},
	} {
		err := g.newVerifier(fixedTime)(t.Context(), tt.token)
		if (err == nil) != tt.taken || err != nil && fault.Of(err) != fault.Denied {
			t.Errorf("a token %s: %v", tt.name, err)
		}
		if err != nil && part[2] != "" && strings.Contains(err.Error(), part[2]) {
			t.Errorf("a token %s: the error quotes it: %v", tt.name, err)
		}
	}
}

// What is taken here is taken by a library whose whole purpose that is, too.
func TestALibraryAgrees(t *testing.T) {
	k := newKey(t, 2048)
	g := newGoogle(t, publishedKey(k, "k1"))
	v := oidc.NewVerifier(Issuer, oidc.NewRemoteKeySet(t.Context(), g.URL), &oidc.Config{ClientID: audience, Now: fixedTime})
	for _, claims := range []string{claimsJSON(), claimsJSON(audience, "x"), claimsJSON("https://accounts", "https://a"), claimsJSON(fmt.Sprint(now.Add(time.Hour).Unix()), "1")} {
		token := signToken(t, k, head, claims)
		_, theirs := v.Verify(t.Context(), token)
		if ours := g.newVerifier(fixedTime)(t.Context(), token); (ours == nil) != (theirs == nil) {
			t.Errorf("%s: ours %v, theirs %v", claims, ours, theirs)
		}
	}
}

func TestOnlySigningKeysAreKeys(t *testing.T) {
	k, small := newKey(t, 2048), newKey(t, 1024)
	for name, key := range map[string]string{
		"for encryption": publishedKey(k, "k1", "use", "enc"), "for another algorithm": publishedKey(k, "k1", "alg", "RS512"),
		"of another type": publishedKey(k, "k1", "kty", "EC"), "of 1024 bits": publishedKey(small, "k1"),
		"with an exponent of 1": publishedKey(k, "k1", "e", encodeBase64([]byte{1})), "with an even exponent": publishedKey(k, "k1", "e", encodeBase64([]byte{1, 0, 0})),
		"with a huge exponent": publishedKey(k, "k1", "e", encodeBase64([]byte{1, 0, 0, 0, 1})), "without a modulus": publishedKey(k, "k1", "n", ""),
		"with a modulus in other letters": publishedKey(k, "k1", "n", "+/+/"),
	} {
		signer := k
		if strings.Contains(key, encodeBase64(small.N.Bytes())) {
			signer = small
		}
		g := newGoogle(t, key)
		if err := g.newVerifier(fixedTime)(t.Context(), signToken(t, signer, head, claimsJSON())); fault.Of(err) != fault.Denied {
			t.Errorf("a key %s: %v", name, err)
		}
	}
}

// Keys are kept, fetched again when a token names a new one, and not for every invented name.
func TestKeysAreKeptAndChange(t *testing.T) {
	first, second := newKey(t, 2048), newKey(t, 2048)
	g := newGoogle(t, publishedKey(first, "k1"))
	at := now
	verify := g.newVerifier(func() time.Time { return at })
	lasting := claimsJSON(fmt.Sprint(now.Add(time.Hour).Unix()), "9999999999")
	old, young := signToken(t, first, head, lasting), signToken(t, second, strings.Replace(head, "k1", "k2", 1), lasting)
	step := func(name, token string, kind fault.Kind, fetches int32) {
		t.Helper()
		err := verify(t.Context(), token)
		if fault.Of(err) != kind || g.fetches.Load() != fetches {
			t.Errorf("%s: %v after %d fetches, want %v after %d", name, err, g.fetches.Load(), kind, fetches)
		}
	}
	step("the first push", old, fault.Again, 1)
	step("the next", old, fault.Again, 1)
	step("a key that is not there", young, fault.Denied, 1)
	g.setAnswer(200, publishedKey(second, "k2"))
	at = at.Add(fetchPause)
	step("a key that has come", young, fault.Again, 2)
	step("a key that has gone", old, fault.Denied, 2)
	g.setAnswer(503)
	at = at.Add(defaultKeysAge - time.Second)
	step("before the keys are old", young, fault.Again, 2)
	at = at.Add(time.Second)
	step("when they cannot be renewed", young, fault.Unavailable, 3)
	step("at once again", young, fault.Unavailable, 3)
	g.setAnswer(200, publishedKey(second, "k2"))
	at = at.Add(failedFetchPause)
	step("when they are back", young, fault.Again, 4)
}

func TestManyPushesFetchOnce(t *testing.T) {
	k := newKey(t, 2048)
	g := newGoogle(t, publishedKey(k, "k1"))
	verify, token := g.newVerifier(fixedTime), signToken(t, k, head, claimsJSON())
	var pushes sync.WaitGroup
	for range 20 {
		pushes.Go(func() {
			if err := verify(t.Context(), token); err != nil {
				t.Error(err)
			}
		})
	}
	pushes.Wait()
	if n := g.fetches.Load(); n != 1 {
		t.Errorf("%d fetches", n)
	}
}

func TestMaxAge(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"": defaultKeysAge, "no-cache": defaultKeysAge, "public, max-age=19800, must-revalidate": 19800 * time.Second, "max-age=0": defaultKeysAge,
		"max-age=x": defaultKeysAge, "max-age=99999999": 24 * time.Hour, "s-maxage=7": defaultKeysAge,
	} {
		if got := cacheAge(text); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}

// No token but a signed one gets through, whatever it looks like.
func FuzzToken(f *testing.F) {
	k := newKey(f, 2048)
	good := signToken(f, k, head, claimsJSON())
	f.Add(good)
	f.Add(encodeBase64(`{"alg":"none"}`) + "." + encodeBase64(claimsJSON()) + ".")
	f.Add("..")
	g := newGoogle(f, publishedKey(k, "k1"))
	verify := g.newVerifier(fixedTime)
	f.Fuzz(func(t *testing.T, token string) {
		if err := verify(t.Context(), token); (err == nil) != (token == good) {
			t.Errorf("%q: %v", token, err)
		}
	})
}
