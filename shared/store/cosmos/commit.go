package cosmos

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/incident"
	"github.com/onepane/onepane/shared/store/cosmos/cosmosdb"
	"github.com/onepane/onepane/shared/store/cosmos/frame"
	"github.com/onepane/onepane/shared/store/cosmos/lsm"
)

// commitChanges commits to a version, and does what housekeeping is due after it.
func (t *tenant) commitChanges(ctx context.Context, version uint64, c incident.Changes) error {
	t.deciding.Lock()
	defer t.deciding.Unlock()
	v, err := t.viewAt(ctx, version)
	if err != nil {
		return err
	}
	w := newCommitter(v, c.Sequence)
	if err := w.writeChanges(ctx, c); err != nil {
		return err
	}
	return w.publish(ctx)
}

// committer is one commit in the making: it writes what the new manifest will lead to, seen by nobody, and then
// publishes it in one batch of the manifest and the commit.
type committer struct {
	*view
	now time.Time

	next    manifest // as it will be
	item    commitItem
	idIndex []idIndexItem
	outbox  *outboxEntry // its entries of the audit log; nil when it has none
	layer   *lsm.Layer   // its nodes
	content

	mentions  *mentionsItem  // nil when no new body names anything
	termIndex map[string]int // where a hashed name is in it
}

// newCommitter begins the next version of a view, with nothing in it.
func newCommitter(v *view, sequence int64) *committer {
	w := &committer{view: v, now: v.opts.Now(), next: v.manifest}
	w.next.ID, w.next.Tenant, w.next.Type = manifestID, v.Name, manifestType
	w.next.Sources = maps.Clone(w.next.Sources)
	w.next.Version++
	w.next.Sequence = max(w.next.Sequence, sequence)
	w.next.Nonce = rand.Text()
	if len(v.log) == 0 {
		w.next.LogSince = w.now.Unix()
	}
	version := w.next.Version
	w.item = commitItem{ID: commitID(version), Tenant: v.Name, Type: commitType, V: version, Nonce: w.next.Nonce, At: w.now.Unix()}
	w.layer = &lsm.Layer{Version: version, Written: w.now.Unix()}
	return w
}

func (w *committer) writeChanges(ctx context.Context, c incident.Changes) (err error) {
	for _, step := range []func(context.Context, incident.Changes) error{w.writeAlerts, w.writeMentions, w.writeIncidents, w.writeNodes} {
		if err := step(ctx, c); err != nil {
			return err
		}
	}
	w.outbox, err = newOutboxEntry(w.Name, cosmosdb.UnescapeName(w.Name), c.AuditEntries...)
	return err
}

// writeAlerts makes the rows of alerts, and writes the bodies that are new.
func (w *committer) writeAlerts(ctx context.Context, c incident.Changes) error {
	alerts := lastOf(c.Alerts, func(m *incident.AlertRecord) string { return m.Alert.ID })
	ids := make([]string, len(alerts))
	for i, m := range alerts {
		ids[i] = m.Alert.ID
	}
	old, err := w.findRows(ctx, ids)
	if err != nil {
		return err
	}
	var bodies []jsontext.Value
	for _, m := range alerts {
		encoded, err := json.Marshal(m.Alert, json.Deterministic(true))
		if err != nil {
			return fault.Errorf(fault.Invalid, "encode alert %s: %w", m.Alert.ID, err)
		}
		r := alertRow{AlertRecord: headOf(m), V: w.item.V, Origin: w.item.V, Body: bodyRef{Sum: hashName(string(encoded))}}
		before := old[m.Alert.ID]
		if purged := w.rows[m.Alert.ID]; purged != nil && purged.Purged {
			r.Origin = purged.Origin // until a flush its row is still there
		}
		if before != nil {
			r.Origin = before.Origin
			countRow(&w.next.Rows, kindOf(before.AlertRecord), -1)
		}
		if before != nil && before.Body.Sum == r.Body.Sum {
			r.Body = before.Body
		} else {
			r.Body.N, r.Body.Commit = len(bodies), w.item.V
			bodies = append(bodies, encoded)
			w.addMentions(m)
		}
		countRow(&w.next.Rows, kindOf(r.AlertRecord), 1)
		w.next.countSource(before, m)
		w.Rows = append(w.Rows, r)
	}
	return w.writeBodies(ctx, bodies)
}

