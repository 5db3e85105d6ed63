// Package blob keeps events that are too large for a bus message in Azure Blob Storage. It is apart from the bus, so
// that a function that does not need it does not carry the SDK.
//
//	servicebus.Publish ──Put──▶ container ◀──Get── pack.Decode
//
// Nothing is deleted here: give the container a lifecycle rule longer than the queues keep their messages.
package blob

import (
	"context"
	"io"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob"
	sdkblob "github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/bloberror"

	"github.com/onepane/onepane/shared/fault"
)

// maxSize bounds what Get reads, in bytes.
const maxSize = 64 << 20

// Container is one container of a storage account; both must exist. Safe for concurrent use.
type Container struct {
	client *azblob.Client
	name   string
}

// Open gives the container of an account, by its URL ("https://account.blob.core.windows.net/").
func Open(account, container string, credential azcore.TokenCredential, opts *azblob.ClientOptions) (*Container, error) {
	client, err := azblob.NewClient(account, credential, opts)
	if err != nil {
		return nil, fault.Errorf(fault.Invalid, "open blob storage: %w", err)
	}
	return &Container{client, container}, nil
}

// OpenConnection gives the container of an account with keys, by its connection string.
func OpenConnection(connection, container string, opts *azblob.ClientOptions) (*Container, error) {
	client, err := azblob.NewClientFromConnectionString(connection, opts)
	if err != nil {
		return nil, fault.Errorf(fault.Invalid, "open blob storage: %w", err)
	}
	return &Container{client, container}, nil
}

// Put stores body under a name that only this body has: a name that is taken holds the same body already. An error is
// fault.Unavailable.
func (c *Container) Put(ctx context.Context, name string, body []byte) error {
	_, err := c.client.UploadBuffer(ctx, c.name, name, body, &azblob.UploadBufferOptions{
		AccessConditions: &sdkblob.AccessConditions{ModifiedAccessConditions: &sdkblob.ModifiedAccessConditions{IfNoneMatch: to.Ptr(azcore.ETagAny)}},
	})
	if err == nil || bloberror.HasCode(err, bloberror.BlobAlreadyExists) {
		return nil
	}
	return fault.Errorf(fault.Unavailable, "put blob %s: %w", name, err)
}

// Get returns a blob's body: fault.NotFound when there is none, fault.TooLarge beyond 64 MB, else fault.Unavailable.
func (c *Container) Get(ctx context.Context, name string) ([]byte, error) {
	resp, err := c.client.DownloadStream(ctx, c.name, name, nil)
	if bloberror.HasCode(err, bloberror.BlobNotFound) {
		return nil, fault.Errorf(fault.NotFound, "get blob %s: %w", name, err)
	}
	if err != nil {
		return nil, fault.Errorf(fault.Unavailable, "get blob %s: %w", name, err)
	}
	body := resp.NewRetryReader(ctx, nil)
	defer body.Close()
	b, err := io.ReadAll(io.LimitReader(body, maxSize+1))
	if err != nil {
		return nil, fault.Errorf(fault.Unavailable, "get blob %s: %w", name, err)
	}
	if len(b) > maxSize {
		return nil, fault.Errorf(fault.TooLarge, "get blob %s: over %d bytes", name, maxSize)
	}
	return b, nil
}
