package access

import (
	"cmp"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/functions/api"
)

// Claims are what a token says of its bearer.
type Claims struct {
	Issuer  string   `json:"iss"`
	Subject string   `json:"sub"`
	Roles   wordList `json:"roles"` // of an application, or of a user in one
	Scopes  wordList `json:"scp"`   // what a user lets an application do: Entra, Okta
	Scope   wordList `json:"scope"` // the same: RFC 9068

	Other map[string]jsontext.Value `json:",embed"`
}

// wordList are a list of strings, or one string of words.
type wordList []string

// UnmarshalJSON reads either; anything else is no words.
func (w *wordList) UnmarshalJSON(b []byte) error {
	var text string
	if json.Unmarshal(b, &text) == nil {
		*w = strings.Fields(text)
		return nil
	}
	var list []string
	if json.Unmarshal(b, &list) == nil {
		*w = list
	}
	return nil
}

// StringClaim is a claim that is a string, "" when it is none.
func (c Claims) StringClaim(name string) string {
	var s string
	if json.Unmarshal(c.Other[name], &s) != nil {
		return ""
	}
	return s
}

// displayName is what people know the bearer by: a user's name before an application's.
func (c Claims) displayName() string {
	return cmp.Or(c.StringClaim("preferred_username"), c.StringClaim("upn"), c.StringClaim("email"), c.StringClaim("name"), c.StringClaim("app_displayname"),
		c.StringClaim("azp"), c.StringClaim("appid"), c.StringClaim("client_id"), c.Subject)
}

// grantedRights are what roles and scopes give. Roles are what the bearer may do, scopes what a user let an
// application do on her behalf: where both say something of ours, only what both say counts. To operate Onepane takes
// a role.
func (c Claims) grantedRights() api.Right {
	var roles, scopes api.Right
	for _, r := range c.Roles {
		roles |= api.RightOf(r)
	}
	for _, s := range append(append([]string{}, c.Scopes...), c.Scope...) {
		scopes |= api.RightOf(s[strings.LastIndexByte(s, '/')+1:]) // "api://onepane/SecurityAlert.Read.All"
	}
	switch {
	case scopes == 0:
		return roles
	case roles == 0:
		return scopes & api.Write
	}
	return roles & scopes
}
