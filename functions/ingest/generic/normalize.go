package generic

import (
	"cmp"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/attack"
	"github.com/onepane/onepane/shared/fault"
)

// Normalize reads one alert. A field that is missing or of the wrong type is fault.Invalid and named: "time: missing",
// "entities[3].value: …".
func (Provider) Normalize(r ingest.Record) (alert.Alert, error) {
	var m message
	if err := json.Unmarshal(r.Raw, &m); err != nil {
		return alert.Alert{}, fault.Errorf(fault.Invalid, "%s", describeError(err))
	}
	at, delivered, err := m.checkRequired()
	if err != nil {
		return alert.Alert{}, err
	}
	a := alert.Alert{
		Tenant:         cmp.Or(string(m.Tenant), r.Context["ce-tenant"]),
		Origin:         alert.Origin{Provider: cmp.Or(string(m.Source), "custom"), ID: string(m.ID)},
		ReportID:       string(cmp.Or(m.ProviderID, m.ID)),
		Product:        string(m.Source),
		Type:           string(m.Type),
		Title:          string(cmp.Or(m.Title, m.Type)),
		Description:    string(m.Description),
		URL:            string(m.URL),
		Severity:       alert.ParseSeverity(string(m.Severity)),
		NativeSeverity: string(m.Severity),
		Status:         alert.ParseStatus(string(m.Status)),
		NativeStatus:   string(m.Status),
		First:          at, Last: at, Updated: at, Delivered: delivered,
		Extra: map[string]string{"sender_id": string(m.ID)},
	}
	a.Reporter = a.Origin.Provider
	if m.ProviderID != "" && m.ProviderID != m.ID {
		a.CarriedIDs = []string{string(m.ProviderID)}
	}
	m.addTactics(&a)
	a.Techniques = techniquesOf(m.Techniques)
	if a.Evidence, err = evidenceOf(m.Entities); err != nil {
		return alert.Alert{}, err
	}
	return a, nil
}

// checkRequired reports the first required field that is missing, as fault.Invalid, and reads the times.
func (m *message) checkRequired() (at, delivered time.Time, err error) {
	switch {
	case m.ID == "":
		return at, delivered, fault.Errorf(fault.Invalid, "id: missing")
	case m.Time == "":
		return at, delivered, fault.Errorf(fault.Invalid, "time: missing")
	case m.Title == "" && m.Type == "":
		return at, delivered, fault.Errorf(fault.Invalid, "title: missing, and no type stands in for it")
	}
	if at, err = parseInstant(m.Time); err != nil {
		return at, delivered, fault.Errorf(fault.Invalid, "time: %w", err)
	}
	if delivered, err = parseInstant(m.Delivered); err != nil {
		return at, delivered, fault.Errorf(fault.Invalid, "delivered: %w", err)
	}
	if at.IsZero() {
		return at, delivered, fault.Errorf(fault.Invalid, "time: %q is not set", string(m.Time))
	}
	return at, delivered, nil
}

// parseInstant reads RFC 3339, the contract's only spelling, and what ingest.ParseTime accepts besides.
func parseInstant(w word) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339Nano, string(w)); err == nil && t.Year() > 1970 {
		return t.UTC(), nil
	}
	return ingest.ParseTime(string(w))
}

// addTactics reads the tactic words; those that name none are kept in Extra["tactics"].
func (m *message) addTactics(a *alert.Alert) {
	var unknown []string
	for _, w := range m.Tactics {
		t := attack.Tactic(w)
		if t.Order() == 0 { // not the contract's own spelling
			t = attack.FromWord(string(w))
		}
		if t != "" {
			a.Tactics = append(a.Tactics, t)
		} else if w != "" {
			unknown = append(unknown, string(w))
		}
	}
	if len(unknown) > 0 {
		a.Extra["tactics"] = strings.Join(unknown, ", ")
	}
	a.Tactics = attack.SortTactics(a.Tactics)
}

// techniquesOf upper-cases ids. Most are exactly one id, which needs no search.
func techniquesOf(list words) []string {
	if len(list) == 0 {
		return nil
	}
	texts := make([]string, len(list))
	for i, w := range list {
		texts[i] = string(w)
	}
	if areDistinctIDs(texts) {
		return texts
	}
	return attack.FindTechniques(texts...)
}

// areDistinctIDs reports whether every text is one well-formed id and none repeats.
func areDistinctIDs(texts []string) bool {
	for i, s := range texts {
		if len(s) != 5 && (len(s) != 9 || s[5] != '.') || s[0] != 'T' {
			return false
		}
		for j := 1; j < len(s); j++ {
			if j != 5 && (s[j] < '0' || s[j] > '9') {
				return false
			}
		}
		for _, earlier := range texts[:i] {
			if earlier == s {
				return false
			}
		}
	}
	return true
}
