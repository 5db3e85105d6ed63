//go:build unix

package localstore_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/bus/localbus"
	"github.com/onepane/onepane/shared/cloudevent"
	"github.com/onepane/onepane/shared/datadir"
	"github.com/onepane/onepane/shared/incident"
	"github.com/onepane/onepane/shared/query"
	"github.com/onepane/onepane/shared/store/localstore"
)

// BenchmarkPath is an alert of 4 KB on its whole way but the deciding: published and on the disk, consumed, loaded
// for (its id and four nodes, of which three are new), committed. One operation is one alert.
//
//	go test -bench Path -benchtime 20000x ./shared/store/localstore
func BenchmarkPath(b *testing.B) {
	for _, bb := range []struct {
		name              string
		memory            bool
		batch, publishers int
	}{
		{"batch 1, 1 publisher, fsync", false, 1, 1},
		{"batch 1, 64 publishers, fsync", false, 1, 64},
		{"batch 100, 8 publishers, fsync", false, 100, 8},
		{"batch 1, 64 publishers, memory", true, 1, 64},
		{"batch 100, 8 publishers, memory", true, 100, 8},
	} {
		b.Run(bb.name, func(b *testing.B) { benchmarkPath(b, bb.memory, bb.batch, bb.publishers) })
	}
}

