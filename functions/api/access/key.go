package access

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/functions/api"
	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/store"
)

// Keys makes, checks and ends API keys. A key is shown once, as
//
//	opk_<id: 80 bits>_<secret: 256 bits>
//
// and only a hash of it is kept. The secret is random, so that a plain hash is as good as a slow one.
type Keys struct {
	Documents store.Documents
	Now       func() time.Time
	Log       *slog.Logger
	// CacheFor is how long a key that was read is believed before it is read again, and so how long a revoked one may
	// go on elsewhere. 0 reads it every time: right where the documents are at hand.
	CacheFor time.Duration

	mu     sync.Mutex
	cached map[string]cachedKey
}

var _ api.Keys = (*Keys)(nil)

const (
	keyPrefix = "opk_"
	keyKind   = "key"
	idBytes   = 10
	keyBytes  = 32

	lastUsePrecision = 5 * time.Minute // how exactly the last use is known
	maxCachedKeys    = 10_000
)

var keyEncoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// keyRecord is a key as the store has it.
type keyRecord struct {
	api.Key
	Hash []byte `json:"hash"`

	version uint64
}

type cachedKey struct {
	keyRecord
	read time.Time
}

// parseKey takes a key's text apart; ok says that it has the form of one.
func parseKey(text string) (id, secret string, ok bool) {
	rest, found := strings.CutPrefix(text, keyPrefix)
	id, secret, both := strings.Cut(rest, "_")
	_, err := keyEncoding.DecodeString(id + secret)
	return id, secret, found && both && err == nil && len(id) == keyEncoding.EncodedLen(idBytes) && len(secret) == keyEncoding.EncodedLen(keyBytes)
}

func hashKey(id, secret string) []byte {
	h := sha256.Sum256([]byte(id + "_" + secret))
	return h[:]
}

// Principal is whoever holds the key. Unknown, wrong, expired and revoked keys are fault.Invalid and not told apart.
func (k *Keys) Principal(ctx context.Context, text string) (api.Principal, error) {
	id, secret, ok := parseKey(text)
	if !ok {
		return api.Principal{}, invalidKeyError()
	}
	r, err := k.findKey(ctx, id)
	if err != nil && fault.Of(err) != fault.NotFound {
		return api.Principal{}, fault.Errorf(fault.Unavailable, "read key: %w", err)
	}
	now := k.Now()
	// Always compared, so that the time it takes says nothing about which keys exist.
	same := subtle.ConstantTimeCompare(r.Hash, hashKey(id, secret)) == 1
	if !same || !r.Revoked.IsZero() || !now.Before(r.Expires) {
		return api.Principal{}, invalidKeyError()
	}
	k.recordUse(ctx, r, now)
	return api.Principal{ID: "key:" + id, Name: r.Name, AllTenants: r.AllTenants, Tenants: r.Tenants, Rights: r.Rights()}, nil
}

func invalidKeyError() error {
	return fault.Errorf(fault.Invalid, "the API key is not valid, or no longer")
}

// findKey reads a key, or remembers it.
func (k *Keys) findKey(ctx context.Context, id string) (keyRecord, error) {
	if k.CacheFor > 0 {
		k.mu.Lock()
		r, ok := k.cached[id]
		k.mu.Unlock()
		if ok && k.Now().Sub(r.read) < k.CacheFor {
			return r.keyRecord, nil
		}
	}
	r, err := k.readKey(ctx, id)
	if err == nil && k.CacheFor > 0 {
		k.cacheKey(r)
	}
	return r, err
}

func (k *Keys) cacheKey(r keyRecord) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.cached == nil || len(k.cached) >= maxCachedKeys {
		k.cached = map[string]cachedKey{}
	}
	k.cached[r.ID] = cachedKey{r, k.Now()}
}

func (k *Keys) readKey(ctx context.Context, id string) (keyRecord, error) {
	d, err := k.Documents.Document(ctx, keyKind, id)
	if err != nil {
		return keyRecord{}, err
	}
	return decodeKey(d)
}

