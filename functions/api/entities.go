package api

import (
	"context"
	"encoding/base64"
	"maps"
	"net/http"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/functions/api/graph"
	"github.com/onepane/onepane/functions/api/odata"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/entity"
	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/incident"
	"github.com/onepane/onepane/shared/query"
)

// The bounds of an entity's page. A name that half the tenant's alerts carry costs no more than these.
const (
	maxPageMentions  = 2000 // mentions that activity, incidents and exposures are made from, the newest
	maxPageRead      = 50   // alerts that are read for what they say of the thing
	maxPageIncidents = 100
	maxPageExposures = 100
	maxEntityNames   = 200
)

// entityPage is a thing with all that is known of it.
type entityPage struct {
	ID         string            `json:"id"`
	TenantID   string            `json:"tenantId"`
	Kind       string            `json:"kind"`
	Name       string            `json:"name"`
	Key        string            `json:"key"`
	Names      []string          `json:"names"`      // canonical, with their classes: "host:web-03"
	Spellings  []spelling        `json:"spellings"`  // as alerts spell it
	Attributes map[string]string `json:"attributes"` // what the newest alert that says so says
	FirstSeen  graph.Timestamp   `json:"firstSeen"`
	LastSeen   graph.Timestamp   `json:"lastSeen"`
	AlertCount int               `json:"alertCount"` // of those looked at
	Activity   []activeDay       `json:"activity"`   // oldest day first, days without alerts left out
	Incidents  []incidentResult  `json:"incidents"`  // newest activity first
	Exposures  []graph.Exposure  `json:"exposures"`  // open ones
	Complete   bool              `json:"complete"`   // false when counts, activity and lists cover only the newest 2000 mentions
}

// spelling is one name as an alert gave it.
type spelling struct {
	Kind  entity.Kind `json:"kind"`
	Value string      `json:"value"`
}

// activeDay counts a day's alerts by severity.
type activeDay struct {
	Date       string         `json:"date"` // UTC
	Alerts     int            `json:"alerts"`
	BySeverity map[string]int `json:"bySeverity"`
}

// entityID is a key as a path segment; a key holds slashes and much else.
func entityID(key string) string { return base64.RawURLEncoding.EncodeToString([]byte(key)) }

func parseEntityID(id string) (string, error) {
	b, err := base64.RawURLEncoding.DecodeString(id)
	if err != nil || len(b) == 0 || !utf8.Valid(b) {
		return "", notFound("entity", id)
	}
	return string(b), nil
}

func getEntity(req *request) error {
	p, err := findEntity(req)
	if err != nil {
		return err
	}
	page, err := p.buildPage(req.Context())
	if err != nil {
		return err
	}
	return req.writeJSON(http.StatusOK, page)
}

// listEntityAlerts lists the alerts that name an entity, whole, newest first.
func listEntityAlerts(req *request) error {
	o, err := req.parseOptions(graph.AlertSchema, []string{"$top", "$skiptoken", "$select"})
	if err != nil {
		return err
	}
	q, err := alertLimits.pageQuery(o)
	if err != nil {
		return err
	}
	p, err := findEntity(req)
	if err != nil {
		return err
	}
	return p.writeAlerts(req, o, max(q.Top, 1))
}

// findEntity finds the entity that the path names, in the one tenant that has it.
func findEntity(req *request) (*namedEntity, error) {
	key, err := parseEntityID(req.PathValue("id"))
	if err != nil {
		return nil, err
	}
	tenants, err := req.requestedTenants()
	if err != nil {
		return nil, err
	}
	return findInTenants(req.Context(), tenants, "entity", req.PathValue("id"), func(ctx context.Context, tenant, _ string) (*namedEntity, error) {
		return req.scopedQueries().gatherEntity(ctx, tenant, key)
	})
}

// namedEntity is an entity being looked at.
type namedEntity struct {
	Queries
	tenant string
	key    string
	names  []string // by which it is found
	newest []incident.AlertRecord
}

