// Package generic reads the alert that custom senders write (design contract, section 4), from the webhook and in
// replay. It is the strict one: the format is ours, so what is wrong is said exactly, with the field's name.
//
//	{"id","time","title",…,"entities":[{"kind","value","role"}]} ──▶ alert
package generic

import (
	"cmp"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/attack"
	"github.com/onepane/onepane/shared/entity"
	"github.com/onepane/onepane/shared/fault"
)

// Provider reads generic alerts. It recognizes so much that it must be the last provider of its route.
type Provider struct{}

// Name is "custom", the origin of alerts whose sender names no source.
func (Provider) Name() string { return "custom" }

// Recognize accepts what is meant as a generic alert, even where a required field is missing: Normalize says which.
func (Provider) Recognize(r ingest.Record) bool {
	n := 0
	for _, m := range r.Fields {
		switch m.Name {
		case "id", "time", "title", "type", "entities", "severity":
			n++
		}
	}
	return n >= 2
}

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

// message is the generic alert as sent.
type message struct {
	ID          word    `json:"id"`
	Tenant      word    `json:"tenant"`
	Time        word    `json:"time"`
	Delivered   word    `json:"delivered"`
	Source      word    `json:"source"`
	Type        word    `json:"type"`
	Title       word    `json:"title"`
	Severity    word    `json:"severity"`
	Tactics     words   `json:"tactics"`
	Techniques  words   `json:"techniques"`
	ProviderID  word    `json:"provider_id"`
	Status      word    `json:"status"`
	Description word    `json:"description"`
	URL         word    `json:"url"`
	Entities    []entry `json:"entities"`
}

// entry is an entity as sent. Name, attributes and aliases extend the contract.
type entry struct {
	Kind       word            `json:"kind"`
	Value      word            `json:"value"`
	Role       word            `json:"role"`
	Name       word            `json:"name"`
	Attributes map[string]word `json:"attributes"`
	Aliases    []struct {
		Kind  word `json:"kind"`
		Value word `json:"value"`
	} `json:"aliases"`
}

// checkRequired finds what is missing, and reads the times.
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

// parseInstant reads RFC 3339, the only spelling the contract knows, and the others for senders that know no better.
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

// evidenceOf keeps every entity once, in the sender's order and spelling.
func evidenceOf(entries []entry) ([]alert.Evidence, error) {
	var set ingest.EvidenceSet
	for i, en := range entries {
		if en.Value == "" {
			return nil, fault.Errorf(fault.Invalid, "entities[%d].value: missing", i)
		}
		if en.Kind == "" {
			return nil, fault.Errorf(fault.Invalid, "entities[%d].kind: missing", i)
		}
		e := entity.Entity{Kind: entity.ParseKind(strings.ToLower(string(en.Kind))), Value: string(en.Value), Name: string(en.Name)}
		if len(en.Attributes) > 0 {
			e.Attributes = make(map[string]string, len(en.Attributes))
			for k, v := range en.Attributes {
				e.Attributes[k] = string(v)
			}
		}
		if e.Kind == entity.Other {
			e = e.WithAttr(entity.AttrKind, string(en.Kind))
		}
		for _, a := range en.Aliases {
			e = e.WithAlias(entity.ParseKind(strings.ToLower(string(a.Kind))), string(a.Value))
		}
		set.Add(alert.Evidence{Entity: e, Role: roleOf(en.Role)})
	}
	return set.List(), nil
}

// roleOf reads a role; a word that is none is no reason to lose the entity.
func roleOf(w word) alert.Role {
	switch r := alert.Role(strings.ToLower(string(w))); r {
	case alert.Attacker, alert.Victim, alert.Context:
		return r
	}
	return ""
}

// word is text that a sender may also write as a number or a boolean; null is "".
type word string

// UnmarshalJSONFrom refuses objects and arrays.
func (w *word) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	switch dec.PeekKind() {
	case '{', '[':
		return errNotText
	}
	tok, err := dec.ReadToken()
	if err != nil {
		return err
	}
	if tok.Kind() == 'n' {
		*w = ""
		return nil
	}
	*w = word(strings.TrimSpace(tok.String()))
	return nil
}

var errNotText = errors.New("must be text")

// words is a list that a sender may write as one word.
type words []word

// UnmarshalJSONFrom accepts an array of words, one word, or null.
func (l *words) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	if dec.PeekKind() == '[' {
		return json.UnmarshalDecode(dec, (*[]word)(l))
	}
	var one word
	if err := json.UnmarshalDecode(dec, &one); err != nil {
		return err
	}
	if one != "" {
		*l = words{one}
	}
	return nil
}

// describeError names the field in the spelling of the contract: "entities[3].value".
func describeError(err error) string {
	var sem *json.SemanticError
	if !errors.As(err, &sem) {
		return ingest.DescribeJSONError(err)
	}
	var path strings.Builder
	for token := range sem.JSONPointer.Tokens() {
		if _, err := strconv.Atoi(token); err == nil && path.Len() > 0 {
			path.WriteString("[" + token + "]")
			continue
		}
		if path.Len() > 0 {
			path.WriteByte('.')
		}
		path.WriteString(token)
	}
	reason := "of the wrong type"
	if errors.Is(err, errNotText) {
		reason = errNotText.Error()
	}
	return cmp.Or(path.String(), "the record") + ": " + reason
}
