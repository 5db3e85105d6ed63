package guardduty

import (
	"strings"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/alert"
)

// walker gathers what one finding names. Things that appear twice are merged by the caller.
type walker struct {
	ingest.Collector
	account   alert.Account
	partition string
	asset     alert.Role // the role of the account's own resources
	remote    alert.Role // the role of the other side
	members   []string
}

func (w *walker) addFinding(f *finding, info additional) {
	w.asset, w.remote = rolesOf(string(f.Type), string(f.Service.ResourceRole))
	w.addResource(&f.Resource, &f.Service.Action)
	w.addAction(&f.Service.Action)
	w.addRuntime(&f.Service.RuntimeDetails)
	w.addScans(&f.Service)
	w.addSequence(&f.Service.Detection.Sequence)
	w.addThreatIntelligence(&f.Service, info)
	w.AddFact("resource_type", f.Resource.ResourceType)
	w.AddFact("resource_role", f.Service.ResourceRole)
	w.AddFact("action_type", f.Service.Action.ActionType)
	w.AddFact("feature", f.Service.FeatureName)
	w.AddFact("attack_sequence", f.AssociatedAttackSequenceArn)
	w.AddFact("user_agent", info.UserAgent.FullUserAgent)
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
func (w *walker) arnOf(service, resource string) ingest.Text {
	return ingest.Text("arn:" + w.partition + ":" + service + ":" + w.account.Region + ":" + w.account.ID + ":" + resource)
}
