package azurefunc

import "context"

// Timer runs a function on a schedule.
type Timer struct {
	// Run does what is due. It must bear to run twice, or late.
	Run func(ctx context.Context) error
}

// Invoke implements Function. After an error the next tick runs it again, or the retry policy before.
func (t Timer) Invoke(ctx context.Context, _ Invocation) error { return t.Run(ctx) }
