package correlation

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/onepane/onepane/shared/correlation/resolve"
	"github.com/onepane/onepane/shared/correlation/score"
	"github.com/onepane/onepane/shared/incident"
)

// arrival is a report with its evidence resolved: what a decision looks at.
type arrival struct {
	*Report
	entities []involved
	// novel says that it names an indicator (a file, a domain, a public address) that the tenant has hardly heard of;
	// knownOnly that it names indicators, none of them novel.
	novel, knownOnly bool

	history   history
	suspicion float64 // how much it looks like part of an attack, 0 to 1
}

// involved is one entity of an alert, under the key by which the tenant knows it.
type involved struct {
	key       string
	display   string // as the alert names it
	class     string // of the key
	sort      score.Sort
	worth     float64 // what sharing it says, before time, 0 to 1
	suspicion float64 // how much the alert looks like part of an attack, as far as the entity may vouch for it
	began     bool    // an episode of the alert's kind began here
	evidence  int     // index into the alert's evidence
}

// resolveReport finds which entities a report's evidence names, learning aliases on the way.
func (m *memory) resolveReport(r *Report) *arrival {
	a := &arrival{Report: r, entities: make([]involved, 0, len(r.names))}
	m.nodes.LearnIntroductions(r.Alert.Evidence, r.names, r.Alert.First)
	for i, names := range r.names {
		if len(names) == 0 {
			continue
		}
		evidence := &r.Alert.Evidence[i]
		key, weak := m.nodes.EntityKey(evidence.Kind, names, r.Alert.First)
		if slices.ContainsFunc(a.entities, func(had involved) bool { return had.key == key }) {
			continue
		}
		v := involved{key: key, display: cmp.Or(evidence.Name, evidence.Value), evidence: i}
		class, value, _ := strings.Cut(key, ":")
		sort, linkLocal := sortOf(class, value)
		v.class, v.sort = class, sort
		coOccurring := 0
		if n := m.nodes.Get(key); n != nil {
			coOccurring = len(n.CoOccurring)
		}
		v.worth = m.params.Worth(score.Entity{
			Class: class, Role: string(evidence.Role), Weak: weak, Everywhere: resolve.IsEverywhere(key),
			LinkLocal: linkLocal, Sort: sort, CoOccurring: coOccurring,
		})
		a.entities = append(a.entities, v)
	}
	a.novel = slices.ContainsFunc(a.entities, func(v involved) bool { return v.sort.IsIndicator() && m.isNovel(v.key, r.Alert.First) })
	a.knownOnly = !a.novel && slices.ContainsFunc(a.entities, func(v involved) bool { return v.sort.IsIndicator() })
	return a
}

// sortOf is what matters of an entity to a rate; linkLocal says that it is an address that means something on one wire
// only.
func sortOf(class, value string) (sort score.Sort, linkLocal bool) {
	switch class {
	case "machine", "host", "container", "pod":
		return score.Machine, false
	case "user", "mailbox":
		return score.Person, false
	case "file", "domain", "url", "session":
		return score.Indicator, false
	case "ip":
		a, err := netip.ParseAddr(value)
		if err == nil && !a.IsPrivate() && !a.IsLinkLocalUnicast() && !a.IsLoopback() {
			return score.PublicAddress, false
		}
		return score.PrivateAddress, err == nil && a.IsLinkLocalUnicast()
	}
	return score.Thing, false
}

// isNovel reports whether an indicator was hardly heard of before.
func (m *memory) isNovel(key string, at time.Time) bool {
	n := m.nodes.Get(key)
	return n == nil || n.Episodes <= m.params.NovelEpisodes && incident.Gap(at, n.First, n.First) <= m.params.NovelWithin
}

// primaryEntity is what an alert is about: the machine, or else what is worth most; nil when it names nothing.
func (a *arrival) primaryEntity() *involved {
	var best *involved
	for i := range a.entities {
		v := &a.entities[i]
		if best == nil || v.sort == score.Machine && best.sort != score.Machine ||
			(v.sort == score.Machine) == (best.sort == score.Machine) && v.worth > best.worth {
			best = v
		}
	}
	return best
}

// shareOf is how much of what the alert says concerns each of its entities of a class, 0 to 1.
func (a *arrival) shareOf(class string, p *Params) float64 {
	n := 0
	for i := range a.entities {
		if a.entities[i].class == class {
			n++
		}
	}
	return p.ShareOf(n)
}

// beginEpisodes makes an alert count, wherever a person puts it, like the first of its kind there.
func (a *arrival) beginEpisodes() {
	for i := range a.entities {
		a.entities[i].began = true
	}
}

// involvedEntities is what an incident's summary is made from.
func (m *memory) involvedEntities(a *arrival) []incident.Involved {
	out := make([]incident.Involved, len(a.entities))
	for i := range a.entities {
		v := &a.entities[i]
		out[i] = incident.Involved{Key: v.key, Evidence: &a.Alert.Evidence[v.evidence]}
		if n := m.nodes.Get(v.key); n != nil {
			out[i].Exposures = n.Exposures
		}
	}
	return out
}
