package cosmos_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"

	"github.com/onepane/onepane/infra/local/cosmos"
)

func TestInjectedStatus(t *testing.T) {
	f := startFixture(t, thingsContainer())
	f.createItem(t, "t1", `{"id":"a","tenant":"t1"}`)
	for _, code := range []int{429, 449, 408, 410} {
		var seen []cosmos.Operation
		f.Inject(func(op cosmos.Operation) cosmos.Fault {
			seen = append(seen, op)
			return cosmos.Fault{Status: code, RetryAfter: 7 * time.Millisecond}
		})
		_, err := f.c.UpsertItem(t.Context(), partitionKey("t1"), []byte(`{"id":"a","tenant":"t1","n":1}`), nil)
		wantStatus(t, fmt.Sprint("an injected ", code), err, code)
		var answered *azcore.ResponseError
		if errors.As(err, &answered); answered.RawResponse.Header.Get("x-ms-retry-after-ms") != "7" {
			t.Errorf("%d: no hint when to try again: %v", code, answered.RawResponse.Header)
		}
		if op := seen[0]; op.Kind != cosmos.Upsert || op.Container != "things" || op.Partition != `["t1"]` {
			t.Errorf("the operation was described as %+v", op)
		}
	}
	f.Inject(nil)
	read, err := f.c.ReadItem(t.Context(), partitionKey("t1"), "a", nil)
	wantStatus(t, "read", err, 0)
	if v := parseItem(t, read.Value); v["n"] != nil {
		t.Errorf("a write that was answered with a fault happened: %v", v)
	}
}

// A connection that drops before the write leaves nothing behind, one that drops after it leaves the write.
func TestDroppedConnections(t *testing.T) {
	for _, tt := range []struct {
		drop cosmos.Drop
		code int
	}{{cosmos.DropBefore, 404}, {cosmos.DropAfter, 200}} {
		f := startFixture(t, thingsContainer())
		f.Inject(func(op cosmos.Operation) cosmos.Fault { return cosmos.Fault{Drop: tt.drop} })
		_, _, err := f.sendBody(t, "POST", "/dbs/db/colls/things/docs", `{"id":"a","tenant":"t1"}`)
		if err == nil {
			t.Error("a dropped connection answered")
		}
		f.Inject(nil)
		code, _, err := f.sendBody(t, "GET", "/dbs/db/colls/things/docs/a", "")
		if err != nil || code != tt.code {
			t.Errorf("after drop %d the item reads %d %v, want %d", tt.drop, code, err, tt.code)
		}
	}
}
