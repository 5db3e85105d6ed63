package api

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/entity"
	"github.com/onepane/onepane/shared/incident"
)

// evidenceMapper is one evidence on its way to a Graph type. It remembers which of the alert's words found a place there, so
// that the rest can be kept as tags.
//
//	alert.Evidence ──witness──▶ deviceEvidence, ipEvidence, …
//	                   └ what no property took ─▶ tags
type evidenceMapper struct {
	alert.Evidence
	account alert.Account
	base    alertEvidence
	shown   map[string]bool // values that some property shows
}

// alertEvidence are the properties of every alertEvidence.
type alertEvidence struct {
	Type                     string    `json:"@odata.type"`
	CreatedDateTime          Timestamp `json:"createdDateTime"`
	Verdict                  string    `json:"verdict"`
	RemediationStatus        string    `json:"remediationStatus"`
	RemediationStatusDetails Nullable  `json:"remediationStatusDetails"`
	Roles                    []string  `json:"roles"`
	DetailedRoles            []string  `json:"detailedRoles"`
	Tags                     []string  `json:"tags"`
}

// untypedEvidence is evidence of no Graph type of its own: everything it says is in its tags.
type untypedEvidence struct{ alertEvidence }

// evidenceOf shows m's evidence in its order. A machine that is both a cloud resource and a host is shown as both, and a
// cloud resource that a host names is shown once.
func (v View) evidenceOf(m incident.AlertRecord) []any {
	out := []any{}
	shown := map[string]bool{}
	for _, e := range m.Alert.Evidence {
		if e.Kind == entity.Resource {
			shown[strings.ToLower(e.Value)] = true
		}
	}
	for _, e := range m.Alert.Evidence {
		w := v.newEvidenceMapper(m, e)
		out = append(out, w.mapEvidence())
		switch behind := e.Attr(entity.AttrResourceID); {
		case e.Kind == entity.Host && behind != "" && !shown[strings.ToLower(behind)]:
			shown[strings.ToLower(behind)] = true
			r := e
			r.Entity = entity.Entity{Kind: entity.Resource, Value: behind, Name: e.Name}
			r.Entity = r.WithAttr(entity.AttrCloud, e.Attr(entity.AttrCloud))
			out = append(out, v.newEvidenceMapper(m, r).mapEvidence())
		case e.Kind == entity.Resource && hasHost(e):
			out = append(out, v.newEvidenceMapper(m, e).mapDevice())
		}
	}
	return out
}

func hasHost(e alert.Evidence) bool {
	return slices.ContainsFunc(e.Aliases, func(a entity.Alias) bool { return a.Kind == entity.Host })
}

var graphRoles = map[alert.Role]string{alert.Attacker: "attacker", alert.Victim: "attacked", alert.Context: "contextual"}

func (v View) newEvidenceMapper(m incident.AlertRecord, e alert.Evidence) *evidenceMapper {
	b := alertEvidence{
		CreatedDateTime: Timestamp(m.Created), Verdict: verdictEnum.Show(string(e.Verdict), v.AllEnumMembers),
		RemediationStatus: remediationStatusEnum.Show("none", v.AllEnumMembers), Roles: []string{}, DetailedRoles: []string{},
	}
	if r := graphRoles[e.Role]; r != "" {
		b.Roles = []string{r}
	}
	return &evidenceMapper{Evidence: e, account: m.Alert.Account, base: b, shown: map[string]bool{}}
}

// mapEvidence picks the Graph type that fits.
func (w *evidenceMapper) mapEvidence() any {
	switch w.Kind {
	case entity.Host:
		return w.mapDevice()
	case entity.IP:
		return w.mapIP()
	case entity.User:
		return w.mapUser()
	case entity.Resource:
		return w.mapResource()
	case entity.File, entity.FileHash:
		return w.mapFile()
	case entity.Process:
		return w.mapProcess()
	case entity.URL:
		return w.mapURL()
	case entity.Domain:
		return w.mapDomain()
	case entity.Session:
		return w.mapSession()
	case entity.Mailbox:
		return w.mapMailbox()
	case entity.Container:
		return w.mapContainer()
	case entity.Image:
		return w.mapImage()
	case entity.Pod:
		return w.mapPod()
	case entity.Cluster:
		return w.mapCluster()
	case entity.App:
		return w.mapApp()
	case entity.RegistryKey:
		return w.mapRegistryKey()
	}
	return w.mapOther()
}

// mapOther keeps what no Graph type fits.
func (w *evidenceMapper) mapOther() any {
	w.showAttr(entity.AttrKind) // its word names the value's tag
	return untypedEvidence{w.finishBase("alertEvidence")}
}

// showText notes that a property shows value, and returns it.
func (w *evidenceMapper) showText(value string) Nullable {
	w.shown[value] = true
	return Nullable(value)
}

// showAttr shows an attribute in a property.
func (w *evidenceMapper) showAttr(names ...string) Nullable {
	for _, n := range names {
		if v := w.Attr(n); v != "" {
			return w.showText(v)
		}
	}
	return ""
}

// showNumber shows an attribute as an integer, decimal or with 0x; nil when it is none, and then it stays a tag.
func (w *evidenceMapper) showNumber(name string) *int64 {
	n, err := strconv.ParseInt(w.Attr(name), 0, 64)
	if err != nil {
		return nil
	}
	w.showText(w.Attr(name))
	return &n
}

// showAliases lists the other names of a kind.
func (w *evidenceMapper) showAliases(k entity.Kind) []string {
	out := []string{}
	for _, a := range w.Aliases {
		if a.Kind == k {
			out = append(out, a.Value)
			w.showText(a.Value)
		}
	}
	return out
}

// finishBase finishes the base once all properties have been told: what none of them shows becomes tags.
func (w *evidenceMapper) finishBase(graphType string) alertEvidence {
	b := w.base
	b.Type = odataType(graphType)
	b.Tags = []string{}
	tag := func(name, value string) {
		if value != "" && !w.shown[value] {
			b.Tags = append(b.Tags, name+"="+value)
		}
	}
	tag(cmp.Or(w.Attr(entity.AttrKind), string(w.Kind)), w.Value)
	tag("name", w.Name)
	for _, a := range w.Aliases {
		tag("alias."+string(a.Kind), a.Value)
	}
	names := make([]string, 0, len(w.Attributes))
	for n := range w.Attributes {
		names = append(names, n)
	}
	slices.Sort(names)
	for _, n := range names {
		tag(n, w.Attributes[n])
	}
	return b
}

// nestedBase is the base of an evidence inside another.
func (w *evidenceMapper) nestedBase(graphType string) alertEvidence {
	b := w.base
	b.Type, b.Tags = odataType(graphType), []string{}
	return b
}

func odataType(name string) string { return "#microsoft.graph.security." + name }
