package correlate

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/data/azcosmos"
	"github.com/go-json-experiment/json"

	local "github.com/onepane/onepane/infra/local/cosmos"
	"github.com/onepane/onepane/shared/store/cosmos"
)

// inCosmos is a store on a strict server.
func inCosmos(t *testing.T) keeper {
	t.Helper()
	account := local.Start(t, local.Options{Databases: []local.Database{{ID: "onepane", Containers: []local.Container{
		containerOf(t, cosmos.StateContainer("state")), containerOf(t, cosmos.BlobsContainer("blobs")),
	}}}})
	s, err := cosmos.Open(cosmos.Options{
		Connect: cosmos.ConnectWithKey(account.Endpoint, account.Key(), http.DefaultClient), Fold: 5, Merge: 3,
		Wait: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// containerOf is a container's description as the server takes it: by way of the wire.
func containerOf(t *testing.T, properties azcosmos.ContainerProperties) local.Container {
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
