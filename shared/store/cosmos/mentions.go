package cosmos

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/incident"
	"github.com/onepane/onepane/shared/store"
	"github.com/onepane/onepane/shared/store/cosmos/cosmosdb"
)

// mentionsPrefix begins the names of the partitions that hold what finds alerts by name. They neither fill nor slow a
// tenant's own, which is the one that can become full.
//
//	"~!mentions/<tenant>"     x-<version>-<nonce>   the names in the evidence of a commit's new bodies
//	"~!mentions-1/<tenant>"   the same of commits made once there is a second volume, and so on
const mentionsPrefix = cosmosdb.EscapeMark + "!mentions"

// mentionsItem finds alerts of a commit by the names in their evidence. It is written before the commit: one whose
// commit was refused leads to alerts that do not exist, or that name the thing all the same. It is never replaced:
// what an alert is now its row tells, and a later body has an item of its own.
type mentionsItem struct {
	ID     string `json:"id"`
	Tenant string `json:"tenant"` // the partition
	Type   string `json:"type"`
	CMin   *int64 `json:"cmin,omitempty"` // created, in microseconds since 1970
	CMax   *int64 `json:"cmax,omitempty"`
	// IDs are the names, hashed.
	IDs  []string     `json:"ids"`
	Rows []mentionRow `json:"rows"`
}

// mentionRow is one alert's names, by their places in IDs.
type mentionRow struct {
	ID    string `json:"i"`
	Names []int  `json:"n"`
}

const mentionsType = "mentions"

func mentionTerm(name string) string { return hashName("m" + name) }

// addMentions outbox entries the names of an alert with a new body.
func (w *committer) addMentions(m incident.AlertRecord) {
	names := incident.MentionedNames(m.Alert)
	if len(names) == 0 {
		return
	}
	if w.mentions == nil {
		w.mentions = &mentionsItem{ID: fmt.Sprintf("x-%d-%s", w.next.Version, w.next.Nonce), Type: mentionsType}
		w.termIndex = map[string]int{}
	}
	n := mentionRow{ID: m.Alert.ID}
	for _, name := range names {
		term := mentionTerm(name)
		at, known := w.termIndex[term]
		if !known {
			at = len(w.mentions.IDs)
			w.termIndex[term] = at
			w.mentions.IDs = append(w.mentions.IDs, term)
		}
		n.Names = append(n.Names, at)
	}
	w.mentions.Rows = append(w.mentions.Rows, n)
	extendSpan(&w.mentions.CMin, &w.mentions.CMax, unixMicro(m.Created))
}

// writeMentions writes the names that were noted. Another process may see them a moment after the commit.
func (w *committer) writeMentions(ctx context.Context, _ incident.Changes) error {
	if w.mentions == nil {
		return nil
	}
	p := w.mentionsPartition(len(w.next.Volumes) - 1)
	w.mentions.Tenant = p.Name
	item, err := json.Marshal(w.mentions)
	if err != nil {
		return fault.Errorf(fault.Invalid, "encode mentions: %w", err)
	}
	if _, err := w.client.UpsertItem(ctx, p, item); err != nil {
		return fmt.Errorf("write mentions: %w", err)
	}
	return nil
}

// countSource counts an alert with its provider, in the place of what it was.
func (m *manifest) countSource(before *alertRow, now incident.AlertRecord) {
	name := now.Alert.Origin.Provider
	s := m.Sources[name]
	s.Provider = name
	var rows store.Stats
	if before != nil {
		countRow(&rows, kindOf(before.AlertRecord), -1)
	}
	countRow(&rows, kindOf(now), 1)
	s.Alerts += rows.Alerts
	s.Exposures += rows.Exposures
	for _, at := range []time.Time{now.Created, now.Alert.Delivered} {
		if at.After(s.Last) {
			s.Last = at.UTC()
		}
	}
	if m.Sources == nil {
		m.Sources = map[string]incident.Source{}
	}
	m.Sources[name] = s
}

// mentionSearch is one search by names.
type mentionSearch struct {
	incident.MentionQuery
	*reader
	terms map[string]bool
	seen  map[string]bool
	found []*alertRow
}

