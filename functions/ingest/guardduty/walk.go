package guardduty

import (
	"strings"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/entity"
)

// walk gathers what one finding names. Things that appear twice are merged by the caller.
type walk struct {
	account   alert.Account
	partition string
	asset     alert.Role // the role of the account's own resources
	remote    alert.Role // the role of the other side
	found     []alert.Evidence
	members   []string
	extra     map[string]string
}

func (w *walk) finding(f *finding, info additional) {
	w.asset, w.remote = roles(string(f.Type), string(f.Service.ResourceRole))
	w.resource(&f.Resource, &f.Service.Action)
	w.action(&f.Service.Action)
	w.runtime(&f.Service.RuntimeDetails)
	w.scans(&f.Service)
	w.sequence(&f.Service.Detection.Sequence)
	w.intelligence(&f.Service, info)
	w.note("resource_type", f.Resource.ResourceType)
	w.note("resource_role", f.Service.ResourceRole)
	w.note("action_type", f.Service.Action.ActionType)
	w.note("feature", f.Service.FeatureName)
	w.note("attack_sequence", f.AssociatedAttackSequenceArn)
	w.note("user_agent", info.UserAgent.FullUserAgent)
}

// attacks are the mechanisms in which a resource that is the ACTOR turns on others: the remote side suffers. In all
// other findings with an acting resource it talks to its attacker (command and control, Tor, mining pools).
var attacks = []string{"BruteForce", "Portscan", "PortSweep", "DenialOfService", "Spambot"}

// roles says who is who: the account's own resource, and the remote side.
func roles(kind, resourceRole string) (asset, remote alert.Role) {
	if strings.EqualFold(resourceRole, "ACTOR") {
		for _, a := range attacks {
			if strings.Contains(kind, a) {
				return alert.Attacker, alert.Victim
			}
		}
	}
	return alert.Victim, alert.Attacker
}

// add keeps an entity that names something.
func (w *walk) add(role alert.Role, kind entity.Kind, value ingest.Text, more ...string) *alert.Evidence {
	v := strings.TrimSpace(string(value))
	if blank(v) {
		return &alert.Evidence{} // so that callers may go on describing what is not kept
	}
	e := entity.Entity{Kind: kind, Value: v}
	for i := 0; i+1 < len(more); i += 2 {
		if !blank(more[i+1]) {
			e = e.With(more[i], more[i+1])
		}
	}
	w.found = append(w.found, alert.Evidence{Entity: e, Role: role})
	return &w.found[len(w.found)-1]
}

// note keeps a further fact of the finding.
func (w *walk) note(name string, value ingest.Text) {
	if v := strings.TrimSpace(string(value)); !blank(v) && w.extra[name] == "" {
		w.extra[name] = v
	}
}

// maxNames bounds the other names of one entity; a node of a large cluster has several hundred addresses.
const maxNames = 1000

// also gives an entity another name, unless that is a placeholder.
func also(e *alert.Evidence, kind entity.Kind, value ingest.Text) {
	if v := strings.TrimSpace(string(value)); !blank(v) && len(e.Aliases) < maxNames {
		e.Entity = e.Also(kind, v)
	}
}

// arn names a resource of the finding's own account and region.
func (w *walk) arn(service, resource string) ingest.Text {
	return ingest.Text("arn:" + w.partition + ":" + service + ":" + w.account.Region + ":" + w.account.ID + ":" + resource)
}

// blank reports the spellings of "nothing" that findings contain.
func blank(v string) bool {
	switch strings.ToLower(v) {
	case "", "-", "n/a", "null", "none", "unknown", "0.0.0.0", "::", "{}", "[]":
		return true
	}
	return false
}
