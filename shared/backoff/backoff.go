// Package backoff paces what is tried again: how long to leave alone what failed, and a wait that its context ends.
//
//	failure n ─▶ Delay ─▶ Wait ─▶ try again
package backoff

import (
	"context"
	"time"
)

// Delay returns how long to wait after the n-th failure in a row, n from 1: first, doubled with every further failure
// up to longest.
func Delay(n int, first, longest time.Duration) time.Duration {
	d := first
	for ; n > 1 && d < longest; n-- {
		d *= 2
	}
	return min(d, longest)
}

// Wait returns nil after d, or ctx's error as soon as ctx ends.
func Wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
