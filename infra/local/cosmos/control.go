package cosmos

import (
	"container/heap"
	"net/http"
	"slices"

	"github.com/go-json-experiment/json"
)

// Container is a container's definition, as the control plane takes and shows it.
type Container struct {
	ID              string           `json:"id"`
	PartitionKey    PartitionKey     `json:"partitionKey"`
	IndexingPolicy  *IndexingPolicy  `json:"indexingPolicy,omitempty"`
	UniqueKeyPolicy *UniqueKeyPolicy `json:"uniqueKeyPolicy,omitempty"`
	// DefaultTTL in seconds; nil switches expiry off, -1 leaves it to each item's own ttl.
	DefaultTTL *int `json:"defaultTtl,omitempty"`
}

// PartitionKey says which properties choose an item's logical partition: one path of kind Hash, or up to three of kind
// MultiHash. Only hash version 2 is kept here; version 1 cuts keys at 101 bytes and is for old containers.
type PartitionKey struct {
	Paths   []string `json:"paths"`
	Kind    string   `json:"kind"`
	Version int      `json:"version"`
}

// UniqueKeyPolicy lists sets of paths whose values are unique within one logical partition.
type UniqueKeyPolicy struct {
	UniqueKeys []UniqueKey `json:"uniqueKeys"`
}

// UniqueKey is one such set.
type UniqueKey struct {
	Paths []string `json:"paths"`
}

// answerAccount answers the account's own description: a client goes to the addresses given here, not to the one it was
// given.
// Source: learn.microsoft.com/rest/api/cosmos-db/get-database-account-properties.
func (g *catalog) answerAccount(r *request) (answer, error) {
	if r.Method != http.MethodGet {
		return answer{}, newRefusal(http.StatusMethodNotAllowed, "MethodNotAllowed", "the account is only read here")
	}
	endpoint := g.endpoint
	if endpoint == "" {
		scheme := "http"
		if r.TLS != nil {
			scheme = "https"
		}
		endpoint = scheme + "://" + r.Host + "/"
	}
	location := []map[string]string{{"name": "Local", "databaseAccountEndpoint": endpoint}}
	return showResource(http.StatusOK, map[string]any{
		"id": "local", "_self": "", "_rid": "local", "_dbs": "//dbs/", "media": "//media/", "addresses": "//addresses/",
		"writableLocations": location, "readableLocations": location, "enableMultipleWriteLocations": false,
		"userConsistencyPolicy": map[string]any{"defaultConsistencyLevel": "Session"},
	}, "")
}

func (g *catalog) answerDatabases(r *request) (answer, error) {
	if len(r.path) == 1 && r.Method == http.MethodPost && r.Header.Get("x-ms-documentdb-query") == "" {
		var d struct {
			ID string `json:"id"`
		}
		if err := r.readDefinition(&d); err != nil {
			return answer{}, err
		}
		db, err := g.createDatabase(d.ID)
		if err != nil {
			return answer{}, err
		}
		return showResource(http.StatusCreated, db.systemProperties(), db.etag)
	}
	if len(r.path) == 1 {
		return answer{}, newRefusal(http.StatusMethodNotAllowed, "MethodNotAllowed", "databases are created, read and deleted one by one here")
	}
	db := g.databases[r.path[1]]
	switch {
	case r.Method == http.MethodDelete && r.requireAccess(Owner) != nil:
		return answer{}, r.requireAccess(Owner)
	case db == nil:
		return answer{}, refuseNotFound("database %q does not exist", r.path[1])
	case r.Method == http.MethodGet:
		return showResource(http.StatusOK, db.systemProperties(), db.etag)
	case r.Method == http.MethodDelete:
		delete(g.databases, db.id)
		return answer{status: http.StatusNoContent}, nil
	}
	return answer{}, newRefusal(http.StatusMethodNotAllowed, "MethodNotAllowed", "%s is not served here", r.Method)
}

