package cloudrun

import (
	"context"
	"crypto/rsa"
	"io"
	"math/big"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/shared/fault"
)

const (
	// defaultKeysAge is how long keys are kept when the answer does not say; Google's say some hours. A withdrawn key
	// is trusted that long at most.
	defaultKeysAge = time.Hour
	// fetchPause is the shortest time between two fetches, so that tokens with invented key ids cause no more than
	// that.
	fetchPause = time.Minute
	// failedFetchPause is the shortest time between a fetch that failed and the next.
	failedFetchPause = time.Second
	fetchTimeout     = 10 * time.Second
	maxKeys          = 1 << 20 // bytes of an answer
	minKeyBits       = 2048
)

// keySet is the public keys at an address (RFC 7517). They are fetched when a token names one that is not known, or
// when they are old. Safe for concurrent use.
type keySet struct {
	address string
	http    *http.Client
	now     func() time.Time

	mu         sync.Mutex
	keys       map[string]*rsa.PublicKey // by id
	validUntil time.Time                 // when keys must be fetched again
	nextFetch  time.Time                 // before it nothing is fetched
}

// keyByID returns the key with an id: fault.Denied when there is none, fault.Unavailable when the keys cannot be
// fetched.
func (s *keySet) keyByID(ctx context.Context, id string) (*rsa.PublicKey, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if k := s.keys[id]; k != nil && s.now().Before(s.validUntil) {
		return k, nil
	}
	if !s.now().Before(s.nextFetch) {
		s.nextFetch = s.now().Add(failedFetchPause)
		if err := s.fetchKeys(ctx); err != nil {
			return nil, fault.Errorf(fault.Unavailable, "get signing keys: %w", err)
		}
		s.nextFetch = s.now().Add(fetchPause)
	}
	if !s.now().Before(s.validUntil) {
		return nil, fault.Errorf(fault.Unavailable, "get signing keys: they could not be had a moment ago")
	}
	if k := s.keys[id]; k != nil {
		return k, nil
	}
	return nil, fault.Errorf(fault.Denied, "signed with an unknown key %.60q", id)
}

// fetchKeys replaces the keys; the caller holds mu. It goes on when the push that began it ends: other pushes wait
// for it.
func (s *keySet) fetchKeys(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), fetchTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.address, nil)
	if err != nil {
		return err
	}
	resp, err := s.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fault.Errorf(fault.Unavailable, "answered %d", resp.StatusCode)
	}
	var set struct {
		Keys []jwk `json:"keys"`
	}
	if err := json.UnmarshalRead(io.LimitReader(resp.Body, maxKeys), &set); err != nil {
		return err
	}
	keys := map[string]*rsa.PublicKey{}
	for _, k := range set.Keys {
		if public := k.publicKey(); public != nil {
			keys[k.ID] = public
		}
	}
	s.keys, s.validUntil = keys, s.now().Add(cacheAge(resp.Header.Get("Cache-Control")))
	return nil
}

// jwk is one key of a set.
type jwk struct {
	ID        string `json:"kid"`
	Type      string `json:"kty"`
	Use       string `json:"use"`
	Algorithm string `json:"alg"`
	Modulus   string `json:"n"`
	Exponent  string `json:"e"`
}

// publicKey returns the key if it signs with RS256 and is strong enough; else nil.
func (k jwk) publicKey() *rsa.PublicKey {
	if k.ID == "" || k.Type != "RSA" || k.Use != "" && k.Use != "sig" || k.Algorithm != "" && k.Algorithm != "RS256" {
		return nil
	}
	n, err := decodeBase64(k.Modulus)
	if err != nil {
		return nil
	}
	e, err := decodeBase64(k.Exponent)
	if err != nil || len(e) > 4 {
		return nil
	}
	key := &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(new(big.Int).SetBytes(e).Int64())}
	if key.N.BitLen() < minKeyBits || key.E < 3 || key.E%2 == 0 {
		return nil
	}
	return key
}

// cacheAge returns how long an answer may be kept, at most a day.
func cacheAge(cacheControl string) time.Duration {
	for directive := range strings.SplitSeq(cacheControl, ",") {
		if v, ok := strings.CutPrefix(strings.TrimSpace(directive), "max-age="); ok {
			if n, err := strconv.Atoi(v); err == nil && n > 0 {
				return min(time.Duration(n)*time.Second, 24*time.Hour)
			}
		}
	}
	return defaultKeysAge
}
