package access

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// keySet is an issuer's public keys, read when they are needed. It does what go-oidc's own does not: it forgets keys
// that the issuer has withdrawn, goes on with those it has while the issuer does not answer, and asks no more often
// than once in retryAfter however many tokens name keys that do not exist.
type keySet struct {
	url        string
	http       *http.Client
	now        func() time.Time
	algorithms []string

	known      atomic.Pointer[knownKeys]
	refreshing sync.Mutex
	refreshed  time.Time // guarded by asking
}

type knownKeys struct {
	keys []jose.JSONWebKey
	read time.Time
}

const (
	keysFresh   = time.Hour      // after which they are read again
	keysStale   = 24 * time.Hour // after which they are no longer believed
	maxKeys     = 1 << 20        // bytes of a key set
	maxKeyTries = 4              // keys that are tried for a token that names none
)

// VerifySignature is oidc.KeySet.
func (s *keySet) VerifySignature(ctx context.Context, token string) ([]byte, error) {
	var algorithms []jose.SignatureAlgorithm
	for _, a := range s.algorithms {
		algorithms = append(algorithms, jose.SignatureAlgorithm(a))
	}
	sig, err := jose.ParseSignedCompact(token, algorithms)
	if err != nil {
		return nil, err
	}
	id := sig.Signatures[0].Header.KeyID
	known := s.known.Load()
	if known == nil || s.now().Sub(known.read) > keysFresh || len(known.keysNamed(id)) == 0 {
		known = s.refreshKeys(ctx, id)
	}
	if known == nil || s.now().Sub(known.read) > keysStale {
		return nil, errUnreachable
	}
	for _, k := range known.keysNamed(id) {
		if payload, err := sig.Verify(k); err == nil {
			return payload, nil
		}
	}
	return nil, errors.New("no key of the issuer verifies it")
}

// keysNamed are the keys that a token's header may mean.
func (k *knownKeys) keysNamed(id string) []jose.JSONWebKey {
	if k == nil {
		return nil
	}
	var out []jose.JSONWebKey
	for _, key := range k.keys {
		if (id == "" || key.KeyID == id) && (key.Use == "" || key.Use == "sig") && len(out) < maxKeyTries {
			out = append(out, key)
		}
	}
	return out
}

// refreshKeys reads the keys again, unless that was tried a moment ago, and gives those known then. Whoever can go on
// with the keys at hand does not wait for another's refresh.
func (s *keySet) refreshKeys(ctx context.Context, id string) *knownKeys {
	if len(s.known.Load().keysNamed(id)) > 0 {
		if !s.refreshing.TryLock() {
			return s.known.Load()
		}
	} else {
		s.refreshing.Lock()
	}
	defer s.refreshing.Unlock()
	if now := s.now(); now.Sub(s.refreshed) >= retryAfter {
		s.refreshed = now
		if keys, err := s.fetchKeys(context.WithoutCancel(ctx)); err == nil {
			s.known.Store(&knownKeys{keys, now})
		}
	}
	return s.known.Load()
}

func (s *keySet) fetchKeys(ctx context.Context) ([]jose.JSONWebKey, error) {
	ctx, cancel := context.WithTimeout(ctx, issuerTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url, nil)
	if err != nil {
		return nil, err
	}
	resp, err := s.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxKeys))
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("read keys: %s", resp.Status)
	}
	return parseKeys(b)
}

// parseKeys reads a key set. A key of a kind that is not known is left out (RFC 7517, 5), and so is one that is
// secret: a set that anyone may read has none.
func parseKeys(b []byte) ([]jose.JSONWebKey, error) {
	var set struct {
		Keys []jsontext.Value `json:"keys"`
	}
	if err := json.Unmarshal(b, &set); err != nil {
		return nil, fmt.Errorf("read keys: %w", err)
	}
	var out []jose.JSONWebKey
	for _, raw := range set.Keys {
		var k jose.JSONWebKey
		if k.UnmarshalJSON(raw) == nil && k.Valid() && k.IsPublic() {
			out = append(out, k)
		}
	}
	return out, nil
}
