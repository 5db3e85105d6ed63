// Package mapping reads other products by declaration: one YAML file per product says how its record becomes an alert,
// in CEL expressions (https://cel.dev). Adding a product takes a file and no Go.
//
//	products/*.yaml, your/*.yaml ──Load: compile, type-check──▶ one Provider per file
//	record ─fields, match─▶ ignore? ─expressions─▶ alert
//
// # The file
//
//	product:  crowdstrike           # Origin.Provider and the Provider's name; required
//	name:     CrowdStrike Falcon    # the product's name as people know it
//	fields:   [metadata, event]     # top-level members that must all be there; checked before any CEL runs; required
//	match:    bool                  # whether the record is the product's; default true
//	ignore:   text                  # why it is no alert ("an audit event"); "" goes on
//	class:    text                  # "" (a threat) or "exposure"
//	id:       text                  # the alert's own id, stable over its updates; required
//	report_id, type, title, description, recommendation, url, correlation_key: text
//	carried_ids, members, tactics, techniques: list
//	severity, status:
//	  native: text                  # the product's own word, kept as it is
//	  value:  text                  # the word to look up, where that is not the native one
//	  words:  {urgent: high}        # in any case; words that are not here are read as everybody writes them
//	first, last, updated: time      # RFC 3339, or a number since 1970 in s, ms, µs or ns
//	count:    number
//	account:  {cloud, id, name, organization, region}: text
//	extra:    {name: text}          # further facts
//	evidence:
//	  - each: list                  # one thing per element, bound to `it`; without it, one thing
//	    when: bool
//	    kind: ip                    # a word of the generic alert, not an expression
//	    role: attacker              # attacker, victim, context: a word
//	    verdict: malicious          # suspicious, malicious, noThreatsFound: a word
//	    value: text                 # placeholders make no evidence
//	    name: text
//	    aliases: [{kind: ip, value: text or list}]
//	    attributes: {device_id: text}
//
// Everything on the right that is text, list, bool, number or time is an expression over `r`, the record. Members that
// may be absent are read with functions that do not mind:
//
//	get(r, "a.b.0")      the value there, or null; keys that contain dots are found too
//	text(r, "a.b")       its text: "" where absent or null, numbers and booleans spelt out
//	num(r, "a.b")        its number, also out of text; 0 where there is none
//	list(r, "a.b")       its elements; one value is a list of one, absence an empty list
//	first([x, y])        the first text that is none of "", "N/A", "unknown", …
//	lower(x), before(x, sep), after(x, sep), split(x, sep)    text; after gives "" where sep is not in x
//	addresses(x), emails(x)    those that text mentions
//	filetime(x)          a Windows FILETIME as RFC 3339; anything else as it is
//	digest([x, y])       a stable id out of parts, for products that have none
//
// products/thinkst-canary.yaml is the commented example.
package mapping

import (
	"fmt"
	"slices"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/attack"
	"github.com/onepane/onepane/shared/entity"
	"github.com/onepane/onepane/shared/fault"
)

// Provider reads one product by its mapping. Load makes it; it is safe for concurrent use.
type Provider struct{ file file }

// Name is the mapping's product.
func (p *Provider) Name() string { return p.file.Product }

// Recognize asks for the declared fields first, and only then the match expression. An expression that fails on a
// record does not recognize it.
func (p *Provider) Recognize(r ingest.Record) bool {
	if r.Fields == nil || !r.Has(p.file.Fields...) {
		return false
	}
	if p.file.Match.isAbsent() {
		return true
	}
	e := p.newEvaluation(r)
	ok := e.evalBool("match", p.file.Match)
	return ok && e.err == nil
}

// Normalize evaluates the mapping. An expression that fails on the record, a time that is none, and an empty id are
// fault.Invalid and name product and key.
func (p *Provider) Normalize(r ingest.Record) (alert.Alert, error) {
	m, e := &p.file, p.newEvaluation(r)
	if reason := e.evalText("ignore", m.Ignore); reason != "" && e.err == nil {
		return alert.Alert{}, ingest.Ignore(reason)
	}
	a := alert.Alert{
		Class:          alert.Class(e.evalText("class", m.Class)),
		Origin:         alert.Origin{Provider: m.Product, ID: e.evalText("id", m.ID)},
		Reporter:       m.Product,
		ReportID:       e.evalText("report_id", m.ReportID),
		Product:        m.Name,
		Type:           e.evalText("type", m.Type),
		Title:          e.evalText("title", m.Title),
		Description:    e.evalText("description", m.Description),
		Recommendation: e.evalText("recommendation", m.Recommendation),
		URL:            e.evalText("url", m.URL),
		NativeSeverity: e.evalText("severity.native", m.Severity.Native),
		NativeStatus:   e.evalText("status.native", m.Status.Native),
		First:          e.evalTime("first", m.First),
		Last:           e.evalTime("last", m.Last),
		Updated:        e.evalTime("updated", m.Updated),
		Count:          int64(e.evalNumber("count", m.Count)),
		CarriedIDs:     e.evalTexts("carried_ids", m.CarriedIDs),
		Members:        e.evalTexts("members", m.Members),
		CorrelationKey: e.evalText("correlation_key", m.CorrelationKey),
		Extra:          e.evalExtra(m.Extra),
		Techniques:     attack.FindTechniques(e.evalTexts("techniques", m.Techniques)...),
		Account:        e.evalAccount(m.Account),
	}
	a.Severity = alert.ParseSeverity(e.evalWord("severity.value", m.Severity, a.NativeSeverity))
	a.Status = alert.ParseStatus(e.evalWord("status.value", m.Status, a.NativeStatus))
	e.evalTactics(&a, m.Tactics)
	a.Evidence = e.evalEvidence(m.Evidence)
	switch {
	case e.err != nil:
		return alert.Alert{}, e.err
	case a.Origin.ID == "":
		return alert.Alert{}, fault.Errorf(fault.Invalid, "%s: id: empty", m.Product)
	}
	return completeAlert(a), nil
}

