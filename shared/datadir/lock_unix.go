//go:build unix

package datadir

import (
	"io"
	"os"
	"syscall"
)

// lockHolder gives the id of the process that holds a lock on the file, 0 when that is this one or unknown.
func lockHolder(name string) int {
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return 0
	}
	defer f.Close()
	l := syscall.Flock_t{Type: syscall.F_WRLCK, Whence: io.SeekStart}
	if syscall.FcntlFlock(f.Fd(), syscall.F_GETLK, &l) != nil || l.Type == syscall.F_UNLCK {
		return 0
	}
	return int(l.Pid)
}
