package datadir

import (
	"fmt"
	"io"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/onepane/onepane/shared/fault"
)

// takeLock makes this process the directory's only user. The operating system gives the lock up when the process
// ends, however it ends.
func takeLock(fs vfs.FS, path string) (io.Closer, error) {
	name := fs.PathJoin(path, "LOCK")
	lock, err := fs.Lock(name)
	if err == nil {
		return lock, nil
	}
	by := "another process"
	if pid := lockHolder(name); pid > 0 {
		by = fmt.Sprintf("process %d", pid)
	}
	return nil, fault.Errorf(fault.Conflict, "data directory %s is in use by %s: stop that one or give another directory: %w", path, by, err)
}
