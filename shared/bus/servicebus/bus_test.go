package servicebus_test

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	standin "github.com/onepane/onepane/infra/local/servicebus"
	"github.com/onepane/onepane/shared/bus/bustest"
	"github.com/onepane/onepane/shared/bus/servicebus"
)

// lock is how long the stand-in's locks last: long for a handler, short for a test that waits for one to expire.
const lock = 1500 * time.Millisecond

func TestPromises(t *testing.T) {
	bustest.Run(t, func(t *testing.T) bustest.Driver {
		return newDriver(t, standin.Start(t, standin.Config{Queues: standin.Queues(lock)}))
	})
}

// TestPromisesLive runs the suite on a real namespace, whose queues infra/azure made, with the connection string in
// ONEPANE_TEST_SERVICEBUS. Its queues must be empty, and are left so.
func TestPromisesLive(t *testing.T) {
	connection := os.Getenv("ONEPANE_TEST_SERVICEBUS")
	if connection == "" {
		t.Skip("ONEPANE_TEST_SERVICEBUS names no namespace")
	}
	bustest.Run(t, func(t *testing.T) bustest.Driver {
		opts := quickOptions()
		opts.ConnectionString, opts.Lock = connection, 5*time.Minute
		return bustest.Driver{Queue: openBus(t, opts), DedupesCalls: true}
	})
}

func newDriver(t *testing.T, b *standin.Broker) bustest.Driver {
	opts := quickOptions()
	opts.ConnectionString = b.ConnectionString()
	q := openBus(t, opts)
	return bustest.Driver{
		Queue: q, Quarantine: q.Quarantine(), Advance: b.AgeMessages, Window: 10 * time.Minute, DedupesCalls: true,
		Reopen: func(t *testing.T) bustest.Driver {
			b.DropConnections()
			return newDriver(t, b)
		},
	}
}

// quickOptions are options under which nothing waits long.
func quickOptions() servicebus.Options {
	return servicebus.Options{
		Lock: lock, Idle: 50 * time.Millisecond, Pause: time.Millisecond, MaxPause: 5 * time.Millisecond, Reject: bustest.Reject,
		Retry: azservicebus.RetryOptions{RetryDelay: time.Millisecond, MaxRetryDelay: 10 * time.Millisecond, MaxRetries: 5},
	}
}

func openBus(t testing.TB, opts servicebus.Options) *servicebus.Bus {
	t.Helper()
	q, err := servicebus.Open(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = q.Close(ctx) // its connection may be broken on purpose
	})
	return q
}
