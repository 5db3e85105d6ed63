package graph

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

// dictionary gathers additionalData: an open dictionary of strings. Empty facts are left out.
type dictionary map[string]string

func (f dictionary) putText(name, value string) {
	if value != "" {
		f[name] = value
	}
}

// putList joins what may be several.
func (f dictionary) putList(name string, values []string) {
	f.putText(name, strings.Join(values, ", "))
}

func (f dictionary) putTime(name string, t time.Time) {
	if !t.IsZero() {
		f.putText(name, t.UTC().Format(timestampLayout))
	}
}

// additionalData is everything about an alert that the Graph has no property for.
func additionalData(m incident.AlertRecord) map[string]string {
	a := m.Alert
	f := dictionary{"@odata.type": "#microsoft.graph.security.dictionary"}
	f.putText("provider", a.Origin.Provider)
	f.putText("originId", a.Origin.ID)
	f.putText("reporter", a.Reporter)
	f.putText("nativeSeverity", a.NativeSeverity)
	f.putText("nativeStatus", a.NativeStatus)
	if a.Status != StatusOf(m) {
		f.putText("providerStatus", string(a.Status))
	}
	if a.Severity == alert.Critical {
		f.putText("severity", string(a.Severity))
	}
	f.putText("providerUrl", a.URL)
	f.putTime("providerUpdated", a.Updated)
	f.putTime("delivered", a.Delivered)
	f.putText("cloud", string(a.Account.Cloud))
	f.putText("accountId", a.Account.ID)
	f.putText("accountName", a.Account.Name)
	f.putText("organization", a.Account.Organization)
	f.putText("region", a.Account.Region)
	f.putText("correlationKey", a.CorrelationKey)
	f.putList("carriedIds", a.CarriedIDs)
	f.putList("members", a.Members)
	f.putText("sightings", sightingsJSON(a))
	f.putList("otherEvidence", otherEvidence(a.Evidence))
	f.putText("reasons", reasonsText(m.Reasons))
	f.putText("foldedInto", m.FoldedInto)
	if a.Count > 0 {
		f.putText("count", strconv.FormatInt(a.Count, 10))
	}
	if a.Sample {
		f.putText("sample", "true")
	}
	f.putUnknownEnums(a)
	for name, value := range a.Extra {
		if _, taken := f[name]; taken {
			name = "extra." + name
		}
		f.putText(name, value)
	}
	return f
}

// putUnknownEnums keeps the words that an enum of the Graph does not have.
func (f dictionary) putUnknownEnums(a alert.Alert) {
	if serviceSourceEnum.Parse(a.GraphService()) == "" {
		f.putText("serviceSource", a.GraphService())
	}
	if detectionSourceEnum.Parse(a.GraphDetection()) == "" {
		f.putText("detectionSource", a.GraphDetection())
	}
}

// StatusOf is where work on the alert stands here.
func StatusOf(m incident.AlertRecord) alert.Status { return cmp.Or(m.Status, m.Alert.Status) }

// sightingsJSON is JSON text: a dictionary of strings has no room for a list of objects.
func sightingsJSON(a alert.Alert) string {
	if len(a.Sightings) == 0 {
		return ""
	}
	b, err := json.Marshal(a.Sightings, Encoding)
	if err != nil { // texts and times only: cannot happen
		return ""
	}
	return string(b)
}

// otherEvidence names the evidence that no Graph type fits.
func otherEvidence(es []alert.Evidence) []string {
	var out []string
	for _, e := range es {
		if e.Kind == entity.Other {
			out = append(out, cmp.Or(e.Attr(entity.AttrKind), string(e.Kind))+"="+e.Value)
		}
	}
	return out
}

// reasonsText says in short text why an alert is in its incident.
func reasonsText(rs []incident.Reason) string {
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