// searchItems goes through the items with any of the names, in the page's order.
func (g *mentionSearch) searchItems(ctx context.Context) error {
	var from []cosmosdb.PartitionQuery
	for n := range g.manifest.Volumes {
		from = append(from, cosmosdb.PartitionQuery{In: g.mentionsPartition(n), Query: g.searchQuery()})
	}
	order := spanOrder("c.cmax", true)
	if g.Oldest {
		order = spanOrder("c.cmin", false)
	}
	return g.client.RunQueries(ctx, from, order, func(item []byte) (bool, error) { return g.addItem(ctx, item) })
}

func (g *mentionSearch) searchQuery() cosmosdb.Query {
	q := sqlQuery{cosmosdb.Query{Page: 2 + g.Limit/16}}
	g.terms = map[string]bool{}
	for _, name := range g.Names {
		g.terms[mentionTerm(name)] = true
	}
	where := "c.type = 'mentions' AND (" + q.whereIDs(g.Names, mentionTerm) + ")"
	begun := g.After == incident.ListPosition{}
	order := " ORDER BY c.cmax DESC"
	switch {
	case g.Oldest && !begun:
		where += " AND c.cmax >= " + q.BindParam(unixMicro(g.After.Created))
	case !begun:
		where += " AND c.cmin <= " + q.BindParam(unixMicro(g.After.Created))
	}
	if g.Oldest {
		order = " ORDER BY c.cmin ASC"
	}
	q.Text = "SELECT * FROM c WHERE " + where + order
	return q.Query
}

// addItem looks at one item; it wants no more when none that is to come can be on the page.
func (g *mentionSearch) addItem(ctx context.Context, data []byte) (more bool, err error) {
	var it mentionsItem
	if err := json.Unmarshal(data, &it); err != nil || it.CMin == nil || it.CMax == nil {
		return false, fmt.Errorf("damaged item of mentions: %w", err)
	}
	if g.isComplete(it) {
		return false, nil
	}
	var ids []string
	for _, n := range it.Rows {
		if !g.seen[n.ID] && slices.ContainsFunc(n.Names, func(at int) bool { return at >= 0 && at < len(it.IDs) && g.terms[it.IDs[at]] }) {
			g.seen[n.ID] = true
			ids = append(ids, n.ID)
		}
	}
	rows, err := g.findRows(ctx, ids)
	for _, r := range rows {
		if kindOf(r.AlertRecord) != foldedKind && (g.After == incident.ListPosition{} || g.compareToMark(r, g.After) > 0) {
			g.found = append(g.found, r)
		}
	}
	return true, err
}

// compareToMark says whether a row comes after a mark.
func (g *mentionSearch) compareToMark(r *alertRow, m incident.ListPosition) int {
	c := r.Created.Compare(m.Created)
	if !g.Oldest {
		c = -c
	}
	return cmp.Or(c, strings.Compare(r.Alert.ID, m.ID))
}

func (g *mentionSearch) sortFound() {
	slices.SortFunc(g.found, func(a, b *alertRow) int {
		return g.compareToMark(a, incident.ListPosition{Created: b.Created, ID: b.Alert.ID})
	})
}

// isComplete says that the page is found, when all items to come are at or beyond this one.
func (g *mentionSearch) isComplete(it mentionsItem) bool {
	before := 0
	for _, r := range g.found {
		at := unixMicro(r.Created)
		if g.Oldest && at < *it.CMin || !g.Oldest && at > *it.CMax {
			before++
		}
	}
	return before >= g.Limit
}

func (g *mentionSearch) showMention(ctx context.Context, r *alertRow) (incident.Mention, error) {
	to, err := g.survivorOf(ctx, r.Incident)
	return incident.Mention{
		ID: r.Alert.ID, Class: r.Alert.Class, Incident: to, Severity: r.Alert.Severity, Status: r.Status, Title: r.Alert.Title,
		Created: r.Created, First: r.Alert.First, Last: r.Alert.Last,
	}, err
}
