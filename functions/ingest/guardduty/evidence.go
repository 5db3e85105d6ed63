package guardduty

import (
	"strings"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/alert"
)

// evidenceMapper gathers what one finding names. Things that appear twice are merged by the caller.
type evidenceMapper struct {
	ingest.Collector
	account   alert.Account
	partition string
	asset     alert.Role // the role of the account's own resources
	remote    alert.Role // the role of the other side
	members   []string
}

func (m *evidenceMapper) addFinding(f *finding, info additional) {
	m.asset, m.remote = rolesOf(string(f.Type), string(f.Service.ResourceRole))
	m.addResource(&f.Resource, &f.Service.Action)
	actionMapper{m}.addAction(&f.Service.Action)
	runtime := runtimeMapper{m}
	runtime.addRuntime(&f.Service.RuntimeDetails)
	runtime.addScans(&f.Service)
	sequenceMapper{m}.addSequence(&f.Service.Detection.Sequence)
	runtime.addThreatIntelligence(&f.Service, info)
	m.AddFact("resource_type", f.Resource.ResourceType)
	m.AddFact("resource_role", f.Service.ResourceRole)
	m.AddFact("action_type", f.Service.Action.ActionType)
	m.AddFact("feature", f.Service.FeatureName)
	m.AddFact("attack_sequence", f.AssociatedAttackSequenceArn)
	m.AddFact("user_agent", info.UserAgent.FullUserAgent)
}

// attacks are the mechanisms in which a resource that is the ACTOR turns on others: the remote side suffers. In all
// other findings with an acting resource it talks to its attacker (command and control, Tor, mining pools).
var attacks = []string{"BruteForce", "Portscan", "PortSweep", "DenialOfService", "Spambot"}

// rolesOf says who is who: the account's own resource, and the remote side.
func rolesOf(kind, resourceRole string) (asset, remote alert.Role) {
	if strings.EqualFold(resourceRole, "ACTOR") {
		for _, a := range attacks {
			if strings.Contains(kind, a) {
				return alert.Attacker, alert.Victim
			}
		}
	}
	return alert.Victim, alert.Attacker
}

// arnOf names a resource of the finding's own account and region.
func (m *evidenceMapper) arnOf(service, resource string) ingest.Text {
	return ingest.Text("arn:" + m.partition + ":" + service + ":" + m.account.Region + ":" + m.account.ID + ":" + resource)
}
