package cosmos

import (
	"context"
	"errors"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/data/azcosmos"
)

// Connect says how to reach an account by its endpoint, as https://NAME.documents.azure.com:443/. A nil transport
// is the SDK's. The SDK fails over between regions; trying again within one is left to the store, which knows what
// may be repeated.
func Connect(endpoint string, cred azcore.TokenCredential, transport policy.Transporter) func() (*azcosmos.Client, error) {
	return func() (*azcosmos.Client, error) { return azcosmos.NewClient(endpoint, cred, clientOptions(transport)) }
}

// ConnectWithToken is Connect with a token that somebody has got for themselves. Only the service knows when it
// expires.
func ConnectWithToken(endpoint, token string, transport policy.Transporter) func() (*azcosmos.Client, error) {
	return Connect(endpoint, ownToken(token), transport)
}

type ownToken string

// GetToken is azcore.TokenCredential.
func (t ownToken) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: string(t), ExpiresOn: time.Now().Add(time.Hour)}, nil
}

// ConnectWithKey is Connect with an account key, in base64: for a test server, and accounts that still allow keys.
func ConnectWithKey(endpoint, key string, transport policy.Transporter) func() (*azcosmos.Client, error) {
	return func() (*azcosmos.Client, error) {
		cred, err := azcosmos.NewKeyCredential(key)
		if err != nil {
			return nil, errors.New("the account key is not base64") // the cause would show it
		}
		return azcosmos.NewClientWithKey(endpoint, cred, clientOptions(transport))
	}
}

func clientOptions(transport policy.Transporter) *azcosmos.ClientOptions {
	return &azcosmos.ClientOptions{ClientOptions: azcore.ClientOptions{
		Transport: transport,
		Retry:     policy.RetryOptions{MaxRetries: -1},
	}}
}

// Indexed are the paths that the state container indexes, of all there is in an item. Nothing is indexed in the blobs
// container. infra/azure must say the same; a test there compares.
var Indexed = []string{
	"/type/?", "/v/?", "/ids/[]/?", "/terms/[]/?",
	"/cmin/?", "/cmax/?", "/umin/?", "/umax/?", "/fmin/?", "/fmax/?",
}

// StateContainer describes the container of tenants' states.
func StateContainer(name string) azcosmos.ContainerProperties {
	return containerProperties(name, Indexed, azcosmos.PartitionKeyDefinition{Kind: azcosmos.PartitionKeyKindHash, Version: 2, Paths: []string{"/tenant"}})
}

// BlobsContainer describes the container of what is too large for a tenant's partition, or lives there too briefly.
func BlobsContainer(name string) azcosmos.ContainerProperties {
	return containerProperties(name, nil, azcosmos.PartitionKeyDefinition{Kind: azcosmos.PartitionKeyKindMultiHash, Version: 2, Paths: []string{"/tenant", "/id"}})
}

func containerProperties(name string, indexed []string, pk azcosmos.PartitionKeyDefinition) azcosmos.ContainerProperties {
	perItem := int32(-1) // expiry is on, and each item says when
	policy := &azcosmos.IndexingPolicy{
		IndexingMode: azcosmos.IndexingModeConsistent, Automatic: true, ExcludedPaths: []azcosmos.ExcludedPath{{Path: "/*"}},
	}
	for _, p := range indexed {
		policy.IncludedPaths = append(policy.IncludedPaths, azcosmos.IncludedPath{Path: p})
	}
	return azcosmos.ContainerProperties{ID: name, PartitionKeyDefinition: pk, DefaultTimeToLive: &perItem, IndexingPolicy: policy}
}
