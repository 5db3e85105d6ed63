package export

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/incident"
	"github.com/onepane/onepane/shared/store"
)

// Row is one state of one thing, on its way to a target: an alert, an exposure or an incident.
type Row struct {
	ID       string // names this state: the same state has the same id wherever and whenever it is sent
	Kind     store.ChangeKind
	Thing    string // the alert's or incident's id
	Tenant   string
	Created  time.Time
	Updated  time.Time
	Alert    *incident.AlertRecord  // of alerts and exposures
	Incident *incident.Incident     // of incidents
	Alerts   []incident.AlertRecord // an incident's alerts, by first activity, as many as Limits.Alerts
}

// Record is a row as a target wrote it.
type Record struct {
	ID      string
	Kind    store.ChangeKind
	Thing   string
	Tenant  string
	Created time.Time
	Updated time.Time
	Data    []byte
}

// OfAlert is the row of an alert or exposure. Its id leaves the incident out: a store shows the survivor for an
// incident that was merged away, without the alert having changed, and an alert that is moved by hand gets a new
// Updated.
func OfAlert(tenant string, m incident.AlertRecord) (Row, error) {
	r := Row{Kind: store.AlertChanged, Thing: m.Alert.ID, Tenant: tenant, Created: m.Created, Updated: m.Updated, Alert: &m}
	if m.Alert.Class == exposure {
		r.Kind = store.ExposureChanged
	}
	state := m
	state.Incident = ""
	var err error
	r.ID, err = r.stateID(state)
	return r, err
}

// OfIncident is the row of an incident. Its id leaves out where a redirect leads, which a store shows to the last
// survivor.
func OfIncident(tenant string, i incident.Incident) (Row, error) {
	r := Row{Kind: store.IncidentChanged, Thing: i.ID, Tenant: tenant, Created: i.Created, Updated: i.Updated, Incident: &i}
	state := i
	state.RedirectTo = ""
	var err error
	r.ID, err = r.stateID(state)
	return r, err
}

// Link is where the portal at base shows the thing, as the API's links lead there; "" when base is.
func (r Row) Link(base string) string {
	if base == "" {
		return ""
	}
	room := "alerts"
	if r.Incident != nil {
		room = "incidents"
	}
	return strings.TrimSuffix(base, "/") + "/" + room + "/" + url.PathEscape(r.Thing) + "?tid=" + url.QueryEscape(r.Tenant)
}

// stateID derives the row's id from all that the state is. The prefix keeps ids of one thing beside one another.
func (r Row) stateID(state any) (string, error) {
	data, err := json.Marshal(state, json.Deterministic(true))
	if err != nil {
		return "", fault.Errorf(fault.Invalid, "encode %s %s: %w", r.Kind, r.Thing, err)
	}
	h := sha256.New()
	fmt.Fprintf(h, "%s\x00%s\x00%s\x00", r.Tenant, r.Kind, r.Thing) // never fails
	h.Write(data)
	return r.Thing + "-" + hex.EncodeToString(h.Sum(nil)[:10]), nil
}

// plainRow is a row as JSON for receivers without a shape of their own.
type plainRow struct {
	ID       string                `json:"id"`
	Type     string                `json:"type"` // "alert", "exposure" or "incident"
	Tenant   string                `json:"tenant"`
	Time     time.Time             `json:"time"` // when the state came to be
	Alert    *incident.AlertRecord `json:"alert,omitzero"`
	Incident *incident.Incident    `json:"incident,omitzero"`
}

// JSON is r in one line of JSON: what Onepane keeps, without the provider's raw record.
func (r Row) JSON() ([]byte, error) {
	p := plainRow{ID: r.ID, Type: string(r.Kind), Tenant: r.Tenant, Time: r.Updated.UTC()}
	if r.Incident != nil {
		i := *r.Incident
		i.DeferredLinks = nil // correlation's own notes
		p.Incident = &i
	}
	if r.Alert != nil {
		m := *r.Alert
		m.Alert.Raw = nil
		p.Alert = &m
	}
	data, err := json.Marshal(p, json.Deterministic(true))
	if err != nil {
		return nil, fault.Errorf(fault.Invalid, "encode %s %s: %w", r.Kind, r.Thing, err)
	}
	return data, nil
}

func (r Row) recordOf(data []byte) Record {
	return Record{ID: r.ID, Kind: r.Kind, Thing: r.Thing, Tenant: r.Tenant, Created: r.Created, Updated: r.Updated, Data: data}
}