func benchmarkPath(b *testing.B, memory bool, batch, publishers int) {
	r := newRig(b, memory)
	ctx, stop := context.WithCancel(b.Context())
	done := make(chan error, 1)
	go func() { done <- r.bus.Subscribe(ctx, r.commitEvents) }()
	cpu := cpuTime()
	b.ResetTimer()
	var next atomic.Int64
	var publishing sync.WaitGroup
	for range publishers {
		publishing.Go(func() {
			for {
				from := int(next.Add(int64(batch))) - batch
				if from >= b.N {
					return
				}
				evs := make([]cloudevent.Event, 0, batch)
				for n := from; n < min(from+batch, b.N); n++ {
					evs = append(evs, eventAt(n))
				}
				if err := r.bus.Publish(ctx, evs...); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	publishing.Wait()
	if err := r.bus.Wait(ctx, "contoso"); err != nil {
		b.Fatal(err)
	}
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "alerts/s")
	b.ReportMetric(float64((cpuTime()-cpu).Microseconds())/float64(b.N), "µs-cpu/alert")
	stop()
	if err := <-done; err != nil {
		b.Fatal(err)
	}
}

// BenchmarkRead is what the API asks, over 20,000 alerts.
func BenchmarkRead(b *testing.B) {
	r := newRig(b, false)
	const stored = 20_000
	for from := 0; from < stored; from += 100 {
		var evs []cloudevent.Event
		for n := from; n < from+100; n++ {
			evs = append(evs, eventAt(n))
		}
		if err := r.bus.Publish(b.Context(), evs...); err != nil {
			b.Fatal(err)
		}
	}
	ctx, stop := context.WithCancel(b.Context())
	done := make(chan error, 1)
	go func() { done <- r.bus.Subscribe(ctx, r.commitEvents) }()
	if err := r.bus.Wait(ctx, "contoso"); err != nil {
		b.Fatal(err)
	}
	stop()
	if err := <-done; err != nil {
		b.Fatal(err)
	}
	b.Run("one by id", func(b *testing.B) {
		for n := 0; b.Loop(); n++ {
			if _, err := r.store.Alert(b.Context(), "contoso", alertIDAt(n*7919%stored)); err != nil {
				b.Fatal(err)
			}
		}
	})
	for name, q := range map[string]query.Query{
		"newest 100":                   {Top: 100},
		"100 after 10,000":             {Skip: 10_000, Top: 100},
		"filter without match":         {Top: 100, Where: query.Compare{Field: query.Title, Op: query.Eq, Text: "x"}},
		"newest 100 by title, counted": {Top: 100, Count: true, Order: []query.Order{{Field: query.Title}}},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := r.store.Alerts(b.Context(), "contoso", q); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

type rig struct {
	bus   *localbus.Bus
	store *localstore.Store
}

func newRig(b *testing.B, memory bool) *rig {
	b.Helper()
	dir := datadir.OpenMemory()
	if !memory {
		if err := dir.Close(); err != nil {
			b.Fatal(err)
		}
		var err error
		if dir, err = datadir.Open(b.TempDir(), datadir.Options{}); err != nil {
			b.Fatal(err)
		}
	}
	b.Cleanup(func() {
		if err := dir.Close(); err != nil {
			b.Error(err)
		}
	})
	q, err := localbus.Open(dir, "alerts", localbus.Options{})
	if err != nil {
		b.Fatal(err)
	}
	s, err := localstore.Open(dir, localstore.Options{})
	if err != nil {
		b.Fatal(err)
	}
	return &rig{q, s}
}

// commitEvents stands for correlation: it decodes, loads, and commits without thinking.
func (r *rig) commitEvents(ctx context.Context, evs []cloudevent.Event) error {
	var refs incident.Refs
	var c incident.Changes
	now := time.Now()
	i := incident.Incident{ID: "10001", Tenant: "contoso", Name: "Case", Status: incident.Active, Created: now, Updated: now}
	for _, e := range evs {
		m := incident.AlertRecord{Incident: i.ID, Created: now, Updated: now, Position: e.Position}
		if err := json.Unmarshal(e.Data, &m.Alert); err != nil {
			return err
		}
		m.Status = m.Alert.Status
		refs.Alerts = append(refs.Alerts, m.Alert.ID)
		c.Alerts = append(c.Alerts, m)
		for _, key := range []string{"resource/" + m.Alert.ID, "user/" + m.Alert.ID, "fingerprint/" + m.Alert.ID, "account/111122223333"} {
			refs.Nodes = append(refs.Nodes, key)
			c.Nodes = append(c.Nodes, incident.Node{Key: key, First: m.Alert.First, Last: m.Alert.Last, Episodes: 1,
				Activities: []incident.Activity{{Incident: i.ID, Alert: m.Alert.ID, First: m.Alert.First, Last: m.Alert.Last, Episodes: 1}}})
		}
	}
	refs.Incidents = []string{i.ID}
	l, err := r.store.Load(ctx, "contoso", refs)
	if err != nil {
		return err
	}
	c.Incidents = []incident.Incident{i}
	return r.store.Commit(ctx, "contoso", l.Version, c)
}

var start = time.Date(2026, 3, 3, 0, 0, 0, 0, time.UTC)

// filler is the part of a provider's record that nobody reads, to make the whole 4 KB.
var filler = strings.Repeat(`{"ipAddressV4":"203.0.113.9","port":443,"country":"Ruritania"},`, 45)

func eventAt(n int) cloudevent.Event {
	a := alert.Alert{
		ID: alertIDAt(n), Tenant: "contoso", Origin: alert.Origin{Provider: "guardduty", ID: fmt.Sprint(n)}, Reporter: "guardduty", ReportID: fmt.Sprint(n),
		Title: fmt.Sprintf("EC2 instance %d talks to Tor", n%100), Severity: alert.High, Status: alert.StatusNew,
		First: start.Add(time.Duration(n) * time.Second), Last: start.Add(time.Duration(n) * time.Second), Updated: start,
		Raw: []byte(fmt.Sprintf(`{"id":%d,"list":[%s0]}`, n, filler)),
	}
	data, err := json.Marshal(a)
	if err != nil {
		panic(err)
	}
	return cloudevent.Event{ID: a.ID + ".1", Source: "/onepane/ingest/guardduty", Type: "io.onepane.alert.reported.v1", Subject: a.ID, Tenant: a.Tenant, Time: start, Data: data}
}

// alertIDAt is as far from sequential as real ids are.
func alertIDAt(n int) string { return fmt.Sprintf("gd%08x%08x", uint32(n)*2654435761, n) }

// cpuTime is what this process has used so far, user and system.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
