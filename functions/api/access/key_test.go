package access_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/onepane/onepane/functions/api"
	"github.com/onepane/onepane/functions/api/access"
	"github.com/onepane/onepane/shared/datadir"
	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/incident"
	"github.com/onepane/onepane/shared/store"
	"github.com/onepane/onepane/shared/store/localstore"
)

// documents are real ones, in memory.
func openStore(t testing.TB) *localstore.Store {
	t.Helper()
	dir := datadir.OpenMemory()
	t.Cleanup(func() {
		if err := dir.Close(); err != nil {
			t.Error(err)
		}
	})
	s, err := localstore.Open(dir, localstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func create(t testing.TB, k *access.Keys, name string, expires time.Time) (api.Key, string) {
	t.Helper()
	key, secret, err := k.Create(t.Context(), api.Key{
		Name: name, Tenants: []string{"contoso"}, Roles: []string{"SecurityAlert.Read.All"}, Created: k.Now(), CreatedBy: "local", Expires: expires,
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return key, secret
}

func TestKeys(t *testing.T) {
	l, clock := openStore(t), now
	k := &access.Keys{Documents: l, Now: func() time.Time { return clock }}
	key, secret := create(t, k, "siem", now.Add(time.Hour))
	p, err := k.Principal(t.Context(), secret)
	if err != nil || p.ID != "key:"+key.ID || p.Name != "siem" || p.Rights != api.ReadAlerts || !p.CanReach("contoso") || p.CanReach("fabrikam") || p.CanReach("") {
		t.Fatalf("%+v, %v", p, err)
	}
	if keys, err := k.List(t.Context()); err != nil || len(keys) != 1 || !keys[0].LastUsed.Equal(now) {
		t.Errorf("its last use: %+v, %v", keys, err)
	}
	_, other := create(t, k, "other", now.Add(time.Hour))
	for name, text := range map[string]string{
		"another's secret":   secret[:len("opk_")+17] + other[len(other)-52:],
		"an unknown id":      "opk_aaaaaaaaaaaaaaaa" + secret[20:],
		"a letter changed":   secret[:len(secret)-1] + string('a'+(secret[len(secret)-1]-'a'+1)%2),
		"upper case":         strings.ToUpper(secret),
		"cut off":            secret[:len(secret)-1],
		"longer":             secret + "a",
		"the id alone":       "opk_" + key.ID,
		"the hash as secret": "opk_" + key.ID + "_",
		"nothing":            "opk_",
	} {
		if _, err := k.Principal(t.Context(), text); fault.Of(err) != fault.Invalid || strings.Contains(err.Error(), key.ID) {
			t.Errorf("%s: %v", name, err)
		}
	}
	clock = now.Add(time.Hour)
	if _, err := k.Principal(t.Context(), secret); fault.Of(err) != fault.Invalid {
		t.Errorf("expired: %v", err)
	}
}

func TestNoSecretIsKept(t *testing.T) {
	l := openStore(t)
	k := &access.Keys{Documents: l, Now: fixed}
	_, secret := create(t, k, "siem", now.Add(time.Hour))
	ds, err := l.ListDocuments(t.Context(), "key", "", 10)
	if err != nil || len(ds) != 1 {
		t.Fatalf("%v, %v", ds, err)
	}
	if half := secret[len(secret)-26:]; strings.Contains(string(ds[0].Data), half) {
		t.Errorf("the store has the secret: %s", ds[0].Data)
	}
}

func TestRevokedKeys(t *testing.T) {
	clock := now
	for _, remember := range []time.Duration{0, 30 * time.Second} {
		l := openStore(t)
		here := &access.Keys{Documents: l, Now: func() time.Time { return clock }, CacheFor: remember}
		elsewhere := &access.Keys{Documents: l, Now: here.Now, CacheFor: remember}
		key, secret := create(t, here, "siem", now.Add(time.Hour))
		if _, err := elsewhere.Principal(t.Context(), secret); err != nil {
			t.Fatal(err)
		}
		for range 2 { // repeating it is fine
			if r, err := here.Revoke(t.Context(), key.ID, nil); err != nil || !r.Revoked.Equal(clock) {
				t.Fatalf("%+v, %v", r, err)
			}
		}
		if _, err := here.Principal(t.Context(), secret); err == nil {
			t.Error("a revoked key is taken where it was revoked")
		}
		clock = clock.Add(remember)
		if _, err := elsewhere.Principal(t.Context(), secret); err == nil {
			t.Errorf("a revoked key is taken elsewhere after %v", remember)
		}
	}
	k := &access.Keys{Documents: openStore(t), Now: fixed}
	if _, err := k.Revoke(t.Context(), "nope", nil); fault.Of(err) != fault.NotFound {
		t.Errorf("revoking what is not there: %v", err)
	}
}

// Uses are noted while a key is revoked: neither undoes the other.
func TestRevokedWhileUsed(t *testing.T) {
	for range 20 {
		k := &access.Keys{Documents: openStore(t), Now: fixed}
		key, secret := create(t, k, "siem", now.Add(time.Hour))
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() { _, _ = k.Principal(context.Background(), secret) })
		}
		if _, err := k.Revoke(t.Context(), key.ID, nil); err != nil {
			t.Fatal(err)
		}
		wg.Wait()
		if _, err := k.Principal(t.Context(), secret); err == nil {
			t.Fatal("the key lives on")
		}
	}
}

// down is a store that does not answer.
type down struct{ store.Documents }

func (down) Document(context.Context, string, string) (store.Document, error) {
	return store.Document{}, fmt.Errorf("no answer")
}

func TestLedgerIsDown(t *testing.T) {
	k := &access.Keys{Documents: openStore(t), Now: fixed}
	_, secret := create(t, k, "siem", now.Add(time.Hour))
	k.Documents = down{}
	if _, err := k.Principal(t.Context(), secret); fault.Of(err) != fault.Unavailable {
		t.Errorf("%v", err)
	}
}

func TestManyKeys(t *testing.T) {
	k := &access.Keys{Documents: openStore(t), Now: fixed}
	secrets := map[string]string{}
	for n := range 1000 {
		key, secret := create(t, k, fmt.Sprint(n), now.Add(time.Hour))
		secrets[key.ID] = secret
	}
	keys, err := k.List(t.Context())
	if err != nil || len(keys) != len(secrets) {
		t.Fatalf("%d keys, %v", len(keys), err)
	}
	for _, key := range keys[:50] {
		if p, err := k.Principal(t.Context(), secrets[key.ID]); err != nil || p.Name != key.Name {
			t.Errorf("%s: %+v, %v", key.ID, p, err)
		}
	}
}

func TestCredentials(t *testing.T) {
	for name, tt := range map[string]struct {
		lines []string
		want  string
	}{
		"none":                  {nil, ""},
		"good":                  {[]string{"Bearer abc.DEF_123-~+/="}, "abc.DEF_123-~+/="},
		"any case":              {[]string{"bEARER abc"}, "abc"},
		"spaces":                {[]string{"Bearer   abc "}, "abc"},
		"two headers":           {[]string{"Bearer abc", "Bearer def"}, ""},
		"two in one":            {[]string{"Bearer abc, Bearer def"}, ""},
		"another scheme":        {[]string{"Basic YWJj"}, ""},
		"scheme alone":          {[]string{"Bearer"}, ""},
		"scheme and space":      {[]string{"Bearer "}, ""},
		"JSON serialization":    {[]string{`Bearer {"payload":"x"}`}, ""},
		"tab":                   {[]string{"Bearer\tabc"}, ""},
		"not ASCII":             {[]string{"Bearer äbc"}, ""},
		"longer than any token": {[]string{"Bearer " + strings.Repeat("a", 16<<10)}, ""},
	} {
		got, err := access.Credential(http.Header{"Authorization": tt.lines})
		if got != tt.want || (err == nil) != (tt.want != "") {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

// FuzzCredential: whatever is sent, nobody is let in by it, and nothing panics or repeats it.
func FuzzCredential(f *testing.F) {
	k := &access.Keys{Documents: openStore(f), Now: fixed}
	_, secret := create(f, k, "siem", now.Add(time.Hour))
	i := &access.Issuer{URL: "https://id.example", Audiences: []string{"x"}, Now: fixed, HTTP: http.DefaultClient,
		Tenants: func(access.Claims) ([]string, bool, error) { return nil, true, nil }}
	g := &access.Guard{Keys: k, Issuers: []*access.Issuer{i}}
	f.Add("Bearer " + secret[:30])
	f.Add("Bearer eyJhbGciOiJub25lIn0.eyJpc3MiOiJ4In0.")
	f.Add("Bearer opk__")
	f.Add("Bearer a.b.c")
	f.Fuzz(func(t *testing.T, line string) {
		if strings.Contains(line, secret) || strings.Contains(line, "aHR0cHM6Ly9pZC5leGFtcGxl") { // the issuer is not to be asked
			return
		}
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header["Authorization"] = []string{line}
		if p, err := g.Authenticate(r); err == nil {
			t.Errorf("%q lets in %+v", line, p)
		}
	})
}

func TestLimiter(t *testing.T) {
	clock := now
	l := &access.Limiter{PerMinute: 60, Now: func() time.Time { return clock }}
	dora, eve := api.Principal{ID: "dora"}, api.Principal{ID: "eve"}
	for n := range 60 {
		if wait := l.Wait(dora); wait != 0 {
			t.Fatalf("request %d waits %v", n, wait)
		}
	}
	for range 3 { // a refused request costs nothing
		if wait := l.Wait(dora); wait != time.Second {
			t.Errorf("beyond her share: %v", wait)
		}
	}
	if l.Wait(eve) != 0 {
		t.Error("another's share is used up as well")
	}
	clock = clock.Add(time.Second)
	if l.Wait(dora) != 0 || l.Wait(dora) == 0 {
		t.Error("a second gives one request")
	}
	clock = clock.Add(2 * time.Minute)
	for n := range 60 {
		if wait := l.Wait(dora); wait != 0 {
			t.Fatalf("after a pause, request %d waits %v", n, wait)
		}
	}
}

func TestAudit(t *testing.T) {
	a := access.AuditLog{Log: openStore(t)}
	big := []byte(`"` + strings.Repeat("x", store.MaxDocument) + `"`)
	for n, e := range []api.AuditEntry{
		{ID: "1", Tenant: "contoso", By: "dora", Before: []byte(`{"a":1}`), After: []byte(`{"a":2}`)},
		{ID: "2", Tenant: "contoso", By: "eve", Before: big, After: big}, {ID: "3", By: "landlord"},
	} {
		if err := a.Append(t.Context(), e); err != nil {
			t.Fatalf("entry %d: %v", n, err)
		}
	}
	es, err := a.Entries(t.Context(), "contoso", "", 10)
	if err != nil || len(es) != 2 || es[1].By != "dora" || string(es[1].After) != `{"a":2}` || !strings.Contains(string(es[0].After), "omitted") {
		t.Errorf("%+v, %v", es, err)
	}
	if names, err := a.Tenants(t.Context()); err != nil || len(names) != 2 || names[0] != "" {
		t.Errorf("tenants %q, %v", names, err)
	}
}

// What is noted is in the journal when the key is kept, and only then.
func TestKeysBringTheirEntry(t *testing.T) {
	journal, at := openStore(t), time.Date(2026, 3, 3, 0, 0, 0, 0, time.UTC)
	k := &access.Keys{Documents: journal, Now: func() time.Time { return at }}
	said := 0
	line := func(what string) (*api.AuditLine, error) {
		said++
		return &api.AuditLine{Tenant: "contoso", AuditEntry: incident.AuditEntry{ID: fmt.Sprint(said, what), Data: []byte(`{}`)}}, nil
	}
	revoked := func(before, after api.Key) (*api.AuditLine, error) {
		if !before.Revoked.IsZero() || after.Revoked.IsZero() {
			t.Errorf("revoked from %+v to %+v", before, after)
		}
		return line(" revoked")
	}
	key, _, err := k.Create(t.Context(), api.Key{Name: "sender", Tenants: []string{"contoso"}, Expires: at.Add(time.Hour)}, func(made api.Key) (*api.AuditLine, error) {
		if made.ID == "" {
			t.Error("a key without an id is noted")
		}
		return line(" made")
	})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := k.Revoke(t.Context(), key.ID, revoked); err != nil {
			t.Fatal(err)
		}
	}
	if es, err := journal.Entries(t.Context(), "contoso", "", 10); err != nil || len(es) != 2 || es[0].ID != "2 revoked" || es[1].ID != "1 made" {
		t.Errorf("journal %+v, %v", es, err)
	}
}
