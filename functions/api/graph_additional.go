package api

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/entity"
	"github.com/onepane/onepane/shared/incident"
)

// facts gathers additionalData: an open dictionary of strings. Empty facts are left out.
type facts map[string]string

func (f facts) put(name, value string) {
	if value != "" {
		f[name] = value
	}
}

// list joins what may be several.
func (f facts) list(name string, values []string) { f.put(name, strings.Join(values, ", ")) }

func (f facts) time(name string, t time.Time) {
	if !t.IsZero() {
		f.put(name, t.UTC().Format(stampLayout))
	}
}

// additionalData is everything about an alert that the Graph has no property for.
func additionalData(m incident.AlertRecord) map[string]string {
	a := m.Alert
	f := facts{"@odata.type": "#microsoft.graph.security.dictionary"}
	f.put("provider", a.Origin.Provider)
	f.put("originId", a.Origin.ID)
	f.put("reporter", a.Reporter)
	f.put("nativeSeverity", a.NativeSeverity)
	f.put("nativeStatus", a.NativeStatus)
	if a.Status != statusOf(m) {
		f.put("providerStatus", string(a.Status))
	}
	if a.Severity == alert.Critical {
		f.put("severity", string(a.Severity))
	}
	f.put("providerUrl", a.URL)
	f.time("providerUpdated", a.Updated)
	f.time("delivered", a.Delivered)
	f.put("cloud", string(a.Account.Cloud))
	f.put("accountId", a.Account.ID)
	f.put("accountName", a.Account.Name)
	f.put("organization", a.Account.Organization)
	f.put("region", a.Account.Region)
	f.put("correlationKey", a.CorrelationKey)
	f.list("carriedIds", a.CarriedIDs)
	f.list("members", a.Members)
	f.put("sightings", sightings(a))
	f.list("otherEvidence", others(a.Evidence))
	f.put("reasons", reasons(m.Reasons))
	f.put("foldedInto", m.FoldedInto)
	if a.Count > 0 {
		f.put("count", strconv.FormatInt(a.Count, 10))
	}
	if a.Sample {
		f.put("sample", "true")
	}
	f.unshown(a)
	for name, value := range a.Extra {
		if _, taken := f[name]; taken {
			name = "extra." + name
		}
		f.put(name, value)
	}
	return f
}

// unshown keeps the words that an enum of the Graph does not have.
func (f facts) unshown(a alert.Alert) {
	if serviceSourceEnum.Parse(a.GraphService()) == "" {
		f.put("serviceSource", a.GraphService())
	}
	if detectionSourceEnum.Parse(a.GraphDetection()) == "" {
		f.put("detectionSource", a.GraphDetection())
	}
}

// statusOf is where work on the alert stands here.
func statusOf(m incident.AlertRecord) alert.Status { return cmp.Or(m.Status, m.Alert.Status) }

// sightings is JSON text: a dictionary of strings has no room for a list of objects.
func sightings(a alert.Alert) string {
	if len(a.Sightings) == 0 {
		return ""
	}
	b, err := json.Marshal(a.Sightings, encoding)
	if err != nil { // texts and times only: cannot happen
		return ""
	}
	return string(b)
}

// others names the evidence that no Graph type fits.
func others(es []alert.Evidence) []string {
	var out []string
	for _, e := range es {
		if e.Kind == entity.Other {
			out = append(out, cmp.Or(e.Attr(entity.AttrKind), string(e.Kind))+"="+e.Value)
		}
	}
	return out
}

// reasons says in short text why an alert is in its incident.
func reasons(rs []incident.Reason) string {
	out := make([]string, len(rs))
	for i, r := range rs {
		out[i] = r.Rule
		if what := cmp.Or(r.Name, r.Entity); what != "" {
			out[i] += " " + what
		}
		if r.Alert != "" {
			out[i] += " with " + r.Alert
		}
		out[i] += fmt.Sprintf(" (weight %.2f, gap %s)", r.Weight, r.Gap.Round(time.Second))
	}
	return strings.Join(out, "; ")
}
