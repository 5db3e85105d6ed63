package attacks

// common is how often a tenant hears a kind of alert, and about how many things, before it is background.
const common, widespread = 15, 4

// usage counts the noise of a kind.
type usage struct {
	alerts int
	things map[thing]bool
}

// addDoubt withdraws labels that nobody could know: an alert on a thing while it is under attack may belong to the
// attack, unless its kind is background in this tenant: often heard, about many things. What is rare stays in doubt
// for days, what is merely uncommon only while the attack lasts.
func (t *tenant) addDoubt() {
	used := t.countUsage()
	for i := range t.records {
		r := &t.records[i]
		if u := used[r.kind]; r.Label.Incident == IsNoise && (u.alerts < common || len(u.things) < widespread) && t.underAttack(r) {
			r.Label.Incident = IsUnknown
		}
	}
}

func (t *tenant) countUsage() map[kind]*usage {
	out := map[kind]*usage{}
	for _, r := range t.records {
		if r.Label.Incident != IsNoise {
			continue
		}
		if out[r.kind] == nil {
			out[r.kind] = &usage{things: map[thing]bool{}}
		}
		u := out[r.kind]
		u.alerts++
		if len(r.things) > 0 {
			u.things[withoutRole(r.things[0])] = true
		}
	}
	return out
}

// underAttack reports whether a noise alert is about a thing that is, was hours ago, or soon will be under attack.
func (t *tenant) underAttack(r *record) bool {
	before, after := 6*hour, day
	if !r.kind.background {
		before, after = 12*hour, 3*day
	}
	for _, th := range r.things {
		for _, c := range t.touched {
			if c.thing == withoutRole(th) && r.Alert.Time.After(c.from.Add(-before)) && r.Alert.Time.Before(c.to.Add(after)) {
				return true
			}
		}
	}
	return false
}

// withoutRole is a thing without its role.
func withoutRole(th thing) thing {
	if r, ok := th.(as); ok {
		return r.thing
	}
	return th
}
