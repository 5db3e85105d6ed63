package cosmos

import (
	"context"
	"fmt"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/go-json-experiment/json"
	"golang.org/x/sync/errgroup"

	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/store/cosmos/cosmosdb"
)

// Until form 3 tables were in the tenant's own partition, beside the log; when those were large, form 1 went on in
// volumes. Migration copies what is there to volume 0, and what were volumes already keep their partitions.
//
//	form 0, 1 ─claim─▶ form 2: nobody else works on the tenant ─copy─▶ ─publish─▶ form 3 ─▶ delete what was copied
//
// It is repeated from any place to the same effect, also by two at once. Items are only created, never replaced:
// nothing changes what they are copied from while the form is 2, and once it is 3 all of them are there.
type migration struct {
	*tenant
	manifest
	etag   azcore.ETag
	volume volume // of the tables that are copied
}

func (m *migration) runSteps(ctx context.Context) error {
	read, err := m.client.ReadItem(ctx, m.Partition, manifestID)
	if err != nil {
		return fmt.Errorf("read manifest: %w", err)
	}
	if m.manifest, err = decodeManifest(read.Body); err != nil {
		return fmt.Errorf("read manifest: %w", err)
	}
	m.etag = read.ETag
	if m.Form > currentForm {
		return m.requireForm()
	}
	if m.Form < migratingForm {
		if len(m.Volumes) == 0 {
			m.Trimmed = m.Flushed
		}
		if err := m.changeForm(ctx, migratingForm); err != nil {
			return fmt.Errorf("claim: %w", err)
		}
	}
	if m.Form < currentForm {
		if err := m.copyTables(ctx); err != nil {
			return fmt.Errorf("copy tables: %w", err)
		}
		m.Volumes = append([]volume{m.volume}, m.Volumes...)
		if err := m.changeForm(ctx, currentForm); err != nil {
			return fmt.Errorf("publish: %w", err)
		}
	}
	return m.deleteCopied(ctx)
}

// changeForm writes the manifest in another form, if it is still the one that was read.
func (m *migration) changeForm(ctx context.Context, form int) error {
	next := m.manifest
	next.Form = form
	v := &view{etag: m.etag}
	if err := m.replaceManifest(ctx, v, next, nil); err != nil {
		return err
	}
	m.manifest, m.etag = v.manifest, v.etag
	return nil
}

// Tables in the tenant's own partition are its flushed commits, but for those that only wait to be deleted because
// they are in a volume, and all pages of incidents.
func (m *migration) tablesQuery(columns string) cosmosdb.Query {
	last := m.Flushed
	if len(m.Volumes) > 0 {
		last = m.Volumes[0].From - 1
	}
	if m.Form == currentForm {
		last = m.Trimmed
	}
	q := cosmosdb.Query{Page: 100}
	q.Text = "SELECT " + columns + " FROM c WHERE c.type = 'commit' AND c.v <= " + q.BindParam(last) + " OR c.type IN ('incidents', 'empty')"
	return q
}

// copyTables copies the tables of the tenant's own partition into volume 0.
func (m *migration) copyTables(ctx context.Context) error {
	to := m.volumePartition(0)
	var batch []itemChange
	size := 0
	flush := func() error {
		err := m.createItems(ctx, to, batch)
		batch, size = nil, 0
		return err
	}
	err := m.client.RunQuery(ctx, m.Partition, m.tablesQuery("*"), func(item []byte) (bool, error) {
		id, copied, err := m.moveItem(ctx, item, to.Name)
		if err != nil {
			return false, err
		}
		if len(batch) == m.opts.perBatch || size+len(copied) > maxBatchBytes {
			if err := flush(); err != nil {
				return false, err
			}
		}
		batch, size = append(batch, itemChange{id: id, data: copied}), size+len(copied)
		m.volume.Bytes += int64(len(copied))
		return true, nil
	})
	if err == nil {
		err = flush()
	}
	if err != nil {
		return err
	}
	// Readers must see all of it, whichever copy of the partition answers them: the token of a write after the last
	// one says so.
	mark, err := json.Marshal(map[string]string{"id": "migrated", "tenant": to.Name, "type": "migrated"})
	if err != nil {
		return err
	}
	m.volume.Seen, err = m.client.UpsertItem(ctx, to, mark)
	return err
}

// moveItem makes an item of the tables one of another partition, and counts what is in it.
func (m *migration) moveItem(ctx context.Context, item []byte, partition string) (id string, out []byte, err error) {
	var kind struct {
		Type string `json:"type"`
	}
	if err := json.Unmarshal(item, &kind); err != nil {
		return "", nil, fmt.Errorf("damaged item: %w", err)
	}
	if kind.Type == commitType {
		var it commitItem
		if err := json.Unmarshal(item, &it); err != nil {
			return "", nil, fmt.Errorf("damaged item: %w", err)
		}
		it.Tenant = partition
		m.volume.Rows += int64(len(it.IDs))
		out, err = json.Marshal(it)
		return it.ID, out, err
	}
	it, err := decodeIncidents(item)
	if err != nil {
		return "", nil, err
	}
	it.Tenant = partition
	incidents, err := m.openPage(ctx, &it.Rows)
	if err != nil {
		return "", nil, err
	}
	for _, i := range incidents {
		if i.V <= m.Flushed { // those of a flush that did not end are counted by the next
			m.volume.Incidents++
		}
	}
	out, err = json.Marshal(it)
	return it.ID, out, err
}

// createItems creates items that are not there yet.
func (m *migration) createItems(ctx context.Context, in cosmosdb.Partition, items []itemChange) error {
	if len(items) == 0 {
		return nil
	}
	_, err := m.writeItems(ctx, in, items)
	lost := cosmosdb.IsAmbiguous(err)
	if !lost && fault.Of(err) != fault.Conflict {
		return err
	}
	if len(items) == 1 {
		if lost {
			return fault.Errorf(fault.Unavailable, "%w", err)
		}
		return nil
	}
	if err := m.createItems(ctx, in, items[:len(items)/2]); err != nil {
		return err
	}
	return m.createItems(ctx, in, items[len(items)/2:])
}

// deleteCopied deletes what only volumes hold now.
func (m *migration) deleteCopied(ctx context.Context) error {
	var ids []string
	err := m.client.RunQuery(ctx, m.Partition, m.tablesQuery("c.id"), func(item []byte) (bool, error) {
		var it struct {
			ID string `json:"id"`
		}
		err := json.Unmarshal(item, &it)
		ids = append(ids, it.ID)
		return true, err
	})
	if err != nil {
		return fmt.Errorf("look for what was copied: %w", err)
	}
	deletes, deleteCtx := errgroup.WithContext(ctx)
	deletes.SetLimit(parallel)
	for _, id := range ids {
		deletes.Go(func() error { return m.client.DeleteItem(deleteCtx, m.Partition, id) })
	}
	if err := deletes.Wait(); err != nil {
		return fmt.Errorf("delete what was copied: %w", err)
	}
	return nil
}
