package api

import (
	"cmp"
	"net/http"

	"github.com/onepane/onepane/shared/incident"
	"github.com/onepane/onepane/shared/query"
)

// storyGraph is an incident as a drawing: alerts and the things that tie them.
//
//	alert ──touches──▶ entity
//	alert ──rule, weight, gap──▶ the earlier alert that it joined
//	alert ──merged──▶ the first alert of the incident that it tied in
type storyGraph struct {
	Nodes []storyNode `json:"nodes"`
	Edges []storyEdge `json:"edges"`
	// More says that the incident has alerts beyond those drawn.
	More bool `json:"more"`
}

type storyNode struct {
	ID       string   `json:"id"`
	Kind     string   `json:"kind"` // "alert" or "entity"
	Name     string   `json:"name"`
	Time     stamp    `json:"time,omitzero"`
	Severity string   `json:"severity,omitzero"`
	Product  nullable `json:"productName,omitzero"`
	Category string   `json:"category,omitzero"`
	Asset    bool     `json:"asset,omitzero"` // an entity that the tenant owns
}

type storyEdge struct {
	From       string  `json:"from"`
	To         string  `json:"to"`
	Rule       string  `json:"rule"`             // "touches", "merged", or why the alert joined
	Via        string  `json:"via,omitzero"`     // the entity by which two alerts are tied
	Weight     float64 `json:"weight,omitzero"`  // 0 to 1
	GapSeconds float64 `json:"gapSeconds"`       // between the activities
	Merged     string  `json:"merged,omitzero"`  // the incident that the tie brought in
	Product    string  `json:"product,omitzero"` // the reporter of a copy that was folded in
}

// maxDrawn is how many alerts a graph shows: more is no drawing.
const maxDrawn = 500

// drawIncident draws the first alerts of an incident with what ties them. Entities are those that reasons name; what an
// alert names besides is with the alert.
func (c *call) drawIncident() error {
	tenants, err := c.tenants()
	if err != nil {
		return err
	}
	i, err := c.service().survivor(c.Context(), tenants, c.PathValue("id"))
	if err != nil {
		return err
	}
	p, err := c.listerOf(i).page(query.Query{Top: maxDrawn}, nil)
	if err != nil {
		return err
	}
	d := drawing{graph: storyGraph{Nodes: []storyNode{}, Edges: []storyEdge{}, More: p.More}, nodes: map[string]bool{}, edges: map[storyEdge]bool{}}
	for _, m := range p.Items {
		d.alert(m)
	}
	for _, m := range p.Items {
		d.reasons(i, m)
	}
	for _, m := range i.Mergers {
		d.merger(i, m)
	}
	return c.json(http.StatusOK, d.graph)
}

// drawing is a graph while it is drawn.
type drawing struct {
	graph storyGraph
	nodes map[string]bool
	edges map[storyEdge]bool
}

func (d *drawing) node(n storyNode) {
	if !d.nodes[n.ID] {
		d.nodes[n.ID] = true
		d.graph.Nodes = append(d.graph.Nodes, n)
	}
}

// edge draws a tie, unless one of its ends lies beyond the drawing.
func (d *drawing) edge(e storyEdge) {
	if d.nodes[e.From] && d.nodes[e.To] && !d.edges[e] {
		d.edges[e] = true
		d.graph.Edges = append(d.graph.Edges, e)
	}
}

func (d *drawing) alert(m incident.AlertRecord) {
	a := m.Alert
	d.node(storyNode{ID: a.ID, Kind: "alert", Name: a.Title, Time: stamp(a.First), Severity: string(a.Severity), Product: nullable(a.Product), Category: category(m)})
	for _, s := range a.Sightings {
		if s.AlertID == a.ID {
			continue
		}
		d.node(storyNode{ID: s.AlertID, Kind: "alert", Name: cmp.Or(s.Title, a.Title)})
		d.edge(storyEdge{From: s.AlertID, To: a.ID, Rule: cmp.Or(s.Rule, "same alert"), Weight: 1, Product: s.Reporter})
	}
}

func (d *drawing) reasons(i incident.Incident, m incident.AlertRecord) {
	for _, r := range m.Reasons {
		d.edge(storyEdge{From: m.Alert.ID, To: r.Alert, Rule: r.Rule, Via: r.Entity, Weight: r.Weight, GapSeconds: r.Gap.Seconds()})
		d.through(i, r, m.Alert.ID, r.Alert)
	}
}

func (d *drawing) merger(i incident.Incident, m incident.Merger) {
	d.edge(storyEdge{From: m.Alert, To: m.Opener, Rule: "merged", Via: m.Because.Entity, Weight: m.Because.Weight, GapSeconds: m.Because.Gap.Seconds(), Merged: m.Incident})
	d.through(i, m.Because, m.Alert, m.Because.Alert)
}

// through draws the entity that a reason names between the alerts it ties.
func (d *drawing) through(i incident.Incident, r incident.Reason, alerts ...string) {
	if r.Entity == "" {
		return
	}
	asset := false
	for _, a := range i.Assets {
		asset = asset || a.Key == r.Entity
	}
	d.node(storyNode{ID: r.Entity, Kind: "entity", Name: cmp.Or(r.Name, r.Entity), Asset: asset})
	for _, a := range alerts {
		d.edge(storyEdge{From: a, To: r.Entity, Rule: "touches"})
	}
}
