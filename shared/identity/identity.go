// Package identity gets access tokens for Azure without any stored secret: from the identity that the platform gives
// a function, exchanged at Entra where that platform is another cloud. It replaces azidentity, whose MSAL would make
// every cold start longer.
//
//	Lambda    ─ sts:GetWebIdentityToken ─┐
//	                                     ├─ signed assertion ─▶ Entra ─┐
//	Cloud Run ─ metadata server ─────────┘                             ├─▶ access token ─▶ Credential ─▶ Azure
//	Functions ─ IDENTITY_ENDPOINT ─────────────────────────────────────┘
//
// It imports no SDK: azuresdk gives a Credential the form that the Azure SDK's clients take. No token, key or signature
// appears in an error.
package identity

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/onepane/onepane/shared/backoff"
	"github.com/onepane/onepane/shared/fault"
)

// Request says what a token is for.
type Request struct {
	Scope  string // as in "https://servicebus.azure.net/.default"
	Claims string // from a claims challenge; usually empty
	Tenant string // directory id; empty is the identity's own
}

// Token is an access token.
type Token struct {
	Value     string
	ExpiresOn time.Time
	RefreshOn time.Time // when its issuer wants it replaced; zero when it does not say
}

// Source fetches a new token each time it is asked.
//
// An error is fault.Unavailable while the token service does not work, or fault.Denied when the identity or its trust
// is not set up, or not yet; then it says what to look at.
type Source interface {
	Token(ctx context.Context, r Request) (Token, error)
}

// Credential keeps the tokens of a Source until shortly before they expire. Safe for concurrent use: however many ask
// at once, the source is asked once.
type Credential struct {
	Source Source
	// Tenant is the id of the directory that issues the tokens; a Request for another is fault.Denied. Empty takes any.
	Tenant string
	Now    func() time.Time
	// Pause waits between tries, or returns ctx's error; nil is backoff.Wait.
	Pause func(ctx context.Context, d time.Duration) error

	mu   sync.Mutex
	kept map[string]*keptToken // by scope
}

const (
	// refreshMargin is how long before its end a token is replaced; a fifth of its life where that is less.
	refreshMargin = 5 * time.Minute
	// fetchTimeout is how long all tries for one token may take.
	fetchTimeout = 20 * time.Second
	// maxTries is how often a token is asked for, firstPause the wait before the second try, doubling with each: the
	// metadata servers of both clouds do not answer at once in a new instance.
	maxTries   = 3
	firstPause = 200 * time.Millisecond
	// failurePause is how long after a failed fetch a token that is still valid is used before the source is asked
	// again.
	failurePause = 30 * time.Second
)

// Token returns a token for r. It does not wait while a kept one is still valid. Errors are those of Source;
// fault.Unavailable when ctx ends first.
func (c *Credential) Token(ctx context.Context, r Request) (Token, error) {
	if c.Tenant != "" && r.Tenant != "" && !strings.EqualFold(c.Tenant, r.Tenant) {
		return Token{}, fault.Errorf(fault.Denied, "a token of directory %s is wanted, this identity lives in %s", r.Tenant, c.Tenant)
	}
	if r.Claims != "" { // a claims challenge: the kept token was just refused
		return c.fetchToken(ctx, r)
	}
	k := c.keptFor(r.Scope)
	for joined := 0; ; joined++ {
		token, f, own := c.lookUpToken(ctx, k, r)
		if f == nil {
			return token, nil
		}
		select {
		case <-f.done:
		case <-ctx.Done():
			return Token{}, fault.Errorf(fault.Unavailable, "get a token for %s: %w", r.Scope, ctx.Err())
		}
		if f.err == nil || own || joined > 0 {
			return f.token, f.err
		}
		// The fetch that another call began may have failed because the process was frozen meanwhile: try once more.
	}
}

// keptToken is the token of one scope and the fetch of its successor.
type keptToken struct {
	token     Token
	refreshAt time.Time   // when to ask for the next
	fetch     *tokenFetch // nil when none is running
}

// tokenFetch is one fetch that many calls may wait for.
type tokenFetch struct {
	done  chan struct{} // closed when token and err are set
	token Token
	err   error
}

// keptFor returns the kept token of a scope, empty at first.
func (c *Credential) keptFor(scope string) *keptToken {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.kept == nil {
		c.kept = map[string]*keptToken{}
	}
	if c.kept[scope] == nil {
		c.kept[scope] = &keptToken{}
	}
	return c.kept[scope]
}

// lookUpToken returns the kept token while it is valid, and starts a fetch of its successor when it is due. Without a
// valid token it returns the fetch to wait for, and whether this call began it.
func (c *Credential) lookUpToken(ctx context.Context, k *keptToken, r Request) (token Token, f *tokenFetch, own bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.Now()
	good := k.token.Value != "" && now.Before(k.token.ExpiresOn)
	if good && now.Before(k.refreshAt) {
		return k.token, nil, false
	}
	if k.fetch == nil {
		k.fetch, own = &tokenFetch{done: make(chan struct{})}, true
		go c.runFetch(context.WithoutCancel(ctx), k, k.fetch, r)
	}
	if good {
		return k.token, nil, false
	}
	return Token{}, k.fetch, own
}

// runFetch fetches a token for all calls that wait for f.
func (c *Credential) runFetch(ctx context.Context, k *keptToken, f *tokenFetch, r Request) {
	f.token, f.err = c.fetchToken(ctx, r)
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.Now()
	if f.err == nil {
		k.token, k.refreshAt = f.token, refreshAt(f.token, now)
	} else {
		k.refreshAt = now.Add(failurePause)
	}
	k.fetch = nil
	close(f.done)
}

// refreshAt returns when a token fetched at now should be replaced.
func refreshAt(t Token, now time.Time) time.Time {
	at := t.ExpiresOn.Add(-min(refreshMargin, t.ExpiresOn.Sub(now)/5))
	if !t.RefreshOn.IsZero() && t.RefreshOn.Before(at) {
		return t.RefreshOn
	}
	return at
}

// fetchToken asks the source, again while it is fault.Unavailable.
func (c *Credential) fetchToken(ctx context.Context, r Request) (Token, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	pause := c.Pause
	if pause == nil {
		pause = backoff.Wait
	}
	for try := 1; ; try++ {
		t, err := c.Source.Token(ctx, r)
		if err == nil || try == maxTries || fault.Of(err) != fault.Unavailable {
			return t, err
		}
		if pause(ctx, firstPause<<(try-1)) != nil {
			return t, err
		}
	}
}
