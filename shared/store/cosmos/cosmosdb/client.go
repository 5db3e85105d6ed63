package cosmosdb

import (
	"context"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/data/azcosmos"

	"github.com/onepane/onepane/shared/fault"
)

// Client sends requests. Each is tried again where that is harmless, and its errors have their kinds. It is safe for
// concurrent use.
type Client struct {
	opts Options

	mu         sync.Mutex
	current    containers
	partitions map[string]Partition
}

// Options say where the containers are.
type Options struct {
	Connect  func() (*azcosmos.Client, error) // called again when a client may be of no more use
	Database string
	State    string                                           // the container of state
	Blobs    string                                           // the container of blobs
	Wait     func(ctx context.Context, d time.Duration) error // before a request is tried again
}

// containers is a client's view of the two containers.
type containers struct{ state, blobs *azcosmos.ContainerClient }

// NewClient makes a client. It sends nothing yet.
func NewClient(opts Options) (*Client, error) {
	c := &Client{opts: opts, partitions: map[string]Partition{}}
	return c, c.reconnect()
}

// reconnect makes a client of the SDK and uses it from now on.
func (c *Client) reconnect() error {
	sdk, err := c.opts.Connect()
	if err != nil {
		return err
	}
	var next containers
	if next.state, err = sdk.NewContainer(c.opts.Database, c.opts.State); err != nil {
		return err
	}
	if next.blobs, err = sdk.NewContainer(c.opts.Database, c.opts.Blobs); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.current = next
	return nil
}

func (c *Client) containers() containers {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.current
}

// Item is a document as it was read.
type Item struct {
	Body []byte
	ETag azcore.ETag
}

// ReadItem reads one item; fault.NotFound when there is none.
func (c *Client) ReadItem(ctx context.Context, in Partition, id string) (Item, error) {
	var out Item
	err := c.retry(ctx, func(to containers) error {
		resp, err := to.state.ReadItem(ctx, in.key(), id, &azcosmos.ItemOptions{SessionToken: in.session.token()})
		in.session.resetIfUnknown(err)
		if err == nil {
			in.session.advanceTo(resp.SessionToken)
			out = Item{resp.Value, resp.ETag}
		}
		return err
	})
	return out, err
}

// UpsertItem writes one item, in the place of one that is there, and gives the session token of that.
func (c *Client) UpsertItem(ctx context.Context, in Partition, data []byte) (token string, err error) {
	err = c.retry(ctx, func(to containers) error {
		resp, err := to.state.UpsertItem(ctx, in.key(), data, nil)
		if err == nil && resp.SessionToken != nil {
			token = *resp.SessionToken
			in.session.advanceTo(resp.SessionToken)
		}
		return err
	})
	return token, err
}

// DeleteItem deletes one item. One that is not there is no error.
func (c *Client) DeleteItem(ctx context.Context, in Partition, id string) error {
	err := c.retry(ctx, func(to containers) error {
		_, err := to.state.DeleteItem(ctx, in.key(), id, nil)
		return err
	})
	return ignoreNotFound(err)
}

// ignoreNotFound returns nil for fault.NotFound, any other error as it is.
func ignoreNotFound(err error) error {
	if fault.Of(err) == fault.NotFound {
		return nil
	}
	return err
}

// PartitionOf is the partition of a name behind a prefix. It is the same for every caller, so that each reads what
// others wrote.
func (c *Client) PartitionOf(prefix, name string) Partition {
	name = prefix + EscapeName(name)
	c.mu.Lock()
	defer c.mu.Unlock()
	p, known := c.partitions[name]
	if !known {
		p = NewPartition(name)
		c.partitions[name] = p
	}
	return p
}
