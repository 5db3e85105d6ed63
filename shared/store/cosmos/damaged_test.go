package cosmos

import (
	"reflect"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/shared/incident"
	"github.com/onepane/onepane/shared/query"
	"github.com/onepane/onepane/shared/store/cosmos/frame"
)

// FuzzItems feeds damaged items: they are errors, never panics.
func FuzzItems(f *testing.F) {
	rows, err := frame.Encode(content{Rows: []alertRow{{AlertRecord: incident.AlertRecord{Incident: "1"}, V: 1, Origin: 1}}})
	if err != nil {
		f.Fatal(err)
	}
	it, err := json.Marshal(commitItem{ID: "c-1", V: 1, Content: payload{Data: rows}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(it, []byte(`[{"body":{"n":-1}}]`))
	f.Add([]byte(`{"v":1,"content":{"data":"KLUv/QQA"}}`), []byte(`[null]`))
	f.Add([]byte(`{}`), []byte(`{}`))
	f.Add([]byte(`{"cmin":1}`), []byte(`[]`))
	f.Fuzz(func(t *testing.T, item, plain []byte) {
		var kind commitItem
		if json.Unmarshal(item, &kind) == nil && kind.Content.Blob == nil {
			_, c, _ := new(tenant).decodeCommit(t.Context(), item)
			for i := range c.Rows {
				_, _ = c.Rows[i].withBody([]jsontext.Value{[]byte("{}")})
			}
		}
		_, _ = spanBound(item, "c.cmin")
		_, _ = decodeIncidents(item)
		if m, err := decodeManifest(item); err == nil {
			_ = m.requireForm()
		}
		var loose []alertRow
		if json.Unmarshal(plain, &loose) == nil {
			for i := range loose {
				_, _ = loose[i].withBody([]jsontext.Value{[]byte("{}")})
			}
		}
	})
}

// TestNothingIsShared fills every list there is and looks for one that a copy has in common with its original.
func TestNothingIsShared(t *testing.T) {
	var m incident.AlertRecord
	var i incident.Incident
	fill(reflect.ValueOf(&m).Elem())
	fill(reflect.ValueOf(&i).Elem())
	apart(t, "Member", reflect.ValueOf(clone(m)), reflect.ValueOf(m))
	apart(t, "Incident", reflect.ValueOf(clone(i)), reflect.ValueOf(i))
}

// fill makes every list of a struct one entry long.
func fill(v reflect.Value) {
	for i := range v.NumField() {
		switch f := v.Field(i); {
		case f.Kind() == reflect.Slice && f.CanSet():
			f.Set(reflect.MakeSlice(f.Type(), 1, 1))
		case f.Kind() == reflect.Map && f.CanSet():
			f.Set(reflect.MakeMap(f.Type()))
		case f.Kind() == reflect.Struct && f.CanSet():
			fill(f)
		}
	}
}

func apart(t *testing.T, name string, a, b reflect.Value) {
	for i := range a.NumField() {
		f, g := a.Field(i), b.Field(i)
		name := name + "." + a.Type().Field(i).Name
		switch f.Kind() {
		case reflect.Slice, reflect.Map:
			if !f.IsNil() && f.Pointer() == g.Pointer() {
				t.Errorf("%s is shared", name)
			}
		case reflect.Struct:
			apart(t, name, f, g)
		}
	}
}

// TestNarrowing holds conditions on items against what they are for: an item with a row that matches is never left out.
func TestNarrowing(t *testing.T) {
	text := func(f query.Field, op query.Op, v string) query.Expr { return query.Compare{Field: f, Op: op, Text: v} }
	for _, tt := range []struct {
		name string
		e    query.Expr
		want string
	}{
		{"nothing", nil, ""},
		{"a value", text(query.Status, query.Eq, "New"), "ARRAY_CONTAINS(c.terms, @p0)"},
		{"not a value", text(query.Status, query.Ne, "new"), ""},
		{"no value", query.Compare{Field: query.AssignedTo, Op: query.Eq, Null: true}, "ARRAY_CONTAINS(c.terms, @p0)"},
		{"what has no zone", text(query.Title, query.Eq, "x"), ""},
		{"after", query.Compare{Field: query.Created, Op: query.Gt}, "c.cmax >= @p0"},
		{"before", query.Compare{Field: query.Updated, Op: query.Lt}, "c.umin <= @p0"},
		{"at", query.Compare{Field: query.FirstActivity, Op: query.Eq}, "(c.fmin <= @p0 AND c.fmax >= @p0)"},
		{"both", query.And{Left: text(query.Status, query.Eq, "new"), Right: text(query.Title, query.Eq, "x")}, "ARRAY_CONTAINS(c.terms, @p0)"},
		{"either", query.Or{Left: text(query.Status, query.Eq, "new"), Right: text(query.Title, query.Eq, "x")}, ""},
		{"not", query.Not{X: text(query.Status, query.Eq, "new")}, ""},
		{"an incident", text(query.IncidentID, query.Eq, "1"), "(ARRAY_CONTAINS(c.terms, @p0) OR ARRAY_CONTAINS(c.terms, @p1))"},
	} {
		var q sqlQuery
		if got := q.whereItems(tt.e, func(id string) []string { return []string{id, "2"} }); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}
