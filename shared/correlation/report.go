package correlation

import (
	"slices"
	"strings"

	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/entity"
	"github.com/onepane/onepane/shared/incident"
)

// Report is an alert made ready for a decision: every name in it worked out once.
type Report struct {
	Alert alert.Alert

	kind       string         // what is counted as one kind of alert
	kindNode   string         // the node where episodes of that kind are counted
	names      [][]entity.Key // of each piece of evidence, at most maxInvolved of them
	ids        []string       // node keys of the ids by which other products may know it
	claims     []string       // node keys of what it says belongs together
	statements []string       // claims, and the key under which others may have claimed it
	summarized []string       // ids of the alerts that it sums up
	lookups    []string       // node keys that a decision about it looks up first

	loaded *Engine // the engine that holds all that a decision about it reads
}

const (
	maxInvolved = 64 // pieces of evidence of one alert that are looked at
	shortestID  = 6  // characters of an id that is looked up: below that, ids are counters that everyone has
)

// tenantNode is where episodes are counted that belong to no entity.
const tenantNode = "tenant:"

func severityNode(s alert.Severity) string { return "severity:" + string(s) }

// NewReport reads the names in a.
func NewReport(a alert.Alert) *Report {
	kind := incident.KindOf(&a)
	r := &Report{
		Alert: a, kind: kind, kindNode: "kind:" + kind,
		ids: carriedIDNodes(&a), claims: claimNodes(&a), summarized: summarizedIDs(&a),
	}
	r.statements = append(slices.Clip(r.claims), memberNode(&a, a.Origin.ID))
	r.names = make([][]entity.Key, min(len(a.Evidence), maxInvolved))
	r.lookups = make([]string, 0, 16)
	for i := range r.names {
		r.names[i] = a.Evidence[i].Keys()
		for _, k := range r.names[i] {
			r.lookups = append(r.lookups, k.Text)
		}
	}
	r.lookups = append(r.lookups, tenantNode, r.kindNode, severityNode(a.Severity))
	r.lookups = append(append(r.lookups, r.ids...), r.statements...)
	slices.Sort(r.lookups)
	r.lookups = slices.Compact(r.lookups)
	return r
}

// carriedIDNodes are the node keys of the ids by which other products may know an alert.
func carriedIDNodes(a *alert.Alert) []string {
	var nodes []string
	add := func(id string) {
		if len(id) < shortestID {
			return
		}
		if k := "id:" + strings.ToLower(id); !slices.Contains(nodes, k) {
			nodes = append(nodes, k)
		}
	}
	add(a.Origin.ID)
	add(a.ReportID)
	for _, id := range a.CarriedIDs {
		add(id)
	}
	return nodes
}

// claimNodes are the node keys of what an alert itself says belongs together: its provider's correlation key, and the
// alerts that it sums up.
func claimNodes(a *alert.Alert) []string {
	var nodes []string
	if a.CorrelationKey != "" {
		nodes = append(nodes, "key:"+a.Origin.Provider+"/"+a.CorrelationKey)
	}
	for _, m := range a.Members {
		nodes = append(nodes, memberNode(a, m))
	}
	return nodes
}

func memberNode(a *alert.Alert, id string) string {
	return "member:" + a.Origin.Provider + "/" + strings.ToLower(id)
}

func summarizedIDs(a *alert.Alert) []string {
	var ids []string
	for _, m := range a.Members {
		ids = append(ids, alert.MakeID(a.Tenant, alert.Origin{Provider: a.Origin.Provider, ID: m}))
	}
	return ids
}
