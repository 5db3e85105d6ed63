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

func TestIncidentIDs(t *testing.T) {
	if MakeID("contoso", 1) == MakeID("contoso", 2) || MakeID("contoso", 1) == MakeID("fabrikam", 1) {
		t.Error("ids collide")
	}
	if len(MakeID("contoso", 1)) != 5 {
		t.Errorf("id %s is not short", MakeID("contoso", 1))
	}
	if n, ok := Number(MakeID("contoso", 42)); n != 42 || !ok {
		t.Errorf("the number of the 42nd incident is %d, %v", n, ok)
	}
	for _, id := range []string{"", "x", "-1", "99999999999999999999"} {
		if _, ok := Number(id); ok {
			t.Errorf("%q passes for an incident's id", id)
		}
	}
}
