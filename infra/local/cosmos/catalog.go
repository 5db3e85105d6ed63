package cosmos

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"time"
)

// catalog is an account's databases and containers.
type catalog struct {
	endpoint           string // "" is the Host of each request
	now                func() time.Time
	physicalPartitions int // of a new container
	databases          map[string]*database
	serial             uint64 // of etags and resource ids
}

type database struct {
	resource
	containers map[string]*container
}

// resource is what every database and container has.
type resource struct {
	id, rid, self, etag string
	changed             time.Time
}

func (r resource) systemProperties() map[string]any {
	return map[string]any{"id": r.id, "_rid": r.rid, "_self": r.self, "_etag": r.etag, "_ts": r.changed.Unix()}
}

func (g *catalog) createDatabase(id string) (*database, error) {
	if err := checkID(id); err != nil {
		return nil, err
	}
	if g.databases[id] != nil {
		return nil, refuseConflict("Resource with specified id, name, or unique index already exists: database %q", id)
	}
	db := &database{resource: g.newResource(id, "dbs/"+id+"/"), containers: map[string]*container{}}
	g.databases[id] = db
	return db, nil
}

func (g *catalog) createContainer(db *database, def Container) (*container, error) {
	if err := checkID(def.ID); err != nil {
		return nil, err
	}
	if db.containers[def.ID] != nil {
		return nil, refuseConflict("Resource with specified id, name, or unique index already exists: container %q", def.ID)
	}
	if err := def.PartitionKey.checkAndComplete(); err != nil {
		return nil, err
	}
	if def.IndexingPolicy == nil {
		def.IndexingPolicy = indexEverything()
	}
	ix, err := newIndex(*def.IndexingPolicy)
	if err != nil {
		return nil, err
	}
	if err := checkTTL(def.DefaultTTL); err != nil {
		return nil, err
	}
	c := &container{resource: g.newResource(def.ID, db.self+"colls/"+def.ID+"/"), Container: def, index: ix,
		partitions: map[string]*partition{}, ranges: splitEvenly(g.physicalPartitions)}
	db.containers[def.ID] = c
	return c, nil
}

func (g *catalog) findContainer(db, id string) (*container, error) {
	if d := g.databases[db]; d != nil {
		if c := d.containers[id]; c != nil {
			return c, nil
		}
	}
	return nil, refuseNotFound("container %q of database %q does not exist", id, db).withSubstatus(1003)
}

func (g *catalog) newResource(id, self string) resource {
	return resource{id: id, rid: g.nextRID(), self: self, etag: g.nextETag(), changed: g.now()}
}

// nextETag is a new one each time, quotes included, as the header and the property _etag both have them.
func (g *catalog) nextETag() string {
	g.serial++
	return fmt.Sprintf("%q", fmt.Sprintf("%08x-0000-0d00-0000-%012x", g.serial, g.serial*2654435761))
}

func (g *catalog) nextRID() string {
	g.serial++
	return base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint64(nil, g.serial))
}