// writeBodies writes new bodies as one blob and tells the rows that it belongs to.
func (w *committer) writeBodies(ctx context.Context, bodies []jsontext.Value) error {
	if len(bodies) == 0 {
		return nil
	}
	data, err := frame.Encode(bodies)
	if err != nil {
		return err
	}
	ref, err := w.blobs.PutBlob(ctx, w.Name, data, 0)
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
		w.Incidents = append(w.Incidents, incidentRow{Incident: clone(all[i]), V: w.item.V})
	}
	old, err := w.findIncidents(ctx, ids)
	w.next.Rows.Incidents += int64(len(ids) - len(old))
	return err
}

// writeNodes writes nodes: those that live long as a layer of the log, the others as items that are found by their ids.
func (w *committer) writeNodes(ctx context.Context, c incident.Changes) (err error) {
	var long []*lsm.Node
	var short []incident.Node
	for _, n := range lastOf(c.Nodes, func(n *incident.Node) string { return n.Key }) {
		if isShortLived(n.Key) {
			short = append(short, n)
			continue
		}
		k, err := newNode(n, w.now)
		if err != nil {
			return err
		}
		long = append(long, k)
	}
	if w.layer, err = w.nodes.WriteLayer(ctx, w.nodeSnapshot(), w.item.V, long); err != nil {
		return err
	}
	w.item.Nodes = w.layer.Ref
	for part := range slices.Chunk(short, maxIndexedIDs) {
		if err := w.addIDIndexItem(ctx, part); err != nil {
			return err
		}
	}
	if len(w.idIndex) > maxIDIndexItems {
		return fault.Errorf(fault.TooLarge, "%d ids are more than %d", len(short), maxIDIndexItems*maxIndexedIDs)
	}
	return nil
}

func newNode(n incident.Node, now time.Time) (*lsm.Node, error) {
	data, err := json.Marshal(n, json.Deterministic(true))
	if err != nil {
		return nil, fault.Errorf(fault.Invalid, "encode node %s: %w", n.Key, err)
	}
	k := &lsm.Node{Key: n.Key, SameAs: n.SameAs, Written: now.Unix(), JSON: data}
	if !n.Last.IsZero() {
		k.Last = n.Last.Unix()
	}
	return k, nil
}

// maxIndexedIDs is how many ids share an item: the index has an entry for each.
const maxIndexedIDs = 500

// Together they keep the id index of a commit well below the 2 MB of a batch.
const (
	maxIDIndexItems = 40
	maxIDIndexBytes = 8 << 10
)

func (w *committer) addIDIndexItem(ctx context.Context, nodes []incident.Node) (err error) {
	it := idIndexItem{ID: idIndexID(w.item.V, len(w.idIndex)), Tenant: w.Name, Type: idIndexType, V: w.item.V}
	for _, n := range nodes {
		it.IDs = append(it.IDs, idTerm(n.Key))
		it.TTL = max(it.TTL, secondsLeft(n, w.now))
	}
	it.Nodes, err = w.storePayload(ctx, nodes, maxIDIndexBytes)
	w.idIndex = append(w.idIndex, it)
	return err
}

// secondsLeft is how long a short-lived node must be kept: its life from now or from when it was touched, whichever
// ends later. The clock here and the service's need not agree to the hour.
func secondsLeft(n incident.Node, now time.Time) int {
	const slack = 24 * time.Hour
	from := now
	if n.Last.After(now) {
		from = n.Last
	}
	left := min(from.Add(incident.LifetimeOf(n.Key)).Sub(now), incident.NodeLifetime) + slack
	return int(left / time.Second)
}

