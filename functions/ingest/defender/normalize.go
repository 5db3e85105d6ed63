package defender

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/functions/ingest/microsoft"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/attack"
	"github.com/onepane/onepane/shared/entity"
	"github.com/onepane/onepane/shared/fault"
)

// product is the name people know; older records still say "Azure Security Center".
const product = "Microsoft Defender for Cloud"

func normalizeAlert(r ingest.Record) (alert.Alert, error) {
	f, err := decodeFinding(r)
	if err != nil {
		return alert.Alert{}, err
	}
	id := string(f.SystemAlertID)
	if ingest.IsPlaceholder(id) {
		return alert.Alert{}, fault.Errorf(fault.Invalid, "systemAlertId: missing")
	}
	severity, status := cmp.Or(f.Severity, f.ReportedSeverity), cmp.Or(f.Status, f.State)
	a := alert.Alert{
		Origin: alert.Origin{Provider: name, ID: strings.ToLower(id)}, Reporter: name, ReportID: id,
		Product: product, DetectionSource: planOf(string(f.ProductComponent), string(cmp.Or(f.AlertType, f.AlertName))),
		Type: string(cmp.Or(f.AlertType, f.AlertName)), Title: string(cmp.Or(f.AlertDisplayName, f.AlertName)),
		Description: string(f.Description), Recommendation: strings.Join(microsoft.ParseTexts(f.RemediationSteps), "\n"),
		URL:      string(f.AlertURI),
		Severity: alert.ParseSeverity(string(severity)), NativeSeverity: string(severity),
		Status: alert.ParseStatus(string(status)), NativeStatus: string(status),
		Tactics:    microsoft.ParseTactics(attack.MicrosoftIntent, string(f.Intent)),
		Techniques: attack.FindTechniques(append(microsoft.ParseTexts(f.Techniques), microsoft.ParseTexts(f.SubTechniques)...)...),
		First:      ingest.FirstSet(f.Start, f.Detected, f.End, f.Generated, f.ExportGenerated, f.Reported),
		Updated:    ingest.FirstSet(f.Generated, f.ExportGenerated, f.Processed, f.ExportProcessed, f.Reported),
		Account: alert.Account{
			Cloud: entity.Azure, ID: f.subscriptionID(r.Text("id")), Organization: f.directoryID(),
		},
		CorrelationKey: string(f.CorrelationKey), Sample: f.isSample(),
		Extra: microsoft.ParseProperties(f.ExtendedProperties),
	}
	a.Last = ingest.FirstSet(f.End, f.Start)
	if a.Last.Before(a.First) {
		a.Last = a.First
	}
	if strings.HasPrefix(strings.ToLower(r.Text("id")), "/subscriptions/") {
		a.CarriedIDs = []string{r.Text("id")}
	}
	f.addEvidence(&a)
	a.Extra = withFact(a.Extra, "compromisedEntity", string(f.Compromised))
	a.Extra = withFact(a.Extra, "productComponentName", string(f.ProductComponent))
	return a, nil
}

// addEvidence fills in the things the alert names, and for an incident of Defender for Cloud's own the alerts it sums up.
func (f finding) addEvidence(a *alert.Alert) {
	var set ingest.EvidenceSet
	for _, id := range append([]string{string(f.AzureResourceID), string(f.Associated)}, f.resourceIDs()...) {
		ev := microsoft.AzureResource(id)
		if ev.Role = alert.Victim; strings.EqualFold(strings.TrimRight(id, "/"), "/subscriptions/"+a.Account.ID) {
			ev.Role = alert.Context
		}
		set.Add(ev)
	}
	members := microsoft.AddEntities(f.Entities, &set)
	addHints(a.Extra, &set)
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

// addHints reads the extended properties that name an address's part, which the entities do not: their spelling
// varies between products and versions.
func addHints(properties map[string]string, set *ingest.EvidenceSet) {
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

func withFact(m map[string]string, key, value string) map[string]string {
	if value == "" {
		return m
	}
	if m == nil {
		m = map[string]string{}
	}
	m[key] = value
	return m
}
