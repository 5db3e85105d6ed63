// Package blob exports to Azure Blob Storage: NDJSON or Parquet, a blob for each place of a batch, named by the states
// that are in it. What is sent twice is the same blob, and is written once.
//
//	batch ─▶ Pack ─▶ Put Blob PREFIX/PLACE/NAME, If-None-Match: *, MD5 ─▶ 201, or 409: it was there ─▶ taken
package blob

import (
	"bytes"
	"context"
	"crypto/md5" // what Put Blob checks a body by
	"errors"
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/bloberror"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"

	"github.com/onepane/onepane/functions/export"
	"github.com/onepane/onepane/shared/fault"
)

// Target writes to one container, which exists. An identity needs the role Storage Blob Data Contributor there.
type Target struct {
	Client    *azblob.Client
	Container string
	Prefix    string // before a blob's name; may be empty
	Pack      export.Packer
	Now       func() time.Time
}

// Open makes a client from a connection string, which no error shows. It leaves trying again to export, whose waits are
// longer.
func Open(connection string) (*azblob.Client, error) {
	c, err := azblob.NewClientFromConnectionString(connection, clientOptions())
	if err != nil {
		return nil, fault.Errorf(fault.Invalid, "the storage account's connection string is none")
	}
	return c, nil
}

// OpenAs makes a client of an identity. The account is its address, "https://contoso.blob.core.windows.net"; TLS is a
// must. Without a transport it is the SDK's.
func OpenAs(account string, who azcore.TokenCredential, transport policy.Transporter) (*azblob.Client, error) {
	if !strings.HasPrefix(account, "https://") {
		return nil, fault.Errorf(fault.Invalid, "a storage account's address begins with https://")
	}
	o := clientOptions()
	o.Transport = transport
	c, err := azblob.NewClient(account, who, o)
	if err != nil {
		return nil, fault.Errorf(fault.Invalid, "the storage account's address is none")
	}
	return c, nil
}

func clientOptions() *azblob.ClientOptions {
	o := &azblob.ClientOptions{}
	o.Retry.MaxRetries = -1
	return o
}

// Encode implements export.Target.
func (t *Target) Encode(r export.Row) ([]byte, error) { return t.Pack.Encode(r) }

// Limits implements export.Target. They are the packer's: one write takes 5000 MiB.
func (t *Target) Limits() export.Limits { return t.Pack.Limits() }

// Send implements export.Target. None of a batch is taken before all its blobs are: those that are written already are
// met again.
func (t *Target) Send(ctx context.Context, records []export.Record) (int, error) {
	objects, err := t.Pack.Pack(records)
	if err != nil {
		return 0, err
	}
	for _, o := range objects {
		if err := t.putBlob(ctx, o); err != nil {
			return 0, fmt.Errorf("put blob: %w", err)
		}
	}
	return len(records), nil
}

func (t *Target) putBlob(ctx context.Context, o export.Object) error {
	name := strings.TrimPrefix(path.Join(t.Prefix, o.Key), "/")
	sum := md5.Sum(o.Data)
	never := azcore.ETagAny
	b := t.Client.ServiceClient().NewContainerClient(t.Container).NewBlockBlobClient(name)
	_, err := b.Upload(ctx, streaming.NopCloser(bytes.NewReader(o.Data)), &blockblob.UploadOptions{
		HTTPHeaders:             &blob.HTTPHeaders{BlobContentType: &o.Type},
		TransactionalValidation: blob.TransferValidationTypeMD5(sum[:]),
		AccessConditions:        &blob.AccessConditions{ModifiedAccessConditions: &blob.ModifiedAccessConditions{IfNoneMatch: &never}},
	})
	if err == nil || bloberror.HasCode(err, bloberror.BlobAlreadyExists) {
		return nil
	}
	return classifyAnswer(err, t.Now())
}

// classifyAnswer is what an answer means to an export; addresses are left out of it.
func classifyAnswer(err error, now time.Time) error {
	var answer *azcore.ResponseError
	if !errors.As(err, &answer) || answer.RawResponse == nil {
		if kind := fault.Of(err); kind == fault.Denied || kind == fault.Unavailable { // the identity's own words
			return fault.Errorf(kind, "no token for the storage account: %w", err)
		}
		return fault.Errorf(fault.Unavailable, "the storage account does not answer")
	}
	code := answer.ErrorCode
	err = export.AnswerError(answer.StatusCode, answer.RawResponse.Header, []byte(code), now)
	switch {
	case code == string(bloberror.MD5Mismatch): // torn on its way
		return fault.Errorf(fault.Unavailable, "%w", err)
	case fault.Of(err) == fault.Invalid: // a request that is wrong says nothing of a record: any bytes are a blob
		return fault.Errorf(fault.Denied, "%w", err)
	}
	return err
}