func (g *catalog) answerContainers(r *request) (answer, error) {
	db := g.databases[r.path[1]]
	if db == nil {
		return answer{}, refuseNotFound("database %q does not exist", r.path[1])
	}
	if len(r.path) == 3 {
		if r.Method != http.MethodPost || r.Header.Get("x-ms-documentdb-query") != "" {
			return answer{}, newRefusal(http.StatusMethodNotAllowed, "MethodNotAllowed", "containers are created, read, replaced and deleted one by one here")
		}
		var def Container
		if err := r.readDefinition(&def); err != nil {
			return answer{}, err
		}
		c, err := g.createContainer(db, def)
		if err != nil {
			return answer{}, err
		}
		return c.showContainer(http.StatusCreated)
	}
	c := db.containers[r.path[3]]
	if r.Method != http.MethodGet {
		if err := r.requireAccess(Owner); err != nil {
			return answer{}, err
		}
	}
	if c == nil {
		return answer{}, refuseNotFound("container %q does not exist", r.path[3])
	}
	switch r.Method {
	case http.MethodGet:
		return c.showContainer(http.StatusOK)
	case http.MethodPut:
		return g.replaceContainer(r, c)
	case http.MethodDelete:
		delete(db.containers, c.id)
		return answer{status: http.StatusNoContent}, nil
	}
	return answer{}, newRefusal(http.StatusMethodNotAllowed, "MethodNotAllowed", "%s is not served here", r.Method)
}

// readDefinition reads the body of a control-plane call, which no token may make.
func (r *request) readDefinition(into any) error {
	if err := r.requireAccess(Owner); err != nil {
		return err
	}
	if err := json.Unmarshal(r.body, into); err != nil {
		return refuseBadRequest("the definition is not understood: %v", err)
	}
	return nil
}

// checkAndComplete holds a key definition against what the service takes.
// Source: learn.microsoft.com/azure/cosmos-db/hierarchical-partition-keys (three levels, version 2).
func (k *PartitionKey) checkAndComplete() error {
	if k.Kind == "" && len(k.Paths) == 1 {
		k.Kind = "Hash"
	}
	switch {
	case k.Kind == "Hash" && len(k.Paths) != 1:
		return refuseBadRequest("a partition key of kind Hash has one path, not %d", len(k.Paths))
	case k.Kind == "MultiHash" && (len(k.Paths) < 1 || len(k.Paths) > 3):
		return refuseBadRequest("a partition key of kind MultiHash has one to three paths, not %d", len(k.Paths))
	case k.Kind != "Hash" && k.Kind != "MultiHash":
		return refuseBadRequest("partition key kind %q is neither Hash nor MultiHash", k.Kind)
	case k.Version != 2:
		return refuseBadRequest("partition key version %d: this server keeps version 2 only; set it", k.Version)
	}
	for _, p := range k.Paths {
		if _, err := parsePath(p); err != nil {
			return err
		}
	}
	return nil
}

// replaceContainer changes what may be changed: indexing and expiry.
func (g *catalog) replaceContainer(r *request, c *container) (answer, error) {
	var def Container
	if err := json.Unmarshal(r.body, &def); err != nil {
		return answer{}, refuseBadRequest("the definition is not understood: %v", err)
	}
	if def.ID != c.id || !slices.Equal(def.PartitionKey.Paths, c.PartitionKey.Paths) {
		return answer{}, refuseBadRequest("id and partition key of a container cannot be changed")
	}
	if def.UniqueKeyPolicy != nil && c.UniqueKeyPolicy == nil {
		return answer{}, refuseBadRequest("unique keys are fixed when a container is created")
	}
	if err := checkTTL(def.DefaultTTL); err != nil {
		return answer{}, err
	}
	if def.IndexingPolicy == nil {
		def.IndexingPolicy = indexEverything()
	}
	ix, err := newIndex(*def.IndexingPolicy)
	if err != nil {
		return answer{}, err
	}
	c.IndexingPolicy, c.index, c.DefaultTTL = def.IndexingPolicy, ix, def.DefaultTTL
	c.expiring = nil
	for _, p := range c.partitions {
		p.postings = nil
		for _, it := range p.items {
			it.terms = ix.termsOf(it)
			it.expires = c.expiryOf(it)
			if !it.expires.IsZero() {
				heap.Push(&c.expiring, it)
			}
		}
	}
	c.etag, c.changed = g.nextETag(), r.now
	return c.showContainer(http.StatusOK)
}

// refuseOffers would be the throughput of containers, which is nothing this server depends on.
func (g *catalog) refuseOffers(*request) (answer, error) {
	return answer{}, newRefusal(http.StatusMethodNotAllowed, "MethodNotAllowed", "throughput is not kept by this server")
}

func (c *container) showContainer(status int) (answer, error) {
	properties := c.systemProperties()
	raw, err := json.Marshal(c.Container)
	if err != nil {
		return answer{}, err
	}
	if err := json.Unmarshal(raw, &properties); err != nil {
		return answer{}, err
	}
	return showResource(status, properties, c.etag)
}

func showResource(status int, v any, etag string) (answer, error) {
	body, err := json.Marshal(v, json.Deterministic(true))
	return answer{status: status, body: body, etag: etag, charge: controlCharge}, err
}