// gatherEntity gathers the names of an entity: those that correlation remembers, and those that alerts give it
// together with one of them. fault.NotFound when no alert names it.
func (s Queries) gatherEntity(ctx context.Context, tenant, key string) (*namedEntity, error) {
	id, err := s.Reader.Identity(ctx, tenant, key)
	if err != nil {
		return nil, err
	}
	t := &namedEntity{Queries: s, tenant: tenant, key: id.Key, names: append([]string{id.Key}, id.Aliases...)}
	if key != id.Key && !slices.Contains(t.names, key) {
		t.names = append(t.names, key)
	}
	const rounds = 3 // what is named by names that a later alert tells
	for range rounds {
		before := len(t.names)
		if err := t.readNewest(ctx); err != nil {
			return nil, err
		}
		for _, e := range t.newestEvidence() {
			for _, k := range e.Keys() {
				if k.Strong && !slices.Contains(t.names, k.Text) && len(t.names) < maxEntityNames {
					t.names = append(t.names, k.Text)
				}
			}
		}
		if len(t.names) == before {
			break
		}
	}
	if len(t.newest) == 0 {
		return nil, notFound("entity", entityID(key))
	}
	return t, nil
}

// readNewest takes the newest alerts that name the thing.
func (t *namedEntity) readNewest(ctx context.Context) error {
	ms, err := t.Reader.Mentions(ctx, t.tenant, incident.MentionQuery{Names: t.names, Limit: maxPageRead})
	if err != nil {
		return err
	}
	t.newest = t.newest[:0]
	for _, m := range ms {
		whole, err := t.Reader.Alert(ctx, t.tenant, m.ID)
		if fault.Of(err) == fault.NotFound {
			continue
		}
		if err != nil {
			return err
		}
		t.newest = append(t.newest, whole)
	}
	return nil
}

// newestEvidence is what those alerts say of the thing, the newest first.
func (t *namedEntity) newestEvidence() []entity.Entity {
	var out []entity.Entity
	for _, m := range t.newest {
		for _, e := range m.Alert.Evidence {
			if slices.ContainsFunc(e.Keys(), func(k entity.Key) bool { return slices.Contains(t.names, k.Text) }) {
				out = append(out, e.Entity)
			}
		}
	}
	return out
}

func (t *namedEntity) buildPage(ctx context.Context) (*entityPage, error) {
	p := &entityPage{
		ID: entityID(t.key), TenantID: t.tenant, Key: t.key, Names: t.names, Spellings: []spelling{}, Attributes: map[string]string{},
		Activity: []activeDay{}, Incidents: []incidentResult{}, Exposures: []graph.Exposure{}, Complete: true,
	}
	for _, e := range t.newestEvidence() {
		p.addEvidence(e)
	}
	ms, err := t.Reader.Mentions(ctx, t.tenant, incident.MentionQuery{Names: t.names, Limit: maxPageMentions + 1})
	if err != nil {
		return nil, err
	}
	if len(ms) > maxPageMentions {
		p.Complete, ms = false, ms[:maxPageMentions]
	}
	oldest, err := t.Reader.Mentions(ctx, t.tenant, incident.MentionQuery{Names: t.names, Oldest: true, Limit: 1})
	if err != nil {
		return nil, err
	}
	p.setSeen(append(oldest, ms...))
	p.countActivity(ms)
	if err := t.addIncidents(ctx, p, ms); err != nil {
		return nil, err
	}
	return p, t.addExposures(ctx, p, ms)
}

// addEvidence adds what one alert says: the newest is asked first and has the last word.
func (p *entityPage) addEvidence(e entity.Entity) {
	if p.Kind == "" {
		p.Kind, p.Name = string(e.Kind), displayName(e)
	}
	for name, v := range e.Attributes {
		if _, said := p.Attributes[name]; !said {
			p.Attributes[name] = v
		}
	}
	for _, s := range append([]entity.Alias{{Kind: e.Kind, Value: e.Value}}, e.Aliases...) {
		if one := spelling(s); len(p.Spellings) < maxEntityNames && !slices.Contains(p.Spellings, one) {
			p.Spellings = append(p.Spellings, one)
		}
	}
	for _, name := range e.Names() {
		if len(p.Names) < maxEntityNames && !slices.Contains(p.Names, name) {
			p.Names = append(p.Names, name)
		}
	}
}

