package send

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/onepane/onepane/shared/bus/servicebus/pack"
	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/identity"
)

// Container puts blobs in a container, which must exist; package blob reads them. Safe for concurrent use.
type Container struct {
	URL        string // of the container, "https://account.blob.core.windows.net/claims"
	Credential Tokens // of an identity that may add blobs there
	HTTP       *http.Client
	Pause      time.Duration // before the second try, doubling each time; 0 is 250 ms
	Now        func() time.Time
}

var _ pack.Putter = (*Container)(nil)

const (
	storageScope = "https://storage.azure.com/.default"
	// storageVersion is of the Blob service REST API; bearer tokens need 2017-11-09 or later.
	storageVersion = "2021-12-02"
	putTries       = 4
)

// Put stores body under a name that only this body has (Blob service REST API, "Put Blob"): a name that is taken
// holds the same body already. Every failure is fault.Unavailable: it says nothing about the event.
func (c *Container) Put(ctx context.Context, name string, body []byte) error {
	pause := cmp.Or(c.Pause, 250*time.Millisecond)
	err := retryRequest(ctx, putTries, pause, func() (time.Duration, error) { return c.putOnce(ctx, name, body) })
	if err != nil {
		return fmt.Errorf("put blob %s: %w", name, err)
	}
	return nil
}

// putOnce stores body with one request. The duration is as of answer.retryAfter.
func (c *Container) putOnce(ctx context.Context, name string, body []byte) (time.Duration, error) {
	token, err := c.Credential.Token(ctx, identity.Request{Scope: storageScope})
	if err != nil {
		return noRetry, fmt.Errorf("get a token: %w", err)
	}
	h := http.Header{
		"Authorization": {"Bearer " + token.Value}, "Content-Type": {"application/octet-stream"}, "If-None-Match": {"*"},
		"X-Ms-Blob-Type": {"BlockBlob"}, "X-Ms-Version": {storageVersion}, "X-Ms-Date": {c.Now().UTC().Format(http.TimeFormat)},
	}
	client := c.HTTP
	if client == nil {
		client = defaultClient
	}
	a, err := sendRequest(ctx, client, http.MethodPut, strings.TrimSuffix(c.URL, "/")+"/"+name, h, body)
	if err != nil {
		return 0, fault.Errorf(fault.Unavailable, "ask blob storage: %w", err)
	}
	if a.status == http.StatusCreated || a.status == http.StatusConflict && a.code == "BlobAlreadyExists" {
		return 0, nil
	}
	return a.retryAfter(), fault.Errorf(fault.Unavailable, "blob storage refuses (%s)", a)
}
