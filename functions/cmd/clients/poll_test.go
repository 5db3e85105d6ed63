package clients

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// elastic polls as Elastic's m365_defender integration does (packages/m365_defender, data stream incident): batches by
// $skip until one is not full, from the last item's lastUpdateDateTime on.
type elastic struct {
	s      *stage
	batch  int
	op     string // ge, as it ships; gt, as newer ones may
	links  bool   // follows @odata.nextLink instead, as the Graph's documents ask
	cursor string
	latest map[string]string // what each incident was when it was last seen
}

func newElastic(s *stage, batch int, op string) *elastic {
	return &elastic{s: s, batch: batch, op: op, cursor: stamp(time.Now().Add(-24 * time.Hour)), latest: map[string]string{}}
}

// poll reads what has changed since the last poll, in the order it came.
func (e *elastic) poll() (seen []string) {
	e.s.t.Helper()
	filter := "lastUpdateDateTime " + e.op + " " + e.cursor
	address := func(skip int) string {
		return incidents + "?" + url.Values{
			"$expand": {"alerts"}, "$filter": {filter}, "$orderby": {"lastUpdateDateTime asc"}, "$skip": {strconv.Itoa(skip)}, "$top": {strconv.Itoa(e.batch)},
		}.Encode()
	}
	for next, skip := address(0), 0; next != ""; {
		p := e.s.list(next)
		for _, i := range p.Value {
			e.latest[i.ID], e.cursor = i.String(), i.Updated
			seen = append(seen, i.ID)
		}
		skip += e.batch
		switch {
		case e.links:
			next = p.Next
		case len(p.Value) == e.batch:
			next = address(skip)
		default:
			next = ""
		}
	}
	return seen
}

// String is all that an incident says, for comparing.
func (i item) String() string {
	var members []string
	for _, a := range i.Alerts {
		members = append(members, a.ID+" "+a.Status+" "+a.Updated)
	}
	slices.Sort(members)
	to := ""
	if i.Redirect != nil {
		to = *i.Redirect
	}
	return fmt.Sprintf("%s to %q at %s: %s", i.Status, to, i.Updated, strings.Join(members, ", "))
}

// truth is every incident as it is now.
func (s *stage) truth() map[string]string {
	s.t.Helper()
	out := map[string]string{}
	for _, i := range s.pages(incidents + "?$expand=alerts") {
		out[i.ID] = i.String()
	}
	return out
}

// event is an alert about a machine of its own, from which an incident of its own follows.
func event(id, host string) []byte {
	return fmt.Appendf(nil, `{"id":%q,"time":%q,"source":"acme.edr","type":"Dump-%s","title":"Memory was read on %s","severity":"high","tactics":["CredentialAccess"],"entities":[{"kind":"host","value":"%s.contoso.example"}]}`,
		id, stamp(time.Now()), host, host, host)
}

// incidentOf delivers an alert and tells which incident it joined.
func (s *stage) incidentOf(id, host string) string {
	s.t.Helper()
	return s.deliver("webhook", event(id, host)).Accepted[0].IncidentID
}

// write sends what must be done.
func (s *stage) write(method, path, body string) {
	s.t.Helper()
	if status, answer := s.ask(method, path, []byte(body)); status != http.StatusOK {
		s.t.Fatalf("%s %s: %d\n%s", method, path, status, answer)
	}
}

// TestElasticSeesEveryChange: each poll brings exactly what has changed since the poll before, with ge the last one
// seen besides, as the filter says.
func TestElasticSeesEveryChange(t *testing.T) {
	s := open(t)
	pollers := []*elastic{newElastic(s, 50, "ge"), newElastic(s, 50, "gt"), newElastic(s, 2, "ge"), newElastic(s, 2, "gt")}
	var web, db, app string
	for _, step := range []struct {
		name string
		do   func()
	}{
		{"three incidents", func() {
			web, db, app = s.incidentOf("a1", "web-01"), s.incidentOf("a2", "db-01"), s.incidentOf("a3", "app-01")
		}},
		{"nothing", func() {}},
		{"an alert joins the oldest", func() {
			if got := s.incidentOf("a4", "web-01"); got != web {
				t.Fatalf("a4 is in %s, not in %s: the test needs another story", got, web)
			}
		}},
		{"a comment", func() { s.write("POST", incidents+"/"+db+"/comments", `{"comment":"Looking at it."}`) }},
		{"an alert is edited", func() {
			s.write("PATCH", alerts+"/"+s.pages(incidents + "/" + app + "/alerts")[0].ID, `{"status":"inProgress"}`)
		}},
		{"an incident is assigned", func() { s.write("PATCH", incidents+"/"+db, `{"assignedTo":"dora@contoso.example"}`) }},
		{"two are merged", func() {
			s.write("PATCH", incidents+"/"+db, `{"assignedTo":null}`)
			s.write("POST", "/api/v1/incidents/"+web+"/merge", `{"incidentIds":["`+app+`"]}`)
		}},
		{"an alert joins what was merged", func() { s.incidentOf("a5", "app-01") }},
		{"a resolved one", func() { s.write("PATCH", incidents+"/"+db, `{"status":"resolved"}`) }},
		{"more than a batch", func() {
			for n := range 55 {
				s.incidentOf(fmt.Sprint("b", n), fmt.Sprint("host-", n))
			}
		}},
	} {
		before := s.truth()
		step.do()
		after := s.truth()
		var changed []string
		for id, is := range after {
			if before[id] != is {
				changed = append(changed, id)
			}
		}
		slices.Sort(changed)
		for _, p := range pollers {
			last := p.cursor
			seen := p.poll()
			if p.op == "ge" { // the one at the cursor comes again
				seen = slices.DeleteFunc(seen, func(id string) bool {
					return strings.Contains(before[id], " at "+last+":") && !slices.Contains(changed, id)
				})
			}
			if slices.Sort(seen); !slices.Equal(seen, changed) {
				t.Errorf("%s, %s by %d: came %v, changed were %v", step.name, p.op, p.batch, seen, changed)
			}
			if !maps.Equal(p.latest, after) {
				t.Errorf("%s, %s by %d: it knows\n%s\nand there is\n%s", step.name, p.op, p.batch, shown(p.latest), shown(after))
			}
		}
	}
	target, source := s.state(web), s.state(app)
	if target.Status == "redirected" {
		target, source = source, target
	}
	if source.Status != "redirected" || source.Redirect == nil || *source.Redirect != target.ID || target.Redirect != nil {
		t.Errorf("after the merge: %+v and %+v", source, target)
	}
}

