package localstore

import (
	"encoding/binary"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/shared/datadir"
	"github.com/onepane/onepane/shared/incident"
)

// stageNode writes a node, and widens what bounds the stored nodes' times.
func (w *commit) stageNode(n incident.Node) error {
	value, err := encodeNode(n)
	if err != nil {
		return fmt.Errorf("encode node %s: %w", n.Key, err)
	}
	last := datadir.TimeKey(n.Last)
	if last != 0 {
		w.state.Newest = max(w.state.Newest, last)
		if w.state.Oldest == 0 || last < w.state.Oldest {
			w.state.Oldest = last
		}
		w.sweep.oldest = min(w.sweep.oldest, last) // the round may be past it
	}
	return w.batch.Set(idKey(nodeTable, w.tenant, n.Key), value, nil)
}

// sweep is how far the search for expired nodes has come: each commit looks at some, and after a round it begins again.
// A new process begins a round.
type sweep struct {
	next   []byte // the key to go on at; nil is the beginning
	oldest uint64 // least Last that this round has left
}

// sweepExtra is how many nodes a commit looks at in addition to one for each that it writes, so that rounds end.
const sweepExtra = 16

// expireNodes deletes nodes older than incident.NodeLifetime, looking at a bounded number. Now is the newest event's
// time, so that a replay of last year's alerts expires what last year's did; the clock bounds it, so that an event
// from the future does not expire everything.
func (w *commit) expireNodes(written int) error {
	now := min(w.state.Newest, datadir.TimeKey(w.now()))
	life := uint64(incident.NodeLifetime)
	if w.state.Oldest == 0 || now < w.state.Oldest || now-w.state.Oldest <= life {
		return nil
	}
	s := w.sweep
	prefix := datadir.Key(nodeTable, w.tenant)
	if s.next == nil {
		s.next, s.oldest = prefix, now
	}
	it, err := w.dir.DB.NewIter(&pebble.IterOptions{LowerBound: s.next, UpperBound: datadir.PrefixEnd(prefix)})
	if err != nil {
		return fmt.Errorf("expire nodes: %w", err)
	}
	ok := it.First()
	for looks := written + sweepExtra; ok && looks > 0; looks-- {
		last := datadir.TrailingUint(it.Value()[:min(8, len(it.Value()))])
		switch {
		case last == 0: // another name of a node, which goes when nothing leads there any more
			gone, err := w.isDanglingAlias(it.Key(), it.Value())
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
	} else { // the round is over: no stored node is older than the oldest that it kept
		s.next, w.state.Oldest = nil, s.oldest
	}
	return it.Close()
}

// isDanglingAlias reports whether a node without a time of its own is another name of a node that no longer exists.
func (w *commit) isDanglingAlias(key, value []byte) (bool, error) {
	n, err := decodeNode(string(key), value)
	if err != nil || n.SameAs == "" {
		return false, err
	}
	_, closer, err := w.dir.DB.Get(idKey(nodeTable, w.tenant, n.SameAs))
	if errors.Is(err, pebble.ErrNotFound) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	return false, closer.Close()
}

// A node is kept as its Last, for the sweep above, then what most nodes are nothing more than, and the rest as JSON
// when there is any. Its key is the row's.
//
//	last │ format(1) │ first │ alert sameAs │ alerts │ rest
const nodeFormat = 1

var errNode = errors.New("node is damaged")

func encodeNode(n incident.Node) ([]byte, error) {
	b := datadir.AppendUint(make([]byte, 0, 80), datadir.TimeKey(n.Last))
	b = datadir.AppendUint(append(b, nodeFormat), datadir.TimeKey(n.First))
	b = appendText(appendText(b, n.Alert), n.SameAs)
	b = binary.AppendUvarint(b, uint64(n.Episodes))
	n.Key, n.Alert, n.SameAs, n.Episodes = "", "", "", 0
	for _, t := range [...]*time.Time{&n.First, &n.Last} {
		if datadir.KeyTime(datadir.TimeKey(*t)).Equal(*t) { // a time beyond what a key can say stays in the rest
			*t = time.Time{}
		}
	}
	if reflect.ValueOf(n).IsZero() {
		return b, nil
	}
	rest, err := json.Marshal(n)
	return append(b, rest...), err
}

func decodeNode(key string, value []byte) (incident.Node, error) {
	var n incident.Node
	d := decoder{b: value}
	last, format, first := d.takeTime(), d.takeByte(), d.takeTime()
	alert, same, alerts := d.takeText(), d.takeText(), d.takeUvarint()
	if d.bad || format != nodeFormat {
		return n, fmt.Errorf("node %s: %w", key, errNode)
	}
	if len(d.b) > 0 {
		if err := json.Unmarshal(d.b, &n); err != nil {
			return n, fmt.Errorf("node %s: %w: %w", key, errNode, err)
		}
	}
	n.Key, n.Alert, n.SameAs, n.Episodes = key, alert, same, int(alerts)
	if n.First.IsZero() {
		n.First = first
	}
	if n.Last.IsZero() {
		n.Last = last
	}
	return n, nil
}
