package api

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/entity"
	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/incident"
)

// The bounds of a search. They hold whatever is stored: a search reads what names the thing, and of that the newest.
const (
	maxSought    = 2 << 10 // bytes of what is searched for
	maxFound     = 50      // alerts of one tenant that are looked at
	maxFoundKind = 50      // entities, incidents and alerts in an answer, each
)

// match says why something was found.
type match struct {
	Reason  string `json:"reason"`           // "named in evidence", "id"
	Name    string `json:"name,omitzero"`    // the name that matched, in canonical spelling with its class: "host:web-03"
	Spelled string `json:"spelled,omitzero"` // as the alert spells it
	Alert   string `json:"alertId,omitzero"` // the alert that says so
	Certain bool   `json:"certain"`          // the name can mean one thing only
}

// entityHit is an entity that was found.
type entityHit struct {
	ID       string `json:"id"`
	TenantID string `json:"tenantId"`
	Kind     string `json:"kind"`
	Name     string `json:"name"`
	Key      string `json:"key"`
	LastSeen stamp  `json:"lastSeen"`
	Match    match  `json:"match"`
}

// incidentHit is an incident that was found, alertHit an alert or exposure.
type incidentHit struct {
	ID          string         `json:"id"`
	TenantID    string         `json:"tenantId"`
	DisplayName string         `json:"displayName"`
	Severity    alert.Severity `json:"severity"`
	Status      string         `json:"status"`
	Created     stamp          `json:"createdDateTime"`
	LastUpdate  stamp          `json:"lastUpdateDateTime"`
	Match       match          `json:"match"`
}

type alertHit struct {
	ID           string         `json:"id"`
	TenantID     string         `json:"tenantId"`
	Class        string         `json:"class"` // alert or exposure
	Title        string         `json:"title"`
	Severity     alert.Severity `json:"severity"`
	Status       alert.Status   `json:"status"`
	IncidentID   nullable       `json:"incidentId"`
	LastActivity stamp          `json:"lastActivityDateTime"`
	Match        match          `json:"match"`
}

// hits is the answer to a search.
type hits struct {
	Query     string        `json:"query"`
	Entities  []entityHit   `json:"entities"`
	Incidents []incidentHit `json:"incidents"`
	Alerts    []alertHit    `json:"alerts"`
	Complete  bool          `json:"complete"` // false when there is more than is shown
}

// search finds a thing by any of its spellings, with all that names it, the newest first.
func (c *call) search() error {
	text := strings.TrimSpace(c.URL.Query().Get("q"))
	if text == "" || len(text) > maxSought {
		return fault.Errorf(fault.Invalid, "Parameter 'q' must be what to search for: an ARN, a resource id, an instance id, a host or user name, an address, a hash, a domain, an alert's or incident's id; at most %d bytes.", maxSought)
	}
	tenants, err := c.tenants()
	if err != nil {
		return err
	}
	out := &hits{Query: text, Entities: []entityHit{}, Incidents: []incidentHit{}, Alerts: []alertHit{}, Complete: true}
	for _, tenant := range tenants {
		s := seeking{Service: c.service(), tenant: tenant, keys: entity.Spelled(text), out: out, incidents: map[string]bool{}, entities: map[string]bool{}}
		if err := s.run(c.Context(), text); err != nil {
			return err
		}
	}
	out.clip()
	if !c.principal.Can(ReadAlerts) {
		out.Alerts = []alertHit{}
	}
	if !c.principal.Can(ReadIncidents) {
		out.Incidents = []incidentHit{}
	}
	return c.json(http.StatusOK, out)
}

// clip keeps an answer over many tenants as short as one over one.
func (f *hits) clip() {
	f.Complete = f.Complete && max(len(f.Entities), len(f.Incidents), len(f.Alerts)) <= maxFoundKind
	f.Entities = f.Entities[:min(maxFoundKind, len(f.Entities))]
	f.Incidents = f.Incidents[:min(maxFoundKind, len(f.Incidents))]
	f.Alerts = f.Alerts[:min(maxFoundKind, len(f.Alerts))]
}

// seeking is one search in one tenant.
type seeking struct {
	Service
	tenant    string
	keys      []entity.Key
	out       *hits
	incidents map[string]bool
	entities  map[string]bool
}