func (p *entityPage) setSeen(ms []incident.Mention) {
	var first, last time.Time
	for _, m := range ms {
		if first.IsZero() || m.First.Before(first) {
			first = m.First
		}
		if m.Last.After(last) {
			last = m.Last
		}
	}
	p.FirstSeen, p.LastSeen = graph.Timestamp(first), graph.Timestamp(last)
}

// countActivity counts alerts by the day of their first activity.
func (p *entityPage) countActivity(ms []incident.Mention) {
	days := map[string]*activeDay{}
	for _, m := range ms {
		if m.Class == alert.Exposure {
			continue
		}
		p.AlertCount++
		date := m.First.UTC().Format(time.DateOnly)
		if days[date] == nil {
			days[date] = &activeDay{Date: date, BySeverity: map[string]int{}}
		}
		days[date].Alerts++
		days[date].BySeverity[string(m.Severity.Graph())]++
	}
	for _, date := range slices.Sorted(maps.Keys(days)) {
		p.Activity = append(p.Activity, *days[date])
	}
}

func (t *namedEntity) addIncidents(ctx context.Context, p *entityPage, ms []incident.Mention) error {
	out := &searchResults{}
	s := tenantSearch{Queries: t.Queries, tenant: t.tenant, out: out, incidents: map[string]bool{}}
	for _, m := range ms {
		if len(out.Incidents) == maxPageIncidents {
			p.Complete = false
			break
		}
		if err := s.addIncident(ctx, m.Incident, matchReason{Reason: "its alert names the entity", Alert: m.ID, Certain: true}); err != nil {
			return err
		}
	}
	p.Incidents = graph.NonNil(out.Incidents)
	return nil
}

func (t *namedEntity) addExposures(ctx context.Context, p *entityPage, ms []incident.Mention) error {
	for _, m := range ms {
		if m.Class != alert.Exposure || m.Status == alert.StatusResolved {
			continue
		}
		if len(p.Exposures) == maxPageExposures {
			p.Complete = false
			break
		}
		whole, err := t.Reader.Alert(ctx, t.tenant, m.ID)
		if fault.Of(err) == fault.NotFound {
			continue
		}
		if err != nil {
			return err
		}
		p.Exposures = append(p.Exposures, graph.ExposureOf(whole))
	}
	return nil
}

// writeAlerts answers a page of whole alerts.
func (t *namedEntity) writeAlerts(req *request, o odata.Options, top int) error {
	after, err := parsePageToken(o.Token, newestFirst)
	if err != nil {
		return err
	}
	q := incident.MentionQuery{Names: t.names, Limit: top + 1}
	if after != nil {
		at, _ := time.Parse(time.RFC3339Nano, after.Values[0]) // parsePageToken has checked
		q.After = incident.ListPosition{Created: at, ID: after.ID}
	}
	var p query.Page[incident.AlertRecord]
	for !p.More {
		ms, err := t.Reader.Mentions(req.Context(), t.tenant, q)
		if err != nil {
			return err
		}
		for _, m := range ms {
			q.After = incident.ListPosition{Created: m.Created, ID: m.ID}
			if m.Class == alert.Exposure {
				continue
			}
			if p.More = len(p.Items) == top; p.More {
				break
			}
			whole, err := t.Reader.Alert(req.Context(), t.tenant, m.ID)
			if err != nil {
				return err
			}
			p.Items = append(p.Items, whole)
		}
		if len(ms) < q.Limit {
			break
		}
	}
	return writePage(req, "", newestFirst, o, p, func(m incident.AlertRecord) (jsontext.Value, error) {
		return graph.EncodeSelected(req.view.Alert(m), o.Select)
	})
}
