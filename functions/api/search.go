package api

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/onepane/onepane/functions/api/graph"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/entity"
	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/incident"
)

// The bounds of a search. They hold whatever is stored: a search reads what names the thing, and of that the newest.
const (
	maxSearchText     = 2 << 10 // bytes of what is searched for
	maxSearchMentions = 50      // alerts of one tenant that are looked at
	maxResultsPerKind = 50      // entities, incidents and alerts in an answer, each
)

// matchReason says why something was found.
type matchReason struct {
	Reason  string `json:"reason"`           // "named in evidence", "id"
	Name    string `json:"name,omitzero"`    // the name that matched, in canonical spelling with its class: "host:web-03"
	Spelled string `json:"spelled,omitzero"` // as the alert spells it
	Alert   string `json:"alertId,omitzero"` // the alert that says so
	Certain bool   `json:"certain"`          // the name can mean one thing only
}

// entityResult is an entity that was found.
type entityResult struct {
	ID       string          `json:"id"`
	TenantID string          `json:"tenantId"`
	Kind     string          `json:"kind"`
	Name     string          `json:"name"`
	Key      string          `json:"key"`
	LastSeen graph.Timestamp `json:"lastSeen"`
	Match    matchReason     `json:"match"`
}

// incidentResult is an incident that was found, alertHit an alert or exposure.
type incidentResult struct {
	ID          string          `json:"id"`
	TenantID    string          `json:"tenantId"`
	DisplayName string          `json:"displayName"`
	Severity    alert.Severity  `json:"severity"`
	Status      string          `json:"status"`
	Created     graph.Timestamp `json:"createdDateTime"`
	LastUpdate  graph.Timestamp `json:"lastUpdateDateTime"`
	Match       matchReason     `json:"match"`
}

type alertResult struct {
	ID           string          `json:"id"`
	TenantID     string          `json:"tenantId"`
	Class        string          `json:"class"` // alert or exposure
	Title        string          `json:"title"`
	Severity     alert.Severity  `json:"severity"`
	Status       alert.Status    `json:"status"`
	IncidentID   graph.Nullable  `json:"incidentId"`
	LastActivity graph.Timestamp `json:"lastActivityDateTime"`
	Match        matchReason     `json:"match"`
}

// searchResults is the answer to a search.
type searchResults struct {
	Query     string           `json:"query"`
	Entities  []entityResult   `json:"entities"`
	Incidents []incidentResult `json:"incidents"`
	Alerts    []alertResult    `json:"alerts"`
	Complete  bool             `json:"complete"` // false when there is more than is shown
}

// searchTenants finds a thing by any of its spellings, with all that names it, the newest first.
func searchTenants(req *request) error {
	text := strings.TrimSpace(req.URL.Query().Get("q"))
	if text == "" || len(text) > maxSearchText {
		return fault.Errorf(fault.Invalid, "Parameter 'q' must be what to search for: an ARN, a resource id, an instance id, a host or user name, an address, a hash, a domain, an alert's or incident's id; at most %d bytes.", maxSearchText)
	}
	tenants, err := req.requestedTenants()
	if err != nil {
		return err
	}
	out := &searchResults{Query: text, Entities: []entityResult{}, Incidents: []incidentResult{}, Alerts: []alertResult{}, Complete: true}
	for _, tenant := range tenants {
		s := tenantSearch{Queries: req.scopedQueries(), tenant: tenant, keys: entity.KeysOfText(text), out: out, incidents: map[string]bool{}, entities: map[string]bool{}}
		if err := s.addFound(req.Context(), text); err != nil {
			return err
		}
	}
	out.truncateKinds()
	if !req.principal.Can(ReadAlerts) {
		out.Alerts = []alertResult{}
	}
	if !req.principal.Can(ReadIncidents) {
		out.Incidents = []incidentResult{}
	}
	return req.writeJSON(http.StatusOK, out)
}

// truncateKinds keeps an answer over many tenants as short as one over one.
func (f *searchResults) truncateKinds() {
	f.Complete = f.Complete && max(len(f.Entities), len(f.Incidents), len(f.Alerts)) <= maxResultsPerKind
	f.Entities = f.Entities[:min(maxResultsPerKind, len(f.Entities))]
	f.Incidents = f.Incidents[:min(maxResultsPerKind, len(f.Incidents))]
	f.Alerts = f.Alerts[:min(maxResultsPerKind, len(f.Alerts))]
}

// tenantSearch is one search in one tenant.
type tenantSearch struct {
	Queries
	tenant    string
	keys      []entity.Key
	out       *searchResults
	incidents map[string]bool
	entities  map[string]bool
}

func (s *tenantSearch) addFound(ctx context.Context, text string) error {
	if err := s.addByID(ctx, text); err != nil {
		return err
	}
	names := make([]string, len(s.keys))
	for i, k := range s.keys {
		names[i] = k.Text
	}
	ms, err := s.Reader.Mentions(ctx, s.tenant, incident.MentionQuery{Names: names, Limit: maxSearchMentions + 1})
	if err != nil {
		return err
	}
	if len(ms) > maxSearchMentions {
		s.out.Complete = false
		ms = ms[:maxSearchMentions]
	}
	for _, m := range ms {
		if err := s.addMention(ctx, m); err != nil {
			return err
		}
	}
	return nil
}

