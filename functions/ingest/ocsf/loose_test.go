package ocsf

import (
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/functions/ingest"
)

// TestLoose: parts in shapes of the sender's own do not cost the finding, nor the parts beside them.
func TestLoose(t *testing.T) {
	raw := `{"class_uid":2004,"metadata":{"product":{"name":"p"}},"finding_info":{"uid":"1","title":"t"},"actor":"dora","process":[1],` +
		`"device":{"hostname":"fin-lt057","os":"Windows"},"observables":["x",{"type_id":2,"value":"198.51.100.1"}],"evidences":[7,{"src_endpoint":{"ip":"198.51.100.2"}}]}`
	a, err := Provider{}.Normalize(ingest.NewRecord(jsontext.Value(raw), nil))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range a.Evidence {
		got = append(got, e.Value)
	}
	if len(got) != 3 || got[0] != "fin-lt057" || got[1] != "198.51.100.2" || got[2] != "198.51.100.1" {
		t.Errorf("evidence %q", got)
	}
}
