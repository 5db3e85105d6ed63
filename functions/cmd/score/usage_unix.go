//go:build unix

package main

import (
	"runtime"
	"syscall"
	"time"
)

// processUsage is the CPU that this process has used, and the most memory it ever had, in bytes.
func processUsage() (cpu time.Duration, peak int64) {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0, 0
	}
	peak = int64(u.Maxrss)
	if runtime.GOOS != "darwin" { // there it is in bytes, elsewhere in KB
		peak <<= 10
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), peak
}
