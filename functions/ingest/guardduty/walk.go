package guardduty

import (
	"strings"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/alert"
)

// walk gathers what one finding names. Things that appear twice are merged by the caller.
type walk struct {
	ingest.Gather
	account   alert.Account
	partition string
	asset     alert.Role // the role of the account's own resources
	remote    alert.Role // the role of the other side
	members   []string
}

func (w *walk) finding(f *finding, info additional) {
	w.asset, w.remote = roles(string(f.Type), string(f.Service.ResourceRole))
	w.resource(&f.Resource, &f.Service.Action)
	w.action(&f.Service.Action)
	w.runtime(&f.Service.RuntimeDetails)
	w.scans(&f.Service)
	w.sequence(&f.Service.Detection.Sequence)
	w.intelligence(&f.Service, info)
	w.Note("resource_type", f.Resource.ResourceType)
	w.Note("resource_role", f.Service.ResourceRole)
	w.Note("action_type", f.Service.Action.ActionType)
	w.Note("feature", f.Service.FeatureName)
	w.Note("attack_sequence", f.AssociatedAttackSequenceArn)
	w.Note("user_agent", info.UserAgent.FullUserAgent)
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

// arn names a resource of the finding's own account and region.
func (w *walk) arn(service, resource string) ingest.Text {
	return ingest.Text("arn:" + w.partition + ":" + service + ":" + w.account.Region + ":" + w.account.ID + ":" + resource)
}