func (s *seeking) run(ctx context.Context, text string) error {
	if err := s.byID(ctx, text); err != nil {
		return err
	}
	names := make([]string, len(s.keys))
	for i, k := range s.keys {
		names[i] = k.Text
	}
	ms, err := s.Reader.Mentions(ctx, s.tenant, incident.MentionQuery{Names: names, Limit: maxFound + 1})
	if err != nil {
		return err
	}
	if len(ms) > maxFound {
		s.out.Complete = false
		ms = ms[:maxFound]
	}
	for _, m := range ms {
		if err := s.mentioned(ctx, m); err != nil {
			return err
		}
	}
	return nil
}

// byID finds what the text is the id of.
func (s *seeking) byID(ctx context.Context, text string) error {
	why := match{Reason: "id", Certain: true}
	m, err := s.Reader.Alert(ctx, s.tenant, text)
	if err == nil {
		s.alert(incident.Mention{
			ID: m.Alert.ID, Class: m.Alert.Class, Title: m.Alert.Title, Severity: m.Alert.Severity, Status: m.Status, Incident: m.Incident, Last: m.Alert.Last,
		}, why)
		err = s.incident(ctx, m.Incident, match{Reason: "its alert's id", Alert: m.Alert.ID, Certain: true})
	}
	if passing(err) {
		return err
	}
	return s.incident(ctx, text, why)
}

// passing tells trouble from what is not there, or is no id.
func passing(err error) bool {
	return err != nil && fault.Of(err) != fault.NotFound && fault.Of(err) != fault.Invalid
}

// mentioned adds an alert that names the thing, its incident, and the thing.
func (s *seeking) mentioned(ctx context.Context, m incident.Mention) error {
	whole, err := s.Reader.Alert(ctx, s.tenant, m.ID)
	if fault.Of(err) == fault.NotFound {
		return nil // gone since
	}
	if err != nil {
		return err
	}
	e, key, ok := s.named(whole.Alert)
	if !ok {
		return nil
	}
	why := match{Reason: "named in evidence", Name: key.Text, Spelled: e.Value, Alert: m.ID, Certain: key.Strong}
	s.alert(m, why)
	if err := s.incident(ctx, m.Incident, why); err != nil {
		return err
	}
	return s.entity(ctx, e, m, why)
}

// named finds which evidence has one of the names, by the surest of them.
func (s *seeking) named(a alert.Alert) (entity.Entity, entity.Key, bool) {
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

func (s *seeking) alert(m incident.Mention, why match) {
	for _, has := range s.out.Alerts {
		if has.ID == m.ID && has.TenantID == s.tenant {
			return
		}
	}
	s.out.Alerts = append(s.out.Alerts, alertHit{
		ID: m.ID, TenantID: s.tenant, Class: classOf(m.Class), Title: m.Title, Severity: m.Severity.Graph(), Status: m.Status,
		IncidentID: nullable(m.Incident), LastActivity: stamp(m.Last), Match: why,
	})
}

func classOf(c alert.Class) string {
	if c == alert.Exposure {
		return "exposure"
	}
	return "alert"
}

func (s *seeking) incident(ctx context.Context, id string, why match) error {
	if id == "" || s.incidents[id] {
		return nil
	}
	s.incidents[id] = true
	i, err := s.Reader.Incident(ctx, s.tenant, id)
	if err != nil {
		if passing(err) {
			return err
		}
		return nil
	}
	s.out.Incidents = append(s.out.Incidents, incidentHit{
		ID: i.ID, TenantID: s.tenant, DisplayName: i.Name, Severity: i.Severity.Graph(), Status: string(i.Status),
		Created: stamp(i.Created), LastUpdate: stamp(i.Updated), Match: why,
	})
	return nil
}

func (s *seeking) entity(ctx context.Context, e entity.Entity, m incident.Mention, why match) error {
	key, err := s.canonical(ctx, s.tenant, e)
	if err != nil || key == "" || s.entities[key] {
		return err
	}
	s.entities[key] = true
	s.out.Entities = append(s.out.Entities, entityHit{
		ID: entityID(key), TenantID: s.tenant, Kind: string(e.Kind), Name: calledOf(e), Key: key, LastSeen: stamp(m.Last), Match: why,
	})
	return nil
}

// canonical is the key that a thing goes by: what correlation knows it as, else the most telling of its own.
func (s Service) canonical(ctx context.Context, tenant string, e entity.Entity) (string, error) {
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

// calledOf is what people call a thing.
func calledOf(e entity.Entity) string {
	if e.Name != "" {
		return e.Name
	}
	return e.Value
}

// spelled are the names that a text may be a spelling of.
func spelled(text string) []string {
	var out []string
	for _, k := range entity.Spelled(text) {
		out = append(out, k.Text)
	}
	return out
}