// publish makes what was written visible, relays its outbox entry, and does what housekeeping is due.
func (w *committer) publish(ctx context.Context) (err error) {
	if w.item.Content, err = w.storePayload(ctx, w.content, w.opts.Inline); err != nil {
		return err
	}
	etag, err := w.publishBatch(ctx)
	if err == nil {
		w.audit.relayOutbox(ctx, w.outbox)
	}
	if err != nil || etag == "" { // others have moved on already
		w.dropView(w.view)
		return err
	}
	after := w.withCommit(w.next, etag, &logEntry{item: w.item, content: w.content, nodes: w.layer})
	w.replaceView(w.view, after)
	runHousekeeping(ctx, after)
	return nil
}

// publishBatch makes the commit visible: all of it or nothing. The ETag of the manifest is "" when it has moved on
// since.
func (w *committer) publishBatch(ctx context.Context) (azcore.ETag, error) {
	b, err := w.makeBatch()
	if err != nil {
		return "", fault.Errorf(fault.Invalid, "encode: %w", err)
	}
	for try := 1; ; try++ {
		written, err := w.client.RunBatch(ctx, w.Partition, b)
		if err == nil {
			return written.ETags[0], nil
		}
		etag, err := w.resolveAmbiguity(ctx, err)
		if !cosmosdb.IsAmbiguous(err) || try == cosmosdb.MaxTries {
			return etag, err
		}
		if err := w.client.WaitAfter(ctx, try); err != nil {
			return "", err
		}
	}
}

func (w *committer) makeBatch() (*cosmosdb.Batch, error) {
	b := &cosmosdb.Batch{}
	data, err := json.Marshal(w.next)
	if err != nil {
		return nil, err
	}
	if w.exists() {
		b.ReplaceItem(manifestID, data, w.etag)
	} else {
		b.CreateItem(data)
	}
	if data, err = json.Marshal(w.item); err != nil {
		return nil, err
	}
	b.CreateItem(data)
	for _, it := range w.idIndex {
		if data, err = json.Marshal(it); err != nil {
			return nil, err
		}
		b.CreateItem(data)
	}
	return b, w.outbox.addToBatch(b)
}

// resolveAmbiguity finds out what became of a batch whose answer was lost, or that was refused because an earlier
// try of it had succeeded: the commit's item says whose it is. One that is lost and not there may be tried again:
// should it arrive after all, the second is refused. The ETag is "" when the manifest has moved on since.
func (w *committer) resolveAmbiguity(ctx context.Context, cause error) (azcore.ETag, error) {
	lost := cosmosdb.IsAmbiguous(cause)
	if !lost && fault.Of(cause) != fault.Conflict {
		return "", cause
	}
	read, err := w.client.ReadItem(ctx, w.Partition, w.item.ID)
	switch {
	case fault.Of(err) == fault.NotFound && lost:
		return "", fault.Errorf(fault.Unavailable, "%w", cause)
	case fault.Of(err) == fault.NotFound: // somebody's housekeeping has replaced the manifest
		return "", fault.Errorf(fault.Conflict, "%w", cause)
	case err != nil:
		return "", fault.Errorf(fault.Unavailable, "find out whether it was carried out: %w", err)
	}
	var stored commitItem
	if err := json.Unmarshal(read.Body, &stored); err != nil {
		return "", fmt.Errorf("find out whether it was carried out: damaged item: %w", err)
	}
	if stored.Nonce != w.item.Nonce {
		return "", fault.Errorf(fault.Conflict, "somebody else committed version %d", w.item.V)
	}
	return w.ownManifest(ctx), nil
}

// ownManifest is the manifest's ETag while it is still this commit's; "" later.
func (w *committer) ownManifest(ctx context.Context) azcore.ETag {
	read, err := w.client.ReadItem(ctx, w.Partition, manifestID)
	if err != nil {
		return ""
	}
	m, err := decodeManifest(read.Body)
	if err != nil || m.Nonce != w.next.Nonce {
		return ""
	}
	return read.ETag
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
