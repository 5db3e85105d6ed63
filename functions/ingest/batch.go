package ingest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/onepane/onepane/events"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/attack"
	"github.com/onepane/onepane/shared/cloudevent"
	"github.com/onepane/onepane/shared/fault"
)

// batch collects what one delivery becomes: events to publish, rejections to quarantine, and the receipt.
type batch struct {
	f        *Function
	d        Delivery
	receipt  *Receipt
	alerts   []alert.Alert
	events   []cloudevent.Event // of the alerts
	rejected []rejectedRecord
	worst    fault.Kind
	index    int
}

// addRecord handles the next record of the delivery: it becomes an alert, is ignored, or is rejected.
func (b *batch) addRecord(r Record) {
	index := b.index
	b.index++
	if r.Ignored != "" {
		b.ignoreRecord(index, r.Ignored)
		return
	}
	a, provider, err := b.normalizeRecord(r)
	if reason, ok := IgnoredReason(err); ok {
		b.ignoreRecord(index, reason)
		return
	}
	var e cloudevent.Event
	if err == nil {
		e, err = events.NewAlert(a, b.d.Trace)
	}
	if err != nil {
		if r.Err == nil && fault.Of(err) == fault.Invalid && (nestingDepth(r.Raw) > MaxDepth || !r.Raw.IsValid()) {
			err = malformedError(r.Raw) // broken JSON is the better reason
		}
		b.rejectRecord(index, r, provider, err)
		return
	}
	b.alerts, b.events = append(b.alerts, a), append(b.events, e)
	b.f.withMeter(func(m Meter) { m.Accepted(b.f.Route, provider) })
	acc := Accepted{Index: index, Tenant: a.Tenant}
	if a.Class == alert.Exposure {
		acc.ExposureID = a.ID
	} else {
		acc.AlertID = a.ID
	}
	b.receipt.Accepted = append(b.receipt.Accepted, acc)
}

// normalizeRecord normalizes a record to an alert of a known tenant, and names the provider that read it, "" when
// none did.
func (b *batch) normalizeRecord(r Record) (alert.Alert, string, error) {
	if r.Err != nil {
		return alert.Alert{}, "", r.Err
	}
	p := r.provider
	if p == nil {
		if r.Fields == nil {
			return alert.Alert{}, "", fault.Errorf(fault.Invalid, "a JSON %s is not a finding", kindName(r.Raw.Kind()))
		}
		return alert.Alert{}, "", fault.Errorf(fault.Invalid, "%s %s recognizes a record with the fields %s", unrecognized, b.f.Route, memberNames(r))
	}
	if r.depth > MaxDepth {
		return alert.Alert{}, p.Name(), malformedError(r.Raw)
	}
	a, err := p.Normalize(r)
	if err != nil {
		return a, p.Name(), err
	}
	claim := a.Tenant
	if a.Tenant = b.d.Tenant; a.Tenant == "" {
		if a.Tenant, err = b.f.Tenants.Tenant(a.Account, claim); err != nil {
			return a, p.Name(), err
		}
	} else if claim != "" && claim != a.Tenant {
		return a, p.Name(), fault.Errorf(fault.Invalid, "tenant: %q is not the tenant %q of the credential", claim, a.Tenant)
	}
	if err := checkAlert(a); err != nil {
		return a, p.Name(), err
	}
	return b.completeAlert(a, r), p.Name(), nil
}

// unrecognized begins the reason of a record that no provider knows.
const unrecognized = "no provider of route"

// IsUnrecognized reports whether a reason in a receipt says that no provider knew the record.
func IsUnrecognized(reason string) bool { return strings.HasPrefix(reason, unrecognized) }

// futureTolerance is how far after its arrival an activity may be stated before the arrival replaces its time.
const futureTolerance = 24 * time.Hour

