package events

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/cloudevent"
	"github.com/onepane/onepane/shared/fault"
)

// readDocument reads a schema as the validator wants it.
func readDocument(t *testing.T, name string) any {
	t.Helper()
	b, err := Schemas.ReadFile("schemas/" + name)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return doc
}

// validateEvent holds an event's data against the schema it names.
func validateEvent(t *testing.T, e cloudevent.Event) {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource(e.DataSchema, readDocument(t, strings.TrimPrefix(e.DataSchema, schemaBase))); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile(e.DataSchema)
	if err != nil {
		t.Fatal(err)
	}
	data, err := jsonschema.UnmarshalJSON(bytes.NewReader(e.Data))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Validate(data); err != nil {
		t.Errorf("%s: %v", e.ID, err)
	}
}

func exampleEvents(t testing.TB) map[string]cloudevent.Event {
	t.Helper()
	names, err := filepath.Glob("examples/*.json")
	if err != nil || len(names) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	out := map[string]cloudevent.Event{}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var e cloudevent.Event
		if err := e.UnmarshalJSON(b); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		out[name] = e
	}
	return out
}

func TestExamples(t *testing.T) {
	for name, e := range exampleEvents(t) {
		t.Run(filepath.Base(name), func(t *testing.T) {
			validateEvent(t, e)
			var again cloudevent.Event
			switch e.Type {
			case AlertReported:
				a, err := ParseAlert(e)
				if err != nil {
					t.Fatal(err)
				}
				if again, err = NewAlert(a, e.Trace); err != nil {
					t.Fatal(err)
				}
			case Rejected:
				r, err := ParseRejection(e)
				if err != nil {
					t.Fatal(err)
				}
				if again, err = NewRejection(r, e.Trace); err != nil {
					t.Fatal(err)
				}
			default:
				t.Fatalf("type %s", e.Type)
			}
			validateEvent(t, again)
			if a, b := normalizeJSON(t, e.Data), normalizeJSON(t, again.Data); a != b {
				t.Errorf("read and written again:\n%s\nwas\n%s", b, a)
			}
		})
	}
}

