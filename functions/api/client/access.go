package client

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Key is an API key. Its secret is there only when it was just made.
type Key struct {
	ID         string    `json:"id"`
	Name       string    `json:"name"`
	AllTenants bool      `json:"allTenants"`
	Tenants    []string  `json:"tenants"`
	Roles      []string  `json:"roles"`
	Created    time.Time `json:"created"`
	CreatedBy  string    `json:"createdBy"`
	Expires    time.Time `json:"expires"`
	Revoked    time.Time `json:"revoked"`
	LastUsed   time.Time `json:"lastUsed"`
	Secret     string    `json:"secret"`
}

// NewKey describes a key to be made.
type NewKey struct {
	Name       string    `json:"name"`
	AllTenants bool      `json:"allTenants,omitzero"`
	Tenants    []string  `json:"tenants,omitempty"`
	Roles      []string  `json:"roles"`
	Expires    time.Time `json:"expires,omitzero"` // zero leaves it to the server
}

// AuditEntry is one write: who did what to which thing.
type AuditEntry struct {
	ID     string         `json:"id"`
	Time   time.Time      `json:"time"`
	Tenant string         `json:"tenantId"`
	By     string         `json:"by"`
	ByName string         `json:"byName"`
	Action string         `json:"action"`
	Target string         `json:"target"`
	Before jsontext.Value `json:"before"`
	After  jsontext.Value `json:"after"`
	// Outcome, of what reaches beyond the store, is begun, done or failed.
	Outcome string `json:"outcome"`
}

const keys = "/api/v1/keys"

// Keys lists API keys, newest first.
func (c *Client) Keys(ctx context.Context) iter.Seq2[Item[Key], error] {
	return listPages[Key](ctx, c, keys, Query{}, alertPage)
}

// CreateKey makes a key. Nobody can read its secret again.
func (c *Client) CreateKey(ctx context.Context, k NewKey) (Item[Key], error) {
	body, err := json.Marshal(k)
	if err != nil {
		return Item[Key]{}, err
	}
	var raw jsontext.Value
	if err := c.sendRequest(ctx, http.MethodPost, keys, nil, body, &raw); err != nil {
		return Item[Key]{}, err
	}
	return decodeItem[Key](raw)
}

// RevokeKey ends a key.
func (c *Client) RevokeKey(ctx context.Context, id string) (Item[Key], error) {
	var raw jsontext.Value
	if err := c.sendRequest(ctx, http.MethodDelete, keys+"/"+url.PathEscape(id), nil, nil, &raw); err != nil {
		return Item[Key]{}, err
	}
	return decodeItem[Key](raw)
}

// Audit lists who changed what, newest first.
func (c *Client) Audit(ctx context.Context, q Query) iter.Seq2[Item[AuditEntry], error] {
	return listPages[AuditEntry](ctx, c, "/api/v1/audit", q, alertPage)
}
