// Package incident holds what correlation decides about and stores keep: incidents, alerts with their reasons, the
// nodes of a tenant's memory. They know how to be counted, merged, named and ranked; what belongs together is decided
// in shared/correlation.
//
//	alert.Alert ─▶ AlertRecord ─┬─▶ Incident ─▶ Priority
//	                            └─▶ Node        └─▶ Changes, for a store to commit whole
package incident

import (
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/attack"
	"github.com/onepane/onepane/shared/entity"
	"github.com/onepane/onepane/shared/query"
)

// Status is where work on an incident stands, in the Graph's words.
type Status string

// The statuses. Redirected is an incident whose content moved into RedirectTo.
const (
	Active     Status = "active"
	InProgress Status = "inProgress"
	Resolved   Status = "resolved"
	Redirected Status = "redirected"
)

// Incident is alerts judged to be one attack.
type Incident struct {
	ID     string `json:"id"` // decimal, unique within the tenant (see MakeID)
	Tenant string `json:"tenant"`
	Name   string `json:"name"`
	// NameSet and SeveritySet say that a person chose them; correlation then leaves them alone, except that a merge
	// names anew (unified-api reference, 4.3).
	NameSet     bool           `json:"nameSet,omitzero"`
	Severity    alert.Severity `json:"severity"`
	SeveritySet bool           `json:"severitySet,omitzero"`
	Status      Status         `json:"status"`
	Work
	Description      string   `json:"description,omitzero"`
	Summary          string   `json:"summary,omitzero"`
	ResolvingComment string   `json:"resolvingComment,omitzero"`
	Tags             []string `json:"tags,omitempty"`
	SystemTags       []string `json:"systemTags,omitempty"`

	Created    time.Time `json:"created"` // when the first alert arrived
	Updated    time.Time `json:"updated"` // when it or one of its alerts last changed here
	ModifiedBy string    `json:"modifiedBy,omitzero"`
	First      time.Time `json:"first"` // activity span of its alerts
	Last       time.Time `json:"last"`

	RedirectTo string   `json:"redirectTo,omitzero"`
	Merged     []string `json:"merged,omitempty"` // incidents that were merged into this one, however indirectly
	// SplitFrom are incidents that a person took this one apart from: never merged again, nor what was merged into
	// either.
	SplitFrom []string `json:"apart,omitempty"`
	// Opener is the alert that opened the incident; Mergers say why the merged ones are here, at most MaxMergers.
	Opener  string   `json:"opener,omitzero"`
	Mergers []Merger `json:"mergers,omitempty"`

	Alerts   int             `json:"alerts"` // distinct alerts, folded ones not counted
	Tactics  []attack.Tactic `json:"tactics,omitempty"`
	Products []string        `json:"products,omitempty"` // product names, first come first
	Clouds   []entity.Cloud  `json:"clouds,omitempty"`
	// Assets are the tenant's own entities that its alerts touch, first come first, at most MaxAssets.
	Assets     []Asset `json:"assets,omitempty"`
	AssetCount int     `json:"assetCount,omitzero"` // distinct assets, also beyond MaxAssets
	// Exposures are the open exposures of those assets, the gravest first, at most
	// MaxOpenExposures.
	Exposures Exposures `json:"exposures,omitempty"`
	// GravestTitle is the title of the gravest alert, GravestRank its severity rank: what a small incident is named
	// after.
	GravestTitle string `json:"lead,omitzero"`
	GravestRank  int    `json:"leadRank,omitzero"`
	// Kinds are the kinds of alerts seen, as hashes, at most maxKinds: many kinds in one incident are seldom noise.
	Kinds []uint32 `json:"kinds,omitempty"`
	// Suspicion is how much its alerts look like an attack, 0 to 1: of a kind only the first counts.
	Suspicion float64 `json:"credit,omitzero"`
	// DeferredLinks are what may come to link it to other incidents, at most maxDeferredLinks.
	DeferredLinks []DeferredLink `json:"clues,omitempty"`
	// Noise says that it only gathers what recurs on one entity all the time; nothing else joins it.
	Noise bool `json:"background,omitzero"`
	// Uncorrelated says that its rule wants its alerts uncorrelated; nothing joins it.
	Uncorrelated bool `json:"alone,omitzero"`
}

