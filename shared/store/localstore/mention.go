package localstore

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/cockroachdb/pebble/v2"

	"github.com/onepane/onepane/shared/datadir"
	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/incident"
	"github.com/onepane/onepane/shared/store"
)

// mentionTable finds alerts and exposures by the names in their evidence, hashed, newest first. An entry holds its row
// table only and the rest is read from the row, so that only new names and moved rows are written.
const mentionTable = 'x'

// mentionPrefix begins the keys of a name's entries.
func mentionPrefix(tenant, name string) []byte {
	sum := sha256.Sum256([]byte(name))
	return append(datadir.Key(mentionTable, tenant), sum[:16]...)
}

func (p place) mentionKey(tenant, name string) []byte {
	return append(datadir.AppendUint(mentionPrefix(tenant, name), ^p.created), p.id...)
}

// indexMentions makes an alert be found by its names and no others. A body that is the old one has the old names.
func (w *indexer) indexMentions(old *alertRow, oldRows byte, m incident.AlertRecord, rows byte) error {
	at := place{m.Alert.ID, datadir.TimeKey(m.Created)}
	same := old != nil && oldRows == rows && old.created == at.created
	if same && m.Position != 0 && m.Position == old.Position {
		return nil
	}
	var before []string
	if old != nil && oldRows != foldedRows {
		if whole, err := w.readWhole(w.dir.DB, w.tenant, old); err == nil { // a damaged one leaves its names behind
			before = incident.MentionedNames(whole.Alert)
		}
	}
	var now []string
	if rows != foldedRows {
		now = incident.MentionedNames(m.Alert)
	}
	for _, name := range before {
		if !same || !slices.Contains(now, name) {
			if err := w.batch.Delete(place{at.id, old.created}.mentionKey(w.tenant, name), nil); err != nil {
				return err
			}
		}
	}
	for _, name := range now {
		if !same || !slices.Contains(before, name) {
			if err := w.batch.Set(at.mentionKey(w.tenant, name), []byte{rows}, nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// Mentions is store.Index.
func (r *reader) Mentions(ctx context.Context, tenant string, q incident.MentionQuery) ([]incident.Mention, error) {
	return readAt(ctx, r, tenant, "mentions", func(v *view) ([]incident.Mention, error) {
		if q.Limit <= 0 {
			return nil, fault.Errorf(fault.Invalid, "a page of %d mentions", q.Limit)
		}
		var found []mentionAt
		for _, name := range q.Names {
			one, err := v.mentionsOf(ctx, name, q)
			if err != nil {
				return nil, err
			}
			found = append(found, one...)
		}
		slices.SortFunc(found, func(a, b mentionAt) int {
			if q.Oldest {
				return cmp.Or(cmp.Compare(a.created, b.created), strings.Compare(a.id, b.id))
			}
			return cmp.Or(cmp.Compare(b.created, a.created), strings.Compare(a.id, b.id))
		})
		found = slices.CompactFunc(found, func(a, b mentionAt) bool { return a.id == b.id })
		out := make([]incident.Mention, 0, min(q.Limit, len(found)))
		for _, e := range found[:min(q.Limit, len(found))] {
			m, err := v.readMention(e)
			if err != nil {
				return nil, err
			}
			out = append(out, m)
		}
		return out, nil
	})
}

// mentionAt is an entry of the index: the row, and which table it is in.
type mentionAt struct {
	place
	rows byte
}

// mentionsOf reads as many entries of a name as a page can need, in the page's order.
func (v *view) mentionsOf(ctx context.Context, name string, q incident.MentionQuery) ([]mentionAt, error) {
	prefix := mentionPrefix(v.tenant, name)
	o := &pebble.IterOptions{LowerBound: prefix, UpperBound: datadir.PrefixEnd(prefix)}
	after := place{q.After.ID, datadir.TimeKey(q.After.Created)}
	fromStart := q.After == incident.ListPosition{}
	switch {
	case fromStart:
	case q.Oldest: // the rows created at the same moment are walked again
		o.UpperBound = datadir.AppendUint(bytes.Clone(prefix), ^after.created+1)
	default:
		o.LowerBound = append(after.mentionKey(v.tenant, name), 0)
	}
	it, err := v.NewIter(o)
	if err != nil {
		return nil, err
	}
	c := &timeCursor{Iterator: it, skip: len(prefix)}
	var out []mentionAt
	take := func(at uint64, id string, rows []byte) (bool, error) {
		if !fromStart && at == after.created && id <= after.id {
			return true, nil
		}
		if len(rows) != 1 {
			return false, fmt.Errorf("alert %s: %w", id, errHead)
		}
		out = append(out, mentionAt{place{id, at}, rows[0]})
		return len(out) < q.Limit, ctx.Err()
	}
	if q.Oldest {
		err = c.oldestFirst(take)
	} else {
		for ok := it.First(); ok && err == nil; ok = ok && it.Next() {
			ok, err = take(c.keyTime(), c.keyID(), it.Value())
		}
	}
	return out, errors.Join(err, it.Close())
}

// readMention tells what the row of an entry says.
func (v *view) readMention(e mentionAt) (m incident.Mention, err error) {
	_, err = v.rowTable(e.rows).visitRow(e.place, func(at place, head []byte) (bool, error) {
		row, err := decodeAlert(at.id, at.created, head)
		if err != nil {
			return false, err
		}
		a := row.Alert
		m = incident.Mention{
			ID: a.ID, Class: a.Class, Incident: v.survivorOf(row.Incident), Severity: a.Severity, Status: row.Status, Title: a.Title,
			Created: row.Created, First: a.First, Last: a.Last,
		}
		return true, nil
	})
	return m, err
}

// Identity is store.Index.
func (r *reader) Identity(ctx context.Context, tenant, name string) (incident.Identity, error) {
	return store.IdentityOf(ctx, r, tenant, name)
}

// Sources is store.Index.
func (r *reader) Sources(ctx context.Context, tenant string) ([]incident.Source, error) {
	return readAt(ctx, r, tenant, "sources", func(v *view) ([]incident.Source, error) {
		st, err := v.readState()
		var out []incident.Source
		for _, name := range slices.Sorted(maps.Keys(st.Sources)) {
			out = append(out, st.Sources[name])
		}
		return out, err
	})
}
