package cosmos

// InBatches makes a flush write that many items at once, so that there are many places where it can be interrupted.
func (o Options) InBatches(n int) Options {
	o.perBatch = n
	return o
}
