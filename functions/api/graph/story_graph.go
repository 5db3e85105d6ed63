package graph

import (
	"cmp"

	"github.com/onepane/onepane/shared/incident"
)

// StoryGraph is an incident as a drawing: alerts and the things that link them.
//
//	alert ──touches──▶ entity
//	alert ──rule, weight, gap──▶ the earlier alert that it joined
//	alert ──merged──▶ the first alert of the incident that it linked in
type StoryGraph struct {
	Nodes []StoryNode `json:"nodes"`
	Edges []StoryEdge `json:"edges"`
	// More says that the incident has alerts beyond those drawn.
	More bool `json:"more"`
}

type StoryNode struct {
	ID       string    `json:"id"`
	Kind     string    `json:"kind"` // "alert" or "entity"
	Name     string    `json:"name"`
	Time     Timestamp `json:"time,omitzero"`
	Severity string    `json:"severity,omitzero"`
	Product  Nullable  `json:"productName,omitzero"`
	Category string    `json:"category,omitzero"`
	Asset    bool      `json:"asset,omitzero"` // an entity that the tenant owns
}

type StoryEdge struct {
	From       string  `json:"from"`
	To         string  `json:"to"`
	Rule       string  `json:"rule"`             // "touches", "merged", or why the alert joined
	Via        string  `json:"via,omitzero"`     // the entity by which two alerts are linked
	Weight     float64 `json:"weight,omitzero"`  // 0 to 1
	GapSeconds float64 `json:"gapSeconds"`       // between the activities
	Merged     string  `json:"merged,omitzero"`  // the incident that the link brought in
	Product    string  `json:"product,omitzero"` // the reporter of a copy that was folded in
}

// DrawStory draws alerts, some or all of i's in the order of first activity, with the links and entities that their
// reasons name. An entity that an alert names without being linked by it is left out. more says that i has alerts
// beyond these.
func DrawStory(i incident.Incident, alerts []incident.AlertRecord, more bool) StoryGraph {
	d := drawing{
		graph: StoryGraph{Nodes: []StoryNode{}, Edges: []StoryEdge{}, More: more},
		nodes: map[string]bool{}, edges: map[StoryEdge]bool{},
	}
	for _, m := range alerts {
		d.addAlert(m)
	}
	for _, m := range alerts {
		d.addReasons(i, m)
	}
	for _, m := range i.Mergers {
		d.addMerger(i, m)
	}
	return d.graph
}

// drawing is a graph while it is drawn.
type drawing struct {
	graph StoryGraph
	nodes map[string]bool
	edges map[StoryEdge]bool
}

func (d *drawing) addNode(n StoryNode) {
	if !d.nodes[n.ID] {
		d.nodes[n.ID] = true
		d.graph.Nodes = append(d.graph.Nodes, n)
	}
}

// addEdge draws a link, unless one of its ends lies beyond the drawing.
func (d *drawing) addEdge(e StoryEdge) {
	if d.nodes[e.From] && d.nodes[e.To] && !d.edges[e] {
		d.edges[e] = true
		d.graph.Edges = append(d.graph.Edges, e)
	}
}

func (d *drawing) addAlert(m incident.AlertRecord) {
	a := m.Alert
	d.addNode(StoryNode{ID: a.ID, Kind: "alert", Name: a.Title, Time: Timestamp(a.First), Severity: string(a.Severity), Product: Nullable(a.Product), Category: categoryOf(m)})
	for _, s := range a.Sightings {
		if s.AlertID == a.ID {
			continue
		}
		d.addNode(StoryNode{ID: s.AlertID, Kind: "alert", Name: cmp.Or(s.Title, a.Title)})
		d.addEdge(StoryEdge{From: s.AlertID, To: a.ID, Rule: cmp.Or(s.Rule, "same alert"), Weight: 1, Product: s.Reporter})
	}
}

func (d *drawing) addReasons(i incident.Incident, m incident.AlertRecord) {
	for _, r := range m.Reasons {
		d.addEdge(StoryEdge{From: m.Alert.ID, To: r.Alert, Rule: r.Rule, Via: r.Entity, Weight: r.Weight, GapSeconds: r.Gap.Seconds()})
		d.addEntity(i, r, m.Alert.ID, r.Alert)
	}
}

func (d *drawing) addMerger(i incident.Incident, m incident.Merger) {
	d.addEdge(StoryEdge{From: m.Alert, To: m.Opener, Rule: "merged", Via: m.Because.Entity, Weight: m.Because.Weight, GapSeconds: m.Because.Gap.Seconds(), Merged: m.Incident})
	d.addEntity(i, m.Because, m.Alert, m.Because.Alert)
}

// addEntity draws the entity that a reason names between the alerts it links.
func (d *drawing) addEntity(i incident.Incident, r incident.Reason, alerts ...string) {
	if r.Entity == "" {
		return
	}
	asset := false
	for _, a := range i.Assets {
		asset = asset || a.Key == r.Entity
	}
	d.addNode(StoryNode{ID: r.Entity, Kind: "entity", Name: cmp.Or(r.Name, r.Entity), Asset: asset})
	for _, a := range alerts {
		d.addEdge(StoryEdge{From: a, To: r.Entity, Rule: "touches"})
	}
}
