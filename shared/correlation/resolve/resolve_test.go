package resolve

import (
	"testing"
	"time"

	"github.com/onepane/onepane/shared/entity"
	"github.com/onepane/onepane/shared/incident"
)

var start = time.Date(2026, 3, 3, 0, 0, 0, 0, time.UTC)

func newResolver() *Resolver {
	fading := incident.Fading{Episode: 10 * time.Minute, BurstHalfLife: 5 * time.Minute}
	return &Resolver{Nodes: NewNodes(fading), AddressLife: 24 * time.Hour}
}

// resolve gives the key of an entity that one piece of evidence names, days after the start.
func (r *Resolver) resolve(days int, e entity.Entity) string {
	key, _ := r.EntityKey(e.Kind, e.Keys(), start.AddDate(0, 0, days))
	return key
}

func host(name string) entity.Entity { return entity.Entity{Kind: entity.Host, Value: name} }

func user(name string) entity.Entity { return entity.Entity{Kind: entity.User, Value: name} }

func instance(id string) entity.Entity { return entity.Entity{Kind: entity.Resource, Value: id} }

func TestWhomANameMeans(t *testing.T) {
	const one, two = "i-0f0a1b2c3d4e5f607", "i-0aaaabbbbccccdddd"
	for _, tt := range []struct {
		fact   string
		before []entity.Entity // evidence seen, a day apart
		name   entity.Entity   // seen the day after
		want   string
	}{
		{"a name nobody introduced means itself", nil, host("web-03"), "host:web-03"},
		{"a bare name means the machine it was last seen with", []entity.Entity{instance(one).WithAlias(entity.Host, "web-03")}, host("web-03"), "machine:" + one},
		{"a bare name of two machines means itself", []entity.Entity{
			instance(one).WithAlias(entity.Host, "web-03"), instance(two).WithAlias(entity.Host, "web-03"),
		}, host("web-03"), "host:web-03"},
		{"a full name means the machine that has its short form", []entity.Entity{instance(one).WithAlias(entity.Host, "web-03")}, host("web-03.contoso.example").WithAlias(entity.Host, "web-03"), "machine:" + one},
		{"an address moves on after a day", []entity.Entity{instance(one).WithAlias(entity.IP, "10.0.0.7"), host("elsewhere")}, entity.Entity{Kind: entity.IP, Value: "10.0.0.7"}, "ip:10.0.0.7"},
		{"localhost means nobody's machine", []entity.Entity{instance(one).WithAlias(entity.Host, "workstation")}, host("workstation"), "host:workstation"},
		{"two instance ids are two machines, whatever else they share", []entity.Entity{
			instance(one).WithAlias(entity.Host, "web-03.contoso.example"),
		}, instance(two).WithAlias(entity.Host, "web-03.contoso.example"), "machine:" + two},
	} {
		r := newResolver()
		for day, e := range tt.before {
			r.resolve(day, e)
		}
		if got := r.resolve(len(tt.before), tt.name); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.fact, got, tt.want)
		}
	}
}

// What a name gathered alone is the entity's, once it is known whose name it is.
func TestAnAliasBringsItsHistory(t *testing.T) {
	r := newResolver()
	r.AddActivity("host:web-03", incident.Activity{Incident: "10001", Alert: "a", First: start, Last: start, Episodes: 1})
	key := r.resolve(0, instance("i-0f0a1b2c3d4e5f607").WithAlias(entity.Host, "web-03"))
	if n := r.Get(key); n == nil || len(n.Activities) != 1 || n.Activities[0].Incident != "10001" {
		t.Errorf("%s knows %+v", key, n)
	}
}

// Two strong names in one piece of evidence are one entity from then on, under the name that was known first.
func TestUnion(t *testing.T) {
	r := newResolver()
	first := user("dora@contoso.example")
	r.Edit(r.resolve(0, first))
	if got, want := r.resolve(1, user("S-1-5-21-1-2-3-1105").WithAlias(entity.User, "dora@contoso.example")), r.resolve(1, first); got != want {
		t.Errorf("the account is %s, the person %s", got, want)
	}
	if got, want := r.resolve(2, user("S-1-5-21-1-2-3-1105")), r.resolve(2, first); got != want {
		t.Errorf("later the account is %s, the person %s", got, want)
	}
}

func TestExclusiveScheme(t *testing.T) {
	for key, want := range map[string]string{
		"machine:i-0abc": "machine:i", "machine:/subscriptions/s/…": "machine:", "machine:vm/1": "machine:vm", "user:sid/s-1-5-21": "user:sid",
		"user:dora@contoso.example": "", "host:web-03": "", "file:aabb": "file:xxxx",
	} {
		if got := exclusiveScheme(key); got != want {
			t.Errorf("%s is of scheme %q, want %q", key, got, want)
		}
	}
}
