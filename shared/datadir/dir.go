// Package datadir is the one data directory of an embedded Onepane: what the bus and the store keep on disk, in
// one pebble database. It gives them atomic batches and a log of events that both read; what the tables mean is left to
// localbus and localstore.
//
//	publish ──▶ log ──▶ consume ──▶ store
//	            │ one synced write     │ a head that points into the log
//	            └──────◀── body ───────┘
//
//	DIR/VERSION   format of the directory and who wrote it
//	DIR/LOCK      held by the one process that uses it
//	DIR/db/       pebble: write-ahead log, tables, manifest
//
// An event's body is written once, by the log, when it is published; that is also the only write that waits for the
// disk. Everything derived from it (heads, indexes, nodes, cursors) follows unsynced: a crash that loses the tail of it
// loses the cursor's move as well, because the write-ahead log is cut at one place, and the event is consumed again.
//
// # Keys
//
// The first byte of a key is its table; Q is a queue's name and T a session's or tenant's, each behind its length
// in one byte, so that no name is a prefix of another. Numbers are big endian; a time is 8 bytes that sort as the
// instant does, ^time sorts newest first. Row tables hold narrow heads, in the order of the default listing.
//
//	table                  key                        value
//	'l' log                Q T position               event: attributes, then its data as published   (datadir)
//	'p' progress           Q T                        last position that is done with                 (datadir)
//	's' quarantine         Q number                   event                                           (localbus)
//	'S' quarantine by id   Q id                       number                                          (localbus)
//	't' tenant             T                          version, sequence, counts                       (localstore)
//	'a' alert by id        T id                       row table, created                              (localstore)
//	'A' alert rows         T ^created id              head                                            (localstore)
//	'E' exposure rows      T ^created id              head                                            (localstore)
//	'D' folded rows        T ^created id              head                                            (localstore)
//	'b' bodies             T id                       alert as JSON, when no log entry holds it       (localstore)
//	'u' alerts updated     T ^updated id              created                                         (localstore)
//	'v' exposures updated  T ^updated id              created                                         (localstore)
//	'm' incident's alerts  T incident first id        created                                         (localstore)
//	'i' incident by id     T id                       created, updated, redirect, incident as JSON    (localstore)
//	'I' incident rows      T ^created id              head                                            (localstore)
//	'w' incidents updated  T ^updated id              created                                         (localstore)
//	'g' groups             T label ^created id        nothing: rows by state, by assignee             (localstore)
//	'x' mentions           T hash ^created id         row table: alerts by the names in their evidence (localstore)
//	'n' nodes              T node key                 node                                            (localstore)
//	'f' feed               T version                  what one commit changed                         (localstore)
//	'd' documents          KIND id                    version, then JSON                              (localstore)
//	'j' audit entries      T id                       expiry, then JSON                               (localstore)
package datadir

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/onepane/onepane/shared/fault"
)

// Dir is an open data directory. It is safe for concurrent use; close it after everything that reads and writes it
// has stopped.
type Dir struct {
	// DB is the database, for reading and for making batches. Write them with Apply only.
	DB *pebble.DB

	path   string
	lock   io.Closer
	synced bool // false in memory, where there is no disk to wait for
	space  diskSpace
	broken atomic.Pointer[error] // why the database can no longer be written

	mu   sync.Mutex
	logs map[string]*Log
}

// Options are settings that only tests and small machines need to change.
type Options struct {
	CacheBytes    int64        // block cache; 0 is 256 MB. Indexes are read all the time: with 8 MB, CPU per alert grows 2.7-fold
	MemTableBytes uint64       // one write buffer, of which pebble keeps a few; 0 is 32 MB
	ReserveBytes  uint64       // writes are refused while less disk than this is free; 0 is 128 MB
	FS            vfs.FS       // nil is the operating system's
	Log           *slog.Logger // nil discards
	Writer        string       // name and version of this program, kept in VERSION
}

