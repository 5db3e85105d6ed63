package cosmos

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/incident"
	"github.com/onepane/onepane/shared/store"
)

// Commit is store.Correlation.
func (s *Store) Commit(ctx context.Context, name string, version uint64, c incident.Changes) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if len(c.Alerts) > store.MaxCommit {
		return fault.Errorf(fault.TooLarge, "commit for %q: %d alerts are more than %d", name, len(c.Alerts), store.MaxCommit)
	}
	if n := len(partitionKey(name)); n > maxTenant {
		return fault.Errorf(fault.Invalid, "commit: the tenant's name has %d bytes, more than %d", n, maxTenant)
	}
	t := s.tenantByName(name)
	t.deciding.Lock()
	defer t.deciding.Unlock()
	v, err := s.viewAt(ctx, t, version)
	if err == nil {
		v, err = s.commitChanges(ctx, t, v, c)
	}
	if err != nil {
		return fmt.Errorf("commit for %q: %w", name, err)
	}
	if v != nil {
		s.runHousekeeping(ctx, t, v)
	}
	return nil
}

// maxTenant is the longest partition key of the service.
const maxTenant = 2048

// viewAt is the view of a tenant at a version. What is remembered will do: if others have moved past it, the batch is refused.
func (s *Store) viewAt(ctx context.Context, t *tenant, version uint64) (*view, error) {
	t.mu.Lock()
	v := t.current
	t.mu.Unlock()
	if v == nil || v.manifest.Version != version {
		var err error
		if v, err = s.currentView(ctx, t); err != nil {
			return nil, err
		}
	}
	if v.manifest.Version != version {
		return nil, fault.Errorf(fault.Conflict, "it is at version %d, not %d", v.manifest.Version, version)
	}
	return v, nil
}

// commitChanges writes what the new manifest will lead to, and then, in one batch, the manifest and the commit. It gives the view after
// it, nil when others have moved on already.
func (s *Store) commitChanges(ctx context.Context, t *tenant, v *view, c incident.Changes) (*view, error) {
	w := &committer{store: s, tenant: t, view: v, now: s.opts.Now()}
	if err := w.writeChanges(ctx, c); err != nil {
		return nil, err
	}
	var err error
	if w.outbox, err = s.newOutboxEntry(t.name, tenantName(t.name), c.AuditEntries...); err != nil {
		return nil, err
	}
	return w.publish(ctx)
}

// publish makes what was written visible, and gives the view after it, nil when others have moved on already.
func (w *committer) publish(ctx context.Context) (*view, error) {
	t, v := w.tenant, w.view
	etag, err := w.publishBatch(ctx)
	if err == nil {
		w.store.relayOutbox(ctx, w.outbox)
	}
	if err != nil || etag == "" {
		t.dropView(v)
		return nil, err
	}
	next := v.withCommit(w.manifest, etag, &logEntry{item: w.item, content: w.content, nodes: w.nodes})
	t.replaceView(v, next)
	return next, nil
}

// replaceView takes over the view after an own write, unless somebody has read a newer one.
func (t *tenant) replaceView(before, after *view) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.current == before {
		t.current = after
	}
}

// dropView makes the next call read the manifest, and not trust what was remembered when a write failed.
func (t *tenant) dropView(v *view) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.current == v {
		t.current = nil
	}
}

// committer is one commit in the making.
type committer struct {
	store  *Store
	tenant *tenant
	view   *view
	now    time.Time

	manifest manifest
	item     commitItem
	idIndex  []idIndexItem
	outbox   *outboxEntry // what the audit log says of it; nil when nothing
	nodes    map[string]*node
	content

	mentions  *mentionsItem  // nil when no new body names anything
	termIndex map[string]int // where a hashed name is in it
}

