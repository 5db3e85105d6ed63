package replay

import (
	"reflect"
	"time"

	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/attack"
	"github.com/onepane/onepane/shared/entity"
	"github.com/onepane/onepane/shared/incident"
)

// compactTime is a time without its location, exact for every year.
type compactTime struct {
	seconds int64
	nanos   int32
}

func compactTimeOf(t time.Time) compactTime { return compactTime{t.Unix(), int32(t.Nanosecond())} }

// toTime is the time, in UTC.
func (m compactTime) toTime() time.Time { return time.Unix(m.seconds, int64(m.nanos)).UTC() }

// compactAlert is what is kept of an alert: what folds and the result ask for.
type compactAlert struct {
	incident, foldedInto string
	id, report           string // the detecting product's and the reporter's own
	common               *sharedFields
	seconds              [3]int64 // first, last and updated, as times
	nanos                [3]int32
}

func (t *textPool) compactAlertOf(m *incident.AlertRecord) compactAlert {
	a := &m.Alert
	b := compactAlert{
		incident: m.Incident, foldedInto: m.FoldedInto, id: a.Origin.ID, report: a.ReportID,
		common: t.poolFields(sharedFields{a.Origin.Provider, a.Reporter, a.Title, a.Class, a.Severity}),
	}
	if b.report == b.id {
		b.report = b.id // one copy
	}
	for i, at := range [3]time.Time{a.First, a.Last, a.Updated} {
		m := compactTimeOf(at)
		b.seconds[i], b.nanos[i] = m.seconds, m.nanos
	}
	return b
}

func (b *compactAlert) alertRecord(id string) incident.AlertRecord {
	at := func(i int) time.Time { return compactTime{b.seconds[i], b.nanos[i]}.toTime() }
	return incident.AlertRecord{
		Incident: b.incident, FoldedInto: b.foldedInto,
		Alert: alert.Alert{
			ID: id, Origin: alert.Origin{Provider: b.common.provider, ID: b.id}, Title: b.common.title, Reporter: b.common.reporter,
			ReportID: b.report, Class: b.common.class, Severity: b.common.severity, First: at(0), Last: at(1), Updated: at(2),
		},
	}
}

// idNode is a node that only leads to an alert, as every id of an alert has one.
type idNode struct {
	alert       string
	first, last compactTime
}

func idNodeOf(n *incident.Node) (idNode, bool) {
	l := idNode{n.Alert, compactTimeOf(n.First), compactTimeOf(n.Last)}
	isIDNode := n.Alert != "" && n.SameAs == "" && n.Episodes == 0 && n.KnownShare == 0 &&
		len(n.Aliases)+len(n.Activities)+len(n.Targets)+len(n.CoOccurring)+len(n.Fingerprints)+len(n.KindCounts)+len(n.Exposures) == 0
	return l, isIDNode
}

func (l idNode) expandNode(key string) incident.Node {
	return incident.Node{Key: key, Alert: l.alert, First: l.first.toTime(), Last: l.last.toTime()}
}

// compactIncident is an incident to which nothing has happened for long: most have one or two alerts, and no person's
// work.
type compactIncident struct {
	tenant, name, gravestTitle, opener string
	severity                           alert.Severity
	created, updated, first, last      compactTime
	alerts, assetCount, gravestRank    int32
	noise                              bool
	tactics                            []attack.Tactic
	products                           []string
	clouds                             []entity.Cloud
	assets                             []incident.Asset
	kinds                              []uint32
	suspicion                          float64
	deferredLinks                      []incident.DeferredLink
}

// compactAfter is for how long nothing has happened to a quiet incident.
const compactAfter = 12 * time.Hour

// compactIncidentOf shrinks an incident, if nothing of it is lost.
func (t *textPool) compactIncidentOf(i *incident.Incident) (compactIncident, bool) {
	q := compactIncident{
		tenant: t.poolWord(i.Tenant), name: t.poolWord(i.Name), gravestTitle: t.poolWord(i.GravestTitle), opener: i.Opener, severity: i.Severity,
		created: compactTimeOf(i.Created), updated: compactTimeOf(i.Updated), first: compactTimeOf(i.First), last: compactTimeOf(i.Last),
		alerts: int32(i.Alerts), assetCount: int32(i.AssetCount), gravestRank: int32(i.GravestRank), noise: i.Noise,
		tactics: i.Tactics, products: i.Products, clouds: i.Clouds, assets: i.Assets, kinds: i.Kinds, suspicion: i.Suspicion, deferredLinks: i.DeferredLinks,
	}
	return q, reflect.DeepEqual(*i, q.expandIncident(i.ID))
}

func (q *compactIncident) expandIncident(id string) incident.Incident {
	return incident.Incident{
		ID: id, Tenant: q.tenant, Name: q.name, GravestTitle: q.gravestTitle, Opener: q.opener, Severity: q.severity, Status: incident.Active,
		Created: q.created.toTime(), Updated: q.updated.toTime(), First: q.first.toTime(), Last: q.last.toTime(),
		Alerts: int(q.alerts), AssetCount: int(q.assetCount), GravestRank: int(q.gravestRank), Noise: q.noise,
		Tactics: q.tactics, Products: q.products, Clouds: q.clouds, Assets: q.assets, Kinds: q.kinds, Suspicion: q.suspicion, DeferredLinks: q.deferredLinks,
	}
}
