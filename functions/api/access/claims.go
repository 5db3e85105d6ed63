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
	Issuer  string `json:"iss"`
	Subject string `json:"sub"`
	Roles   words  `json:"roles"` // of an application, or of a user in one
	Scopes  words  `json:"scp"`   // what a user lets an application do: Entra, Okta
	Scope   words  `json:"scope"` // the same: RFC 9068

	Other map[string]jsontext.Value `json:",embed"`
}

// words are a list of strings, or one string of words.
type words []string

// UnmarshalJSON reads either; anything else is no words.
func (w *words) UnmarshalJSON(b []byte) error {
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

// Text is a claim that is a string, "" when it is none.
func (c Claims) Text(name string) string {
	var s string
	if json.Unmarshal(c.Other[name], &s) != nil {
		return ""
	}
	return s
}

// name is what people know the bearer by: a user's name before an application's.
func (c Claims) name() string {
	return cmp.Or(c.Text("preferred_username"), c.Text("upn"), c.Text("email"), c.Text("name"), c.Text("app_displayname"),
		c.Text("azp"), c.Text("appid"), c.Text("client_id"), c.Subject)
}

// rights are what roles and scopes give. Roles are what the bearer may do, scopes what a user let an application do on
// her behalf: where both say something of ours, only what both say counts. To operate Onepane takes a role.
func (c Claims) rights() api.Right {
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
