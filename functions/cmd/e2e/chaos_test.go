package e2e

import (
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	cosmosserver "github.com/onepane/onepane/infra/local/cosmos"
)

// chaos makes things go wrong, one after the other, between deliveries and in the middle of what they set off.
type chaos struct {
	w      *world
	lambda *lambda
	run    *cloudRun
	host   *functionsHost
	every  int // deliveries
	next   int
	done   map[string]int
	stormy atomic.Int64 // requests that failed
	outage atomic.Int64 // requests that are still to fail, one after the other: more than the store tries
}

// outage is how many requests fail in a row: an invocation or two, not so many that messages are given up.
const outage = 20

// before is called before each delivery.
func (c *chaos) before(n int) {
	if c.every == 0 || n%c.every != c.every-1 {
		return
	}
	strikes := []struct {
		name string
		do   func()
	}{
		{"connections dropped", c.w.bus.DropConnections},
		{"connection dropped with the answer", func() { c.w.bus.DropAfterReceived(1) }},
		{"session lock lost", c.loseSession},
		{"completed messages offered again", func() { c.w.bus.RepeatCompleted("alerts", 3) }},
		{"namespace throttled", func() { c.w.bus.ThrottleNext(2) }},
		{"ingest-aws killed", func() { c.lambda.doom.Store(true) }},
		{"ingest-gcp killed", func() { c.run.doom.Store(true) }},
		{"function app killed", func() { c.host.doom.Store(true) }},
		{"Cosmos DB out of reach", func() { c.outage.Store(outage) }},
		{"connection dropped in a batch", func() { c.w.bus.DropAfterSent(2) }},
	}
	s := strikes[c.next%len(strikes)]
	c.next++
	c.done[s.name]++
	s.do()
}

func (c *chaos) loseSession() {
	for _, s := range slices.Collect(maps.Keys(c.w.bus.Stats().Queues["alerts"].Sessions)) {
		c.w.bus.TakeSession("alerts", s)
	}
}

// storms makes one in twenty requests to Cosmos DB fail in one of the ways in which they do, from the seed.
func (c *chaos) storms(seed uint64) {
	dice := rand.New(rand.NewPCG(seed, 1)) // asked with the server locked
	c.w.cosmos.Inject(func(op cosmosserver.Operation) cosmosserver.Fault {
		if c.outage.Load() > 0 && op.Kind != cosmosserver.Control {
			c.outage.Add(-1)
			c.stormy.Add(1)
			return cosmosserver.Fault{Status: http.StatusServiceUnavailable}
		}
		if op.Kind == cosmosserver.Control || dice.IntN(20) > 0 {
			return cosmosserver.Fault{}
		}
		count := c.stormy.Add(1)
		return []cosmosserver.Fault{
			{Status: http.StatusTooManyRequests, RetryAfter: 2 * time.Millisecond}, {Status: http.StatusServiceUnavailable},
			{Status: http.StatusRequestTimeout}, {Drop: cosmosserver.DropBefore}, {Drop: cosmosserver.DropAfter},
		}[count%5]
	})
}
