package cloudrun

import (
	"context"
	"net/http"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/onepane/onepane/shared/fault"
)

// Where Google publishes who signs identity tokens ("OpenID Connect", discovery document).
const (
	Issuer = "https://accounts.google.com"
	Keys   = "https://www.googleapis.com/oauth2/v3/certs"
)

// Sender is the one service account whose pushes are taken.
type Sender struct {
	Audience string // as the push subscription's oidc_token has it
	Email    string // of the service account that the subscription pushes as
	Keys     string // address of the signing keys; Google's when empty
	HTTP     *http.Client
	Now      func() time.Time
}

// Verifier returns a check of bearer tokens: signed by Google, for the audience, not expired, and of the account. Keys
// are fetched when first needed and kept; an error of the check is fault.Denied.
func (s Sender) Verifier() func(ctx context.Context, token string) error {
	ctx := context.Background() // the key set lives as long as the process
	if s.HTTP != nil {
		ctx = oidc.ClientContext(ctx, s.HTTP)
	}
	keys := s.Keys
	if keys == "" {
		keys = Keys
	}
	v := oidc.NewVerifier(Issuer, oidc.NewRemoteKeySet(ctx, keys), &oidc.Config{ClientID: s.Audience, Now: s.Now})
	return func(ctx context.Context, token string) error {
		t, err := v.Verify(ctx, token)
		if err != nil {
			return fault.Errorf(fault.Denied, "push token: %w", err)
		}
		var claims struct {
			Email    string `json:"email"`
			Verified bool   `json:"email_verified"`
		}
		if err := t.Claims(&claims); err != nil {
			return fault.Errorf(fault.Denied, "push token: claims: %w", err)
		}
		if claims.Email != s.Email || !claims.Verified {
			return fault.Errorf(fault.Denied, "push token: of %q, not of the push account", claims.Email)
		}
		return nil
	}
}
