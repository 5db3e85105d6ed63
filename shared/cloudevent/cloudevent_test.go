package cloudevent

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"
	"time"

	sdk "github.com/cloudevents/sdk-go/v2/event"

	"github.com/onepane/onepane/shared/fault"
)

var full = Event{
	ID: "1", Source: "/onepane/ingest/guardduty", Type: "io.onepane.alert.reported.v1", Subject: "gd1",
	Time: time.Date(2026, 3, 3, 0, 9, 12, 5, time.UTC), DataSchema: "https://example.test/s.json", Tenant: "contoso",
	Trace: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", Data: []byte(`{"a":[1,2]}`),
}

// TestAgreesWithTheSDK holds the structured mode against the official one, both ways.
func TestAgreesWithTheSDK(t *testing.T) {
	for name, e := range map[string]Event{"full": full, "least": {ID: "1", Source: "/s", Type: "t"}} {
		ours, err := e.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		var theirs sdk.Event
		if err := json.Unmarshal(ours, &theirs); err != nil {
			t.Fatalf("%s: the SDK refuses %s: %v", name, ours, err)
		}
		if err := theirs.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		ext := theirs.Extensions()
		text := func(name string) string { s, _ := ext[name].(string); return s }
		got := Event{
			ID: theirs.ID(), Source: theirs.Source(), Type: theirs.Type(), Subject: theirs.Subject(), Time: theirs.Time(),
			DataSchema: theirs.DataSchema(), Tenant: text("tenant"), Trace: text("traceparent"), Data: theirs.Data(),
		}
		compareEvents(t, name+" read by the SDK", got, e)
		if e.Data != nil && theirs.DataContentType() != "application/json" {
			t.Errorf("%s: datacontenttype %q", name, theirs.DataContentType())
		}
		back, err := json.Marshal(theirs)
		if err != nil {
			t.Fatal(err)
		}
		var again Event
		if err := again.UnmarshalJSON(back); err != nil {
			t.Fatalf("%s: %s: %v", name, back, err)
		}
		compareEvents(t, name+" written by the SDK", again, e)
	}
}

func TestBinaryMode(t *testing.T) {
	got, err := FromAttributes(full.Attributes(), full.Data)
	if err != nil {
		t.Fatal(err)
	}
	compareEvents(t, "from attributes", got, full)
}

func TestRefuses(t *testing.T) {
	for name, in := range map[string]string{
		"no JSON":         `{`,
		"no version":      `{"id":"1","source":"/s","type":"t"}`,
		"another version": `{"specversion":"0.3","id":"1","source":"/s","type":"t"}`,
		"no id":           `{"specversion":"1.0","source":"/s","type":"t"}`,
		"no source":       `{"specversion":"1.0","id":"1","type":"t"}`,
		"no type":         `{"specversion":"1.0","id":"1","source":"/s"}`,
		"a bad time":      `{"specversion":"1.0","id":"1","source":"/s","type":"t","time":"yesterday"}`,
	} {
		var e Event
		if err := e.UnmarshalJSON([]byte(in)); fault.Of(err) != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, change := range map[string]func(map[string]string){
		"no version": func(m map[string]string) { delete(m, "specversion") },
		"a bad time": func(m map[string]string) { m["time"] = "yesterday" },
		"no id":      func(m map[string]string) { delete(m, "id") },
	} {
		m := maps.Clone(full.Attributes())
		change(m)
		if _, err := FromAttributes(m, nil); fault.Of(err) != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestUnknownExtensionsAreDropped: senders may add what they like.
func TestUnknownExtensionsAreDropped(t *testing.T) {
	var e Event
	if err := e.UnmarshalJSON([]byte(`{"specversion":"1.0","id":"1","source":"/s","type":"t","partitionkey":"x","data":{"n":1}}`)); err != nil || string(e.Data) != `{"n":1}` {
		t.Errorf("%+v, %v", e, err)
	}
}

func FuzzUnmarshalJSON(f *testing.F) {
	b, err := full.MarshalJSON()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		var e Event
		if err := e.UnmarshalJSON(b); err != nil {
			if fault.Of(err) != fault.Invalid {
				t.Fatalf("not invalid: %v", err)
			}
			return
		}
		out, err := e.MarshalJSON()
		if err != nil {
			t.Fatalf("an event that was read cannot be written: %v", err)
		}
		var again Event
		if err := again.UnmarshalJSON(out); err != nil {
			t.Fatalf("%s: %v", out, err)
		}
		compareEvents(t, "read again", again, e)
	})
}

func compareEvents(t *testing.T, what string, got, want Event) {
	t.Helper()
	if !got.Time.Equal(want.Time) {
		t.Errorf("%s: time %v, want %v", what, got.Time, want.Time)
	}
	if strings.TrimSpace(string(got.Data)) != strings.TrimSpace(string(want.Data)) {
		t.Errorf("%s: data %s, want %s", what, got.Data, want.Data)
	}
	got.Time, want.Time, got.Data, want.Data = time.Time{}, time.Time{}, nil, nil
	a, b := got.Attributes(), want.Attributes()
	if !maps.Equal(a, b) {
		t.Errorf("%s: %v, want %v", what, a, b)
	}
}
