package cloudrun

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/shared/fault"
)

// Where Google publishes who signs identity tokens ("OpenID Connect", discovery document).
const (
	Issuer = "https://accounts.google.com"
	Keys   = "https://www.googleapis.com/oauth2/v3/certs"
)

// Sender is the one service account whose pushes are taken. It checks their tokens itself, for they have one form only: an
// OpenID Connect library would be a sixth of the service's size.
//
//	token ─▶ RS256, kid ─▶ Google's key of that id ─▶ signature ─▶ iss, aud, exp, nbf ─▶ email, verified
type Sender struct {
	Audience string // as the push subscription's oidc_token has it
	Email    string // of the service account that the subscription pushes as
	Keys     string // address of the signing keys; Google's when empty
	HTTP     *http.Client
	Now      func() time.Time
}

const (
	// maxToken is more than any identity token of Google has, in bytes.
	maxToken = 8 << 10
	// clockSkew is how far Google's clock may be ahead of ours when it says from when a token is valid.
	clockSkew = time.Minute
)

// Verifier returns a check of bearer tokens: signed by Google, for the audience, not expired, and of the account. Keys
// are fetched when first needed and kept. An error of the check is fault.Denied, or fault.Unavailable when the keys cannot
// be had. The check is safe for concurrent use.
func (s Sender) Verifier() func(ctx context.Context, token string) error {
	keys := &keySet{address: s.Keys, http: s.HTTP, now: s.Now}
	if keys.address == "" {
		keys.address = Keys
	}
	if keys.http == nil {
		keys.http = http.DefaultClient
	}
	return func(ctx context.Context, token string) error {
		claims, err := verifiedClaims(ctx, token, keys)
		if err == nil {
			err = s.checkClaims(claims)
		}
		if err != nil {
			return fault.Errorf(refusalKind(err), "push token: %w", err)
		}
		return nil
	}
}

// refusalKind is that of an error which says nothing else: the token is refused.
func refusalKind(err error) fault.Kind {
	if k := fault.Of(err); k != fault.Again {
		return k
	}
	return fault.Denied
}

// claims are what a token says.
type claims struct {
	Issuer    string `json:"iss"`
	Audience  string `json:"aud"`
	Expires   int64  `json:"exp"` // in seconds, as the next
	NotBefore int64  `json:"nbf"`
	Email     string `json:"email"`
	Verified  bool   `json:"email_verified"`
}

// checkClaims holds the claims of a token that Google signed against whom we expect.
func (s Sender) checkClaims(c claims) error {
	now := s.Now()
	switch {
	case c.Issuer != Issuer:
		return fault.Errorf(fault.Denied, "issued by %q", c.Issuer)
	case c.Audience != s.Audience || c.Audience == "":
		return fault.Errorf(fault.Denied, "for %q", c.Audience)
	case !now.Before(time.Unix(c.Expires, 0)):
		return fault.Errorf(fault.Denied, "expired")
	case now.Add(clockSkew).Before(time.Unix(c.NotBefore, 0)):
		return fault.Errorf(fault.Denied, "not valid yet")
	case c.Email != s.Email || c.Email == "" || !c.Verified:
		return fault.Errorf(fault.Denied, "of %q, not of the push account", c.Email)
	}
	return nil
}

// verifiedClaims gives the claims of a token (RFC 7519, compact form) that one of the keys signed. Nothing of the claims is looked
// at before that, and RS256 is the only algorithm, whatever the token asks for.
func verifiedClaims(ctx context.Context, token string, keys *keySet) (claims, error) {
	part := strings.Split(token, ".")
	if len(token) > maxToken || len(part) != 3 {
		return claims{}, fault.Errorf(fault.Denied, "not a token")
	}
	var head struct {
		Algorithm string         `json:"alg"`
		Key       string         `json:"kid"`
		Critical  jsontext.Value `json:"crit"` // RFC 7515, section 4.1.11: what is not understood must be refused
	}
	if err := decodePart(part[0], &head); err != nil {
		return claims{}, err
	}
	if head.Algorithm != "RS256" || head.Critical != nil {
		return claims{}, fault.Errorf(fault.Denied, "signed with %q", head.Algorithm)
	}
	key, err := keys.keyByID(ctx, head.Key)
	if err != nil {
		return claims{}, err
	}
	signature, err := decodeBase64(part[2])
	if err != nil {
		return claims{}, err
	}
	sum := sha256.Sum256([]byte(token[:len(part[0])+1+len(part[1])]))
	if rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], signature) != nil {
		return claims{}, fault.Errorf(fault.Denied, "the signature is not of key %q", head.Key)
	}
	var c claims
	err = decodePart(part[1], &c)
	return c, err
}

// decodePart reads a part of a token. Names that repeat are refused.
func decodePart(part string, v any) error {
	b, err := decodeBase64(part)
	if err == nil {
		err = json.Unmarshal(b, v)
	}
	if err != nil { // its words could quote the token
		return fault.Errorf(fault.Denied, "not a token")
	}
	return nil
}

// decodeBase64 is strict: two spellings of one token would be two.
func decodeBase64(s string) ([]byte, error) {
	if strings.ContainsAny(s, "\r\n") { // which the decoder would pass over
		return nil, fault.Errorf(fault.Denied, "not a token")
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil {
		return nil, fault.Errorf(fault.Denied, "not a token")
	}
	return b, nil
}
