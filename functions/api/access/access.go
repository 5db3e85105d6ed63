// Package access tells who sends a request and what that sender may do: the bearer tokens of OpenID Connect issuers,
// and the API keys of machines. It decides nothing about routes or tenants' data: that is package api's, by the
// principal that it gets from here.
//
//	Authorization: Bearer …
//	  │ opk_…   ─▶ Keys ──▶ documents: hash, tenants, roles, expiry ─┐
//	  │ a.b.c   ─▶ Issuer ─▶ signature, issuer, audience, time ───┴─▶ api.Principal ─▶ Limiter
//	  └ nothing, or anything else ─▶ 401
package access

import (
	"net/http"
	"strings"

	"github.com/onepane/onepane/functions/api"
	"github.com/onepane/onepane/shared/fault"
)

// Guard lets in whoever shows a credential that it knows. Its answers come from the request alone: two headers, a
// second scheme or a list of tokens are no credential.
type Guard struct {
	Issuers []*Issuer
	Keys    *Keys // nil takes no keys
}

// maxCredential bounds a credential, in bytes. Entra's tokens with 200 groups stay below 12 KB.
const maxCredential = 16 << 10

// Authenticate is api.Authenticate. Its errors say what is wrong with a credential and repeat nothing of it; an
// issuer or a store that does not answer is fault.Unavailable, since the credential may be good.
func (g *Guard) Authenticate(r *http.Request) (api.Principal, error) {
	text, err := Credential(r.Header)
	if err != nil {
		return api.Principal{}, err
	}
	if strings.HasPrefix(text, keyPrefix) {
		if g.Keys == nil {
			return api.Principal{}, fault.Errorf(fault.Invalid, "API keys are not taken here")
		}
		return g.Keys.Principal(r.Context(), text)
	}
	name, err := issuerOf(text)
	if err != nil {
		return api.Principal{}, err
	}
	for _, i := range g.Issuers {
		if i.URL == name {
			return i.verifyToken(r.Context(), text)
		}
	}
	return api.Principal{}, fault.Errorf(fault.Invalid, "the token's issuer is not known here")
}

// Credential is the bearer token of a request (RFC 6750, 2.1). None, or more than one, is fault.Invalid.
func Credential(h http.Header) (string, error) {
	lines := h.Values("Authorization")
	switch {
	case len(lines) == 0:
		return "", fault.Errorf(fault.Invalid, "no Authorization header")
	case len(lines) > 1:
		return "", fault.Errorf(fault.Invalid, "more than one Authorization header")
	case len(lines[0]) > maxCredential:
		return "", fault.Errorf(fault.Invalid, "a credential of %d bytes, more than %d", len(lines[0]), maxCredential)
	}
	scheme, token, _ := strings.Cut(lines[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", fault.Errorf(fault.Invalid, "not a bearer token")
	}
	token = strings.Trim(token, " ")
	if token == "" || strings.ContainsFunc(token, isNotTokenChar) {
		return "", fault.Errorf(fault.Invalid, "not one bearer token")
	}
	return token, nil
}

// isNotTokenChar tells what b64token does not have.
func isNotTokenChar(c rune) bool {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.ContainsRune("-._~+/=", c):
		return false
	}
	return true
}