// shown is incidents as text, by id.
func shown(all map[string]string) string {
	var lines []string
	for _, id := range slices.Sorted(maps.Keys(all)) {
		lines = append(lines, id+" "+all[id])
	}
	return strings.Join(lines, "\n")
}

// state is one incident.
func (s *stage) state(id string) item {
	s.t.Helper()
	for _, i := range s.pages(incidents + "?$expand=alerts") {
		if i.ID == id {
			return i
		}
	}
	s.t.Fatalf("no incident %s", id)
	return item{}
}

// TestNothingIsSkippedBetweenPolls polls without a pause while alerts arrive, incidents grow and merge, and people work
// on them: when it is quiet, every poller knows everything as it is.
func TestNothingIsSkippedBetweenPolls(t *testing.T) {
	s := open(t, "ONEPANE_REQUESTS_PER_MINUTE=0")
	pollers := []*elastic{newElastic(s, 50, "ge"), newElastic(s, 50, "gt"), newElastic(s, 7, "gt")}
	for _, p := range pollers {
		p.links = true // by $skip, of more than a page what changes in between moves another over the border: the client's weakness
	}
	w := &wazuh{s: s, from: time.Now().Add(-time.Hour), seen: map[string]int{}}
	teams := []string{"north", "south", "west"}
	done := make(chan error, len(teams))
	for _, team := range teams {
		go func() { done <- bustle(s, team) }()
	}
	for busy := len(teams); busy > 0; {
		for _, p := range pollers {
			p.poll()
		}
		w.poll(time.Now().Add(-delay))
		select {
		case err := <-done:
			if busy--; err != nil {
				t.Fatal(err)
			}
		default:
		}
	}
	truth := s.truth()
	for _, p := range pollers {
		p.poll()
		for id, is := range truth {
			if p.latest[id] != is {
				t.Errorf("%s by %d, links %v: incident %s is known as %q, and is %q", p.op, p.batch, p.links, id, p.latest[id], is)
			}
		}
	}
	w.poll(time.Now().Add(time.Minute))
	for _, a := range s.pages(alerts + "?$top=1000") {
		if w.seen[a.ID] != 1 {
			t.Errorf("Wazuh saw alert %s of %s %d times", a.ID, a.Created, w.seen[a.ID])
		}
	}
}

// bustle is a team's busy quarter of an hour in short: 320 alerts on 80 machines, of whose incidents some are edited
// and some merged.
func bustle(s *stage, team string) error {
	const machines = 80
	of := make([]string, machines)
	for n := range 4 * machines {
		m := n % machines
		r, err := s.tryDeliver("webhook", event(fmt.Sprint(team, n), fmt.Sprint(team, "-", m)))
		if err != nil {
			return err
		}
		of[m] = r.Accepted[0].IncidentID
		method, path, body := "PATCH", incidents+"/"+of[m], fmt.Sprintf(`{"customTags":["t%d"]}`, n)
		switch {
		case n < machines || n%5 != 0 && n%7 != 0:
			continue
		case n%7 == 0 && m > 0 && of[m-1] != of[m]:
			method, path, body = "POST", "/api/v1/incidents/"+of[m]+"/merge", `{"incidentIds":["`+of[m-1]+`"],"comment":"The same attack."}`
		}
		if status, answer, err := s.try(method, path, []byte(body)); err != nil || status != http.StatusOK {
			return fmt.Errorf("%s %s: %d %v\n%s", method, path, status, err, answer)
		}
	}
	return nil
}

// wazuh polls as Wazuh's ms-graph module does: windows of createdDateTime that follow each other, to some time ago, the
// links of each to their end.
type wazuh struct {
	s    *stage
	from time.Time
	seen map[string]int
}

// delay is how long ago a window ends: Wazuh's time_delay, for what is still on its way into the listing.
const delay = 2 * time.Second

func (w *wazuh) poll(to time.Time) {
	w.s.t.Helper()
	if to = to.Truncate(time.Second); !to.After(w.from) {
		return
	}
	for _, a := range w.s.pages(alerts + "?$top=10&$filter=createdDateTime+ge+" + stamp(w.from) + "+and+createdDateTime+lt+" + stamp(to)) {
		w.seen[a.ID]++
	}
	w.from = to
}
