// Package blob exports to Azure Blob Storage: JSON lines, one blob for each batch, named by its day and content, so that a batch
// that is sent twice is one blob.
//
//	batch ──▶ PREFIX/20260303/HASH.ndjson ──201──▶ taken
package blob

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"path"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob"

	"github.com/onepane/onepane/functions/export"
	"github.com/onepane/onepane/shared/fault"
)

// Target writes to one container, which exists.
type Target struct {
	Client    *azblob.Client
	Container string
	Prefix    string
	Write     export.Encoder
	Alerts    int // how many alerts the encoder wants with an incident
	Now       func() time.Time
}

// Open makes a client from a connection string, which no error shows. It leaves trying again to export, whose waits are longer.
func Open(connection string) (*azblob.Client, error) {
	o := &azblob.ClientOptions{}
	o.Retry.MaxRetries = -1
	c, err := azblob.NewClientFromConnectionString(connection, o)
	if err != nil {
		return nil, fault.Errorf(fault.Invalid, "the storage account's connection string is none")
	}
	return c, nil
}

// Encode implements export.Target.
func (t *Target) Encode(r export.Row) ([]byte, error) { return t.Write(r) }

// Limits implements export.Target: blobs of a size that is pleasant to read, far below what one write takes.
func (t *Target) Limits() export.Limits {
	return export.Limits{Bytes: 8 << 20, Overhead: 1, Alerts: t.Alerts}
}

// Send implements export.Target.
func (t *Target) Send(ctx context.Context, records []export.Record) (int, error) {
	var b bytes.Buffer
	for _, r := range records {
		b.Write(r.Data)
		b.WriteByte('\n')
	}
	sum := sha256.Sum256(b.Bytes())
	name := path.Join(t.Prefix, records[0].Updated.UTC().Format("20060102"), hex.EncodeToString(sum[:16])+".ndjson")
	if _, err := t.Client.UploadBuffer(ctx, t.Container, name, b.Bytes(), nil); err != nil {
		return 0, meant(err, t.Now())
	}
	return len(records), nil
}

// meant is what an answer means to an export; addresses are left out of it.
func meant(err error, now time.Time) error {
	var answer *azcore.ResponseError
	if !errors.As(err, &answer) || answer.RawResponse == nil {
		return fault.Errorf(fault.Unavailable, "the storage account does not answer")
	}
	err = export.Answered(answer.StatusCode, answer.RawResponse.Header, []byte(answer.ErrorCode), now)
	if fault.Of(err) == fault.Invalid { // a request that is wrong says nothing of a record: any text is a blob
		return fault.Errorf(fault.Denied, "%w", err)
	}
	return err
}