func decodeKey(d store.Document) (keyRecord, error) {
	r := keyRecord{version: d.Version}
	if err := json.Unmarshal(d.Data, &r); err != nil {
		return keyRecord{}, fmt.Errorf("read key %s: %w", d.ID, err)
	}
	return r, nil
}

// writeKey writes a key, unless it was changed since it was read, with what is noted of that.
func (k *Keys) writeKey(ctx context.Context, r keyRecord, noted *api.AuditLine) error {
	data, err := json.Marshal(r)
	if err != nil {
		return err
	}
	d := store.Document{ID: r.ID, Version: r.version, Data: data}
	if noted == nil {
		r.version, err = k.Documents.PutDocument(ctx, keyKind, d)
	} else {
		r.version, err = k.Documents.PutAudited(ctx, keyKind, d, noted.Tenant, noted.AuditEntry)
	}
	if err == nil && k.CacheFor > 0 {
		k.cacheKey(r)
	}
	return err
}

// recordUse notes the last use now and then. It is no reason to turn a good key away.
func (k *Keys) recordUse(ctx context.Context, r keyRecord, now time.Time) {
	if now.Sub(r.LastUsed) < lastUsePrecision {
		return
	}
	r.LastUsed = now.UTC()
	if err := k.writeKey(ctx, r, nil); err != nil && fault.Of(err) != fault.Conflict && k.Log != nil {
		k.Log.WarnContext(ctx, "last use of a key is not noted", "key", r.ID, "reason", err)
	}
}

// Create is api.Keys.
func (k *Keys) Create(ctx context.Context, key api.Key, note func(api.Key) (*api.AuditLine, error)) (api.Key, string, error) {
	var b [idBytes + keyBytes]byte
	rand.Read(b[:]) // never fails
	id, secret := keyEncoding.EncodeToString(b[:idBytes]), keyEncoding.EncodeToString(b[idBytes:])
	key.ID = id
	var noted *api.AuditLine
	if note != nil {
		var err error
		if noted, err = note(key); err != nil {
			return api.Key{}, "", err
		}
	}
	if err := k.writeKey(ctx, keyRecord{Key: key, Hash: hashKey(id, secret)}, noted); err != nil {
		return api.Key{}, "", fmt.Errorf("keep key: %w", err)
	}
	return key, keyPrefix + id + "_" + secret, nil
}

// List is api.Keys.
func (k *Keys) List(ctx context.Context) ([]api.Key, error) {
	const page = 200
	var out []api.Key
	for after := ""; ; {
		ds, err := k.Documents.ListDocuments(ctx, keyKind, after, page)
		if err != nil {
			return nil, fmt.Errorf("list keys: %w", err)
		}
		for _, d := range ds {
			r, err := decodeKey(d)
			if err != nil {
				return nil, err
			}
			out = append(out, r.Key)
		}
		if len(ds) < page {
			break
		}
		after = ds[len(ds)-1].ID
	}
	slices.SortStableFunc(out, func(a, b api.Key) int { return b.Created.Compare(a.Created) })
	return out, nil
}

// Revoke is api.Keys.
func (k *Keys) Revoke(ctx context.Context, id string, note func(before, after api.Key) (*api.AuditLine, error)) (api.Key, error) {
	const tries = 5 // against uses that are noted at the same time
	for try := 1; ; try++ {
		r, err := k.readKey(ctx, id)
		if err != nil || !r.Revoked.IsZero() {
			return r.Key, err
		}
		before := r.Key
		r.Revoked = k.Now().UTC()
		var noted *api.AuditLine
		if note != nil {
			if noted, err = note(before, r.Key); err != nil {
				return before, err
			}
		}
		if err = k.writeKey(ctx, r, noted); err == nil || fault.Of(err) != fault.Conflict || try == tries {
			return r.Key, err
		}
	}
}