// completeAlert fills in what every alert has, whatever its provider.
func (b *batch) completeAlert(a alert.Alert, r Record) alert.Alert {
	if a.Delivered.IsZero() {
		a.Delivered = b.d.Received
	}
	if at := b.d.Received; !at.IsZero() && a.Delivered.After(at.Add(futureTolerance)) {
		a.Delivered = at
	}
	if a.Delivered.IsZero() { // replay: it arrives when it happens
		a.Delivered = a.First
	}
	correctFutureTime(&a, "first", &a.First)
	correctFutureTime(&a, "last", &a.Last)
	correctFutureTime(&a, "updated", &a.Updated)
	if a.First.IsZero() {
		a.First = a.Delivered
	}
	if a.Last.Before(a.First) {
		a.Last = a.First
	}
	if a.Updated.IsZero() {
		a.Updated = a.Last
	}
	if a.Class == alert.Exposure && slices.Contains(b.f.ExposuresAsAlerts, a.Origin.Provider) {
		a.Class = alert.Threat
	}
	if a.Severity == "" {
		a.Severity = alert.Unknown
	}
	if a.Status == "" {
		a.Status = alert.StatusNew
	}
	if a.Title == "" {
		a.Title = a.Type
	}
	a.Tactics = attack.SortTactics(a.Tactics)
	a.Evidence = alert.MergeEvidence(nil, a.Evidence)
	a.ID = alert.MakeID(a.Tenant, a.Origin)
	a.Raw = r.Raw
	return a
}

// correctFutureTime replaces a time of more than futureTolerance after the delivery by the delivery's, and keeps what
// was stated in Extra["stated_"+name].
func correctFutureTime(a *alert.Alert, name string, t *time.Time) {
	if t.After(a.Delivered.Add(futureTolerance)) {
		extra := map[string]string{"stated_" + name: t.Format(time.RFC3339Nano)}
		for k, v := range a.Extra {
			extra[k] = v
		}
		a.Extra, *t = extra, a.Delivered
	}
}

// Limits of an alert's texts, in bytes: far above what any product writes, and below what a list can show.
const (
	maxTenant      = 200
	maxID          = 4 << 10
	maxText        = 64 << 10
	maxDescription = 1 << 20
)

// checkAlert refuses, as fault.Invalid, an alert without identity or title, and one whose texts exceed the limits.
func checkAlert(a alert.Alert) error {
	switch {
	case a.Origin.ID == "" || a.Origin.Provider == "":
		return fault.Errorf(fault.Invalid, "id: missing")
	case a.Title == "" && a.Type == "" && a.Class != alert.EvidenceOnly:
		return fault.Errorf(fault.Invalid, "title: missing, and no type stands in for it")
	case strings.ContainsFunc(a.Tenant, unicode.IsControl):
		return fault.Errorf(fault.Invalid, "tenant: %q has control characters", a.Tenant)
	}
	for _, f := range []struct {
		name, value string
		most        int
	}{
		{"tenant", a.Tenant, maxTenant}, {"id", a.Origin.ID, maxID}, {"id", a.ReportID, maxID}, {"source", a.Origin.Provider, maxID},
		{"type", a.Type, maxText}, {"title", a.Title, maxText}, {"url", a.URL, maxText}, {"description", a.Description, maxDescription},
	} {
		if err := checkLength(f.name, f.value, f.most); err != nil {
			return err
		}
	}
	for _, e := range a.Evidence {
		if err := checkLength("entities: a "+string(e.Kind), e.Value, maxText); err != nil {
			return err
		}
		if err := checkLength("entities: the name of a "+string(e.Kind), e.Name, maxText); err != nil {
			return err
		}
	}
	return nil
}

func checkLength(name, value string, most int) error {
	if len(value) > most {
		return fault.Errorf(fault.Invalid, "%s: %d bytes, at most %d are read", name, len(value), most)
	}
	return nil
}

func (b *batch) ignoreRecord(index int, reason string) {
	b.f.withMeter(func(m Meter) { m.Ignored(b.f.Route) })
	b.receipt.Ignored = append(b.receipt.Ignored, Skipped{index, reason})
}

func (b *batch) rejectRecord(index int, r Record, provider string, reason error) {
	b.f.withMeter(func(m Meter) { m.Rejected(b.f.Route, fault.Of(reason)) })
	b.worst = max(b.worst, fault.Of(reason))
	b.receipt.Rejected = append(b.receipt.Rejected, Skipped{index, reasonOf(reason)})
	if e, err := b.f.newRejection(b.d, r, provider, index, reason); err == nil {
		b.rejected = append(b.rejected, rejectedRecord{e, provider, index, reason})
	}
}

// publishAll makes the batch durable: alerts before rejections, so that a failure between them repeats only rejections.
func (b *batch) publishAll(ctx context.Context) error {
	if len(b.events) > 0 {
		if err := b.f.Alerts.Publish(ctx, b.events...); err != nil {
			return notDurable(err, fmt.Sprintf("publish %d alerts", len(b.events)))
		}
	}
	if len(b.rejected) == 0 {
		return nil
	}
	return b.f.quarantineRecords(ctx, b.d.Received, b.rejected...)
}
