package incident

import (
	"slices"
	"strings"

	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/entity"
)

// Report is an alert made ready for a decision: every name in it worked out once.
type Report struct {
	Alert alert.Alert

	kind       string         // what is counted as one kind of alert
	kindNode   string         // the node where episodes of that kind are counted
	names      [][]entity.Key // of each piece of evidence, at most maxTies of them
	ids        []string       // node keys of the ids by which other products may know it
	claims     []string       // node keys of what it says belongs together
	statements []string       // claims, and the key under which others may have claimed it
	members    []string       // ids of the alerts that it sums up
	lookups    []string       // node keys that a decision about it looks up first

	loaded *State // the state that holds all a decision about it reads
}

// NewReport reads the names in a.
func NewReport(a alert.Alert) *Report {
	kind := kindOf(a)
	r := &Report{Alert: a, kind: kind, kindNode: kindNode(kind), ids: carried(a), claims: claims(a), members: memberIDs(a)}
	r.statements = append(slices.Clip(r.claims), "member:"+a.Origin.Provider+"/"+strings.ToLower(a.Origin.ID))
	r.names = make([][]entity.Key, min(len(a.Evidence), maxTies))
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

// kindOf is what is counted as one kind of alert: type, or title for senders without types, per provider.
func kindOf(a alert.Alert) string {
	if a.Type != "" {
		return a.Origin.Provider + "/" + a.Type
	}
	return a.Origin.Provider + "/" + a.Title
}

// carried are the node keys of the ids by which other products may know a.
func carried(a alert.Alert) []string {
	const shortest = 6 // below that, ids are counters that everyone has
	var out []string
	add := func(id string) {
		if len(id) < shortest {
			return
		}
		if k := "id:" + strings.ToLower(id); !slices.Contains(out, k) {
			out = append(out, k)
		}
	}
	add(a.Origin.ID)
	add(a.ReportID)
	for _, id := range a.CarriedIDs {
		add(id)
	}
	return out
}

// claims are the node keys of what a itself says belongs together: its provider's correlation key, and its members.
func claims(a alert.Alert) []string {
	var out []string
	if a.CorrelationKey != "" {
		out = append(out, "key:"+a.Origin.Provider+"/"+a.CorrelationKey)
	}
	for _, m := range a.Members {
		out = append(out, "member:"+a.Origin.Provider+"/"+strings.ToLower(m))
	}
	return out
}

// memberIDs are the ids of the alerts that a sums up.
func memberIDs(a alert.Alert) []string {
	var ids []string
	for _, m := range a.Members {
		ids = append(ids, alert.MakeID(a.Tenant, alert.Origin{Provider: a.Origin.Provider, ID: m}))
	}
	return ids
}

// strong are the strong names of the evidence, addresses apart.
func (r *Report) strong() []string {
	var out []string
	for _, names := range r.names {
		for _, k := range names {
			if k.Strong && k.Class() != "ip" {
				out = append(out, k.Text)
			}
		}
	}
	return out
}
