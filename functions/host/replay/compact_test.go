package replay

import (
	"reflect"
	"testing"
	"time"

	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/attack"
	"github.com/onepane/onepane/shared/incident"
)

var at = time.Date(2026, 3, 3, 0, 7, 33, 123456789, time.UTC)

// What memory keeps small comes back as it was; what would lose something is not made small.
func TestQuiet(t *testing.T) {
	plain := incident.Incident{
		ID: "10001", Tenant: "contoso", Name: "Miner on web-03", GravestTitle: "Miner", GravestRank: 3, Opener: "gd1", Severity: alert.High, Status: incident.Active,
		Created: at, Updated: at.Add(time.Hour), First: at, Last: at.Add(time.Minute), Alerts: 2, AssetCount: 1, Noise: true,
		Tactics: []attack.Tactic{attack.Impact}, Products: []string{"GuardDuty"}, Kinds: []uint32{7},
		Assets: []incident.Asset{{Key: "host:web-03", Kind: "host", Name: "web-03", Value: "web-03"}},
	}
	for _, tt := range []struct {
		what   string
		change func(*incident.Incident)
		small  bool
	}{
		{"as correlation leaves it", func(*incident.Incident) {}, true},
		{"in a year no clock shows", func(i *incident.Incident) { i.First = time.Date(9999, 1, 1, 0, 0, 0, 1, time.UTC) }, true},
		{"resolved", func(i *incident.Incident) { i.Status = incident.Resolved }, false},
		{"merged away", func(i *incident.Incident) { i.RedirectTo = "20001" }, false},
		{"that merged another", func(i *incident.Incident) { i.Merged = []string{"20001"} }, false},
		{"with an open exposure", func(i *incident.Incident) { i.Exposures = []incident.OpenExposure{{ID: "x"}} }, false},
		{"in somebody's hands", func(i *incident.Incident) { i.AssignedTo = "dora" }, false},
	} {
		inc, m := plain, newMemory()
		tt.change(&inc)
		q, small := m.texts.compactIncidentOf(&inc)
		if small != tt.small {
			t.Errorf("an incident %s: small = %v, want %v", tt.what, small, tt.small)
		}
		if small && !reflect.DeepEqual(q.expandIncident(inc.ID), inc) {
			t.Errorf("an incident %s came back as %+v", tt.what, q.expandIncident(inc.ID))
		}
	}
}

// A fact that Node or Incident learns must find room here, or keep the record from being made small.
func TestNothingIsLost(t *testing.T) {
	for f := range reflect.TypeFor[incident.Node]().Fields() {
		switch n := reflect.New(reflect.TypeFor[incident.Node]()).Elem(); f.Name {
		case "Key", "Alert", "First", "Last": // what a lead keeps
		default:
			n.FieldByName("Alert").SetString("gd1")
			set(n.FieldByName(f.Name))
			if node := n.Interface().(incident.Node); isLead(&node) {
				t.Errorf("a node with %s is taken for a lead", f.Name)
			}
		}
	}
}

func isLead(n *incident.Node) bool { _, ok := idNodeOf(n); return ok }

// set gives v any value but its zero.
func set(v reflect.Value) {
	switch v.Kind() {
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
	case reflect.String:
		v.SetString("x")
	case reflect.Int:
		v.SetInt(1)
	case reflect.Float64:
		v.SetFloat(1)
	default:
		panic("no value for " + v.Type().String())
	}
}

// What happened to an incident long ago, and ids of old alerts, cost little; what is new is left alone.
func TestSweep(t *testing.T) {
	m := newMemory()
	old := incident.Incident{ID: "1", Status: incident.Active, First: at, Last: at, Created: at, Updated: at}
	gone := incident.Node{Key: "id:gone", Alert: "a1", First: at, Last: at}
	live := incident.Node{Key: "id:live", Alert: "a2", First: at.Add(72 * time.Hour), Last: at.Add(72 * time.Hour)}
	m.commitChanges(incident.Changes{
		Alerts:    []incident.AlertRecord{{Alert: alert.Alert{ID: "a2", First: live.First, Last: live.Last, Updated: live.Last}}},
		Incidents: []incident.Incident{old}, Nodes: []incident.Node{gone, live},
	})
	m.forgetExpired()
	if len(m.incidents) != 0 || len(m.compacted) != 1 {
		t.Errorf("an incident of three days ago is not quiet")
	}
	l := m.loadRecords(incident.Refs{Incidents: []string{"1"}, Nodes: []string{"id:gone", "id:live"}})
	if len(l.Incidents) != 1 || !reflect.DeepEqual(l.Incidents[0], old) {
		t.Errorf("a quiet incident came back as %+v", l.Incidents)
	}
	if len(l.Nodes) != 1 || !reflect.DeepEqual(l.Nodes[0], live) {
		t.Errorf("after a sweep there are %+v, want %+v", l.Nodes, live)
	}
	old.Alerts = 2
	m.commitChanges(incident.Changes{Incidents: []incident.Incident{old}})
	if l := m.loadRecords(incident.Refs{Incidents: []string{"1"}}); len(m.compacted) != 0 || l.Incidents[0].Alerts != 2 {
		t.Errorf("a quiet incident that got an alert is %+v", l.Incidents)
	}
}
