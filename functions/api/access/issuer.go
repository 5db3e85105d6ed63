package access

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/functions/api"
	"github.com/onepane/onepane/shared/fault"
)

// Issuer is one OpenID Connect issuer whose tokens are taken. What it needs it finds by discovery, at the first token.
type Issuer struct {
	URL        string   // the claim "iss", letter for letter
	Audiences  []string // one of them must be in "aud"
	Algorithms []string // nil is Algorithms
	// Tenants are the tenants that its tokens open: by the claims, since one issuer may have users of several.
	Tenants func(Claims) (tenants []string, all bool, err error)
	HTTP    *http.Client
	Now     func() time.Time

	mu     sync.Mutex
	keys   *keySet   // nil until the issuer's own document is read
	failed time.Time // when reading it failed last
}

// Algorithms are the signatures that are taken: of a public key, and none that is weaker than 112 bits.
var Algorithms = []string{
	oidc.RS256, oidc.RS384, oidc.RS512, oidc.PS256, oidc.PS384, oidc.PS512, oidc.ES256, oidc.ES384, oidc.ES512, oidc.EdDSA,
}

const (
	clockSkew     = time.Minute      // that clocks of issuers and ours may differ
	retryAfter    = 10 * time.Second // before an issuer that did not answer is asked again
	issuerTimeout = 5 * time.Second  // for one answer of an issuer
)

// DirectoryIssuers gives the issuers of an Entra directory: of its tokens of version 2 and, when the URL is theirs,
// of version 1 as well, which an application gets by default (requestedAccessTokenVersion null). Any other URL gives
// itself.
func DirectoryIssuers(url string) []string {
	tid, ok := directoryOf(url)
	if ok && strings.HasPrefix(url, entraV2) {
		return []string{url, entraV1 + tid + "/"}
	}
	return []string{url}
}

const (
	entraV1 = "https://sts.windows.net/"
	entraV2 = "https://login.microsoftonline.com/"
)

// directoryOf is the directory that an Entra issuer speaks for. Sovereign clouds have other hosts, and the same path.
func directoryOf(url string) (tid string, ok bool) {
	if rest, found := strings.CutPrefix(url, entraV1); found {
		return strings.CutSuffix(rest, "/")
	}
	rest, ok := strings.CutSuffix(url, "/v2.0")
	tid = rest[strings.LastIndexByte(rest, '/')+1:]
	const idLength = 36 // of a UUID; another issuer's path may end alike
	return tid, ok && (len(tid) == idLength || strings.HasPrefix(url, entraV2))
}

// issuerOf reads who claims to have signed a token; nothing is checked yet.
func issuerOf(token string) (string, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return "", fault.Errorf(fault.Invalid, "neither an API key nor a signed token")
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return "", fault.Errorf(fault.Invalid, "the token's claims cannot be read")
	}
	var c Claims
	if err := json.Unmarshal(payload, &c, jsontext.AllowInvalidUTF8(true)); err != nil {
		return "", fault.Errorf(fault.Invalid, "the token's claims cannot be read")
	}
	return c.Issuer, nil
}

// verifyToken verifies a token that says it is this issuer's.
func (i *Issuer) verifyToken(ctx context.Context, token string) (api.Principal, error) {
	set, err := i.discoverKeys(ctx)
	if err != nil {
		return api.Principal{}, err
	}
	keys := &recordingKeySet{set: set}
	t, err := oidc.NewVerifier(i.URL, keys, &oidc.Config{
		SkipClientIDCheck:    true, // there may be several audiences: they are checked below
		SupportedSigningAlgs: set.algorithms, Now: func() time.Time { return i.Now().Add(-clockSkew) },
	}).Verify(ctx, token)
	var expired *oidc.TokenExpiredError
	switch {
	case errors.As(err, &expired):
		return api.Principal{}, fault.Errorf(fault.Invalid, "the token has expired")
	case errors.Is(keys.err, errUnreachable):
		return api.Principal{}, unreachableError(i.URL)
	case err != nil:
		return api.Principal{}, fault.Errorf(fault.Invalid, "the token is not signed as it should be, or not valid now")
	}
	if !slices.ContainsFunc(t.Audience, func(a string) bool { return slices.Contains(i.Audiences, a) }) {
		return api.Principal{}, fault.Errorf(fault.Invalid, "the token is for another audience")
	}
	var raw jsontext.Value
	var c Claims
	if err := errors.Join(t.Claims(&raw), json.Unmarshal(raw, &c)); err != nil {
		return api.Principal{}, fault.Errorf(fault.Invalid, "the token's claims cannot be read")
	}
	return i.principalOf(c)
}

// principalOf makes the principal of verified claims. Whoever is known but has no tenant or no role here is
// fault.Denied.
func (i *Issuer) principalOf(c Claims) (api.Principal, error) {
	if tid, ok := directoryOf(i.URL); ok && c.StringClaim("tid") != tid {
		return api.Principal{}, fault.Errorf(fault.Invalid, "the token is of another directory than its issuer")
	}
	if c.Subject == "" {
		return api.Principal{}, fault.Errorf(fault.Invalid, "the token names no subject")
	}
	tenants, all, err := i.Tenants(c)
	if err != nil {
		return api.Principal{}, err
	}
	return api.Principal{ID: "token:" + c.Issuer + "#" + c.Subject, Name: c.displayName(), Tenants: tenants, AllTenants: all, Rights: c.grantedRights()}, nil
}

// recordingKeySet is a key set that remembers its error, of which go-oidc keeps only the words.
type recordingKeySet struct {
	set *keySet
	err error
}

// VerifySignature is oidc.KeySet.
func (a *recordingKeySet) VerifySignature(ctx context.Context, token string) (payload []byte, err error) {
	payload, a.err = a.set.VerifySignature(ctx, token)
	return payload, a.err
}

// discoverKeys gives the issuer's keys, as its own document says where they are.
func (i *Issuer) discoverKeys(ctx context.Context) (*keySet, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.keys != nil {
		return i.keys, nil
	}
	if now := i.Now(); now.Sub(i.failed) < retryAfter {
		return nil, unreachableError(i.URL)
	}
	// Whoever asked first may go away; the others wait for this answer.
	ask, cancel := context.WithTimeout(context.WithoutCancel(ctx), issuerTimeout)
	defer cancel()
	p, err := oidc.NewProvider(oidc.ClientContext(ask, i.HTTP), i.URL)
	var found struct {
		Keys string `json:"jwks_uri"`
	}
	if err == nil {
		err = p.Claims(&found)
	}
	if err != nil {
		i.failed = i.Now()
		return nil, fault.Errorf(fault.Unavailable, "discover issuer %s: %w", i.URL, err)
	}
	i.keys = &keySet{url: found.Keys, http: i.HTTP, now: i.Now, algorithms: i.Algorithms}
	if i.keys.algorithms == nil {
		i.keys.algorithms = Algorithms
	}
	return i.keys, nil
}

var errUnreachable = errors.New("the issuer does not answer")

func unreachableError(url string) error {
	return fault.Errorf(fault.Unavailable, "ask issuer %s: %w", url, errUnreachable)
}
