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

// Keys are the server's API keys.
type Keys struct{ *transport }

// List gives the keys, newest first.
func (k Keys) List(ctx context.Context) iter.Seq2[Item[Key], error] {
	return listPages[Key](ctx, k.transport, keys, Query{}, alertPage)
}

// Create makes a key. Nobody can read its secret again.
func (k Keys) Create(ctx context.Context, made NewKey) (Item[Key], error) {
	body, err := json.Marshal(made)
	if err != nil {
		return Item[Key]{}, err
	}
	var raw jsontext.Value
	if err := k.sendRequest(ctx, http.MethodPost, keys, nil, body, &raw); err != nil {
		return Item[Key]{}, err
	}
	return decodeItem[Key](raw)
}

// Revoke ends a key.
func (k Keys) Revoke(ctx context.Context, id string) (Item[Key], error) {
	var raw jsontext.Value
	if err := k.sendRequest(ctx, http.MethodDelete, keys+"/"+url.PathEscape(id), nil, nil, &raw); err != nil {
		return Item[Key]{}, err
	}
	return decodeItem[Key](raw)
}

// Audit lists who changed what, newest first.
func (c *Client) Audit(ctx context.Context, q Query) iter.Seq2[Item[AuditEntry], error] {
	return listPages[AuditEntry](ctx, c.transport, "/api/v1/audit", q, alertPage)
}
