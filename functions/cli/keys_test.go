package cli_test

import (
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/onepane/onepane/functions/api"
	"github.com/onepane/onepane/functions/api/access"
	"github.com/onepane/onepane/functions/cli"
	"github.com/onepane/onepane/shared/datadir"
	"github.com/onepane/onepane/shared/store/localstore"
)

// guarded is a server that keeps keys and an audit log; its guard is shown to the test.
func guarded(t *testing.T) (desk, *access.Guard) {
	t.Helper()
	dir := datadir.OpenMemory()
	l, err := localstore.Open(dir, localstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	keys := &access.Keys{Documents: l, Now: time.Now}
	s := &api.Server{Reader: stored(1), Authenticate: api.AllowLoopback, Keys: keys, AuditLog: access.AuditLog{Log: l}, Version: "test"}
	ts := httptest.NewServer(s.Handler())
	t.Cleanup(func() {
		ts.Close()
		if err := dir.Close(); err != nil {
			t.Error(err)
		}
	})
	return desk{t: t, env: map[string]string{"ONEPANE_URL": ts.URL}}, &access.Guard{Keys: keys}
}

var secretOf = regexp.MustCompile(`opk_([a-z2-7]{16})_[a-z2-7]{52}`)

func TestKeysFromTheCommandLine(t *testing.T) {
	d, guard := guarded(t)
	good := func(secret string) bool {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Authorization", "Bearer "+secret)
		p, err := guard.Authenticate(r)
		return err == nil && p.Rights == api.Read|api.Ingest && p.CanReach("contoso") && !p.AllTenants
	}
	code, out, errs := d.run("keys create siem\x1b[31m --tenant contoso --role read,ingest --days 90")
	m := secretOf.FindStringSubmatch(out)
	if code != cli.OK || m == nil {
		t.Fatalf("create: exit %d %s\n%s", code, errs, out)
	}
	if !good(m[0]) {
		t.Error("the key that was shown is not taken")
	}
	_, out, _ = d.run("keys list")
	for _, want := range []string{m[1], `siem\x1b[31m`, "contoso", "read, ingest"} {
		if !strings.Contains(out, want) {
			t.Errorf("list lacks %q:\n%s", want, out)
		}
	}
	if strings.Contains(out, m[0]) || strings.Contains(out, "\x1b") {
		t.Errorf("list shows too much: %q", out)
	}
	if code, out, errs := d.run("keys revoke " + m[1]); code != cli.OK || !strings.Contains(out, "is revoked") {
		t.Errorf("revoke: exit %d %s %s", code, out, errs)
	}
	if good(m[0]) {
		t.Error("a revoked key is taken")
	}
	_, out, _ = d.run("audit --tenant contoso")
	for _, want := range []string{"POST /api/v1/keys", "DELETE /api/v1/keys/{id}", "key " + m[1], "local", "contoso"} {
		if !strings.Contains(out, want) {
			t.Errorf("audit lacks %q:\n%s", want, out)
		}
	}
	if _, out, _ := d.run("audit -o json"); !strings.Contains(out, `"before"`) || !strings.Contains(out, `"after"`) || strings.Contains(out, m[0]) {
		t.Errorf("audit as JSON:\n%s", out)
	}
}

func TestKeysMisused(t *testing.T) {
	d, _ := guarded(t)
	for line, want := range map[string]int{
		"keys create": cli.Misused, "keys create a b": cli.Misused, "keys create a --tenant x --days 0": cli.Misused, "keys nonsense": cli.Misused,
		"keys create a --tenant x --role root": cli.Failed, "keys create a": cli.Failed, "keys create a --tenant x --all-tenants": cli.Failed,
		"keys revoke nope": cli.Failed, "audit --top -1": cli.Misused,
	} {
		if code, out, errs := d.run(line); code != want || errs == "" {
			t.Errorf("%s: exit %d, want %d: %s%s", line, code, want, out, errs)
		}
	}
}
