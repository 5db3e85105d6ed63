package defender

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/functions/ingest/microsoft"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/entity"
)

// addEvidence fills in the things the alert names, and for an incident of Defender for Cloud's own the alerts it sums
// up.
func (f finding) addEvidence(a *alert.Alert) {
	var set ingest.EvidenceSet
	ids := append([]string{string(f.AzureResourceID), string(f.Associated)}, f.resourceIDs()...)
	microsoft.AddResources(ids, a.Account.ID, &set)
	members := microsoft.AddEntities(f.Entities, &set)
	addAddressProperties(a.Extra, &set)
	a.Evidence = set.List()
	f.nameMachine(a)
	if f.IsIncident {
		a.Members = f.memberIDs(a.Extra, members)
		a.Extra = withFact(a.Extra, "isIncident", "true")
	}
}

// nameMachine gives the one machine of the alert the ids that are stated beside it.
func (f finding) nameMachine(a *alert.Alert) {
	var machine *alert.Evidence
	for i, e := range a.Evidence {
		kind := strings.ToLower(e.Attr(entity.AttrType))
		if e.Kind == entity.Resource && (strings.HasSuffix(kind, "/machines") || strings.HasSuffix(kind, "/virtualmachines")) {
			if machine != nil {
				return
			}
			machine = &a.Evidence[i]
		}
	}
	if machine == nil {
		return
	}
	for _, key := range sortedKeys(a.Extra) {
		if v := a.Extra[key]; normalizeKey(key) == "vmid" && !ingest.IsPlaceholder(v) {
			machine.Entity = machine.WithAttr(entity.AttrVMID, v)
		}
	}
	for _, id := range f.ResourceIDs {
		if v := string(id.AgentID); !ingest.IsPlaceholder(v) && machine.Attr("oms_agent_id") == "" {
			machine.Entity = machine.WithAttr("oms_agent_id", v)
		}
	}
}

// addAddressProperties reads the extended properties that name an address's part, which the entities do not: their
// spelling varies between products and versions.
func addAddressProperties(properties map[string]string, set *ingest.EvidenceSet) {
	for _, key := range sortedKeys(properties) {
		var role alert.Role
		switch folded := normalizeKey(key); {
		case strings.Contains(folded, "attackerip"), strings.Contains(folded, "attackersourceip"), strings.Contains(folded, "attackeraddress"):
			role = alert.Attacker
		case strings.Contains(folded, "victimip"):
			role = alert.Victim
		case folded == "clientipaddress", folded == "callerip", folded == "calleripaddress", folded == "ipaddress", folded == "sourceip":
		default:
			continue
		}
		for value := range strings.FieldsFuncSeq(properties[key], func(r rune) bool { return strings.ContainsRune(`,;[]" `, r) }) {
			if _, err := netip.ParseAddr(value); err != nil {
				continue
			}
			if have := set.Find(entity.IP, value); have != nil && role != "" {
				have.Role = role
			}
			ev := microsoft.NewEvidence(entity.IP, value)
			ev.Role = role
			set.Add(ev)
		}
	}
}

// memberIDs are the alerts an incident sums up: those it names as entities and those in the properties that list ids.
func (f finding) memberIDs(properties map[string]string, named []string) []string {
	var out []string
	add := func(id string) {
		id = strings.ToLower(strings.TrimSpace(id))
		if id != "" && id != strings.ToLower(string(f.SystemAlertID)) && !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	for _, id := range named {
		add(id)
	}
	for _, key := range sortedKeys(properties) {
		if !strings.Contains(normalizeKey(key), "alert") {
			continue
		}
		for word := range strings.FieldsFuncSeq(properties[key], func(r rune) bool { return strings.ContainsRune(`,;[]{}" :`, r) }) {
			if isAlertID(word) {
				add(word)
			}
		}
	}
	return out
}

// isAlertID reports whether a word has the shape of a Defender for Cloud alert id: ticks, "_", GUID.
func isAlertID(word string) bool {
	ticks, guid, ok := strings.Cut(word, "_")
	return ok && len(ticks) == 19 && strings.Trim(ticks, "0123456789") == "" && len(guid) == 36 && strings.Count(guid, "-") == 4
}

func normalizeKey(key string) string {
	return strings.NewReplacer(" ", "", "_", "", "-", "").Replace(strings.ToLower(key))
}

func sortedKeys(m map[string]string) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