// MaxAssets bounds Incident.Assets, so that a large incident costs no more per alert than a small one.
const MaxAssets = 100

// Asset is an entity the tenant owns and an incident touches.
type Asset struct {
	Key   string       `json:"key"` // canonical entity key
	Kind  entity.Kind  `json:"kind"`
	Name  string       `json:"name"` // as a person knows it
	Value string       `json:"value"`
	Cloud entity.Cloud `json:"cloud,omitzero"`
}

// Work is what people decided about an alert or an incident.
type Work struct {
	AssignedTo     string    `json:"assignedTo,omitzero"`
	Classification string    `json:"classification,omitzero"` // the Graph's words; empty when untouched
	Determination  string    `json:"determination,omitzero"`
	Comments       []Comment `json:"comments,omitempty"`
}

// Comment is a remark by a person or the system.
type Comment struct {
	Text    string    `json:"text"`
	By      string    `json:"by"`
	Created time.Time `json:"created"`
}

// idSpan is how many incident ids one sequence number spans: see MakeID.
const idSpan = 10000

// MakeID makes a tenant's n-th incident id (n from 1): n followed by four digits that belong to the tenant. Ids are
// short, rise with n, and hardly ever mean two incidents to someone who sees several tenants.
func MakeID(tenant string, n int64) string {
	h := fnv.New32a()
	h.Write([]byte(tenant)) // never fails
	return strconv.FormatInt(n*idSpan+int64(h.Sum32()%idSpan), 10)
}

// Number is the sequence number that an incident's id was made from; ok is false for what is no such id.
func Number(id string) (n int64, ok bool) {
	n, err := strconv.ParseInt(id, 10, 64)
	return n / idSpan, err == nil && n >= 0
}

// Text gives i's filterable text fields.
func (i Incident) Text(f query.Field) string {
	switch f {
	case query.ID:
		return i.ID
	case query.Severity:
		return string(i.Severity.Graph())
	case query.Status:
		return string(i.Status)
	case query.DisplayName, query.Title:
		return i.Name
	case query.Priority:
		return query.Number(i.Priority().Score)
	}
	return i.Work.textOf(f)
}

// Time gives i's filterable times.
func (i Incident) Time(f query.Field) time.Time {
	switch f {
	case query.Created:
		return i.Created
	case query.Updated:
		return i.Updated
	case query.FirstActivity:
		return i.First
	case query.LastActivity:
		return i.Last
	}
	return time.Time{}
}

func (w Work) textOf(f query.Field) string {
	switch f {
	case query.AssignedTo:
		return w.AssignedTo
	case query.Classification:
		return w.Classification
	case query.Determination:
		return w.Determination
	}
	return ""
}

// AuditFields is what the audit log tells of an incident, by the API's names.
func (i *Incident) AuditFields() map[string]string {
	out := i.Work.auditFields()
	out["status"], out["severity"], out["displayName"] = string(i.Status), string(i.Severity), i.Name
	out["description"], out["summary"], out["resolvingComment"] = i.Description, i.Summary, i.ResolvingComment
	out["customTags"] = strings.Join(i.Tags, ", ")
	out["set"] = fmt.Sprint("name ", i.NameSet, ", severity ", i.SeveritySet)
	return out
}

func (w Work) auditFields() map[string]string {
	out := map[string]string{"assignedTo": w.AssignedTo, "classification": w.Classification, "determination": w.Determination}
	out["comments"] = strconv.Itoa(len(w.Comments))
	if n := len(w.Comments); n > 0 {
		out["comment"] = w.Comments[n-1].Text
	}
	return out
}

// Tag changes whenever something that a person can see or edit of the incident does.
func (i *Incident) Tag() string { return tagOf(i.AuditFields(), i.Updated, i.Alerts) }

func tagOf(fields map[string]string, updated time.Time, n int) string {
	b, err := json.Marshal(fields, json.Deterministic(true))
	if err != nil { // texts only: cannot happen
		return ""
	}
	h := fnv.New64a()
	h.Write(b) // never fails
	fmt.Fprint(h, updated.UnixNano(), n)
	return strconv.FormatUint(h.Sum64(), 36)
}
