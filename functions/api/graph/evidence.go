package graph

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/entity"
	"github.com/onepane/onepane/shared/incident"
)

// evidenceMapper is one evidence on its way to a Graph type. It remembers which of the alert's words found a place
// there, so that the rest can be kept as tags.
//
//	alert.Evidence ──evidenceMapper──▶ deviceEvidence, ipEvidence, …
//	                   └ what no property took ─▶ tags
type evidenceMapper struct {
	alert.Evidence
	account alert.Account
	base    AlertEvidence
	shown   map[string]bool // values that some property shows
}

// AlertEvidence are the properties of every AlertEvidence.
type AlertEvidence struct {
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
type untypedEvidence struct{ AlertEvidence }

// evidenceOf shows m's evidence in its order. A machine that is both a cloud resource and a host is shown as both,
// and a cloud resource that a host names is shown once.
func (v View) evidenceOf(m incident.AlertRecord) []any {
	out := []any{}
	shown := map[string]bool{}
	for _, e := range m.Alert.Evidence {
		if e.Kind == entity.Resource {
			shown[strings.ToLower(e.Value)] = true
		}
	}
	for _, e := range m.Alert.Evidence {
		ev := v.newEvidenceMapper(m, e)
		out = append(out, mapEvidence(ev))
		switch behind := e.Attr(entity.AttrResourceID); {
		case e.Kind == entity.Host && behind != "" && !shown[strings.ToLower(behind)]:
			shown[strings.ToLower(behind)] = true
			r := e
			r.Entity = entity.Entity{Kind: entity.Resource, Value: behind, Name: e.Name}
			r.Entity = r.WithAttr(entity.AttrCloud, e.Attr(entity.AttrCloud))
			out = append(out, mapEvidence(v.newEvidenceMapper(m, r)))
		case e.Kind == entity.Resource && hasHost(e):
			out = append(out, mapDevice(v.newEvidenceMapper(m, e)))
		}
	}
	return out
}

func hasHost(e alert.Evidence) bool {
	return slices.ContainsFunc(e.Aliases, func(a entity.Alias) bool { return a.Kind == entity.Host })
}

var graphRoles = map[alert.Role]string{alert.Attacker: "attacker", alert.Victim: "attacked", alert.Context: "contextual"}

func (v View) newEvidenceMapper(m incident.AlertRecord, e alert.Evidence) *evidenceMapper {
	b := AlertEvidence{
		CreatedDateTime: Timestamp(m.Created), Verdict: verdictEnum.Show(string(e.Verdict), v.AllEnumMembers),
		RemediationStatus: remediationStatusEnum.Show("none", v.AllEnumMembers), Roles: []string{}, DetailedRoles: []string{},
	}
	if r := graphRoles[e.Role]; r != "" {
		b.Roles = []string{r}
	}
	return &evidenceMapper{Evidence: e, account: m.Alert.Account, base: b, shown: map[string]bool{}}
}

// mapEvidence picks the Graph type that fits.
func mapEvidence(ev *evidenceMapper) any {
	switch ev.Kind {
	case entity.Host:
		return mapDevice(ev)
	case entity.IP:
		return mapIP(ev)
	case entity.User:
		return mapUser(ev)
	case entity.Resource:
		return mapResource(ev)
	case entity.File, entity.FileHash:
		return mapFile(ev)
	case entity.Process:
		return mapProcess(ev)
	case entity.URL:
		return mapURL(ev)
	case entity.Domain:
		return mapDomain(ev)
	case entity.Session:
		return mapSession(ev)
	case entity.Mailbox:
		return mapMailbox(ev)
	case entity.Container:
		return mapContainer(ev)
	case entity.Image:
		return mapImage(ev)
	case entity.Pod:
		return mapPod(ev)
	case entity.Cluster:
		return mapCluster(ev)
	case entity.App:
		return mapApp(ev)
	case entity.RegistryKey:
		return mapRegistryKey(ev)
	}
	return mapOther(ev)
}

// mapOther keeps what no Graph type fits.
func mapOther(ev *evidenceMapper) any {
	ev.showAttr(entity.AttrKind) // its word names the value's tag
	return untypedEvidence{ev.finishBase("alertEvidence")}
}

// showText notes that a property shows value, and returns it.
func (ev *evidenceMapper) showText(value string) Nullable {
	ev.shown[value] = true
	return Nullable(value)
}

// showAttr shows an attribute in a property.
func (ev *evidenceMapper) showAttr(names ...string) Nullable {
	for _, n := range names {
		if v := ev.Attr(n); v != "" {
			return ev.showText(v)
		}
	}
	return ""
}

// showNumber shows an attribute as an integer, decimal or with 0x; nil when it is none, and then it stays a tag.
func (ev *evidenceMapper) showNumber(name string) *int64 {
	n, err := strconv.ParseInt(ev.Attr(name), 0, 64)
	if err != nil {
		return nil
	}
	ev.showText(ev.Attr(name))
	return &n
}

// showAliases lists the other names of a kind.
func (ev *evidenceMapper) showAliases(k entity.Kind) []string {
	out := []string{}
	for _, a := range ev.Aliases {
		if a.Kind == k {
			out = append(out, a.Value)
			ev.showText(a.Value)
		}
	}
	return out
}

// finishBase finishes the base once all properties have been told: what none of them shows becomes tags.
func (ev *evidenceMapper) finishBase(graphType string) AlertEvidence {
	b := ev.base
	b.Type = odataType(graphType)
	b.Tags = []string{}
	tag := func(name, value string) {
		if value != "" && !ev.shown[value] {
			b.Tags = append(b.Tags, name+"="+value)
		}
	}
	tag(cmp.Or(ev.Attr(entity.AttrKind), string(ev.Kind)), ev.Value)
	tag("name", ev.Name)
	for _, a := range ev.Aliases {
		tag("alias."+string(a.Kind), a.Value)
	}
	names := make([]string, 0, len(ev.Attributes))
	for n := range ev.Attributes {
		names = append(names, n)
	}
	slices.Sort(names)
	for _, n := range names {
		tag(n, ev.Attributes[n])
	}
	return b
}

// nestedBase is the base of an evidence inside another.
func (ev *evidenceMapper) nestedBase(graphType string) AlertEvidence {
	b := ev.base
	b.Type, b.Tags = odataType(graphType), []string{}
	return b
}

func odataType(name string) string { return "#microsoft.graph.security." + name }
