package localstore

import (
	"errors"
	"fmt"
	"slices"

	"github.com/cockroachdb/pebble/v2"
	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/shared/datadir"
	"github.com/onepane/onepane/shared/incident"
)

// node writes a node: its Last, for the sweep below, and the node as JSON.
func (w *commit) node(n incident.Node) error {
	body, err := json.Marshal(n)
	if err != nil {
		return fmt.Errorf("encode node %s: %w", n.Key, err)
	}
	last := datadir.TimeKey(n.Last)
	if last != 0 {
		w.state.Newest = max(w.state.Newest, last)
		if w.state.Oldest == 0 || last < w.state.Oldest {
			w.state.Oldest = last
		}
		w.tenant.sweep.oldest = min(w.tenant.sweep.oldest, last) // it may lie behind the hand
	}
	return w.batch.Set(byID(nodeTable, w.tenant.name, n.Key), append(datadir.AppendUint(nil, last), body...), nil)
}

// sweep is where forgetting stands: a hand that goes round a tenant's nodes, a little with each commit. It starts anew
// with the process.
type sweep struct {
	next   []byte // the key to go on at; nil is the beginning
	oldest uint64 // least Last that this round has left
}

// sweepMore is how many nodes a commit looks at beside one for each that it writes, so that rounds end.
const sweepMore = 16

// forget deletes nodes whose life is over, looking at a bounded number. Time is the newest event's, not the clock's, so
// that a replay of last year's alerts forgets as last year did; the clock only keeps an event from the future from
// emptying the memory.
func (w *commit) forget(written int) error {
	now := min(w.state.Newest, datadir.TimeKey(w.store.opts.Now()))
	life := uint64(incident.NodeLife)
	if w.state.Oldest == 0 || now < w.state.Oldest || now-w.state.Oldest <= life {
		return nil
	}
	s := &w.tenant.sweep
	prefix := datadir.Key(nodeTable, w.tenant.name)
	if s.next == nil {
		s.next, s.oldest = prefix, now
	}
	it, err := w.store.dir.DB.NewIter(&pebble.IterOptions{LowerBound: s.next, UpperBound: datadir.After(prefix)})
	if err != nil {
		return fmt.Errorf("forget nodes: %w", err)
	}
	ok := it.First()
	for looks := written + sweepMore; ok && looks > 0; looks-- {
		last := datadir.Uint(it.Value()[:min(8, len(it.Value()))])
		switch {
		case last == 0: // another name of a node, which goes when nothing leads there any more
			gone, err := w.aliasOver(it.Value())
			if err != nil {
				return errors.Join(err, it.Close())
			}
			if gone {
				err = w.batch.Delete(slices.Clone(it.Key()), nil)
			}
			if err != nil {
				return errors.Join(err, it.Close())
			}
		case last < now && now-last > life:
			if err := w.batch.Delete(slices.Clone(it.Key()), nil); err != nil {
				return errors.Join(err, it.Close())
			}
		default:
			s.oldest = min(s.oldest, last)
		}
		ok = it.Next()
	}
	if ok {
		s.next = slices.Clone(it.Key())
	} else { // a round is over: nothing older than what it left
		s.next, w.state.Oldest = nil, s.oldest
	}
	return it.Close()
}

// aliasOver reports whether a node without a time of its own is another name of a node that no longer exists.
func (w *commit) aliasOver(value []byte) (bool, error) {
	n, err := decodeNode(value)
	if err != nil || n.SameAs == "" {
		return false, err
	}
	_, closer, err := w.store.dir.DB.Get(byID(nodeTable, w.tenant.name, n.SameAs))
	if errors.Is(err, pebble.ErrNotFound) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	return false, closer.Close()
}

func decodeNode(value []byte) (incident.Node, error) {
	var n incident.Node
	if len(value) < 8 {
		return n, errors.New("node is damaged")
	}
	if err := json.Unmarshal(value[8:], &n); err != nil {
		return n, fmt.Errorf("decode node: %w", err)
	}
	return n, nil
}
