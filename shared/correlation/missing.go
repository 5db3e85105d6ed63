package correlation

import (
	"slices"

	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/incident"
)

// lookahead follows all that a decision will read, and names what of it is not at hand.
type lookahead struct {
	*memory
	refs incident.Refs

	alert *alert.Alert // whose names are followed
	// targets are the alerts that it may be merged into, as far as they are loaded.
	targets []*incident.AlertRecord
}

// followReport follows a report, and reports whether all that a decision about it reads is at hand.
func (l *lookahead) followReport(r *Report) bool {
	before := l.refs.Len()
	l.followAlert(r.Alert.ID)
	for _, id := range r.summarized {
		l.followAlert(id)
	}
	l.alert, l.targets = &r.Alert, nil
	l.followNames(r)
	l.addTarget(l.alerts.Get(r.Alert.ID))
	// What a report is merged into is resolved anew: its own names are needed too, but lead no further.
	for _, rec := range l.targets {
		l.followNames(NewReport(rec.Alert))
	}
	return l.refs.Len() == before
}

// addTarget notes an alert that the report at hand may be merged into.
func (l *lookahead) addTarget(rec *incident.AlertRecord) {
	if rec != nil && rec.FoldedInto != "" {
		rec = l.alerts.Get(rec.FoldedInto)
	}
	if rec != nil && !slices.Contains(l.targets, rec) {
		l.targets = append(l.targets, rec)
	}
}

func (l *lookahead) followAlert(id string) {
	rec, known := l.alerts.Lookup(id)
	if !known {
		l.refs.Alerts = append(l.refs.Alerts, id)
	}
	if rec == nil {
		return
	}
	if rec.FoldedInto != "" {
		l.followAlert(rec.FoldedInto)
	}
	l.followIncident(rec.Incident)
}

// followIncident follows an incident, what it was merged into, and where the deferred links of that lead.
func (l *lookahead) followIncident(id string) {
	inc := l.followSurvivor(id)
	if inc == nil {
		return
	}
	for i := range inc.DeferredLinks {
		l.followSurvivor(inc.DeferredLinks[i].Incident)
	}
}

// followSurvivor is survivorOf; nil also where an incident must be loaded first.
func (l *lookahead) followSurvivor(id string) *incident.Incident {
	for id != "" {
		inc, known := l.incidents.Lookup(id)
		if !known {
			l.refs.Incidents = append(l.refs.Incidents, id)
		}
		if inc == nil || inc.RedirectTo == "" {
			return inc
		}
		id = inc.RedirectTo
	}
	return nil
}

// followNames follows the names in a report: to the entities that they may stand for, and to the alerts that they lead
// to.
func (l *lookahead) followNames(r *Report) {
	for _, name := range r.lookups {
		for n := l.lookupNode(name); n != nil; n = l.lookupNode(n.SameAs) {
			for _, t := range n.Targets { // an entity has no targets: one step is enough
				for target := l.lookupNode(t.Key); target != nil; target = l.lookupNode(target.SameAs) {
					l.followCopies(target)
				}
			}
			if n.Alert != "" {
				l.followAlert(n.Alert)
				l.addTarget(l.alerts.Get(n.Alert))
			}
			l.followCopies(n)
		}
	}
}

// lookupNode is the node by that key, nil when there is none or it must be loaded first.
func (l *lookahead) lookupNode(key string) *incident.Node {
	if key == "" {
		return nil
	}
	n, known := l.nodes.Lookup(key)
	if !known {
		l.refs.Nodes = append(l.refs.Nodes, key)
	}
	return n
}

// followCopies follows the alerts on a node that the one at hand may be a copy of.
func (l *lookahead) followCopies(n *incident.Node) {
	for i := range n.Fingerprints {
		if f := &n.Fingerprints[i]; isCopy(f, l.alert, l.params) {
			l.followAlert(f.Alert)
			l.addTarget(l.alerts.Get(f.Alert))
		}
	}
}

// followNode follows the incidents that a node knows, and reports whether all are at hand.
func (l *lookahead) followNode(n *incident.Node) bool {
	before := l.refs.Len()
	for i := range n.Activities {
		l.followIncident(n.Activities[i].Incident)
	}
	for i := range n.KindCounts {
		l.followIncident(n.KindCounts[i].Incident)
	}
	return l.refs.Len() == before
}
