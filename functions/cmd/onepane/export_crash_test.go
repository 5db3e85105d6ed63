package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/onepane/onepane/functions/export/exporttest"
	"github.com/onepane/onepane/shared/datadir"
	"github.com/onepane/onepane/shared/store/localstore"
)

// TestExportCrash kills the server with SIGKILL while it sends to each kind of target, at every point of a batch's way
// and at moments that nothing chose, with alerts streaming in, over one data directory. In the end the receiver has
// every state that the store holds, an incident's in order, and what came twice came with the same id and content.
// ONEPANE_EXPORT_CRASHES says how often each target's run is killed (default 3; `make crash` takes 20).
func TestExportCrash(t *testing.T) {
	kills := 3
	if n, err := strconv.Atoi(os.Getenv("ONEPANE_EXPORT_CRASHES")); err == nil {
		kills = n
	}
	for _, tt := range receivers {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel() // most of it is waiting for a feed to be looked at
			exportCrash(t, tt.open, kills)
		})
	}
}

// killPoint is a moment of a batch's way, as its receiver sees it.
type killPoint int

const (
	anywhere  killPoint = iota
	onArrival           // the receiver has it and keeps nothing of it yet
	onceKept            // the receiver keeps it and has not answered: the cursor has not moved
	points
)

// killTrap kills the server when a batch comes by a point.
type killTrap struct {
	mu    sync.Mutex
	at    killPoint
	after int // batches that come by before
	kill  func()
}

func (x *killTrap) set(at killPoint, after int, kill func()) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.at, x.after, x.kill = at, after, kill
}

// passed is called by receivers. It reports whether the server was killed: the receiver drops what it was doing.
func (x *killTrap) passed(p killPoint) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.kill == nil || x.at != p {
		return false
	}
	if x.after > 0 {
		x.after--
		return false
	}
	x.kill()
	x.kill = nil
	return true
}

func exportCrash(t *testing.T, open func(*testing.T, *killTrap) receiver, kills int) {
	x := &killTrap{}
	r := open(t, x)
	dir := t.TempDir()
	settings := filepath.Join(dir, "onepane.yaml")
	if err := os.WriteFile(settings, []byte("exports:\n- {name: siem, tenant: "+exporttest.Tenant+", "+r.settings+"}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	data := filepath.Join(dir, "data")
	env := append([]string{"ONEPANE_CONFIG=" + settings, "ONEPANE_TENANT=" + exporttest.Tenant}, r.env...)
	for round := range kills {
		s := start(t, data, env...)
		var once sync.Once
		kill := func() { once.Do(s.kill) }
		end := time.Duration(rand.IntN(1500)) * time.Millisecond
		if at := killPoint((round + 1) % int(points)); at != anywhere {
			x.set(at, round/int(points)%2, kill)
			end = time.Minute // a server that sends nothing ends too; what is missing is found below
		}
		stop := time.AfterFunc(end, kill)
		stream(s, round)
		stop.Stop()
		x.set(anywhere, 0, nil)
	}
	s := start(t, data, env...)
	s.settled()
	s.exported()
	s.stop()
	got := r.taken(t)
	again := checkArrivals(t, got)
	sent := &exporttest.World{Store: reopen(t, data)}
	sent.Check(t, ids(got))
	if kills >= int(points) && again == 0 {
		t.Error("no batch came twice: nobody died between sending and remembering it")
	}
	t.Logf("%d kills, %d records arrived, %d of them again, %d things in the store", kills, len(got), again, len(sent.Rows(t)))
}

// stream posts alerts until the server is gone: new ones, new states of known ones, on a few hosts and users.
func stream(s *server, round int) {
	var senders sync.WaitGroup
	for sender := range 2 {
		senders.Go(func() {
			for n := 0; ; n++ {
				if _, _, err := post(s.base, "webhook", exportLoad(round, sender, n), true); err != nil {
					return
				}
			}
		})
	}
	senders.Wait()
	<-s.done
}

func exportLoad(round, sender, n int) []byte {
	var b bytes.Buffer
	for i := range 3 {
		status := []string{"new", "inProgress"}[n%2] // each second batch is the one before it, worked on
		fmt.Fprintf(&b, `{"id":"alert-%d-%d-%d-%d","time":"2026-03-03T%02d:%02d:%02dZ","source":"crash","type":"type-%d","title":"load","severity":"medium","status":%q,"entities":[{"kind":"host","value":"host-%d.example"},{"kind":"user","value":"user%d@example.com"}]}`+"\n",
			round, sender, n/2, i, round%24, n/60%60, n%60, i, status, (n/2+i)%30, n/2%40)
	}
	return b.Bytes()
}

// exported waits until every export has sent all there is.
func (s *server) exported() {
	s.t.Helper()
	deadline := time.Now().Add(2 * time.Minute)
	for {
		behind := 0
		all := s.all("/api/v1/exports")
		for _, e := range all {
			if e["backlog"] != 0.0 || e["failures"] != 0.0 {
				behind++
			}
		}
		if behind == 0 && len(all) > 0 {
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("exports are still behind: %v", all)
		}
	}
}

// reopen reads the store of a server that has ended.
func reopen(t *testing.T, data string) *localstore.Store {
	t.Helper()
	dir, err := datadir.Open(data, datadir.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = dir.Close() })
	s, err := localstore.Open(dir, localstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// arrival is one record as a receiver took it.
type arrival struct {
	id   string
	when time.Time // the state's, as the record tells it
	body string
}

func ids(as []arrival) []string {
	var out []string
	for _, a := range as {
		out = append(out, a.id)
	}
	return out
}

// digits are what may differ between repeats: an alert's incident can have been merged into another meanwhile.
var digits = regexp.MustCompile(`[0-9]+`)

// checkArrivals holds arrivals against one another and counts those that came before.
func checkArrivals(t *testing.T, as []arrival) (again int) {
	t.Helper()
	bodies := map[string]string{}
	latest := map[string]time.Time{}
	for _, a := range as {
		if before, ok := bodies[a.id]; ok {
			again++
			if digits.ReplaceAllString(before, "#") != digits.ReplaceAllString(a.body, "#") {
				t.Errorf("%s came again as something else:\n%s\n%s", a.id, before, a.body)
			}
		}
		bodies[a.id] = a.body
		thing := a.id[:strings.LastIndex(a.id, "-")]
		if a.when.Before(latest[thing]) {
			t.Errorf("%s, of %v, came after a later state, of %v", a.id, a.when, latest[thing])
		}
		latest[thing] = a.when
	}
	return again
}

// receiver is a stand-in that speaks the real protocol, outside the server.
type receiver struct {
	settings string   // of the export, as YAML
	env      []string // of the server
	taken    func(*testing.T) []arrival
}

// kept are arrivals as a receiver keeps them.
type kept struct {
	mu  sync.Mutex
	all []arrival
}

func (k *kept) add(as ...arrival) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.all = append(k.all, as...)
}

func (k *kept) taken(*testing.T) []arrival {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.all
}

// hangUp ends a request without an answer.
func hangUp() { panic(http.ErrAbortHandler) }
