// Package settings keeps what tenants set while Onepane runs, in the store's documents, over what the configuration
// says. The API reads and writes it; correlation asks for each tenant's tuning.
//
//	PATCH /api/v1/settings ─▶ Keeper ─▶ store: one document a tenant
//	                            ▲ └─ Tuning ─▶ correlate
//	      configuration ────────┘
package settings

import (
	"context"
	"log/slog"
	"maps"
	"sync"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/functions/api"
	"github.com/onepane/onepane/shared/correlation"
	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/store"
)

// Keeper is api.Settings. It is safe for concurrent use; processes that share a store see one another's changes
// within fresh.
type Keeper struct {
	Documents  store.Documents
	Configured map[string]map[string]string // tunings of the configuration, by tenant, as correlation.ParamsByTenant takes them
	Now        func() time.Time
	Log        *slog.Logger

	mu    sync.Mutex
	known map[string]*cachedTuning
}

var _ api.Settings = (*Keeper)(nil)

// cacheFor is for how long a tuning is not read again, patience how long a reading of it may take.
const (
	cacheFor    = 10 * time.Second
	readTimeout = 5 * time.Second
)

// documentKind is the document kind of a tenant's settings.
const documentKind = "settings"

// document is what the store holds.
type document struct {
	Tuning map[string]string `json:"tuning"`
}

// cachedTuning is a tenant's tuning as it was read last.
type cachedTuning struct {
	sync.Mutex
	tuning  *correlation.Params
	version uint64
	read    time.Time
}

// Settings is api.Settings.
func (k *Keeper) Settings(ctx context.Context, tenant string) (api.Setting, error) {
	out := api.Setting{Tenant: tenant, Tuning: map[string]string{}, Configured: maps.Clone(k.Configured[tenant])}
	if out.Configured == nil {
		out.Configured = map[string]string{}
	}
	d, err := k.Documents.Document(ctx, documentKind, tenant)
	if fault.Of(err) == fault.NotFound {
		return out, nil
	}
	if err != nil {
		return out, err
	}
	var set document
	if err := json.Unmarshal(d.Data, &set); err != nil {
		return out, err
	}
	out.Version = d.Version
	maps.Copy(out.Tuning, set.Tuning)
	return out, nil
}

// Set is api.Settings. Constants that are of no use are fault.Invalid.
func (k *Keeper) Set(ctx context.Context, tenant string, version uint64, tuning map[string]string, note func(api.Setting) (*api.AuditLine, error)) (api.Setting, error) {
	out := api.Setting{Tenant: tenant, Version: version + 1, Tuning: tuning, Configured: maps.Clone(k.Configured[tenant])}
	if _, err := k.tuningOf(out); err != nil {
		return out, err
	}
	data, err := json.Marshal(document{tuning}, json.Deterministic(true))
	if err != nil {
		return out, err
	}
	var noted *api.AuditLine
	if note != nil {
		if noted, err = note(out); err != nil {
			return out, err
		}
	}
	d := store.Document{ID: tenant, Version: version, Data: data}
	if noted == nil {
		out.Version, err = k.Documents.PutDocument(ctx, documentKind, d)
	} else {
		out.Version, err = k.Documents.PutAudited(ctx, documentKind, d, noted.Tenant, noted.AuditEntry)
	}
	if err != nil {
		return out, err
	}
	one := k.tenantCache(tenant)
	one.Lock()
	defer one.Unlock()
	one.read = time.Time{}
	return out, nil
}

// tuningOf is the tuning that settings make.
func (k *Keeper) tuningOf(s api.Setting) (*correlation.Params, error) {
	all := map[string]string{}
	maps.Copy(all, s.Configured)
	maps.Copy(all, s.Tuning)
	of, err := correlation.ParamsByTenant(map[string]map[string]string{s.Tenant: all})
	if err != nil {
		return nil, err
	}
	return of(s.Tenant), nil
}

// Tuning is a tenant's tuning now. As long as nothing is set anew it is the same one; when the store does not
// answer, it is the one that was known last, at first what the configuration says.
func (k *Keeper) Tuning(tenant string) *correlation.Params {
	one := k.tenantCache(tenant)
	one.Lock()
	defer one.Unlock()
	now := k.Now()
	if one.tuning != nil && !one.read.IsZero() && now.Sub(one.read) < cacheFor {
		return one.tuning
	}
	ctx, cancel := context.WithTimeout(context.Background(), readTimeout)
	defer cancel()
	s, err := k.Settings(ctx, tenant)
	var t *correlation.Params
	if err == nil && (one.tuning == nil || s.Version != one.version) {
		t, err = k.tuningOf(s)
	}
	one.read = now
	switch {
	case err != nil:
		k.Log.Warn("settings cannot be read, those known last hold", "tenant", tenant, "error", err.Error())
		if one.tuning == nil {
			one.tuning, _ = k.tuningOf(api.Setting{Tenant: tenant, Configured: k.Configured[tenant]}) // checked at start
		}
	case t != nil:
		one.tuning, one.version = t, s.Version
	}
	return one.tuning
}

func (k *Keeper) tenantCache(tenant string) *cachedTuning {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.known == nil {
		k.known = map[string]*cachedTuning{}
	}
	if k.known[tenant] == nil {
		k.known[tenant] = &cachedTuning{}
	}
	return k.known[tenant]
}
