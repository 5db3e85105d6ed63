package cosmos_test

import (
	"context"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/data/azcosmos"
	"github.com/go-json-experiment/json"

	local "github.com/onepane/onepane/infra/local/cosmos"
	"github.com/onepane/onepane/shared/store/cosmos"
	"github.com/onepane/onepane/shared/store/storetest"
)

// account is a strict server with the two containers as this package describes them.
func account(t testing.TB, o local.Options) local.Account {
	t.Helper()
	o.Databases = []local.Database{{ID: "onepane", Containers: []local.Container{
		described(t, cosmos.StateContainer("state")), described(t, cosmos.BlobsContainer("blobs")),
	}}}
	return local.Start(t, o)
}

// described is a container's description as the server takes it: by way of the wire.
func described(t testing.TB, properties azcosmos.ContainerProperties) local.Container {
	t.Helper()
	data, err := properties.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	var c local.Container
	if err := json.Unmarshal(data, &c); err != nil {
		t.Fatal(err)
	}
	return c
}

func open(t testing.TB, a local.Account, opts cosmos.Options) *cosmos.Store {
	t.Helper()
	opts.Connect = cosmos.ConnectWithKey(a.Endpoint, a.Key(), plain{})
	if opts.Wait == nil {
		opts.Wait = func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	}
	s, err := cosmos.Open(opts)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestPromises runs the suite with everything in the log, with everything in the tables, and somewhere between.
func TestPromises(t *testing.T) {
	for name, opts := range map[string]cosmos.Options{
		"long log":                 {},
		"no log":                   {Fold: 1, Merge: 1},
		"short log":                {Fold: 3, Merge: 2},
		"all beside":               {Fold: 3, Merge: 2, Inline: 1},
		"a volume for every flush": {Fold: 1, Merge: 1, VolumeAt: 1},
	} {
		t.Run(name, func(t *testing.T) {
			storetest.Run(t, func(t *testing.T) storetest.Driver {
				a := account(t, local.Options{})
				return storetest.Driver{
					Store: open(t, a, opts),
					Crash: func(t *testing.T, _ uint64) storetest.Store { return open(t, a, opts) },
				}
			})
		})
	}
}

// jsonOf is what anyone outside ever sees of a value.
func jsonOf(t testing.TB, v any) string {
	t.Helper()
	data, err := json.Marshal(v, json.Deterministic(true))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