// completeAlert sets the fields that a mapping may leave out from those it gives.
func completeAlert(a alert.Alert) alert.Alert {
	if a.ReportID == "" {
		a.ReportID = a.Origin.ID
	}
	if a.CarriedIDs = slices.DeleteFunc(a.CarriedIDs, func(id string) bool { return id == a.Origin.ID }); len(a.CarriedIDs) == 0 {
		a.CarriedIDs = nil
	}
	if a.Title == "" {
		a.Title = a.Type
	}
	if a.Title == "" {
		a.Title = a.Product + " alert"
	}
	if a.First.IsZero() {
		a.First = a.Updated
	}
	if a.Last.Before(a.First) {
		a.Last = a.First
	}
	if a.Updated.IsZero() {
		a.Updated = a.Last
	}
	return a
}

func (e *evaluation) evalAccount(m accountKeys) alert.Account {
	return alert.Account{
		Cloud: parseCloud(e.evalText("account.cloud", m.Cloud)), ID: e.evalText("account.id", m.ID), Name: e.evalText("account.name", m.Name),
		Organization: e.evalText("account.organization", m.Organization), Region: e.evalText("account.region", m.Region),
	}
}

// evalTactics reads the words; those that name no tactic are kept in Extra["tactics"].
func (e *evaluation) evalTactics(a *alert.Alert, x expr) {
	for _, word := range e.evalTexts("tactics", x) {
		if t := attack.FromWord(word); t != "" {
			a.Tactics = append(a.Tactics, t)
		} else if a.Extra == nil {
			a.Extra = map[string]string{"tactics": word}
		} else if have := a.Extra["tactics"]; have == "" {
			a.Extra["tactics"] = word
		} else if have != word {
			a.Extra["tactics"] = have + ", " + word
		}
	}
	a.Tactics = attack.SortTactics(a.Tactics)
}

func (e *evaluation) evalExtra(keys map[string]expr) map[string]string {
	var out map[string]string
	for name, x := range keys {
		if v := e.evalText("extra."+name, x); v != "" {
			if out == nil {
				out = make(map[string]string, len(keys))
			}
			out[name] = v
		}
	}
	return out
}

func (e *evaluation) evalEvidence(rows []evidenceKeys) []alert.Evidence {
	var set ingest.EvidenceSet
	for i, row := range rows {
		key := fmt.Sprintf("evidence[%d]", i)
		if row.Each.isAbsent() {
			e.addRow(&set, key, row)
			continue
		}
		for _, it := range e.evalElements(key+".each", row.Each) {
			e.it = it
			e.addRow(&set, key, row)
		}
		e.it = nil
	}
	return set.List()
}

// addRow adds the entity that a row describes, of the record or of one element.
func (e *evaluation) addRow(set *ingest.EvidenceSet, key string, row evidenceKeys) {
	if !row.When.isAbsent() && !e.evalBool(key+".when", row.When) {
		return
	}
	x := entity.Entity{Kind: entity.Kind(row.Kind), Value: e.evalText(key+".value", row.Value)}
	if ingest.IsPlaceholder(x.Value) {
		return
	}
	if x.Name = e.evalText(key+".name", row.Name); x.Name == x.Value || ingest.IsPlaceholder(x.Name) {
		x.Name = ""
	}
	for name, attribute := range row.Attributes {
		if v := e.evalText(key+".attributes."+name, attribute); !ingest.IsPlaceholder(v) {
			x = x.WithAttr(name, v)
		}
	}
	for _, a := range row.Aliases {
		for _, v := range e.evalTexts(key+".aliases", a.Value) {
			x = x.WithAlias(entity.Kind(a.Kind), v)
		}
	}
	set.Add(alert.Evidence{Entity: x, Role: alert.Role(row.Role), Verdict: alert.Verdict(row.Verdict)})
}

// parseCloud reads the words that products use for the clouds.
func parseCloud(word string) entity.Cloud {
	switch c := trimAndLower(word); c {
	case "aws", "amazon", "amazon web services":
		return entity.Amazon
	case "azure", "microsoft azure":
		return entity.Azure
	case "gcp", "google", "google cloud", "google cloud platform":
		return entity.Google
	}
	return ""
}
