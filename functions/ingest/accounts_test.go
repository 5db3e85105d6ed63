package ingest

import (
	"testing"

	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/fault"
)

func TestAccountMapping(t *testing.T) {
	mapped := map[string][]string{"contoso": {"111122223333", "O-ABC"}, "fabrikam": {"5B8F2C10"}}
	for _, tt := range []struct {
		name     string
		accounts map[string][]string
		account  alert.Account
		claim    string
		want     string
		kind     fault.Kind
	}{
		{"nothing is mapped", nil, alert.Account{ID: "1"}, "", "default", 0},
		{"nothing is mapped, claimed", nil, alert.Account{ID: "1"}, "fabrikam", "fabrikam", 0},
		{"by account", mapped, alert.Account{ID: "111122223333"}, "", "contoso", 0},
		{"by organisation, in another case", mapped, alert.Account{ID: "9", Organization: "o-abc"}, "", "contoso", 0},
		{"claimed, of no account", mapped, alert.Account{}, "fabrikam", "fabrikam", 0},
		{"claimed by a stranger", mapped, alert.Account{}, "elsewhere", "", fault.Held},
		{"of another than claimed", mapped, alert.Account{ID: "5b8f2c10"}, "contoso", "", fault.Invalid},
		{"nobody's", mapped, alert.Account{ID: "9"}, "", "", fault.Held},
	} {
		got, err := MapAccounts("default", tt.accounts).Tenant(tt.account, tt.claim)
		if got != tt.want || err != nil && fault.Of(err) != tt.kind || (err == nil) != (tt.kind == 0) {
			t.Errorf("%s: %q, %v; want %q", tt.name, got, err, tt.want)
		}
	}
}
