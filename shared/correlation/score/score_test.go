package score

import (
	"math"
	"testing"
	"time"
)

func TestBaseRate(t *testing.T) {
	p := Default()
	for _, tt := range []struct {
		fact        string
		o           Observed
		least, most float64 // per hour
	}{
		{"fires on this host all day", Observed{Hours: 48, Total: 60, OfKind: 60, OfEntity: 60, OfBoth: 60}, 0.7, 0.75},
		{"seen on this host twice in two days", Observed{Hours: 48, Total: 60, OfKind: 2, OfEntity: 10, OfBoth: 2}, 0.02, 0.022},
		{"fires everywhere, never here", Observed{Hours: 48, Total: 600, OfKind: 300, OfEntity: 20}, 0.08, 0.1},
		{"never seen on a quiet host", Observed{Hours: 48, Total: 60}, 0, 0.00001},
		{"the same of a file", Observed{Hours: 48, Total: 60, Sort: Indicator}, 0, 0.000001},
		{"first alert of a tenant", Observed{}, 0, 0.00001},
		{"once before, elsewhere", Observed{Hours: 48, Total: 60, OfKind: 1, OfEntity: 5}, 0.0002, 0.00021},
	} {
		t.Run(tt.fact, func(t *testing.T) {
			if tt.o.SeverityShare == 0 {
				tt.o.SeverityShare = 1
			}
			tt.o.IndicatorRarity = 1
			if got := p.BaseRate(tt.o); got < tt.least || got > tt.most {
				t.Errorf("base rate %v, want %v to %v", got, tt.least, tt.most)
			}
		})
	}
}

// What moves a rate moves it the right way.
func TestRatesFollowTheFacts(t *testing.T) {
	p := Default()
	quiet := Observed{Hours: 100, Total: 200, OfKind: 1, OfEntity: 2, SeverityShare: 1, IndicatorRarity: 1, Sort: Machine}
	l := Link{Worth: 0.9, Observed: quiet, Gravity: 1, Gap: 10 * time.Minute, Burst: 1, Suspicion: 0.5}
	change := func(f func(*Link)) Rates {
		c := l
		f(&c)
		return p.Rates(c)
	}
	now := p.Rates(l)
	for _, tt := range []struct {
		fact        string
		more, fewer float64
	}{
		{"attacks go on soon rather than late", now.Attack, change(func(l *Link) { l.Gap = 10 * time.Hour }).Attack},
		{"grave alerts come of attacks", change(func(l *Link) { l.Gravity = 2 }).Attack, now.Attack},
		{"a stage further comes of the attack", change(func(l *Link) { l.Stage = Further }).Attack, now.Attack},
		{"no stage where others have some speaks against it", now.Attack, change(func(l *Link) { l.Stage = Unstated }).Attack},
		{"attackers seldom come from where everyone comes from", now.Attack, change(func(l *Link) { l.KnownOnly = true }).Attack},
		{"a kind that fired a hundred times tells little", now.Attack, change(func(l *Link) { l.OfKind = 100 }).Attack},
		{"many alerts within minutes make a burst", change(func(l *Link) { l.Burst = 10 }).Attack, now.Attack},
		{"attackers keep files longer than machines", change(func(l *Link) { l.Sort, l.Gap = Indicator, 6*time.Hour }).Attack, change(func(l *Link) { l.Gap = 6 * time.Hour }).Attack},
		{"the same moment is no chance", change(func(l *Link) { l.Gap = 0 }).Coincidence, now.Coincidence},
		{"one of twenty named people hardly shares a moment", change(func(l *Link) { l.Gap = 0 }).Coincidence, change(func(l *Link) { l.Gap, l.Dilution = 0, 0.9 }).Coincidence},
		{"on people familiar kinds coincide by themselves", change(func(l *Link) { l.Gap = 0 }).Coincidence, change(func(l *Link) { l.Gap, l.Sort, l.OfKind = 0, Person, 100 }).Coincidence},
		{"what repeats here has a base rate", change(func(l *Link) { l.OfBoth = 50 }).Base, now.Base},
		{"suspects outweigh the unsuspected", now.Weight(l.Worth, 0.5), now.Weight(l.Worth, 0.01)},
	} {
		if !(tt.more > tt.fewer) {
			t.Errorf("%s: %v is not above %v", tt.fact, tt.more, tt.fewer)
		}
	}
	if w := now.Weight(l.Worth, 1); w < 0 || w > l.Worth {
		t.Errorf("weight %v, want 0 to %v", w, l.Worth)
	}
}

