package replay

import (
	"reflect"
	"time"

	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/attack"
	"github.com/onepane/onepane/shared/entity"
	"github.com/onepane/onepane/shared/incident"
)

// moment is a time in half the room, exact for every year.
type moment struct {
	seconds int64
	nanos   int32
}

func momentOf(t time.Time) moment { return moment{t.Unix(), int32(t.Nanosecond())} }

// time is the moment, in UTC.
func (m moment) time() time.Time { return time.Unix(m.seconds, int64(m.nanos)).UTC() }

// brief is what is left of an alert.
type brief struct {
	incident, folded string
	id, report       string // the detecting product's and the reporter's own
	voice            *voice
	seconds          [3]int64 // first, last and updated, as moments
	nanos            [3]int32
}

func (t *texts) brief(m *incident.AlertRecord) brief {
	a := &m.Alert
	b := brief{
		incident: m.Incident, folded: m.FoldedInto, id: a.Origin.ID, report: a.ReportID,
		voice: t.voice(voice{a.Origin.Provider, a.Reporter, a.Title, a.Class, a.Severity}),
	}
	if b.report == b.id {
		b.report = b.id // one copy
	}
	for i, at := range [3]time.Time{a.First, a.Last, a.Updated} {
		m := momentOf(at)
		b.seconds[i], b.nanos[i] = m.seconds, m.nanos
	}
	return b
}

func (b *brief) member(id string) incident.AlertRecord {
	at := func(i int) time.Time { return moment{b.seconds[i], b.nanos[i]}.time() }
	return incident.AlertRecord{
		Incident: b.incident, FoldedInto: b.folded,
		Alert: alert.Alert{
			ID: id, Origin: alert.Origin{Provider: b.voice.provider, ID: b.id}, Title: b.voice.title, Reporter: b.voice.reporter,
			ReportID: b.report, Class: b.voice.class, Severity: b.voice.severity, First: at(0), Last: at(1), Updated: at(2),
		},
	}
}

// lead is a node that only leads to an alert, as every id of an alert has one.
type lead struct {
	alert       string
	first, last moment
}

func leadOf(n *incident.Node) (lead, bool) {
	l := lead{n.Alert, momentOf(n.First), momentOf(n.Last)}
	plain := n.Alert != "" && n.SameAs == "" && n.Episodes == 0 && n.KnownShare == 0 &&
		len(n.Aliases)+len(n.Activities)+len(n.Targets)+len(n.CoOccurring)+len(n.Fingerprints)+len(n.KindCounts)+len(n.Exposures) == 0
	return l, plain
}

func (l lead) node(key string) incident.Node {
	return incident.Node{Key: key, Alert: l.alert, First: l.first.time(), Last: l.last.time()}
}

// quiet is an incident to which nothing has happened for long: most have one or two alerts, and no person's work.
type quiet struct {
	tenant, name, lead, opener    string
	severity                      alert.Severity
	created, updated, first, last moment
	alerts, assetCount, leadRank  int32
	background                    bool
	tactics                       []attack.Tactic
	products                      []string
	clouds                        []entity.Cloud
	assets                        []incident.Asset
	kinds                         []uint32
	credit                        float64
	clues                         []incident.DeferredLink
}

// quietAfter is for how long nothing has happened to a quiet incident.
const quietAfter = 12 * time.Hour

// quiet shrinks an incident, if nothing of it is lost.
func (t *texts) quiet(i *incident.Incident) (quiet, bool) {
	q := quiet{
		tenant: t.word(i.Tenant), name: t.word(i.Name), lead: t.word(i.GravestTitle), opener: i.Opener, severity: i.Severity,
		created: momentOf(i.Created), updated: momentOf(i.Updated), first: momentOf(i.First), last: momentOf(i.Last),
		alerts: int32(i.Alerts), assetCount: int32(i.AssetCount), leadRank: int32(i.GravestRank), background: i.Noise,
		tactics: i.Tactics, products: i.Products, clouds: i.Clouds, assets: i.Assets, kinds: i.Kinds, credit: i.Suspicion, clues: i.DeferredLinks,
	}
	return q, reflect.DeepEqual(*i, q.incident(i.ID))
}

func (q *quiet) incident(id string) incident.Incident {
	return incident.Incident{
		ID: id, Tenant: q.tenant, Name: q.name, GravestTitle: q.lead, Opener: q.opener, Severity: q.severity, Status: incident.Active,
		Created: q.created.time(), Updated: q.updated.time(), First: q.first.time(), Last: q.last.time(),
		Alerts: int(q.alerts), AssetCount: int(q.assetCount), GravestRank: int(q.leadRank), Noise: q.background,
		Tactics: q.tactics, Products: q.products, Clouds: q.clouds, Assets: q.assets, Kinds: q.kinds, Suspicion: q.credit, DeferredLinks: q.clues,
	}
}
