package eventhubs

import (
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/functions/ingest"
)

func TestOpen(t *testing.T) {
	const finding = `{"SystemAlertId":"a"}`
	for _, tt := range []struct {
		name, body                 string
		findings, ignored, refused int
	}{
		{"one object", finding, 1, 0, 0},
		{"array", "[" + finding + "," + finding + "]", 2, 0, 0},
		{"array of JSON texts", `["{\"SystemAlertId\":\"a\"}","[{\"SystemAlertId\":\"b\"}]"]`, 2, 0, 0},
		{"records in an array", `[{"records":[` + finding + `]},{"records":[` + finding + `]}]`, 2, 0, 0},
		{"page", `{"@odata.context":"x","value":[` + finding + `],"@odata.nextLink":"y"}`, 1, 0, 0},
		{"empty page", `{"value":[]}`, 0, 1, 0},
		{"an object with a list called value", `{"SystemAlertId":"a","value":[1]}`, 1, 0, 0},
		{"NDJSON with a bad line", finding + "\n{bad\n" + finding, 2, 0, 1},
		{"query result", `{"tables":[{"columns":[{"name":"SystemAlertId"},{"name":"Status"}],"rows":[["a","New"],["b"]]}]}`, 2, 0, 0},
		{"change notification", `{"value":[{"subscriptionId":"s","changeType":"updated","resource":"security/alerts_v2/a"}]}`, 0, 1, 0},
		{"Event Grid", `{"id":"1","eventType":"x","eventTime":"2025-01-01T00:00:00Z","data":` + finding + `}`, 1, 0, 0},
		{"Event Grid handshake", `[{"id":"1","eventType":"Microsoft.EventGrid.SubscriptionValidationEvent","eventTime":"2025-01-01T00:00:00Z","data":{"validationCode":"c"}}]`, 0, 1, 0},
		{"common alert schema with rows", `{"schemaId":"azureMonitorCommonAlertSchema","data":{"alertContext":{"SearchResults":{"tables":[{"columns":[{"name":"SystemAlertId"}],"rows":[["a"]]}]}}}}`, 1, 0, 0},
		{"common alert schema of a metric", `{"schemaId":"azureMonitorCommonAlertSchema","data":{"essentials":{}}}`, 0, 1, 0},
		{"playbook trigger", `{"object":{"id":"x","properties":{}},"workspaceInfo":{"WorkspaceName":"w"}}`, 1, 0, 0},
		{"heartbeat", `{"Type":"Heartbeat","Computer":"c"}`, 0, 1, 0},
		{"nothing", `[{},null,""]`, 0, 3, 0},
		{"plain text", `["hello"]`, 0, 0, 1},
		{"too many wrappers", `[[[[[[[[[[[[[` + finding + `]]]]]]]]]]]]]`, 0, 0, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			records, err := Envelope{}.Open(ingest.Delivery{Body: []byte(tt.body)})
			if err != nil {
				t.Fatal(err)
			}
			var findings, ignored, refused int
			for _, r := range records {
				switch {
				case r.Err != nil:
					refused++
				case r.Ignored != "":
					ignored++
				default:
					findings++
				}
			}
			if findings != tt.findings || ignored != tt.ignored || refused != tt.refused {
				t.Errorf("findings %d, ignored %d, refused %d; want %d, %d, %d", findings, ignored, refused, tt.findings, tt.ignored, tt.refused)
			}
		})
	}
}

func TestQueryRowKeepsItsCells(t *testing.T) {
	records, _ := Envelope{}.Open(ingest.Delivery{Body: []byte(`{"tables":[{"columns":[{"name":"A"},{"name":"B"}],"rows":[["x",{"c":1}]]}]}`)})
	if len(records) != 1 || string(records[0].Raw) != `{"A":"x","B":{"c":1}}` {
		t.Errorf("records %+v", records)
	}
}

func FuzzOpen(f *testing.F) {
	f.Add([]byte(`[{"records":["{\"a\":1}"]},{"tables":[{"columns":[{"name":"a"}],"rows":[[1]]}]}]`))
	f.Fuzz(func(t *testing.T, body []byte) {
		records, err := Envelope{}.Open(ingest.Delivery{Body: body})
		if err != nil {
			t.Errorf("what cannot be opened must be a record with Err, got %v", err)
		}
		for _, r := range records {
			// Repeated names and broken UTF-8 are refused record by record, after the envelope.
			if r.Err == nil && r.Ignored == "" && !r.Raw.IsValid(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)) {
				t.Errorf("record is not JSON: %q", r.Raw)
			}
		}
	})
}
