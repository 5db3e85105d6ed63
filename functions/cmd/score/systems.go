package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"time"

	"github.com/onepane/onepane/functions/cmd/internal/wire"
	"github.com/onepane/onepane/functions/host/replay"
	"github.com/onepane/onepane/shared/config"
	"github.com/onepane/onepane/shared/correlation"
	"github.com/onepane/onepane/testdata/attacks"
)

// system puts the alerts of a scenario into incidents.
type system struct {
	name string
	run  func(context.Context, attacks.Scenario) (prediction, error)
}

// systems are ours and the baselines beside it.
var systems = []system{
	{"onepane", runPipeline},
	{"one per alert", groupedBy(func(a attacks.Alert) string { return a.ID })},
	{"one per tenant", groupedBy(func(a attacks.Alert) string { return a.Tenant })},
	{"host and hour", groupedBy(hostAndHour)},
}

// tuning is what --set made of the default.
var tuning = correlation.DefaultParams()

// runPipeline runs the real pipeline in memory.
func runPipeline(ctx context.Context, s attacks.Scenario) (prediction, error) {
	var b bytes.Buffer
	if err := s.WriteAlerts(&b); err != nil {
		return prediction{}, err
	}
	return replayReader(ctx, s.Options.String(), &b)
}

func replayReader(ctx context.Context, name string, in io.Reader) (prediction, error) {
	functions, err := wire.Readers(config.Default(), "")
	if err != nil {
		return prediction{}, err
	}
	r := &replay.Replay{Functions: functions, Params: tuning}
	if err := r.Read(ctx, name, in); err != nil {
		return prediction{}, err
	}
	p := prediction{map[string]string{}, map[string]string{}}
	for a := range r.Assignments() {
		p.incident[a.AlertID] = a.Incident
		if a.Canonical != "" {
			p.duplicateOf[a.AlertID] = a.Canonical
		}
	}
	if n := r.Result().Rejected; n > 0 {
		return p, fmt.Errorf("replay %s: %d records rejected", name, n)
	}
	return p, nil
}

// groupedBy groups by a key of the alert and knows no copies.
func groupedBy(key func(attacks.Alert) string) func(context.Context, attacks.Scenario) (prediction, error) {
	return func(_ context.Context, s attacks.Scenario) (prediction, error) {
		p := prediction{map[string]string{}, map[string]string{}}
		for _, a := range s.Alerts {
			p.incident[a.Alert.ID] = key(a.Alert)
		}
		return p, nil
	}
}

// hostAndHour is what a SIEM does out of the box: the first host or resource, else the first entity, and the hour.
func hostAndHour(a attacks.Alert) string {
	first, any := "", ""
	for _, e := range a.Entities {
		any = cmp.Or(any, e.Value)
		if e.Kind == "host" || e.Kind == "resource" {
			first = cmp.Or(first, e.Value)
		}
	}
	thing := cmp.Or(first, any, a.ID)
	return a.Tenant + "\x00" + thing + "\x00" + a.Time.Truncate(time.Hour).Format(time.RFC3339)
}
