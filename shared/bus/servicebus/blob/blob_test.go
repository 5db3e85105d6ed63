package blob_test

import (
	"bytes"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob"

	"github.com/onepane/onepane/infra/local/azurite"
	"github.com/onepane/onepane/shared/bus/servicebus/blob"
	"github.com/onepane/onepane/shared/fault"
)

// once are options without retries, so that tests of failures end soon.
var once = &azblob.ClientOptions{ClientOptions: azcore.ClientOptions{Retry: policy.RetryOptions{MaxRetries: -1}}}

func TestContainer(t *testing.T) {
	connection := azurite.Start(t)
	admin, err := azblob.NewClientFromConnectionString(connection, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := admin.CreateContainer(t.Context(), "claims", nil); err != nil {
		t.Fatal(err)
	}
	c, err := blob.OpenConnection(connection, "claims", once)
	if err != nil {
		t.Fatal(err)
	}
	large := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	for range 2 { // the second time it is there already
		if err := c.Put(t.Context(), "tenant/large", large); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := c.Get(t.Context(), "tenant/large"); err != nil || !bytes.Equal(got, large) {
		t.Errorf("Get gave %d bytes, %v", len(got), err)
	}
	if _, err := c.Get(t.Context(), "tenant/none"); fault.Of(err) != fault.NotFound {
		t.Errorf("Get of nothing: %v", err)
	}
	nowhere, err := blob.OpenConnection(connection, "nowhere", once)
	if err != nil {
		t.Fatal(err)
	}
	if err := nowhere.Put(t.Context(), "a", large); fault.Of(err) != fault.Unavailable {
		t.Errorf("Put without a container: %v", err)
	}
	if _, err := nowhere.Get(t.Context(), "a"); fault.Of(err) != fault.Unavailable {
		t.Errorf("Get without a container: %v", err)
	}
}