func (w *committer) writeChanges(ctx context.Context, c incident.Changes) error {
	w.beginCommit(c)
	for _, step := range []func(context.Context, incident.Changes) error{w.writeAlerts, w.writeMentions, w.writeIncidents, w.writeNodes, w.finishItem} {
		if err := step(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

// beginCommit makes the manifest and the item of the next version, with nothing in it.
func (w *committer) beginCommit(c incident.Changes) {
	w.manifest = w.view.manifest
	w.manifest.ID, w.manifest.Tenant, w.manifest.Type = manifestID, w.tenant.name, manifestType
	w.manifest.Sources = maps.Clone(w.manifest.Sources)
	w.manifest.Version++
	w.manifest.Sequence = max(w.manifest.Sequence, c.Sequence)
	w.manifest.Nonce = rand.Text()
	if len(w.view.log) == 0 {
		w.manifest.LogSince = w.now.Unix()
	}
	w.item = commitItem{ID: commitID(w.manifest.Version), Tenant: w.tenant.name, Type: commitType, V: w.manifest.Version, Nonce: w.manifest.Nonce, At: w.now.Unix()}
}

// writeAlerts makes the rows of alerts, and writes the bodies that are new.
func (w *committer) writeAlerts(ctx context.Context, c incident.Changes) error {
	members := lastOf(c.Alerts, func(m *incident.AlertRecord) string { return m.Alert.ID })
	ids := make([]string, len(members))
	for i, m := range members {
		ids[i] = m.Alert.ID
	}
	old, err := w.store.findRows(ctx, w.tenant, w.view, ids)
	if err != nil {
		return err
	}
	var bodies []jsontext.Value
	for _, m := range members {
		encoded, err := json.Marshal(m.Alert, json.Deterministic(true))
		if err != nil {
			return fault.Errorf(fault.Invalid, "encode alert %s: %w", m.Alert.ID, err)
		}
		r := alertRow{AlertRecord: headOf(m), V: w.manifest.Version, Origin: w.manifest.Version, Body: bodyRef{Sum: hashName(string(encoded))}}
		before := old[m.Alert.ID]
		if gone := w.view.rows[m.Alert.ID]; gone != nil && gone.Purged {
			r.Origin = gone.Origin // until a flush its row is still there
		}
		if before != nil {
			r.Origin = before.Origin
			countRow(&w.manifest.Rows, kindOf(before.AlertRecord), -1)
		}
		if before != nil && before.Body.Sum == r.Body.Sum {
			r.Body = before.Body
		} else {
			r.Body.N, r.Body.Commit = len(bodies), w.manifest.Version
			bodies = append(bodies, encoded)
			w.addMentions(m)
		}
		countRow(&w.manifest.Rows, kindOf(r.AlertRecord), 1)
		w.manifest.countSource(before, m)
		w.Rows = append(w.Rows, r)
	}
	return w.writeBodies(ctx, bodies)
}

// writeBodies writes new bodies as one blob and tells the rows that it belongs to.
func (w *committer) writeBodies(ctx context.Context, bodies []jsontext.Value) error {
	if len(bodies) == 0 {
		return nil
	}
	data, err := encodeFrame(bodies)
	if err != nil {
		return err
	}
	ref, err := w.store.putBlob(ctx, w.store.blobs, w.tenant.name, data, 0)
	if err != nil {
		return err
	}
	for i := range w.Rows {
		if w.Rows[i].Body.Blob.ID == "" {
			w.Rows[i].Body.Blob = ref
		}
	}
	return nil
}

// writeIncidents makes the rows of incidents.
func (w *committer) writeIncidents(ctx context.Context, c incident.Changes) error {
	all := lastOf(c.Incidents, func(i *incident.Incident) string { return i.ID })
	ids := make([]string, len(all))
	for i := range all {
		ids[i] = all[i].ID
		w.Incidents = append(w.Incidents, incidentRow{Incident: clone(all[i]), V: w.manifest.Version})
	}
	old, err := w.store.findIncidents(ctx, w.tenant, w.view, ids)
	w.manifest.Rows.Incidents += int64(len(ids) - len(old))
	return err
}

// writeNodes writes nodes: those that live long as a blob, which expires some time after they may have been folded, the others
// as items that are found by their names.
func (w *committer) writeNodes(ctx context.Context, c incident.Changes) error {
	w.nodes = map[string]*node{}
	var kept []*node
	var names []incident.Node
	for _, n := range lastOf(c.Nodes, func(n *incident.Node) string { return n.Key }) {
		if isShortLived(n.Key) {
			names = append(names, n)
			continue
		}
		k, err := newNode(n, w.now)
		if err != nil {
			return err
		}
		kept = append(kept, k)
		w.nodes[n.Key] = k
	}
	if len(kept) > 0 {
		data, err := w.view.encodeNodes(kept, w.now)
		if err != nil {
			return err
		}
		ref, err := w.store.putBlob(ctx, w.store.blobs, w.tenant.name, data, nodesTTL)
		if err != nil {
			return err
		}
		w.item.Nodes = &ref
	}
	for part := range slices.Chunk(names, maxIndexedIDs) {
		if err := w.addIDIndexItem(ctx, part); err != nil {
			return err
		}
	}
	if len(w.idIndex) > maxIDIndexItems {
		return fault.Errorf(fault.TooLarge, "%d ids are more than %d", len(names), maxIDIndexItems*maxIndexedIDs)
	}
	return nil
}

// maxIndexedIDs is how many names share an item: the index has an entry for each.
const maxIndexedIDs = 500

func (w *committer) addIDIndexItem(ctx context.Context, nodes []incident.Node) error {
	it := idIndexItem{ID: idIndexID(w.manifest.Version, len(w.idIndex)), Tenant: w.tenant.name, Type: idIndexType, V: w.manifest.Version}
	for _, n := range nodes {
		it.IDs = append(it.IDs, idTerm(n.Key))
		it.TTL = max(it.TTL, lifeLeft(n, w.now))
	}
	var err error
	it.Nodes, err = w.store.storePayload(ctx, w.tenant.name, nodes, maxIDIndexBytes)
	w.idIndex = append(w.idIndex, it)
	return err
}

// Together they keep the names of a commit well below the 2 MB of a batch.
const (
	maxIDIndexItems = 40
	maxIDIndexBytes = 8 << 10
)

// lifeLeft is for how many seconds a name must be kept: its life from now or from when it was touched, whichever ends later.
// The clock here and the service's need not agree to the hour.
func lifeLeft(n incident.Node, now time.Time) int {
	const slack = 24 * time.Hour
	from := now
	if n.Last.After(now) {
		from = n.Last
	}
	left := min(from.Add(incident.LifetimeOf(n.Key)).Sub(now), incident.NodeLifetime) + slack
	return int(left / time.Second)
}

// finishItem puts the rows into the commit's item. Nothing finds it by them before it is in a volume: whoever reads has the log
// in memory.
func (w *committer) finishItem(ctx context.Context, _ incident.Changes) (err error) {
	w.item.Content, err = w.store.storePayload(ctx, w.tenant.name, w.content, w.store.opts.Inline)
	return err
}

// publishBatch makes the commit visible: all of it or nothing.
func (w *committer) publishBatch(ctx context.Context) (azcore.ETag, error) {
	commit, err := json.Marshal(w.item)
	if err != nil {
		return "", fault.Errorf(fault.Invalid, "encode: %w", err)
	}
	top, err := json.Marshal(w.manifest)
	if err != nil {
		return "", fault.Errorf(fault.Invalid, "encode: %w", err)
	}
	b := w.store.client.containers().state.NewTransactionalBatch(w.tenant.pk)
	if w.view.exists() {
		b.ReplaceItem(manifestID, top, ifMatch(w.view.etag))
	} else {
		b.CreateItem(top, nil)
	}
	b.CreateItem(commit, nil)
	for _, names := range w.idIndex {
		item, err := json.Marshal(names)
		if err != nil {
			return "", fault.Errorf(fault.Invalid, "encode: %w", err)
		}
		b.CreateItem(item, nil)
	}
	if err := w.outbox.addToBatch(&b); err != nil {
		return "", err
	}
	for try := 1; ; try++ {
		etags, err := w.store.client.runBatch(ctx, b, &w.tenant.session)
		if err == nil {
			return etags[0], nil
		}
		var lost *ambiguousError
		etag, err := w.resolveAmbiguity(ctx, err)
		if !errors.As(err, &lost) || try == maxTries {
			return etag, err
		}
		if err := w.store.opts.Wait(ctx, firstWait<<try); err != nil {
			return "", err
		}
	}
}

// resolveAmbiguity finds out what became of a batch whose answer was lost, or that was refused because an earlier try of it had
// succeeded: the commit's item says whose it is. One that is lost and not there may be tried again: should it arrive after
// all, the second is refused. The ETag is "" when the manifest has moved on since.
func (w *committer) resolveAmbiguity(ctx context.Context, cause error) (azcore.ETag, error) {
	var lost *ambiguousError
	if !errors.As(cause, &lost) && fault.Of(cause) != fault.Conflict {
		return "", cause
	}
	read, err := w.store.client.readItem(ctx, stateContainer, w.tenant.pk, w.item.ID, &w.tenant.session)
	switch {
	case fault.Of(err) == fault.NotFound && lost != nil:
		return "", fault.Errorf(fault.Unavailable, "%w", cause)
	case fault.Of(err) == fault.NotFound: // somebody's housekeeping has replaced the manifest
		return "", fault.Errorf(fault.Conflict, "%w", cause)
	case err != nil:
		return "", fault.Errorf(fault.Unavailable, "find out whether it was carried out: %w", err)
	}
	var there commitItem
	if err := json.Unmarshal(read.body, &there); err != nil {
		return "", fmt.Errorf("find out whether it was carried out: damaged item: %w", err)
	}
	if there.Nonce != w.item.Nonce {
		return "", fault.Errorf(fault.Conflict, "somebody else committed version %d", w.item.V)
	}
	return w.ownManifest(ctx), nil
}

// ownManifest is the manifest's ETag while the manifest is still this commit's.
func (w *committer) ownManifest(ctx context.Context) azcore.ETag {
	read, err := w.store.client.readItem(ctx, stateContainer, w.tenant.pk, manifestID, &w.tenant.session)
	var now manifest
	if err != nil || json.Unmarshal(read.body, &now) != nil || now.Nonce != w.manifest.Nonce {
		return ""
	}
	return read.etag
}

// lastOf drops all but the last of those with one id.
func lastOf[T any](all []T, id func(*T) string) []T {
	at := make(map[string]int, len(all))
	for i := range all {
		at[id(&all[i])] = i
	}
	if len(at) == len(all) {
		return all
	}
	var out []T
	for i := range all {
		if at[id(&all[i])] == i {
			out = append(out, all[i])
		}
	}
	return out
}
