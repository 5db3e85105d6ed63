package cosmos_test

import (
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/data/azcosmos"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Source: learn.microsoft.com/azure/cosmos-db/partial-document-update.
func TestPatch(t *testing.T) {
	f := startFixture(t, thingsContainer())
	const item = `{"id":"a","tenant":"t1","n":1,"s":"x","list":[1,2],"deep":{"er":1}}`
	for _, tt := range []struct {
		what string
		make func(p *azcosmos.PatchOperations)
		want string // what has changed; empty for refused
		code int
	}{
		{"set", func(p *azcosmos.PatchOperations) { p.AppendSet("/s", "y"); p.AppendSet("/new", true) }, `{"s":"y","new":true}`, 0},
		{"add below", func(p *azcosmos.PatchOperations) { p.AppendAdd("/deep/new", 2) }, `{"deep":{"er":1,"new":2}}`, 0},
		{"add into an array", func(p *azcosmos.PatchOperations) { p.AppendAdd("/list/1", 9) }, `{"list":[1,9,2]}`, 0},
		{"append", func(p *azcosmos.PatchOperations) { p.AppendAdd("/list/-", 9) }, `{"list":[1,2,9]}`, 0},
		{"set in an array", func(p *azcosmos.PatchOperations) { p.AppendSet("/list/1", 9) }, `{"list":[1,9]}`, 0},
		{"remove from an array", func(p *azcosmos.PatchOperations) { p.AppendRemove("/list/0") }, `{"list":[2]}`, 0},
		{"replace", func(p *azcosmos.PatchOperations) { p.AppendReplace("/s", "y") }, `{"s":"y"}`, 0},
		{"remove", func(p *azcosmos.PatchOperations) { p.AppendRemove("/s") }, `{"s":null}`, 0},
		{"increment", func(p *azcosmos.PatchOperations) { p.AppendIncrement("/n", 2) }, `{"n":3}`, 0},
		{"increment what is not there", func(p *azcosmos.PatchOperations) { p.AppendIncrement("/m", 2) }, `{"m":2}`, 0},
		{"two after one another", func(p *azcosmos.PatchOperations) { p.AppendIncrement("/n", 1); p.AppendIncrement("/n", 1) }, `{"n":3}`, 0},
		{"when the condition holds", func(p *azcosmos.PatchOperations) { p.SetCondition("from c where c.n = 1"); p.AppendSet("/n", 2) }, `{"n":2}`, 0},
		{"when it does not", func(p *azcosmos.PatchOperations) { p.SetCondition("from c where c.n = 2"); p.AppendSet("/n", 2) }, ``, 412},
		{"when it is none", func(p *azcosmos.PatchOperations) { p.SetCondition("where"); p.AppendSet("/n", 2) }, ``, 400},
		{"replace what is not there", func(p *azcosmos.PatchOperations) { p.AppendReplace("/m", 1) }, ``, 400},
		{"remove what is not there", func(p *azcosmos.PatchOperations) { p.AppendRemove("/m") }, ``, 400},
		{"below what is not there", func(p *azcosmos.PatchOperations) { p.AppendSet("/none/x", 1) }, ``, 400},
		{"beyond an array", func(p *azcosmos.PatchOperations) { p.AppendAdd("/list/3", 1) }, ``, 400},
		{"increment a text", func(p *azcosmos.PatchOperations) { p.AppendIncrement("/s", 1) }, ``, 400},
		{"the id", func(p *azcosmos.PatchOperations) { p.AppendSet("/id", "b") }, ``, 400},
		{"the etag", func(p *azcosmos.PatchOperations) { p.AppendSet("/_etag", "b") }, ``, 400},
		{"the partition key", func(p *azcosmos.PatchOperations) { p.AppendSet("/tenant", "t2") }, ``, 400},
		{"nothing", func(*azcosmos.PatchOperations) {}, ``, 400},
		{"all of it or nothing", func(p *azcosmos.PatchOperations) { p.AppendSet("/n", 2); p.AppendReplace("/m", 1) }, ``, 400},
		{"ten at most", func(p *azcosmos.PatchOperations) {
			for range 10 {
				p.AppendIncrement("/n", 1)
			}
		}, `{"n":11}`, 0},
		{"eleven", func(p *azcosmos.PatchOperations) {
			for range 11 {
				p.AppendIncrement("/n", 1)
			}
		}, ``, 400},
	} {
		if _, err := f.c.UpsertItem(t.Context(), partitionKey("t1"), []byte(item), nil); err != nil {
			t.Fatal(err)
		}
		var p azcosmos.PatchOperations
		tt.make(&p)
		_, err := f.c.PatchItem(t.Context(), partitionKey("t1"), "a", p, nil)
		wantStatus(t, tt.what, err, tt.code)
		read, err := f.c.ReadItem(t.Context(), partitionKey("t1"), "a", nil)
		wantStatus(t, "read", err, 0)
		if got, wanted := mergeItem(t, read.Value, ""), mergeItem(t, []byte(item), tt.want); got != wanted {
			t.Errorf("%s: left %s, want %s", tt.what, got, wanted)
		}
	}
}

// mergeItem lays changes over an item, null taking away, and leaves out what the service adds.
func mergeItem(t *testing.T, item []byte, changes string) string {
	t.Helper()
	v := parseItem(t, item)
	if changes != "" {
		for name, value := range parseItem(t, []byte(changes)) {
			if v[name] = value; value == nil {
				delete(v, name)
			}
		}
	}
	for _, name := range []string{"_rid", "_self", "_etag", "_attachments", "_ts"} {
		delete(v, name)
	}
	out, err := json.Marshal(v, json.Deterministic(true), jsontext.EscapeForHTML(false))
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}