func TestRevisited(t *testing.T) {
	p := Default()
	r := Rates{Attack: 0.001, Base: 0.01, UnknownAttack: 0.000002}
	unproven := p.Revisited(r, 0.9, 0.2, 0.2, 0.5, 0.5)
	proven := p.Revisited(r, 0.9, 0.2, 1, 0.5, 0.5)
	if unproven > 0.1 || proven < 0.85 {
		t.Errorf("weight %v while chance explains the opener, %v once nothing but an attack does", unproven, proven)
	}
	if got := p.Revisited(r, 0.9, 1, 1, 0.5, 0.5); got != proven {
		t.Errorf("an opener that was certain from the start: %v, want %v", got, proven)
	}
}

func TestWorth(t *testing.T) {
	p := Default()
	for _, tt := range []struct {
		fact string
		e    Entity
		want float64
	}{
		{"a machine", Entity{Class: "machine", Sort: Machine}, 0.9},
		{"the attacker's machine", Entity{Class: "machine", Sort: Machine, Role: "attacker"}, 0.98},
		{"a machine that is mere context, from which an attack may have come", Entity{Class: "machine", Sort: Machine, Role: "context"}, 0.9},
		{"a person who is mere context", Entity{Class: "user", Sort: Person, Role: "context"}, 0.44},
		{"root", Entity{Class: "user", Sort: Person, Everywhere: true}, 0.1},
		{"an account without its domain", Entity{Class: "user", Sort: Person, Weak: true}, 0.594},
		{"a private address", Entity{Class: "ip", Sort: PrivateAddress, Weak: true}, 0.54},
		{"a link-local address", Entity{Class: "ip", Sort: PrivateAddress, Weak: true, LinkLocal: true}, 0},
		{"an address that 32 others were seen with", Entity{Class: "ip", Sort: PublicAddress, CoOccurring: 32}, 0.375},
		{"a machine that 32 others were seen with", Entity{Class: "machine", Sort: Machine, CoOccurring: 32}, 0.9},
		{"a class that nobody weighed", Entity{Class: "drone"}, 0.3},
	} {
		if got := p.Worth(tt.e); math.Abs(got-tt.want) > 1e-9 {
			t.Errorf("%s: %v, want %v", tt.fact, got, tt.want)
		}
	}
}

func TestSuspicion(t *testing.T) {
	p := Default()
	rare := Observed{Hours: 100, Total: 200, SeverityShare: 1, IndicatorRarity: 1}
	daily := Observed{Hours: 100, Total: 200, OfKind: 50, OfEntity: 60, OfBoth: 40, SeverityShare: 1, IndicatorRarity: 1}
	if r, d := p.Suspicion(1, rare), p.Suspicion(1, daily); r < 0.1 || d > 0.0001 {
		t.Errorf("suspicion of what was never seen %v, of what fires daily %v", r, d)
	}
	if one, two, twenty := p.ShareOf(1), p.ShareOf(2), p.ShareOf(20); one != 1 || two != 1 || twenty != 0.1 {
		t.Errorf("shares of one, two and twenty: %v, %v, %v", one, two, twenty)
	}
	if got := Combine(0.5, 0.5); got != 0.75 {
		t.Errorf("two halves combine to %v", got)
	}
	if mild, grave := p.SeverityShare(90, 100), p.SeverityShare(1, 100); !(mild > 1 && grave < 1) {
		t.Errorf("shares of the usual severity %v and of a rare one %v", mild, grave)
	}
	share := 0.0
	for range 50 {
		share = p.LearnKnownShare(share, false)
	}
	if after := p.LearnKnownShare(share, true); share < 0.99 || after > share*0.9 {
		t.Errorf("after fifty known ones %v, after a novel one %v", share, after)
	}
}
