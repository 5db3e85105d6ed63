package access_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/onepane/onepane/functions/api"
	"github.com/onepane/onepane/functions/api/access"
	"github.com/onepane/onepane/functions/api/access/accesstest"
	"github.com/onepane/onepane/shared/fault"
)

var now = time.Date(2026, 3, 3, 12, 0, 0, 0, time.UTC)

// trusting is an access.Issuer for the provider; the directory dir-1 is contoso's, dir-2 fabrikam's.
func trusting(i *accesstest.Issuer, clock func() time.Time) *access.Issuer {
	return &access.Issuer{
		URL: i.URL, Audiences: []string{accesstest.Audience, "other-audience"}, HTTP: i.Client(), Now: clock,
		Tenants: func(c access.Claims) ([]string, bool, error) {
			if t := map[string]string{"dir-1": "contoso", "dir-2": "fabrikam"}[c.StringClaim("tid")]; t != "" {
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
	i := accesstest.New(t)
	g := &access.Guard{Issuers: []*access.Issuer{trusting(i, fixed)}}
	stranger := accesstest.New(t)
	for name, tt := range map[string]struct {
		token string
		kind  fault.Kind // of the error; fault.Again for none
		right api.Right
	}{
		"RS256":                         {i.Token(t, now, nil), fault.Again, api.Read},
		"ES256":                         {accesstest.Sign(t, i.Signers[1], i.Claims(now, nil)), fault.Again, api.Read},
		"one of several audiences":      {i.Token(t, now, map[string]any{"aud": []string{"x", "other-audience"}}), fault.Again, api.Read},
		"delegated, words":              {i.Token(t, now, map[string]any{"roles": nil, "scp": "openid SecurityAlert.ReadWrite.All"}), fault.Again, api.ReadAlerts | api.WriteAlerts},
		"delegated, list":               {i.Token(t, now, map[string]any{"roles": nil, "scp": []string{"SecurityAlert.Read.All"}}), fault.Again, api.ReadAlerts},
		"RFC 9068 scope, with resource": {i.Token(t, now, map[string]any{"roles": nil, "scope": "api://onepane/SecurityIncident.Read.All"}), fault.Again, api.ReadIncidents},
		"a user does what both allow":   {i.Token(t, now, map[string]any{"scp": "SecurityAlert.ReadWrite.All"}), fault.Again, api.ReadAlerts},
		"a scope that is not ours":      {i.Token(t, now, map[string]any{"scp": "access_as_user"}), fault.Again, api.Read},
		"no scope operates":             {i.Token(t, now, map[string]any{"roles": nil, "scp": "Onepane.Operate.All SecurityAlert.Read.All"}), fault.Again, api.ReadAlerts},
		"a role operates":               {i.Token(t, now, map[string]any{"roles": []string{"Onepane.Operate.All"}}), fault.Again, api.Operate},
		"roles of another":              {i.Token(t, now, map[string]any{"roles": []string{"Mail.Read", "securityalert.read.all"}}), fault.Again, 0},
		"roles that are no list":        {i.Token(t, now, map[string]any{"roles": map[string]any{"SecurityAlert.Read.All": true}}), fault.Again, 0},
		"expired within the skew":       {i.Token(t, now, map[string]any{"exp": now.Add(-30 * time.Second).Unix()}), fault.Again, api.Read},
		"expired":                       {i.Token(t, now, map[string]any{"exp": now.Add(-2 * time.Minute).Unix()}), fault.Invalid, 0},
		"never expires":                 {i.Token(t, now, map[string]any{"exp": nil}), fault.Invalid, 0},
		"not valid yet":                 {i.Token(t, now, map[string]any{"nbf": now.Add(time.Hour).Unix()}), fault.Invalid, 0},
		"another audience":              {i.Token(t, now, map[string]any{"aud": "api://other"}), fault.Invalid, 0},
		"no audience":                   {i.Token(t, now, map[string]any{"aud": nil}), fault.Invalid, 0},
		"an unknown issuer":             {stranger.Token(t, now, nil), fault.Invalid, 0},
		"another's key":                 {accesstest.Sign(t, jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: accesstest.Keys()[2], KeyID: "key-0"}}, i.Claims(now, nil)), fault.Invalid, 0},
		"no subject":                    {i.Token(t, now, map[string]any{"sub": ""}), fault.Invalid, 0},
		"a directory of nobody's":       {i.Token(t, now, map[string]any{"tid": "dir-9"}), fault.Denied, 0},
		"HS256 with the public key":     {accesstest.Sign(t, jose.SigningKey{Algorithm: jose.HS256, Key: []byte(strings.Repeat("k", 32))}, i.Claims(now, nil)), fault.Invalid, 0},
		"no signature":                  {unsigned(i.Token(t, now, nil)), fault.Invalid, 0},
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
	i := accesstest.New(t)
	clock := now
	g := &access.Guard{Issuers: []*access.Issuer{trusting(i, func() time.Time { return clock })}}
	good := func(token string) bool { _, err := ask(g, "Bearer "+token); return err == nil }
	claims := map[string]any{"exp": now.Add(100 * time.Hour).Unix()}
	old := i.Token(t, now, claims)
	for range 2 {
		if !good(old) {
			t.Fatal("a good token is refused")
		}
	}
	if n := i.Reads.Load(); n != 1 {
		t.Errorf("keys are read %d times for two tokens", n)
	}
	i.Rotate()
	fresh := i.Token(t, now, claims)
	clock = clock.Add(11 * time.Second)
	if !good(fresh) {
		t.Error("a token of the new key is not taken")
	}
	if good(old) {
		t.Error("a token of a withdrawn key is taken")
	}
	// Tokens that name keys which do not exist make us ask only now and then.
	reads := i.Reads.Load()
	for n := range 50 {
		key := jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: accesstest.Keys()[1], KeyID: fmt.Sprint("made up ", n)}}
		if good(accesstest.Sign(t, key, i.Claims(now, nil))) {
			t.Fatal("a made-up key is taken")
		}
	}
	if got := i.Reads.Load(); got != reads {
		t.Errorf("asked %d times more", got-reads)
	}
	// An issuer that is down stops nobody for a day, and then everybody.
	i.Down.Store(true)
	clock = now.Add(20 * time.Hour)
	if !good(fresh) {
		t.Error("a good token is refused while the issuer is down")
	}
	clock = now.Add(26 * time.Hour)
	if _, err := ask(g, "Bearer "+fresh); fault.Of(err) != fault.Unavailable {
		t.Errorf("keys of yesterday: %v", err)
	}
	// A withdrawn key is forgotten within the hour, without a new one being named.
	i.Down.Store(false)
	clock = clock.Add(time.Minute)
	if !good(fresh) {
		t.Fatal("the issuer is back, and the token refused")
	}
	i.Rotate()
	clock = clock.Add(61 * time.Minute)
	if good(fresh) {
		t.Error("a withdrawn key is believed after an hour")
	}
}

func TestIssuerIsDownAtFirst(t *testing.T) {
	i := accesstest.New(t)
	i.Down.Store(true)
	clock := now
	g := &access.Guard{Issuers: []*access.Issuer{trusting(i, func() time.Time { return clock })}}
	if _, err := ask(g, "Bearer "+i.Token(t, now, nil)); fault.Of(err) != fault.Unavailable {
		t.Errorf("while it is down: %v", err)
	}
	i.Down.Store(false)
	clock = clock.Add(11 * time.Second)
	if _, err := ask(g, "Bearer "+i.Token(t, now, nil)); err != nil {
		t.Errorf("when it is back: %v", err)
	}
}

func TestDirectory(t *testing.T) {
	for url, want := range map[string]string{
		"https://login.microsoftonline.com/6b1c/v2.0": "https://login.microsoftonline.com/6b1c/v2.0 https://sts.windows.net/6b1c/",
		"https://sts.windows.net/6b1c/":               "https://sts.windows.net/6b1c/",
		"https://id.example/realms/x":                 "https://id.example/realms/x",
	} {
		if got := strings.Join(access.DirectoryIssuers(url), " "); got != want {
			t.Errorf("%s: %s", url, got)
		}
	}
}
