package api

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/functions/api/graph"
	"github.com/onepane/onepane/shared/fault"
)

// Key is an API key for a machine, without its secret.
type Key struct {
	ID         string    `json:"id"`
	Name       string    `json:"name"`
	AllTenants bool      `json:"allTenants,omitzero"`
	Tenants    []string  `json:"tenants,omitempty"`
	Roles      []string  `json:"roles"`
	Created    time.Time `json:"created"`
	CreatedBy  string    `json:"createdBy"`
	Expires    time.Time `json:"expires"`
	Revoked    time.Time `json:"revoked,omitzero"`
	LastUsed   time.Time `json:"lastUsed,omitzero"` // to some minutes
}

// Rights are what the key's roles give.
func (k Key) Rights() (r Right) {
	for _, role := range k.Roles {
		r |= RightOf(role)
	}
	return r
}

// Keys keeps API keys.
type Keys interface {
	// Create makes a key as described and gives it an id and its secret, which nobody can read again. What note says
	// of it is written with it, or neither; note may be nil, and say nothing.
	Create(ctx context.Context, k Key, note func(made Key) (*AuditLine, error)) (made Key, secret string, err error)
	// List lists all keys, the revoked and the expired too, the newest first.
	List(ctx context.Context) ([]Key, error)
	// Revoke ends a key for good; repeating it changes nothing. No such key is fault.NotFound. Note is as with Create.
	Revoke(ctx context.Context, id string, note func(before, after Key) (*AuditLine, error)) (Key, error)
}

// The bounds of a key's life.
const (
	keyLife    = 365 * 24 * time.Hour // unless stated
	maxKeyLife = 5 * keyLife
)

// newKey is what a request for a key says.
type newKey struct {
	Name       string    `json:"name"`
	AllTenants bool      `json:"allTenants"`
	Tenants    []string  `json:"tenants"`
	Roles      []string  `json:"roles"`
	Expires    time.Time `json:"expires"`
}

func listKeys(req *request) error {
	keys, err := req.tenantScope().visibleKeys(req.Context())
	if err != nil {
		return err
	}
	out := collection{Value: []jsontext.Value{}}
	for _, k := range keys {
		v, err := json.Marshal(k, graph.Encoding)
		if err != nil {
			return err
		}
		out.Value = append(out.Value, v)
	}
	return req.writeJSON(http.StatusOK, out)
}

// createKey answers with the key and its secret, this one time.
func createKey(req *request) error {
	k, err := readNewKey(req)
	if err != nil {
		return err
	}
	made, secret, err := req.tenantScope().createKey(req.Context(), k, func(made Key) (*AuditLine, error) {
		return req.newAuditLine(ownerOf(made), "key "+made.ID, nil, made)
	})
	if err != nil {
		return err
	}
	return req.writeJSON(http.StatusCreated, struct {
		Key
		Secret string `json:"secret"`
	}{made, secret})
}

// readNewKey reads and checks the request's body.
func readNewKey(req *request) (Key, error) {
	body, err := req.readBody(maxRequest)
	if err != nil {
		return Key{}, err
	}
	var n newKey
	if err := json.Unmarshal(body, &n, json.RejectUnknownMembers(true)); err != nil {
		return Key{}, fault.Errorf(fault.Invalid, `The body must be {"name":"…","tenants":["…"],"roles":["…"],"expires":"…"}.`)
	}
	now := req.server.timeNow().UTC()
	if n.Expires.IsZero() {
		n.Expires = now.Add(keyLife)
	}
	if len(n.Tenants) == 0 && !n.AllTenants {
		n.Tenants = req.principal.Tenants
	}
	switch {
	case strings.TrimSpace(n.Name) == "" || len(n.Name) > 100:
		return Key{}, fault.Errorf(fault.Invalid, "A key has a name of 1 to 100 bytes.")
	case n.AllTenants == (len(n.Tenants) > 0):
		return Key{}, fault.Errorf(fault.Invalid, `Name either "tenants" or "allTenants": true.`)
	case len(n.Roles) == 0:
		return Key{}, fault.Errorf(fault.Invalid, "A key has at least one of the roles %s.", rolesGranting(Everything))
	case !n.Expires.After(now) || n.Expires.After(now.Add(maxKeyLife)):
		return Key{}, fault.Errorf(fault.Invalid, "A key expires in the future, at most %d days from now.", int(maxKeyLife.Hours()/24))
	}
	for _, role := range n.Roles {
		if RightOf(role) == 0 {
			return Key{}, fault.Errorf(fault.Invalid, "'%s' is none of the roles %s.", clipText(role), rolesGranting(Everything))
		}
	}
	for _, tenant := range n.Tenants {
		if tenant == "" {
			return Key{}, fault.Errorf(fault.Invalid, "A tenant has a name.")
		}
	}
	return Key{Name: n.Name, AllTenants: n.AllTenants, Tenants: sortedUnique(n.Tenants), Roles: sortedUnique(n.Roles), Created: now, CreatedBy: req.principal.ID, Expires: n.Expires.UTC()}, nil
}

// revokeKey ends a key at once.
func revokeKey(req *request) error {
	req.audited = true // what is revoked already is not changed
	after, err := req.tenantScope().revokeKey(req.Context(), req.PathValue("id"), func(before, after Key) (*AuditLine, error) {
		return req.newAuditLine(ownerOf(after), "key "+after.ID, before, after)
	})
	if err != nil {
		return err
	}
	return req.writeJSON(http.StatusOK, after)
}

// ownerOf is the tenant that a key belongs to, "" when it is not one tenant's.
func ownerOf(k Key) string {
	if len(k.Tenants) == 1 && !k.AllTenants {
		return k.Tenants[0]
	}
	return ""
}
