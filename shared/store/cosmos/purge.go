package cosmos

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/incident"
	"github.com/onepane/onepane/shared/store"
	"github.com/onepane/onepane/shared/store/cosmos/cosmosdb"
)

// Purging is a commit like any other: its rows say of alerts and incidents that they are gone. So it is whole or
// not there, readers see it at once, correlators lose to it as to any commit, and the next flush makes it true of
// the tables. A commit's item stays, since cursors count its rows; what they said does not. Bodies lie together in
// blobs, which go with the last of theirs.

// purgeRows is about how many alerts are purged in one commit.
const purgeRows = 100

// purger is a commit that purges.
type purger struct {
	*committer
	incidentIDs []string // an incident and all that was merged into it
	purged      map[string]*alertRow
}

// purgeStep purges some of an incident's alerts, and with the last of them the incident.
func (t *tenant) purgeStep(ctx context.Context, id string, before time.Time) (done bool, err error) {
	v, err := t.currentView(ctx)
	if err != nil {
		return false, err
	}
	i, err := v.findIncident(ctx, id)
	if err != nil || i == nil || i.Status != incident.Resolved || !i.Updated.Before(before) {
		return true, err // somebody was at it since it was listed
	}
	p := &purger{newCommitter(v, 0), append([]string{id}, i.Merged...), map[string]*alertRow{}}
	more, err := p.chooseAlerts(ctx)
	if err != nil {
		return false, err
	}
	if err := p.purgeAlerts(ctx); err != nil {
		return false, err
	}
	if !more {
		if err := p.purgeIncidents(ctx); err != nil {
			return false, err
		}
	}
	if p.item.Unreferenced, err = p.unreferencedBlobs(ctx); err != nil {
		return false, err
	}
	return !more, p.publish(ctx)
}

// chooseAlerts looks for alerts of the incidents, and what was folded into them; more says that there are others.
func (p *purger) chooseAlerts(ctx context.Context) (more bool, err error) {
	q := sqlQuery{cosmosdb.Query{Page: 10}}
	ofIncident := func(r *alertRow) bool { return slices.Contains(p.incidentIDs, r.Incident) }
	if more, err = p.gatherRows(ctx, purgeRows, q, q.whereIncidents(p.incidentIDs), ofIncident); err != nil {
		return more, err
	}
	for part := range slices.Chunk(sortedKeys(p.purged), maxTerms) {
		q := sqlQuery{cosmosdb.Query{Page: 10}}
		any := ""
		for _, id := range part {
			any = joinConditions(any, "OR", q.whereTerm(foldedTerm(id)))
		}
		if _, err := p.gatherRows(ctx, math.MaxInt, q, any, func(r *alertRow) bool { return slices.Contains(part, r.FoldedInto) }); err != nil {
			return more, err
		}
	}
	return more, nil
}

// gatherRows adds rows to the purged: those of the log, and of the items that q finds until there are most of them.
func (p *purger) gatherRows(ctx context.Context, most int, q sqlQuery, where string, wanted func(*alertRow) bool) (more bool, err error) {
	take := func(r *alertRow) {
		if !r.Purged && wanted(r) {
			p.purged[r.Alert.ID] = r
		}
	}
	for _, r := range p.rows {
		take(r)
	}
	q.Text = "SELECT * FROM c WHERE " + joinConditions("c.type = 'commit' AND c.v <= @last", "AND", where)
	err = p.queryVolumes(ctx, q.Query, cosmosdb.Order{}, func(item []byte) (bool, error) {
		if more = len(p.purged) >= most; more {
			return false, nil
		}
		it, c, err := p.decodeCommit(ctx, item)
		for n := range c.Rows {
			if r := &c.Rows[n]; r.Origin == it.V && p.rows[r.Alert.ID] == nil {
				take(r)
			}
		}
		return true, err
	})
	return more, err
}

// purgeAlerts says that the alerts are gone, and counts them no longer with their providers, which only bodies name.
func (p *purger) purgeAlerts(ctx context.Context) error {
	for _, r := range p.purged {
		gone := incident.AlertRecord{Alert: alert.Alert{ID: r.Alert.ID}}
		p.Rows = append(p.Rows, alertRow{AlertRecord: gone, V: p.item.V, Origin: r.Origin, Purged: true})
		countRow(&p.next.Rows, kindOf(r.AlertRecord), -1)
	}
	records, err := p.readAlerts(ctx, slices.Collect(maps.Values(p.purged)))
	for _, m := range records {
		var was store.Stats
		countRow(&was, kindOf(m), 1)
		s := p.next.Sources[m.Alert.Origin.Provider]
		s.Alerts -= was.Alerts
		s.Exposures -= was.Exposures
		p.next.Sources[m.Alert.Origin.Provider] = s
	}
	return err
}

// purgeIncidents says that the incidents are gone.
func (p *purger) purgeIncidents(ctx context.Context) error {
	there, err := p.findIncidents(ctx, p.incidentIDs)
	for _, i := range there {
		p.Incidents = append(p.Incidents, incidentRow{Incident: incident.Incident{ID: i.ID, Updated: p.now}, V: p.item.V, Purged: true})
		p.next.Rows.Incidents--
	}
	return err
}

// unreferencedBlobs are the blobs of the purged bodies that hold nobody else's. The flush of the commit deletes them.
func (p *purger) unreferencedBlobs(ctx context.Context) (out []cosmosdb.BlobRef, err error) {
	bodies := map[string]bodyRef{}
	for _, r := range p.purged {
		if r.Body.Commit > 0 {
			bodies[r.Body.Blob.ID] = r.Body
		}
	}
	for _, id := range sortedKeys(bodies) {
		c, err := p.contentOfCommit(ctx, bodies[id].Commit)
		if err != nil {
			return nil, fmt.Errorf("read commit %d: %w", bodies[id].Commit, err)
		}
		var others []string
		for _, r := range c.Rows {
			if p.purged[r.Alert.ID] == nil && !r.Purged {
				others = append(others, r.Alert.ID)
			}
		}
		rows, err := p.findRows(ctx, others)
		if err != nil {
			return nil, err
		}
		isReferenced := false
		for _, r := range rows {
			isReferenced = isReferenced || r.Body.Blob.ID == id
		}
		if !isReferenced {
			out = append(out, bodies[id].Blob)
		}
	}
	return out, nil
}
