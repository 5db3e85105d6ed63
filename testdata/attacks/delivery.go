package attacks

import (
	"strings"
	"time"
)

// forward is a tenant's habit of sending one product's alerts on through another.
type forward struct {
	to      voice
	share   float64 // of the alerts
	carries float64 // of the copies carry the id that the detecting product gave
}

// drawForwards draws the habits of a tenant.
func drawForwards(d dice) map[voice]forward {
	out := map[voice]forward{}
	for _, f := range []struct{ from, to voice }{{guardDuty, securityHub}, {defender, siem}, {xdr, siem}, {scc, siem}, {edr, siem}, {identity, siem}, {mail, xdr}} {
		if d.isTrue(0.7) {
			out[f.from] = forward{f.to, 0.1 + 0.3*d.Float64(), pickOne(d, []float64{0.95, 0.6, 0.3})}
		}
	}
	return out
}

// deliverAlerts gives every alert its arrival, and adds repeats, later states and copies through other products.
func deliverAlerts(d dice, t *tenant) []Labelled {
	var out []Labelled
	for _, r := range t.records {
		a := r.Labelled
		a.Alert.Delivered = drawArrival(d, r.product, a.Alert.Time)
		out = append(out, a)
		if d.isTrue(0.03) {
			out = append(out, repeatAlert(d, a))
		}
		if d.isTrue(0.04) {
			out = append(out, laterState(d, a))
		}
		if f, ok := t.forwards[r.kind.voice]; ok && len(r.things) > 0 && r.kind.severity != info && d.isTrue(f.share) {
			out = append(out, crossPost(d, t, r, f))
		}
	}
	return out
}

// drawArrival is some time after the event; one in twenty-five is minutes to six hours late.
func drawArrival(d dice, p *product, at time.Time) time.Time {
	out := at.Add(d.drawDuration(p.lag[0], p.lag[1]))
	if d.isTrue(0.04) {
		out = out.Add(d.drawDuration(5*time.Minute, 6*hour))
	}
	return out.Truncate(time.Second).Add(time.Second)
}

// repeatAlert is the same alert again.
func repeatAlert(d dice, a Labelled) Labelled {
	a.Alert.Delivered = a.Alert.Delivered.Add(d.drawDuration(time.Second, 20*hour))
	return a
}

// laterState is the same alert in a later state.
func laterState(d dice, a Labelled) Labelled {
	a.Alert.Delivered = a.Alert.Delivered.Add(d.drawDuration(2*time.Minute, 30*hour))
	a.Alert.Status = pickOne(d, []string{"inProgress", "resolved"})
	if d.isTrue(0.3) && a.Alert.Severity == medium {
		a.Alert.Severity = high
	}
	return a
}

// crossPost is another product's copy: told in its own voice, some things dropped, up to 20 minutes late. A copy that
// carries the id may differ in all else; one that does not keeps the moment and the type or the title.
func crossPost(d dice, t *tenant, r record, f forward) Labelled {
	p, orig := t.products[f.to], r.Alert
	c := Alert{Tenant: orig.Tenant, Source: p.source, Type: orig.Type, Title: orig.Title, Severity: orig.Severity, Time: orig.Time}
	c.ID, _ = p.drawIDs(d, t)
	c.Entities = copyEntities(d, r, p)
	if d.isTrue(0.3) {
		c.Severity = pickOne(d, []string{low, medium, high})
	}
	if d.isTrue(f.carries) {
		c.ProviderID = orig.ProviderID
		if c.ProviderID == "" {
			c.ProviderID = orig.ID
		}
		if d.isTrue(0.4) {
			c.Time = c.Time.Add(d.drawDuration(0, 10*time.Minute))
		}
		if d.isTrue(0.5) {
			c.Title = p.source + " forwarded: " + orig.Title
		}
		if d.isTrue(0.3) && c.Title != "" {
			c.Type = "ForwardedDetection"
		}
	} else {
		changeTitle(d, p, &c)
		c.Time = c.Time.Truncate(time.Second).Add(time.Duration(d.drawInt(0, 3)) * time.Second)
	}
	c.Delivered = drawArrival(d, r.product, c.Time).Add(d.drawDuration(10*time.Second, 12*time.Minute))
	return Labelled{c, Label{r.Label.Incident, r.Label.Stage, orig.ID}}
}

// changeTitle changes either type or title, never both.
func changeTitle(d dice, p *product, c *Alert) {
	switch {
	case p.voice == securityHub && d.isTrue(0.5):
		c.Type = "TTPs/" + strings.Replace(c.Type, "/", "-", 1)
	case c.Type == "":
		c.Type = "SecurityAlert"
	case d.isTrue(0.4):
		c.Title = "[" + c.Severity + "] " + c.Title + " (detected by " + strings.SplitN(p.source, ".", 2)[0] + ")"
	}
}

// copyEntities names the things of an alert in the voice of the product that passes it on: the first always, in half of
// the cases in the original spelling, the others often.
func copyEntities(d dice, r record, p *product) []Entity {
	if d.isTrue(0.4) {
		keep := d.drawInt(1, len(r.Alert.Entities))
		return append([]Entity(nil), r.Alert.Entities[:keep]...)
	}
	var out []Entity
	for i, th := range r.things {
		if i == 0 || d.isTrue(0.7) {
			out = mergeEntities(out, p.entitiesOf(th, r.Alert.Time, d))
		}
	}
	return out
}
