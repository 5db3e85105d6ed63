package resolve

import (
	"time"

	"github.com/onepane/onepane/shared/correlation/table"
	"github.com/onepane/onepane/shared/incident"
)

// Nodes is a tenant's memory of names, as far as it is loaded.
type Nodes struct {
	table.Table[incident.Node]
	fading incident.Fading
}

// NewNodes is a memory that fades as given, of which nothing is loaded yet.
func NewNodes(fading incident.Fading) *Nodes { return &Nodes{fading: fading} }

// Edit returns the node by that key for changing, new when there was none.
func (t *Nodes) Edit(key string) *incident.Node {
	n := t.Get(key)
	if n == nil {
		n = &incident.Node{Key: key}
	}
	t.Change(key, n)
	return n
}

// Canonical follows SameAs to the key that an entity is kept under. It ends: only a node that leads nowhere is made to
// lead on, and never to one that leads to it.
func (t *Nodes) Canonical(key string) string {
	for {
		n := t.Get(key)
		if n == nil || n.SameAs == "" {
			return key
		}
		key = n.SameAs
	}
}

// aliasesOf are the strong names that lead to a node, its own key first.
func (t *Nodes) aliasesOf(key string) []string {
	names := []string{key}
	if n := t.Get(key); n != nil {
		names = append(names, n.Aliases...)
	}
	return names
}

// mergeInto makes a node another name of the one by key, and moves what was known of it.
func (t *Nodes) mergeInto(key, gone string) {
	g := t.Edit(gone)
	t.Edit(key).Absorb(g, t.fading)
}

// pointAlias records that a name stood for an entity. What the name alone had gathered so far was about that entity, if
// it is the first.
func (t *Nodes) pointAlias(name string, to incident.AliasTarget) {
	n := t.Edit(name)
	if len(n.Targets) == 0 && len(n.Activities) > 0 {
		t.Edit(to.Key).AdoptHistory(n, t.fading)
	}
	if len(n.Targets) == 0 && len(n.Exposures) > 0 {
		t.Edit(to.Key).AdoptExposures(n)
	}
	if isFullHostName(name) && isMachine(to.Key) {
		t.Edit(to.Key).AddAlias(name)
	}
	n.AddTarget(to)
	n.ExtendSpan(to.Last, to.Last)
}

// AddActivity notes an incident's use of the entity by that key.
func (t *Nodes) AddActivity(key string, a incident.Activity) *incident.Node {
	n := t.Edit(key)
	n.AddActivity(a, t.fading)
	return n
}

// CountEpisode counts an alert of a kind on the entity by that key, and reports whether an episode began.
func (t *Nodes) CountEpisode(key, kind, incidentID string, first, last time.Time) (began bool) {
	n := t.Edit(key)
	began = n.CountEpisode(kind, first, incidentID, t.fading.Episode)
	n.ExtendSpan(first, last)
	return began
}

// PointID makes an id that an alert carries lead to the alert.
func (t *Nodes) PointID(key, alertID string, first, last time.Time) {
	n := t.Edit(key)
	n.Alert = alertID
	n.ExtendSpan(first, last)
}
