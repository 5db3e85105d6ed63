package cosmos_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/data/azcosmos"

	"github.com/onepane/onepane/infra/local/cosmos"
)

// What one commit of a hundred alerts costs this server: a batch of one item of 100 KB and 30 of 2 KB. Simulations of a
// million alerts are 10,000 of these.
func BenchmarkBatch(b *testing.B) {
	account := cosmos.Start(b, cosmos.Options{Databases: []cosmos.Database{{ID: "db", Containers: []cosmos.Container{plainContainer()}}}})
	cred, err := azcosmos.NewKeyCredential(account.Key())
	if err != nil {
		b.Fatal(err)
	}
	client, err := azcosmos.NewClientWithKey(account.Endpoint, cred, nil)
	if err != nil {
		b.Fatal(err)
	}
	defer client.Close()
	c, err := client.NewContainer("db", "things")
	if err != nil {
		b.Fatal(err)
	}
	heads := strings.Repeat(`{"id":"0123456789abcdef","title":"Credential access","severity":3},`, 1500)
	small := strings.Repeat(`{"k":"arn:aws:ec2","w":12},`, 75)
	for i := 0; b.Loop(); i++ {
		batch := c.NewTransactionalBatch(partitionKey("t1"))
		batch.CreateItem(fmt.Appendf(nil, `{"id":"c%09d","tenant":"t1","heads":[%s0]}`, i, heads), nil)
		for n := range 30 {
			batch.UpsertItem(fmt.Appendf(nil, `{"id":"n%d","tenant":"t1","nodes":[%s0]}`, (i*30+n)%256, small), nil)
		}
		if r, err := c.ExecuteTransactionalBatch(b.Context(), batch, nil); err != nil || !r.Success {
			b.Fatal(err)
		}
	}
}
