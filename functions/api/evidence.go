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

// witness is one evidence on its way to a Graph type. It remembers which of the alert's words found a place there, so
// that the rest can be kept as tags.
//
//	alert.Evidence ──witness──▶ deviceEvidence, ipEvidence, …
//	                   └ what no property took ─▶ tags
type witness struct {
	alert.Evidence
	account alert.Account
	base    base
	told    map[string]bool // values that some property shows
}

// base are the properties of every alertEvidence.
type base struct {
	Type                     string   `json:"@odata.type"`
	CreatedDateTime          stamp    `json:"createdDateTime"`
	Verdict                  string   `json:"verdict"`
	RemediationStatus        string   `json:"remediationStatus"`
	RemediationStatusDetails nullable `json:"remediationStatusDetails"`
	Roles                    []string `json:"roles"`
	DetailedRoles            []string `json:"detailedRoles"`
	Tags                     []string `json:"tags"`
}

// bare is evidence of no Graph type of its own: everything it says is in its tags.
type bare struct{ base }

// evidence shows m's evidence in its order. A machine that is both a cloud resource and a host is shown as both, and a
// cloud resource that a host names is shown once.
func (v view) evidence(m incident.AlertRecord) []any {
	out := []any{}
	shown := map[string]bool{}
	for _, e := range m.Alert.Evidence {
		if e.Kind == entity.Resource {
			shown[strings.ToLower(e.Value)] = true
		}
	}
	for _, e := range m.Alert.Evidence {
		w := v.witness(m, e)
		out = append(out, w.shape())
		switch behind := e.Attr(entity.AttrResourceID); {
		case e.Kind == entity.Host && behind != "" && !shown[strings.ToLower(behind)]:
			shown[strings.ToLower(behind)] = true
			r := e
			r.Entity = entity.Entity{Kind: entity.Resource, Value: behind, Name: e.Name}
			r.Entity = r.With(entity.AttrCloud, e.Attr(entity.AttrCloud))
			out = append(out, v.witness(m, r).shape())
		case e.Kind == entity.Resource && hasHost(e):
			out = append(out, v.witness(m, e).device())
		}
	}
	return out
}

func hasHost(e alert.Evidence) bool {
	return slices.ContainsFunc(e.Aliases, func(a entity.Alias) bool { return a.Kind == entity.Host })
}

var graphRoles = map[alert.Role]string{alert.Attacker: "attacker", alert.Victim: "attacked", alert.Context: "contextual"}

func (v view) witness(m incident.AlertRecord, e alert.Evidence) *witness {
	b := base{
		CreatedDateTime: stamp(m.Created), Verdict: verdictEnum.Show(string(e.Verdict), v.allMembers),
		RemediationStatus: remediationStatusEnum.Show("none", v.allMembers), Roles: []string{}, DetailedRoles: []string{},
	}
	if r := graphRoles[e.Role]; r != "" {
		b.Roles = []string{r}
	}
	return &witness{Evidence: e, account: m.Alert.Account, base: b, told: map[string]bool{}}
}

// shape picks the Graph type that fits.
func (w *witness) shape() any {
	switch w.Kind {
	case entity.Host:
		return w.device()
	case entity.IP:
		return w.ip()
	case entity.User:
		return w.user()
	case entity.Resource:
		return w.resource()
	case entity.File, entity.FileHash:
		return w.file()
	case entity.Process:
		return w.process()
	case entity.URL:
		return w.url()
	case entity.Domain:
		return w.domain()
	case entity.Session:
		return w.session()
	case entity.Mailbox:
		return w.mailbox()
	case entity.Container:
		return w.container()
	case entity.Image:
		return w.image()
	case entity.Pod:
		return w.pod()
	case entity.Cluster:
		return w.cluster()
	case entity.App:
		return w.app()
	case entity.RegistryKey:
		return w.registryKey()
	}
	return w.other()
}

// other keeps what no Graph type fits.
func (w *witness) other() any {
	w.attr(entity.AttrKind) // its word names the value's tag
	return bare{w.as("alertEvidence")}
}

// tell notes that a property shows value, and returns it.
func (w *witness) tell(value string) nullable {
	w.told[value] = true
	return nullable(value)
}

// attr shows an attribute in a property.
func (w *witness) attr(names ...string) nullable {
	for _, n := range names {
		if v := w.Attr(n); v != "" {
			return w.tell(v)
		}
	}
	return ""
}

// number shows an attribute as an integer, decimal or with 0x; nil when it is none, and then it stays a tag.
func (w *witness) number(name string) *int64 {
	n, err := strconv.ParseInt(w.Attr(name), 0, 64)
	if err != nil {
		return nil
	}
	w.tell(w.Attr(name))
	return &n
}

// aliases lists the other names of a kind.
func (w *witness) aliases(k entity.Kind) []string {
	out := []string{}
	for _, a := range w.Aliases {
		if a.Kind == k {
			out = append(out, a.Value)
			w.tell(a.Value)
		}
	}
	return out
}

// as finishes the base once all properties have been told: what none of them shows becomes tags.
func (w *witness) as(graphType string) base {
	b := w.base
	b.Type = odataType(graphType)
	b.Tags = []string{}
	tag := func(name, value string) {
		if value != "" && !w.told[value] {
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

// inner is the base of an evidence inside another.
func (w *witness) inner(graphType string) base {
	b := w.base
	b.Type, b.Tags = odataType(graphType), []string{}
	return b
}

func odataType(name string) string { return "#microsoft.graph.security." + name }
