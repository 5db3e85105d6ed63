package cosmos

import (
	"container/list"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"sync"

	"github.com/Azure/azure-sdk-for-go/sdk/data/azcosmos"
	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/shared/fault"
)

// blobRef names bytes in the blobs container. They are named by what they are: writing them twice is writing them once, and
// a writer that lost its race can never spoil what the winner wrote.
type blobRef struct {
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

// maxPart is the size of a part before base64: beyond 512 KB an item costs half as much again for each KB.
const maxPart = 320 << 10

// putBlob stores data, in a cache as well, and says where. ttl is in seconds, 0 for ever.
func (s *Store) putBlob(ctx context.Context, in *blobCache, tenant string, data []byte, ttl int) (blobRef, error) {
	sum := sha256.Sum256(data)
	ref := blobRef{ID: hex.EncodeToString(sum[:12]), Parts: max(1, (len(data)+maxPart-1)/maxPart)}
	for i := range ref.Parts {
		part := data[i*maxPart : min((i+1)*maxPart, len(data))]
		if err := s.putBlobPart(ctx, in, tenant, blobItem{ID: ref.partID(i), Tenant: tenant, Data: part, TTL: ttl}); err != nil {
			return ref, fmt.Errorf("write blob: %w", err)
		}
	}
	return ref, nil
}

// putBlobPart writes one part. One that is there already is the same; it is written again all the same when it may expire, for
// its time to begin anew.
func (s *Store) putBlobPart(ctx context.Context, in *blobCache, tenant string, it blobItem) error {
	body, err := json.Marshal(it)
	if err != nil {
		return fault.Errorf(fault.Invalid, "encode: %w", err)
	}
	pk := blobPartition(tenant, it.ID)
	err = s.client.retry(ctx, func(c containers) error {
		_, err := c.blobs.CreateItem(ctx, pk, body, nil)
		return err
	})
	if fault.Of(err) == fault.Conflict && it.TTL > 0 {
		err = s.client.retry(ctx, func(c containers) error {
			_, err := c.blobs.UpsertItem(ctx, pk, body, nil)
			return err
		})
	}
	if err != nil && fault.Of(err) != fault.Conflict {
		return err
	}
	in.add(cacheKey{tenant, it.ID}, it.Data)
	return nil
}

// getBlob reads a blob that something names, so that it must be there: a copy of the container that has not heard of it yet
// is passing trouble.
func (s *Store) getBlob(ctx context.Context, in *blobCache, tenant string, ref blobRef) ([]byte, error) {
	var out []byte
	for i := range ref.Parts {
		data, err := s.getBlobPart(ctx, in, tenant, ref.partID(i))
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

func (s *Store) getBlobPart(ctx context.Context, in *blobCache, tenant, id string) ([]byte, error) {
	key := cacheKey{tenant, id}
	if data, ok := in.get(key); ok {
		return data, nil
	}
	read, err := s.client.readItem(ctx, blobsContainer, blobPartition(tenant, id), id, nil)
	for try := 1; fault.Of(err) == fault.NotFound && try < maxTries; try++ {
		if err := s.opts.Wait(ctx, firstWait<<try); err != nil {
			return nil, err
		}
		read, err = s.client.readItem(ctx, blobsContainer, blobPartition(tenant, id), id, nil)
	}
	if fault.Of(err) == fault.NotFound {
		return nil, fault.Errorf(fault.Unavailable, "%s is not there, or not yet", describeItem("blob", tenant, id))
	}
	if err != nil {
		return nil, fmt.Errorf("read blob: %w", err)
	}
	var it blobItem
	if err := json.Unmarshal(read.body, &it); err != nil {
		return nil, fmt.Errorf("%s: damaged item: %w", describeItem("blob", tenant, id), err)
	}
	in.add(key, it.Data)
	return it.Data, nil
}

func (r blobRef) partID(i int) string { return fmt.Sprintf("%s-%d", r.ID, i) }

func blobPartition(tenant, id string) azcosmos.PartitionKey {
	return azcosmos.NewPartitionKeyString(tenant).AppendString(id)
}

// payload is bulk inside an item, or beside it when it is too large for one.
type payload struct {
	Data []byte   `json:"data,omitempty"`
	Blob *blobRef `json:"blob,omitempty"`
}

// storePayload packs v into a payload, in the blobs container when it has more than most bytes.
func (s *Store) storePayload(ctx context.Context, tenant string, v any, most int) (payload, error) {
	data, err := encodeFrame(v)
	if err != nil {
		return payload{}, err
	}
	if len(data) <= most {
		return payload{Data: data}, nil
	}
	ref, err := s.putBlob(ctx, s.blobs, tenant, data, 0)
	return payload{Blob: &ref}, err
}

// openPayload unpacks a payload; an empty one leaves v alone.
func (s *Store) openPayload(ctx context.Context, tenant string, p payload, v any) error {
	data := p.Data
	if p.Blob != nil {
		var err error
		if data, err = s.getBlob(ctx, s.blobs, tenant, *p.Blob); err != nil {
			return err
		}
	}
	if len(data) == 0 {
		return nil
	}
	return decodeFrame(data, v)
}

// blobCache keeps what never changes, the latest used first, up to a number of bytes.
type blobCache struct {
	mu    sync.Mutex
	most  int64
	bytes int64
	at    map[cacheKey]*list.Element
	order *list.List
}

type cacheKey struct{ tenant, id string }

type cached struct {
	key  cacheKey
	data []byte
}

func newBlobCache(most int64) *blobCache {
	return &blobCache{most: most, at: map[cacheKey]*list.Element{}, order: list.New()}
}

func (c *blobCache) get(k cacheKey) ([]byte, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.at[k]
	if e == nil {
		return nil, false
	}
	c.order.MoveToFront(e)
	return e.Value.(cached).data, true
}

func (c *blobCache) add(k cacheKey, data []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.at[k] != nil {
		return
	}
	c.at[k] = c.order.PushFront(cached{k, data})
	c.bytes += int64(len(data))
	for c.bytes > c.most && c.order.Len() > 1 {
		last := c.order.Back()
		old := c.order.Remove(last).(cached)
		delete(c.at, old.key)
		c.bytes -= int64(len(old.data))
	}
}

// describeItem names an item in errors: never with its content.
func describeItem(what, tenant, id string) string {
	return fmt.Sprintf("%s %s of %q", what, id, tenant)
}
