package incident

import (
	"testing"
	"time"

	"github.com/go-json-experiment/json"
)

func TestReasonOnTheWire(t *testing.T) {
	in := Reason{Rule: "shared machine", Alert: "gd1", Entity: "machine:i-1", Weight: 0.9, Gap: 90 * time.Second}
	b, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"rule":"shared machine","alert":"gd1","entity":"machine:i-1","weight":0.9,"gap":90}`; string(b) != want {
		t.Errorf("got %s, want %s", b, want)
	}
	var out Reason
	if err := json.Unmarshal(b, &out); err != nil || out != in {
		t.Errorf("read back %+v, %v", out, err)
	}
}
