package main

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/functions/ingest"
)

// TestCrash kills the server with SIGKILL under concurrent load, again and again over one data directory, and then
// looks for every alert that was answered 202: it must be there exactly once, and in exactly one incident.
// ONEPANE_CRASHES says how often (default 3; `make crash` takes 50).
func TestCrash(t *testing.T) {
	crashes := 3
	if n, err := strconv.Atoi(os.Getenv("ONEPANE_CRASHES")); err == nil {
		crashes = n
	}
	data := t.TempDir()
	l := &ledger{answered: map[string]bool{}}
	l.more = sync.NewCond(l)
	for round := range crashes {
		s := start(t, data)
		var senders sync.WaitGroup
		for sender := range 8 {
			senders.Go(func() { l.send(s.base, round, sender) })
		}
		l.waitFor(20) // it is under load now: kill it at a random moment
		time.AfterFunc(time.Duration(rand.IntN(150))*time.Millisecond, s.kill)
		senders.Wait()
		<-s.done
	}
	s := start(t, data)
	s.settled()
	l.verify(t, s)
	s.stop()
	t.Logf("%d crashes, %d alerts answered 202, each found once and in one incident", crashes, len(l.answered))
}

// ledger remembers what was answered 202.
type ledger struct {
	sync.Mutex
	answered map[string]bool
	recent   int
	more     *sync.Cond // recent grew
}

// send posts batches until the server is gone.
func (l *ledger) send(base string, round, sender int) {
	for n := 0; ; n++ {
		status, answer, err := post(base, "webhook", load(round, sender, n), n%10 == 9)
		if err != nil {
			return
		}
		var r ingest.Receipt
		if status != http.StatusAccepted || json.Unmarshal(answer, &r) != nil {
			continue
		}
		l.Lock()
		for _, a := range r.Accepted {
			l.answered[a.AlertID] = true
		}
		l.recent += len(r.Accepted)
		l.more.Signal()
		l.Unlock()
	}
}

// waitFor returns when n more alerts were answered.
func (l *ledger) waitFor(n int) {
	l.Lock()
	defer l.Unlock()
	for l.recent < n {
		l.more.Wait()
	}
	l.recent = 0
}

// load is a batch of 1 to 20 alerts on a few hosts of two tenants, some of them sent before.
func load(round, sender, n int) []byte {
	var b strings.Builder
	for i := range 1 + n%20 {
		id := fmt.Sprintf("alert-%d-%d-%d-%d", round, sender, n-n%3, i) // batches repeat what came before them
		fmt.Fprintf(&b, `{"id":%q,"tenant":"t%d","time":"2026-03-03T%02d:%02d:%02dZ","source":"crash","type":"type-%d","title":"load","severity":"low","entities":[{"kind":"host","value":"host-%d.example"}]}`+"\n",
			id, sender%2, round%24, n/60%60, n%60, i%7, (sender+i)%40)
	}
	return []byte(b.String())
}

// verify finds every answered alert exactly once, and in exactly one incident.
func (l *ledger) verify(t *testing.T, s *server) {
	t.Helper()
	listed := map[string]int{}
	for _, a := range s.all("/v1.0/security/alerts_v2?$top=1000&$select=id,incidentId") {
		listed[a["id"].(string)]++
	}
	inIncidents := map[string]int{}
	for _, inc := range s.all("/v1.0/security/incidents?$select=id,status&$filter=status+ne+'redirected'") {
		for _, a := range s.all("/v1.0/security/incidents/" + inc["id"].(string) + "/alerts?$top=1000&$select=id") {
			inIncidents[a["id"].(string)]++
		}
	}
	for id := range l.answered {
		if listed[id] != 1 || inIncidents[id] != 1 {
			t.Errorf("alert %s was answered 202; it is listed %d times and in %d incidents", id, listed[id], inIncidents[id])
		}
	}
	for id, n := range listed {
		if n != 1 {
			t.Errorf("alert %s is listed %d times", id, n)
		}
	}
	if len(l.answered) == 0 {
		t.Error("no alert was answered: the test proves nothing")
	}
}
