package incident

import (
	"slices"
	"time"
)

// Refs names what a decision needs from the store. Order and repetition mean nothing.
type Refs struct {
	Alerts    []string // alert ids
	Incidents []string
	Nodes     []string
}

// Empty reports whether nothing is named.
func (r Refs) Empty() bool { return r.Len() == 0 }

// Compact drops repeated names, and sorts them.
func (r *Refs) Compact() {
	for _, names := range []*[]string{&r.Alerts, &r.Incidents, &r.Nodes} {
		slices.Sort(*names)
		*names = slices.Compact(*names)
	}
}

// Len is how many names there are.
func (r Refs) Len() int { return len(r.Alerts) + len(r.Incidents) + len(r.Nodes) }

// Loaded is what the store has of what Refs names; what it lacks is left out.
type Loaded struct {
	Alerts    []AlertRecord
	Incidents []Incident
	Nodes     []Node
	// Sequence is the number of the tenant's newest incident, 0 before the first.
	Sequence int64
	// Version is the tenant's state that this was read from; a commit names it.
	Version uint64
}

// Changes is what one batch of decisions changed, to become visible whole or not at all.
type Changes struct {
	Alerts       []AlertRecord // new and changed ones, whole
	Incidents    []Incident
	Nodes        []Node
	Sequence     int64
	AuditEntries []AuditEntry // what is noted of it; without anything that changed there is nothing to note
}

// Empty reports whether nothing changed.
func (c Changes) Empty() bool { return len(c.Alerts)+len(c.Incidents)+len(c.Nodes) == 0 }

// AuditRecord says who changed what. Before and After hold what differs, by the API's names.
type AuditRecord struct {
	Who    string            `json:"who"`
	When   time.Time         `json:"when"`
	What   string            `json:"what"` // "edit", "merge", "move", "unfold"
	Kind   string            `json:"kind"` // of the thing: "incident" or "alert"
	ID     string            `json:"id"`
	Before map[string]string `json:"before,omitempty"`
	After  map[string]string `json:"after,omitempty"`
}

// AuditEntry is one line of a tenant's audit log: what it says of a change, written together with it. IDs sort as the
// entries shall be listed: begin them with the time. No two entries have one ID.
type AuditEntry struct {
	ID      string
	Expires time.Time // when it may be forgotten; zero is never
	Data    []byte    // JSON
}
