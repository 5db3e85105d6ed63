package alertmanager

import (
	"maps"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/fault"
)

// Split returns the alerts of a group in order. They carry "externalURL" and "receiver" in Context.
func (Provider) Split(r ingest.Record) ([]ingest.Record, error) {
	list := r.Field("alerts")
	if list.Kind() != '[' {
		return []ingest.Record{r}, nil
	}
	elements, err := ingest.Elements(list)
	if err != nil {
		return nil, fault.Errorf(fault.Invalid, "alerts: %w", err)
	}
	if len(elements) == 0 {
		r.Ignored = "a group without alerts"
		return []ingest.Record{r}, nil
	}
	context := maps.Clone(r.Context)
	if context == nil {
		context = map[string]string{}
	}
	for _, name := range []string{"externalURL", "receiver"} {
		if v := r.Text(name); v != "" {
			context[name] = v
		}
	}
	out := make([]ingest.Record, len(elements))
	for i, e := range elements {
		out[i] = ingest.NewRecord(e, context)
		if e.Kind() != '{' {
			out[i].Err = fault.Errorf(fault.Invalid, "alerts[%d]: a JSON %s is no alert", i, e.Kind())
		}
	}
	return out, nil
}

// firing is the part of one alert that Normalize reads.
type firing struct {
	Fingerprint  ingest.Text            `json:"fingerprint"`
	Status       ingest.Text            `json:"status"`
	Labels       map[string]ingest.Text `json:"labels"`
	Annotations  map[string]ingest.Text `json:"annotations"`
	StartsAt     ingest.Time            `json:"startsAt"`
	EndsAt       ingest.Time            `json:"endsAt"` // year 1 while it fires, or when it would expire
	GeneratorURL ingest.Text            `json:"generatorURL"`
}
