package cosmosdb

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/Azure/azure-sdk-for-go/sdk/data/azcosmos"
	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/shared/cache"
	"github.com/onepane/onepane/shared/fault"
)

// Blobs keeps bytes in the container of blobs. They are named by their content: writing them twice is writing them
// once, and a writer that lost its race can never spoil what the winner wrote. It is safe for concurrent use.
type Blobs struct {
	client *Client
	parts  *cache.LRU[partKey, []byte]
}

// BlobRef names bytes in the container of blobs.
type BlobRef struct {
	ID    string `json:"id"`
	Parts int    `json:"parts"`
}

// blobItem is one part. Every part is a logical partition of its own, so that no limit of one is ever near.
type blobItem struct {
	ID     string `json:"id"` // of the blob, "-" and the part
	Tenant string `json:"tenant"`
	Data   []byte `json:"data"`
	TTL    int    `json:"ttl,omitzero"` // seconds; without it the item stays
}

// maxPart is the size of a part in bytes, before base64: beyond 512 KB an item costs half as much again for each KB.
const maxPart = 320 << 10

type partKey struct{ tenant, id string }

// NewBlobs remembers up to cacheBytes bytes of what it wrote and read.
func NewBlobs(client *Client, cacheBytes int64) *Blobs {
	return &Blobs{client, cache.New[partKey](cacheBytes, func(data []byte) int64 { return int64(len(data)) })}
}

// PutBlob stores a tenant's data and says where. It expires ttl seconds later, or when it was put again for the
// last time; 0 is never.
func (b *Blobs) PutBlob(ctx context.Context, tenant string, data []byte, ttl int) (BlobRef, error) {
	sum := sha256.Sum256(data)
	ref := BlobRef{ID: hex.EncodeToString(sum[:12]), Parts: max(1, (len(data)+maxPart-1)/maxPart)}
	for i := range ref.Parts {
		part := data[i*maxPart : min((i+1)*maxPart, len(data))]
		if err := b.putPart(ctx, blobItem{ID: ref.partID(i), Tenant: tenant, Data: part, TTL: ttl}); err != nil {
			return ref, fmt.Errorf("write blob: %w", err)
		}
	}
	return ref, nil
}

// putPart writes one part. One that is there already is the same; it is written again all the same when it may
// expire, for its time to begin anew.
func (b *Blobs) putPart(ctx context.Context, it blobItem) error {
	body, err := json.Marshal(it)
	if err != nil {
		return fault.Errorf(fault.Invalid, "encode: %w", err)
	}
	pk := blobKey(it.Tenant, it.ID)
	err = b.client.retry(ctx, func(to containers) error {
		_, err := to.blobs.CreateItem(ctx, pk, body, nil)
		return err
	})
	if fault.Of(err) == fault.Conflict && it.TTL > 0 {
		err = b.client.retry(ctx, func(to containers) error {
			_, err := to.blobs.UpsertItem(ctx, pk, body, nil)
			return err
		})
	}
	if err != nil && fault.Of(err) != fault.Conflict {
		return err
	}
	b.parts.Put(partKey{it.Tenant, it.ID}, it.Data)
	return nil
}

// GetBlob reads a blob that something names, so that it must be there: a copy of the container that has not heard
// of it yet is passing trouble, fault.Unavailable.
func (b *Blobs) GetBlob(ctx context.Context, tenant string, ref BlobRef) ([]byte, error) {
	var out []byte
	for i := range ref.Parts {
		data, err := b.getPart(ctx, partKey{tenant, ref.partID(i)})
		if err != nil {
			return nil, err
		}
		if ref.Parts == 1 {
			return data, nil
		}
		out = append(out, data...)
	}
	return out, nil
}

func (b *Blobs) getPart(ctx context.Context, key partKey) ([]byte, error) {
	if data, ok := b.parts.Get(key); ok {
		return data, nil
	}
	body, err := b.readPart(ctx, key)
	for try := 1; fault.Of(err) == fault.NotFound && try < MaxTries; try++ {
		if err := b.client.WaitAfter(ctx, try); err != nil {
			return nil, err
		}
		body, err = b.readPart(ctx, key)
	}
	if fault.Of(err) == fault.NotFound {
		return nil, fault.Errorf(fault.Unavailable, "blob %s of %q is not there, or not yet", key.id, key.tenant)
	}
	if err != nil {
		return nil, fmt.Errorf("read blob: %w", err)
	}
	var it blobItem
	if err := json.Unmarshal(body, &it); err != nil {
		return nil, fmt.Errorf("blob %s of %q: damaged item: %w", key.id, key.tenant, err)
	}
	b.parts.Put(key, it.Data)
	return it.Data, nil
}

func (b *Blobs) readPart(ctx context.Context, key partKey) (body []byte, err error) {
	err = b.client.retry(ctx, func(to containers) error {
		resp, err := to.blobs.ReadItem(ctx, blobKey(key.tenant, key.id), key.id, nil)
		body = resp.Value
		return err
	})
	return body, err
}

// DeleteBlob deletes a blob. One that is not there is no error.
func (b *Blobs) DeleteBlob(ctx context.Context, tenant string, ref BlobRef) error {
	for i := range ref.Parts {
		id := ref.partID(i)
		err := b.client.retry(ctx, func(to containers) error {
			_, err := to.blobs.DeleteItem(ctx, blobKey(tenant, id), id, nil)
			return err
		})
		if ignoreNotFound(err) != nil {
			return err
		}
	}
	return nil
}

func (r BlobRef) partID(i int) string { return fmt.Sprintf("%s-%d", r.ID, i) }

func blobKey(tenant, id string) azcosmos.PartitionKey {
	return azcosmos.NewPartitionKeyString(tenant).AppendString(id)
}
