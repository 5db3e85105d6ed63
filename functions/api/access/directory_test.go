package access

import (
	"testing"

	"github.com/go-json-experiment/json/jsontext"
)

// Sovereign clouds' directories are read as the public cloud's are; an issuer whose path only ends alike is none.
func TestDirectoriesElsewhere(t *testing.T) {
	const id = "3c1b8a1f-0001-4d40-9f4e-7d556f1c3a0e"
	for url, want := range map[string]bool{
		"https://login.microsoftonline.us/" + id + "/v2.0":                            true,
		"https://login.partner.microsoftonline.cn/" + id + "/v2.0":                    true,
		"https://id.example/oauth2/v2.0":                                              true,
		"https://login.microsoftonline.us/99999999-0001-4d40-9f4e-7d556f1c3a0e/v2.0":  false,
		"https://login.microsoftonline.com/99999999-0001-4d40-9f4e-7d556f1c3a0e/v2.0": false,
	} {
		i := &Issuer{URL: url, Tenants: func(Claims) ([]string, bool, error) { return []string{"contoso"}, false, nil }}
		_, err := i.principalOf(Claims{Subject: "ana", Roles: wordList{"SecurityAlert.Read.All"}, Other: map[string]jsontext.Value{"tid": jsontext.Value(`"` + id + `"`)}})
		if (err == nil) != want {
			t.Errorf("%s: %v", url, err)
		}
	}
}
