package azurefunc

import "context"

// Timer runs a function when its time has come.
type Timer struct {
	// Run does what is due. It must bear being run twice, or late.
	Run func(ctx context.Context) error
}

// Invoke implements Function. What a failed run left is due at the next tick, and sooner with a retry policy.
func (t Timer) Invoke(ctx context.Context, _ Invocation) error { return t.Run(ctx) }
