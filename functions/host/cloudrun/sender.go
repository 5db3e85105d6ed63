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

// Sender is the one service account whose pushes are taken. It verifies their tokens itself, since they have one form
// only: an OpenID Connect library would be a sixth of the service's size.
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
	// maxToken is the longest token, in bytes; those of Google are shorter.
	maxToken = 8 << 10
	// clockSkew is how far Google's clock may be ahead of ours when it says from when a token is valid.
	clockSkew = time.Minute
)

// Verifier returns a check of bearer tokens: signed by Google, for the audience, not expired, and of the account.
// Keys are fetched when first needed and kept. The check returns fault.Denied for a token that is not, or
// fault.Unavailable when the keys cannot be fetched. It is safe for concurrent use.
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

// refusalKind returns the kind of err, fault.Denied when it has none.
func refusalKind(err error) fault.Kind {
	if k := fault.Of(err); k != fault.Again {
		return k
	}
	return fault.Denied
}

// claims are the claims of a token that are checked.
type claims struct {
	Issuer    string `json:"iss"`
	Audience  string `json:"aud"`
	Expires   int64  `json:"exp"` // seconds since 1970
	NotBefore int64  `json:"nbf"` // seconds since 1970
	Email     string `json:"email"`
	Verified  bool   `json:"email_verified"`
}

// checkClaims returns fault.Denied unless the claims, of a token that Google signed, are the sender's and valid now.
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

// verifiedClaims returns the claims of a token (RFC 7519, compact form) once its signature by one of the keys is
// verified. RS256 is the only algorithm, whatever the token asks for.
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

// decodePart decodes a part of a token, base64 of JSON, into v. Names that repeat are refused.
func decodePart(part string, v any) error {
	b, err := decodeBase64(part)
	if err == nil {
		err = json.Unmarshal(b, v)
	}
	if err != nil { // the decoder's error could quote the token
		return fault.Errorf(fault.Denied, "not a token")
	}
	return nil
}

// decodeBase64 decodes strictly: a second spelling of a token would be a second token.
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
