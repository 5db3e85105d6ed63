// Package azuresdk gives an identity the form that the clients of the Azure SDK take. It is apart from identity, so
// that a function that calls Azure by plain HTTPS does not carry azcore.
//
//	identity.Credential ─▶ Credential ─▶ azservicebus, azcosmos, azblob
package azuresdk

import (
	"context"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/onepane/onepane/shared/identity"
)

// Credential returns c as the SDK's clients take it.
func Credential(c *identity.Credential) azcore.TokenCredential { return credential{c} }

type credential struct{ *identity.Credential }

// GetToken implements azcore.TokenCredential.
func (c credential) GetToken(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	t, err := c.Token(ctx, identity.Request{Scope: strings.Join(o.Scopes, " "), Claims: o.Claims, Tenant: o.TenantID})
	return azcore.AccessToken{Token: t.Value, ExpiresOn: t.ExpiresOn, RefreshOn: t.RefreshOn}, err
}
