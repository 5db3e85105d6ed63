package datadir

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"syscall"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/onepane/onepane/shared/fault"
)

// diskSpace refuses writes before the disk is full, because pebble cannot go on once its own write-ahead log has met a
// full disk, and needs some room to compact.
type diskSpace struct {
	fs      vfs.FS
	path    string
	reserve uint64

	mu   sync.Mutex
	next time.Time
	err  error
}

// spaceCheckEvery is how old an answer may be; at full speed that is some 25 MB of writes, a fraction of the reserve.
const spaceCheckEvery = 250 * time.Millisecond

func (r *diskSpace) checkReserve(now time.Time) error {
	if r.fs == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if now.Before(r.next) {
		return r.err
	}
	r.next, r.err = now.Add(spaceCheckEvery), nil
	// A file system that cannot say how full it is gets no check.
	if u, err := r.fs.GetDiskUsage(r.path); err == nil && u.AvailBytes < r.reserve {
		r.err = fault.Errorf(fault.Exhausted, "data directory %s: only %d MB are free on its disk, %d MB must be: free some space, writing then goes on by itself",
			r.path, u.AvailBytes>>20, r.reserve>>20)
	}
	return r.err
}

func isFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

// markBroken remembers that the database can no longer be written: pebble does not survive an error of its write-ahead
// log, only opening it again does.
func (d *Dir) markBroken(err error) error {
	what := "cannot be written any more, restart Onepane to recover it"
	if isFull(err) {
		what = "its disk is full: free some space and restart Onepane, nothing that was accepted is lost"
	}
	err = fault.Errorf(kindOf(err), "data directory %s: %s: %w", d.path, what, err)
	if d.broken.CompareAndSwap(nil, &err) {
		return err
	}
	return *d.broken.Load()
}

// recoverFatal turns a panic of pebbleLogger.Fatalf into the error of the call that met it.
func (d *Dir) recoverFatal(err *error) {
	switch p := recover().(type) {
	case nil:
	case fatalPanic:
		*err = d.markBroken(p.err)
	default:
		panic(p)
	}
}

// fatalPanic is what pebbleLogger.Fatalf panics with.
type fatalPanic struct{ err error }

func (f fatalPanic) Error() string { return f.err.Error() }

// pebbleLogger takes pebble's messages. pebble expects Fatalf not to return, and would otherwise acknowledge what it
// could not write. In a caller's goroutine the panic becomes that call's error; in one of pebble's own it ends the
// process with the message, as pebble means it to, and the next start recovers.
type pebbleLogger struct {
	dir *Dir
	log *slog.Logger
}

func (l *pebbleLogger) Infof(string, ...any) {} // compactions and flushes: pebble's metrics tell that better

func (l *pebbleLogger) Errorf(format string, args ...any) {
	l.log.Error("data directory", "path", l.dir.path, "error", fmt.Sprintf(format, args...))
}

func (l *pebbleLogger) Fatalf(format string, args ...any) {
	// The cause is kept apart from the text, for Is to find a full disk in it.
	var cause error
	for _, a := range args {
		if err, ok := a.(error); ok {
			cause = err
		}
	}
	if cause == nil {
		cause = fmt.Errorf(format, args...)
	}
	l.log.Error("data directory failed", "path", l.dir.path, "error", cause)
	panic(fatalPanic{fmt.Errorf("database: %w", cause)})
}

func (l *pebbleLogger) eventListener() *pebble.EventListener {
	return &pebble.EventListener{
		BackgroundError: func(err error) {
			if errors.Is(err, context.Canceled) || errors.Is(err, pebble.ErrCancelledCompaction) {
				return
			}
			l.log.Error("data directory: background write failed, will be tried again", "path", l.dir.path, "error", err)
		},
		DiskSlow: func(i pebble.DiskSlowInfo) {
			l.log.Warn("data directory: disk is slow", "path", i.Path, "operation", i.OpType.String(), "seconds", i.Duration.Seconds())
		},
		WriteStallBegin: func(i pebble.WriteStallBeginInfo) {
			l.log.Warn("data directory: writes wait for the disk", "path", l.dir.path, "reason", i.Reason)
		},
	}
}