// normalizeJSON is JSON with its members in order.
func normalizeJSON(t *testing.T, b []byte) string {
	t.Helper()
	var v any
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestEveryTypeHasASchemaAndAnExample(t *testing.T) {
	var seen []string
	for _, e := range exampleEvents(t) {
		seen = append(seen, e.Type)
	}
	for _, typ := range []string{AlertReported, Rejected} {
		readDocument(t, strings.TrimPrefix(typ, "io.onepane.")+".json")
		if !slices.Contains(seen, typ) {
			t.Errorf("no example of %s", typ)
		}
	}
}

// TestSchemasNameEveryField walks the Go types beside the schemas: a field that one of them lacks is a change of
// the contract that was made in one place only.
func TestSchemasNameEveryField(t *testing.T) {
	for name, v := range map[string]any{"alert.reported.v1.json": alert.Alert{}, "delivery.rejected.v1.json": Rejection{}} {
		root := readDocument(t, name).(map[string]any)
		compareFields(t, name, reflect.TypeOf(v), root, root)
	}
}

func compareFields(t *testing.T, at string, typ reflect.Type, schema, root map[string]any) {
	t.Helper()
	if ref, ok := schema["$ref"].(string); ok {
		schema = root["$defs"].(map[string]any)[strings.TrimPrefix(ref, "#/$defs/")].(map[string]any)
	}
	if typ.Kind() == reflect.Slice && typ.Elem().Kind() == reflect.Struct {
		items, _ := schema["items"].(map[string]any)
		compareFields(t, at+"[]", typ.Elem(), items, root)
		return
	}
	if typ.Kind() != reflect.Struct || typ == reflect.TypeFor[time.Time]() {
		return
	}
	properties, _ := schema["properties"].(map[string]any)
	fields := map[string]bool{}
	for _, f := range reflect.VisibleFields(typ) {
		if f.Anonymous || !f.IsExported() {
			continue
		}
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		fields[name] = true
		sub, ok := properties[name].(map[string]any)
		if !ok {
			t.Errorf("%s: the schema lacks %s", at, name)
			continue
		}
		compareFields(t, at+"."+name, f.Type, sub, root)
	}
	for name := range properties {
		if !fields[name] {
			t.Errorf("%s: %s.%s has no field", at, typ, name)
		}
	}
}

func TestParseAlertRefuses(t *testing.T) {
	good := exampleEvents(t)["examples/alert.reported.v1.json"]
	for name, change := range map[string]func(*cloudevent.Event){
		"another type":    func(e *cloudevent.Event) { e.Type = Rejected },
		"no data":         func(e *cloudevent.Event) { e.Data = nil },
		"no JSON":         func(e *cloudevent.Event) { e.Data = []byte("{") },
		"no id":           func(e *cloudevent.Event) { e.Data = []byte(`{"tenant":"contoso","first":"2026-03-03T00:00:00Z"}`) },
		"no first":        func(e *cloudevent.Event) { e.Data = []byte(`{"id":"a","tenant":"contoso"}`) },
		"another tenant":  func(e *cloudevent.Event) { e.Tenant = "fabrikam" },
		"no tenant":       func(e *cloudevent.Event) { e.Tenant = "" },
		"a name repeated": func(e *cloudevent.Event) { e.Data = []byte(`{"id":"a","id":"b"}`) },
	} {
		e := good
		change(&e)
		if _, err := ParseAlert(e); fault.Of(err) != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRejectionKeepsAnyBytes(t *testing.T) {
	for name, body := range map[string][]byte{
		"text": []byte(`{"a": "ü"}`), "binary": {0xff, 0x00, 0xfe}, "empty": nil, "large": bytes.Repeat([]byte("x"), MaxRejected+1),
	} {
		in := Rejection{Route: "webhook", Kind: fault.Invalid.String(), Reason: "bad", Received: time.Unix(1, 0).UTC()}
		in.SetBody(body)
		e, err := NewRejection(in, "")
		if err != nil {
			t.Fatal(err)
		}
		validateEvent(t, e)
		out, err := ParseRejection(e)
		if err != nil {
			t.Fatal(err)
		}
		if want := body[:min(len(body), MaxRejected)]; !bytes.Equal(out.Bytes(), want) || out.Size != len(body) || out.Cut != (len(body) > MaxRejected) {
			t.Errorf("%s: %d bytes of %d, cut %v", name, len(out.Bytes()), out.Size, out.Cut)
		}
	}
}

func TestSameRejectionSameID(t *testing.T) {
	id := func(body string, received int64) string {
		r := Rejection{Route: "webhook", Received: time.Unix(received, 0)}
		r.SetBody([]byte(body))
		e, err := NewRejection(r, "")
		if err != nil {
			t.Fatal(err)
		}
		return e.ID
	}
	if id("a", 1) != id("a", 2) || id("a", 1) == id("b", 1) {
		t.Error("the id must follow the record, and nothing else")
	}
}

func FuzzParse(f *testing.F) {
	for _, e := range exampleEvents(f) {
		f.Add(e.Type, e.Tenant, []byte(e.Data))
	}
	f.Fuzz(func(t *testing.T, typ, tenant string, data []byte) {
		e := cloudevent.Event{ID: "1", Source: "/s", Type: typ, Tenant: tenant, Data: data}
		a, err := ParseAlert(e)
		failOnError(t, err)
		if err == nil {
			again, err := NewAlert(a, "")
			if err != nil {
				t.Fatalf("an alert that was read cannot be written: %v", err)
			}
			b, err := ParseAlert(again)
			if err != nil || b.Revision() != a.Revision() {
				t.Fatalf("read, written and read again it differs: %v\n%s", err, again.Data)
			}
		}
		r, err := ParseRejection(e)
		failOnError(t, err)
		if err == nil {
			if _, err := NewRejection(r, ""); err != nil {
				t.Fatalf("a rejection that was read cannot be written: %v", err)
			}
		}
	})
}

func failOnError(t *testing.T, err error) {
	t.Helper()
	if err != nil && fault.Of(err) != fault.Invalid {
		t.Fatal(fmt.Errorf("not invalid: %w", err))
	}
}
