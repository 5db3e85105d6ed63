package cosmos_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/onepane/onepane/infra/local/cosmos"
)

// A query finds the same whether its texts are indexed or every item is looked at, however often items were replaced
// and deleted in between.
func TestIndexFindsWhatLookingFinds(t *testing.T) {
	bare := thingsContainer()
	bare.IndexingPolicy = &cosmos.IndexingPolicy{IndexingMode: "consistent", ExcludedPaths: []cosmos.IndexPath{{Path: "/*"}}}
	indexed, looked := startFixture(t, thingsContainer()), startFixture(t, bare)
	r := rand.New(rand.NewPCG(1, 2))
	word := func() string { return string(rune('a' + r.IntN(6))) }
	for step := range 600 {
		id := fmt.Sprintf("i%d", r.IntN(60))
		item := fmt.Sprintf(`{"id":%q,"tenant":"t1","s":%q,"tags":[%q,%q,%d],"deep":{"er":%q}}`, id, word(), word(), word(), r.IntN(3), word())
		for _, f := range []fixture{indexed, looked} {
			var err error
			if step%5 == 4 {
				_, err = f.c.DeleteItem(t.Context(), partitionKey("t1"), id, nil)
			} else {
				_, err = f.c.UpsertItem(t.Context(), partitionKey("t1"), []byte(item), nil)
			}
			if err != nil && !strings.Contains(err.Error(), "404") {
				t.Fatal(err)
			}
		}
		if step%20 != 0 {
			continue
		}
		for _, q := range []string{
			"c.s = 'a'", "c.s != 'a'", "c.deep.er = 'b' AND c.s = 'a'", "c.s = 'a' AND c.id > 'i3'", "c.s = 'a' OR c.id > 'i3'",
			"ARRAY_CONTAINS(c.tags, 'c')", "ARRAY_CONTAINS(c.tags, 2)", "ARRAY_CONTAINS(c.tags, 'c') OR ARRAY_CONTAINS(c.tags, 'd') OR c.s = 'e'",
			"NOT ARRAY_CONTAINS(c.tags, 'c')", "ARRAY_CONTAINS(c.tags, 'c') AND (c.s = 'a' OR c.s = 'b')", "ARRAY_CONTAINS(c.tags, 'nowhere')",
		} {
			var found [2][]string
			for i, f := range []fixture{indexed, looked} {
				found[i] = f.queryIDs(t, "SELECT * FROM c WHERE "+q, partitionKey("t1"), nil)
				slices.Sort(found[i])
			}
			if !slices.Equal(found[0], found[1]) {
				t.Fatalf("step %d, %s: %v by the index, %v by looking", step, q, found[0], found[1])
			}
		}
	}
}