func (o Options) withDefaults() Options {
	if o.CacheBytes == 0 {
		o.CacheBytes = 256 << 20
	}
	if o.MemTableBytes == 0 {
		o.MemTableBytes = 32 << 20
	}
	if o.ReserveBytes == 0 {
		o.ReserveBytes = 128 << 20
	}
	if o.FS == nil {
		o.FS = vfs.Default
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Writer == "" {
		o.Writer = "onepane"
	}
	return o
}

// Open opens the directory at path, making it when it does not exist, and recovers whatever a crash left behind.
// It is fault.Conflict while another process has it, fault.Invalid when a newer Onepane wrote it.
func Open(path string, opts Options) (*Dir, error) {
	opts = opts.withDefaults()
	if err := makeSynced(opts.FS, path); err != nil {
		return nil, fault.Errorf(kindOf(err), "make data directory %s: %w", path, err)
	}
	lock, err := takeLock(opts.FS, path)
	if err != nil {
		return nil, err
	}
	d := &Dir{path: path, lock: lock, synced: true, space: diskSpace{fs: opts.FS, path: path, reserve: opts.ReserveBytes}}
	err = checkVersion(opts.FS, path, opts.Writer)
	if err == nil {
		err = d.openDatabase(opts, opts.FS.PathJoin(path, "db"), false)
	}
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return d, nil
}

// OpenMemory opens a directory that lives in memory and is gone when it is closed: for tests and replays.
func OpenMemory() *Dir {
	d := &Dir{path: "memory"}
	opts := Options{FS: vfs.NewMem()}.withDefaults() // cache and buffers grow with what is stored
	if err := d.openDatabase(opts, "db", true); err != nil {
		panic(err) // nothing it touches can fail
	}
	return d
}

func (d *Dir) openDatabase(opts Options, path string, memory bool) (err error) {
	defer d.recoverFatal(&err)
	cache := pebble.NewCache(opts.CacheBytes)
	defer cache.Unref() // the database holds it from here on
	logger := &pebbleLogger{dir: d, log: opts.Log}
	o := &pebble.Options{
		FS: opts.FS, Cache: cache, MemTableSize: opts.MemTableBytes, DisableWAL: memory,
		FormatMajorVersion: pebble.FormatTableFormatV6, // raised only together with this package's format
		Logger:             logger, EventListener: logger.eventListener(),
		MemTableStopWritesThreshold: 4, MaxOpenFiles: 2000,
	}
	for i := range o.Levels {
		// Alerts of some 4 KB fill pebble's default block each, which makes the indexes as long as the tables.
		o.Levels[i].BlockSize, o.Levels[i].IndexBlockSize = 16<<10, 256<<10
		o.Levels[i].FilterPolicy = bloom.FilterPolicy(10) // most look-ups by id are misses: new alerts, new entities
	}
	o.ApplyCompressionSettings(func() pebble.DBCompressionSettings { return pebble.DBCompressionBalanced })
	if d.DB, err = pebble.Open(path, o); err != nil {
		return fmt.Errorf("open database in %s: %w", d.path, err)
	}
	d.logs = map[string]*Log{}
	return nil
}

// Close writes out what is buffered and gives the directory up.
func (d *Dir) Close() error {
	var err error
	if d.broken.Load() == nil {
		err = d.DB.Close()
	} // else its goroutines wait for a disk that failed them: the next Open recovers
	if d.lock != nil {
		err = errors.Join(err, d.lock.Close())
	}
	if err != nil {
		return fmt.Errorf("close data directory %s: %w", d.path, err)
	}
	return nil
}

// Apply makes b visible, whole or not at all, and closes it. With sync it also survives the loss of power once
// Apply returns; without, it does so before or together with the next synced write. No room on the disk is
// fault.Exhausted.
func (d *Dir) Apply(b *pebble.Batch, sync bool) (err error) {
	defer d.recoverFatal(&err)
	if err := d.checkWritable(); err != nil {
		return errors.Join(err, b.Close())
	}
	o := pebble.NoSync
	if sync && d.synced {
		o = pebble.Sync
	}
	if err := d.DB.Apply(b, o); err != nil {
		return d.markBroken(err)
	}
	return b.Close()
}

// applyOrdered makes b visible and gives a function that waits until it is on the disk, so that a caller can order
// writes under a lock and share the wait with others.
func (d *Dir) applyOrdered(b *pebble.Batch) (wait func() error, err error) {
	defer d.recoverFatal(&err)
	if err := d.checkWritable(); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	if !d.synced {
		return b.Close, d.DB.Apply(b, pebble.NoSync)
	}
	if err := d.DB.ApplyNoSyncWait(b, pebble.Sync); err != nil {
		return nil, d.markBroken(err)
	}
	return func() error {
		if err := b.SyncWait(); err != nil {
			return d.markBroken(err)
		}
		return b.Close()
	}, nil
}

// makeSynced makes a directory and those above it, so that they are still there after a loss of power: what is in a
// directory is only as durable as the directory's own name in its parent.
func makeSynced(fs vfs.FS, path string) error {
	if _, err := fs.Stat(path); err == nil {
		return nil
	}
	parent := fs.PathDir(path)
	if parent != path {
		if err := makeSynced(fs, parent); err != nil {
			return err
		}
	}
	if err := fs.MkdirAll(path, 0o750); err != nil {
		return err
	}
	dir, err := fs.OpenDir(parent)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// Path names the directory.
func (d *Dir) Path() string { return d.path }

// checkWritable is the reason that nothing can be written now, nil when it can.
func (d *Dir) checkWritable() error {
	if err := d.broken.Load(); err != nil {
		return *err
	}
	return d.space.checkReserve(time.Now())
}

// kindOf tells a full disk from other trouble.
func kindOf(err error) fault.Kind {
	if isFull(err) {
		return fault.Exhausted
	}
	return fault.Again
}
