package correlation

import (
	"fmt"
	"testing"
	"time"

	"github.com/onepane/onepane/shared/correlation/score"
	"github.com/onepane/onepane/shared/incident"
)

// assessAlert resolves an alert and assesses it as one that is new, without deciding.
func (w *world) assessAlert(id string, minute float64, kind string, evidence ...string) *arrival {
	a := w.e.resolveReport(NewReport(alertFrom(id, minute, kind, evidence...)))
	w.e.assessSuspicion(a)
	return a
}

// What fires on a thing all day, and what everything touches, is likely by chance; what was never seen is not.
func TestHistoryOfKindsAndEntities(t *testing.T) {
	w := newWorld(t)
	for i := range 60 { // a drip on one host, and an address that every kind of alert has
		w.applyAlert(alertFrom(fmt.Sprint("drip-", i), float64(30*i), "av update", "host=web-03"))
		w.applyAlert(alertFrom(fmt.Sprint("nat-", i), float64(30*i+7), fmt.Sprint("kind-", i), "ip=198.51.100.1", fmt.Sprintf("host=pc-%d", i)))
	}
	baseRate := func(kind, entity string) float64 {
		a := w.assessAlert("x-"+kind, 1800, kind, entity)
		return w.e.params.BaseRate(w.e.observeEpisodes(a, &a.entities[0], nil))
	}
	if drip, rare := baseRate("av update", "host=web-03"), baseRate("never seen", "host=web-03"); drip < 50*rare {
		t.Errorf("a drip is %v, a new kind on the same host %v: want the drip far likelier", drip, rare)
	}
	if shared, own := baseRate("never seen", "ip=198.51.100.1"), baseRate("never seen", "ip=203.0.113.9"); shared < 20*own {
		t.Errorf("a shared address is %v, a new one %v: want the shared one far likelier", shared, own)
	}
	seen, fresh := w.assessAlert("x-1", 1800, "av update", "host=web-03"), w.assessAlert("x-2", 1800, "never seen", "host=web-03")
	often, once := w.e.params.Novelty(w.e.observeEpisodes(seen, &seen.entities[0], nil)), w.e.params.Novelty(w.e.observeEpisodes(fresh, &fresh.entities[0], nil))
	if once != 1 || often > 0.1 {
		t.Errorf("the novelty of a kind seen 60 times is %v, of a new one %v", often, once)
	}
}

// An alert that names many people says little of each.
func TestManyShareWhatAnAlertSays(t *testing.T) {
	suspicion := func(people ...string) float64 {
		return newWorld(t).assessAlert("x-0001", 0, "spray", people...).entities[0].suspicion
	}
	one := suspicion("user=a@contoso.example")
	if many := suspicion("user=a@contoso.example", "user=b@contoso.example", "user=c@contoso.example", "user=d@contoso.example"); many > one*0.6 {
		t.Errorf("each of four gets %v, one alone %v: want about half", many, one)
	}
}

// signIns is a tenant whose people sign in from the office all day.
func signIns(t *testing.T) *world {
	w := newWorld(t)
	for i := range 40 {
		w.applyAlert(alertFrom(fmt.Sprint("s-", i), float64(60*i), "sign-in", fmt.Sprintf("user=u%d@contoso.example", i%9), "ip=198.51.100.1"))
	}
	return w
}

// What usually comes from the office is far rarer from an address never heard of.
func TestNovelIndicatorsAreRarer(t *testing.T) {
	w := signIns(t)
	baseRate := func(id, address string) float64 {
		a := w.assessAlert(id, 2500, "sign-in", "user=u1@contoso.example", address)
		return w.e.params.BaseRate(w.e.observeEpisodes(a, &a.entities[0], nil))
	}
	if usual, novel := baseRate("x-0001", "ip=198.51.100.1"), baseRate("x-0002", "ip=203.0.113.9"); novel > usual/10 {
		t.Errorf("from a new address %v, from the office %v: want the new one far rarer", novel, usual)
	}
}

// Two things at one moment on a machine belong together; on an address that everyone has, or to one of many who were
// named, they need not.
func TestCoincidence(t *testing.T) {
	w := signIns(t)
	a := w.assessAlert("x-0001", 2500, "sign-in", "user=u1@contoso.example", "ip=198.51.100.1", "host=srv-1")
	rate := func(i int, dilution float64) float64 {
		o := w.e.observeEpisodes(a, &a.entities[i], nil)
		return w.e.params.Rates(score.Link{Observed: o, KnownOnly: a.knownOnly, Dilution: dilution, Gap: time.Second}).Coincidence
	}
	user, address, machine := rate(0, 0), rate(1, 0), rate(2, 0)
	if address > machine/10 || user > machine/10 {
		t.Errorf("user %v, address %v, machine %v: want the machine's far larger", user, address, machine)
	}
	if one := rate(2, 0.75); one > machine/3 {
		t.Errorf("one of many has %v, the only one %v", one, machine)
	}
}

// What an incident brought before it was merged is the survivor's own, and does not count against it.
func TestOwnEpisodesThroughMerges(t *testing.T) {
	w := newWorld(t)
	a := w.assessAlert("x-0001", 0, "k", "host=web-03")
	n := w.e.nodes.Edit("host:web-03")
	n.Episodes = 3
	n.KindCounts = []incident.KindCount{{Kind: a.kind, Episodes: 3, Streak: 3, Incident: "2"}}
	a.history.ofKind = 3
	survivor := &incident.Incident{ID: "1", Merged: []string{"2"}}
	w.e.incidents.Change("1", survivor)
	w.e.incidents.Change("2", &incident.Incident{ID: "2", RedirectTo: "1", Status: incident.Redirected})
	if o := w.e.observeEpisodes(a, &a.entities[0], survivor); o.OfBoth != 0 || o.OfKind != 0 {
		t.Errorf("its own episodes count against it: %+v", o)
	}
	if o := w.e.observeEpisodes(a, &a.entities[0], nil); o.OfBoth != 3 || o.OfKind != 3 {
		t.Errorf("the episodes do not count for others: %+v", o)
	}
}
