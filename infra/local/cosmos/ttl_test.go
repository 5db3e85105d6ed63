package cosmos_test

import (
	"fmt"
	"testing"
	"time"
)

// Source: learn.microsoft.com/azure/cosmos-db/nosql/time-to-live, the tables of container and item settings.
func TestTimeToLive(t *testing.T) {
	seconds := func(n int) *int { return &n }
	for _, tt := range []struct {
		container *int
		item      string
		lives     time.Duration // 0 for ever
	}{
		{nil, `,"ttl":5`, 0},
		{seconds(-1), ``, 0},
		{seconds(-1), `,"ttl":5`, 5 * time.Second},
		{seconds(-1), `,"ttl":-1`, 0},
		{seconds(10), ``, 10 * time.Second},
		{seconds(10), `,"ttl":5`, 5 * time.Second},
		{seconds(10), `,"ttl":20`, 20 * time.Second},
		{seconds(10), `,"ttl":-1`, 0},
	} {
		c := thingsContainer()
		c.DefaultTTL = tt.container
		f := startFixture(t, c)
		f.createItem(t, "t1", fmt.Sprintf(`{"id":"a","tenant":"t1"%s}`, tt.item))
		name := fmt.Sprintf("container %v item %q", tt.container != nil, tt.item)
		age := tt.lives
		if age == 0 {
			age = 1000 * time.Hour
		}
		f.clock.now = begin.Add(age - time.Second)
		_, err := f.c.ReadItem(t.Context(), partitionKey("t1"), "a", nil)
		wantStatus(t, name+" before its time", err, 0)
		if tt.lives == 0 {
			continue
		}
		f.clock.now = begin.Add(age)
		_, err = f.c.ReadItem(t.Context(), partitionKey("t1"), "a", nil)
		wantStatus(t, name+" after its time", err, 404)
		if got := f.queryIDs(t, "SELECT * FROM c", partitionKey("t1"), nil); len(got) != 0 {
			t.Errorf("%s: a query still finds %v", name, got)
		}
		if use := f.Partitions("db", "things"); use[0].Items != 0 || use[0].Bytes != 0 {
			t.Errorf("%s: still stored: %+v", name, use)
		}
		f.createItem(t, "t1", `{"id":"a","tenant":"t1"}`)
	}
}

// A write begins an item's time anew.
func TestTimeToLiveCountsFromTheLastWrite(t *testing.T) {
	c := thingsContainer()
	ten := 10
	c.DefaultTTL = &ten
	f := startFixture(t, c)
	f.createItem(t, "t1", `{"id":"a","tenant":"t1"}`)
	f.clock.now = begin.Add(9 * time.Second)
	if _, err := f.c.UpsertItem(t.Context(), partitionKey("t1"), []byte(`{"id":"a","tenant":"t1"}`), nil); err != nil {
		t.Fatal(err)
	}
	f.clock.now = begin.Add(18 * time.Second)
	_, err := f.c.ReadItem(t.Context(), partitionKey("t1"), "a", nil)
	wantStatus(t, "read 9 s after the second write", err, 0)
}