// addByID finds what the text is the id of.
func (s *tenantSearch) addByID(ctx context.Context, text string) error {
	why := matchReason{Reason: "id", Certain: true}
	m, err := s.Reader.Alert(ctx, s.tenant, text)
	if err == nil {
		s.addAlert(incident.Mention{
			ID: m.Alert.ID, Class: m.Alert.Class, Title: m.Alert.Title, Severity: m.Alert.Severity, Status: m.Status, Incident: m.Incident, Last: m.Alert.Last,
		}, why)
		err = s.addIncident(ctx, m.Incident, matchReason{Reason: "its alert's id", Alert: m.Alert.ID, Certain: true})
	}
	if isUnexpected(err) {
		return err
	}
	return s.addIncident(ctx, text, why)
}

// isUnexpected tells trouble from what is not there, or is no id.
func isUnexpected(err error) bool {
	return err != nil && fault.Of(err) != fault.NotFound && fault.Of(err) != fault.Invalid
}

// addMention adds an alert that names the thing, its incident, and the thing.
func (s *tenantSearch) addMention(ctx context.Context, m incident.Mention) error {
	whole, err := s.Reader.Alert(ctx, s.tenant, m.ID)
	if fault.Of(err) == fault.NotFound {
		return nil // gone since
	}
	if err != nil {
		return err
	}
	e, key, ok := s.matchingEvidence(whole.Alert)
	if !ok {
		return nil
	}
	why := matchReason{Reason: "named in evidence", Name: key.Text, Spelled: e.Value, Alert: m.ID, Certain: key.Strong}
	s.addAlert(m, why)
	if err := s.addIncident(ctx, m.Incident, why); err != nil {
		return err
	}
	return s.addEntity(ctx, e, m, why)
}

// matchingEvidence finds which evidence has one of the names, by the surest of them.
func (s *tenantSearch) matchingEvidence(a alert.Alert) (entity.Entity, entity.Key, bool) {
	best, of := len(s.keys), entity.Entity{}
	for _, e := range a.Evidence {
		for _, name := range e.Names() {
			if i := slices.IndexFunc(s.keys, func(k entity.Key) bool { return k.Text == name }); i >= 0 && i < best {
				best, of = i, e.Entity
			}
		}
	}
	if best == len(s.keys) {
		return of, entity.Key{}, false
	}
	return of, s.keys[best], true
}

func (s *tenantSearch) addAlert(m incident.Mention, why matchReason) {
	for _, has := range s.out.Alerts {
		if has.ID == m.ID && has.TenantID == s.tenant {
			return
		}
	}
	s.out.Alerts = append(s.out.Alerts, alertResult{
		ID: m.ID, TenantID: s.tenant, Class: classOf(m.Class), Title: m.Title, Severity: m.Severity.Graph(), Status: m.Status,
		IncidentID: graph.Nullable(m.Incident), LastActivity: graph.Timestamp(m.Last), Match: why,
	})
}

func classOf(c alert.Class) string {
	if c == alert.Exposure {
		return "exposure"
	}
	return "alert"
}

func (s *tenantSearch) addIncident(ctx context.Context, id string, why matchReason) error {
	if id == "" || s.incidents[id] {
		return nil
	}
	s.incidents[id] = true
	i, err := s.Reader.Incident(ctx, s.tenant, id)
	if err != nil {
		if isUnexpected(err) {
			return err
		}
		return nil
	}
	s.out.Incidents = append(s.out.Incidents, incidentResult{
		ID: i.ID, TenantID: s.tenant, DisplayName: i.Name, Severity: i.Severity.Graph(), Status: string(i.Status),
		Created: graph.Timestamp(i.Created), LastUpdate: graph.Timestamp(i.Updated), Match: why,
	})
	return nil
}

func (s *tenantSearch) addEntity(ctx context.Context, e entity.Entity, m incident.Mention, why matchReason) error {
	key, err := s.canonicalKey(ctx, s.tenant, e)
	if err != nil || key == "" || s.entities[key] {
		return err
	}
	s.entities[key] = true
	s.out.Entities = append(s.out.Entities, entityResult{
		ID: entityID(key), TenantID: s.tenant, Kind: string(e.Kind), Name: displayName(e), Key: key, LastSeen: graph.Timestamp(m.Last), Match: why,
	})
	return nil
}

// canonicalKey is the key that a thing goes by: what correlation knows it as, else the most telling of its own.
func (s Queries) canonicalKey(ctx context.Context, tenant string, e entity.Entity) (string, error) {
	keys := e.Keys()
	if len(keys) == 0 {
		return "", nil
	}
	i, err := s.Reader.Identity(ctx, tenant, keys[0].Text)
	if len(i.Targets) == 1 && !keys[0].Strong { // a bare name that only ever stood for one thing
		i.Key = i.Targets[0]
	}
	return i.Key, err
}

// displayName is what people call a thing.
func displayName(e entity.Entity) string {
	if e.Name != "" {
		return e.Name
	}
	return e.Value
}

// spelledNames are the names that a text may be a spelling of.
func spelledNames(text string) []string {
	var out []string
	for _, k := range entity.KeysOfText(text) {
		out = append(out, k.Text)
	}
	return out
}
