package xdr

import (
	"cmp"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/functions/ingest/microsoft"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/attack"
	"github.com/onepane/onepane/shared/entity"
	"github.com/onepane/onepane/shared/fault"
)

// legacy is an alert of the older /api/incidents. Its words are written for people; Graph's stand in our alert.
type legacy struct {
	AlertID         ingest.Text              `json:"alertId"`
	ProviderAlertID ingest.Text              `json:"providerAlertId"`
	IncidentID      ingest.Text              `json:"incidentId"`
	Title           ingest.Text              `json:"title"`
	Description     ingest.Text              `json:"description"`
	Category        ingest.Text              `json:"category"`
	Status          ingest.Text              `json:"status"`
	Severity        ingest.Text              `json:"severity"`
	Service         ingest.Text              `json:"serviceSource"`
	Detection       ingest.Text              `json:"detectionSource"`
	DetectorID      ingest.Text              `json:"detectorId"`
	Techniques      ingest.List[ingest.Text] `json:"mitreTechniques"`
	Created         ingest.Time              `json:"creationTime"`
	Updated         ingest.Time              `json:"lastUpdatedTime"`
	First           ingest.Time              `json:"firstActivity"`
	Last            ingest.Time              `json:"lastActivity"`

	Classification ingest.Text                 `json:"classification"`
	Determination  ingest.Text                 `json:"determination"`
	AssignedTo     ingest.Text                 `json:"assignedTo"`
	Actor          ingest.Text                 `json:"actorName"`
	Family         ingest.Text                 `json:"threatFamilyName"`
	Devices        ingest.List[jsontext.Value] `json:"devices"`
	Entities       ingest.List[jsontext.Value] `json:"entities"`
}

func normalizeLegacy(r ingest.Record) (alert.Alert, error) {
	var l legacy
	if err := ingest.Decode(r.Raw, &l); err != nil {
		return alert.Alert{}, err
	}
	id := string(l.AlertID)
	if ingest.IsPlaceholder(id) {
		return alert.Alert{}, fault.Errorf(fault.Invalid, "alertId: missing")
	}
	incident := cmp.Or(r.Context[incidentID], string(l.IncidentID))
	service := graphWord(services, string(l.Service))
	a := alert.Alert{
		Origin: originOf(id, string(l.ProviderAlertID), service), Reporter: name, ReportID: id, Product: productName("", service),
		ServiceSource: service, DetectionSource: graphWord(detections, string(l.Detection)),
		Type: string(cmp.Or(l.Category, l.DetectorID)), Title: string(l.Title), Description: string(l.Description),
		Severity: alert.ParseSeverity(string(l.Severity)), NativeSeverity: string(l.Severity),
		Status: alert.ParseStatus(string(l.Status)), NativeStatus: string(l.Status),
		Tactics:        microsoft.ParseTactics(attack.GraphCategory, string(l.Category)),
		Techniques:     attack.FindTechniques(microsoft.ParseTexts(l.Techniques)...),
		First:          ingest.FirstSet(l.First, l.Created, l.Last, l.Updated),
		Last:           ingest.FirstSet(l.Last),
		Updated:        ingest.FirstSet(l.Updated, l.Created),
		Account:        alert.Account{Cloud: entity.Azure, Organization: organizationOf("", r)},
		CorrelationKey: correlationKey(incident),
	}
	for _, other := range []string{string(l.ProviderAlertID), id} {
		if !ingest.IsPlaceholder(other) && other != a.Origin.ID {
			a.CarriedIDs = append(a.CarriedIDs, other)
		}
	}
	for _, f := range [...][2]string{
		{"incidentId", incident}, {"incidentTitle", r.Context[incidentTitle]}, {"classification", string(l.Classification)},
		{"determination", string(l.Determination)}, {"assignedTo", string(l.AssignedTo)}, {"detectorId", string(l.DetectorID)},
		{"actorDisplayName", string(l.Actor)}, {"threatFamilyName", string(l.Family)},
	} {
		a.Extra = microsoft.WithFact(a.Extra, f[0], f[1])
	}
	completeAlert(&a)
	var set ingest.EvidenceSet
	l.addEvidence(&set)
	a.Evidence = set.List()
	return a, nil
}

// legacyEntity is an entity of the older API: one flat object, whatever its type.
type legacyEntity struct {
	EntityType, Verdict, IPAddress, URL, AccountName, DomainName, UserSid, AadUserID, UserPrincipalName ingest.Text
	MailboxDisplayName, MailboxAddress, Sender, Recipient, SenderIP, Subject, InternetMessageID         ingest.Text
	FileName, FilePath, SHA1, SHA256, ProcessID, ProcessCommandLine, ParentProcessID, NetworkMessageID  ingest.Text
	RegistryHive, RegistryKey, RegistryValue, RegistryValueType, SecurityGroupID, SecurityGroupName     ingest.Text
	ApplicationID, ApplicationName, DeviceID                                                            ingest.Text
}

// legacyDevice is a device of the older API.
type legacyDevice struct {
	DeviceID, MDATPDeviceID, AadDeviceID, DeviceDNSName, OSPlatform, RiskScore ingest.Text
}

// addEvidence adds devices and entities; one that cannot be read is left out.
func (l legacy) addEvidence(set *ingest.EvidenceSet) {
	for _, v := range l.Devices {
		var d legacyDevice
		if v.Kind() == '{' && json.Unmarshal(v, &d, lenientJSON) == nil {
			id := cmp.Or(d.MDATPDeviceID, d.DeviceID)
			set.Add(microsoft.NewEvidence(entity.Host, string(cmp.Or(d.DeviceDNSName, id)), entity.AttrDeviceID, string(id),
				entity.AttrAADDeviceID, string(d.AadDeviceID), entity.AttrOS, string(d.OSPlatform), "risk_score", string(d.RiskScore)))
		}
	}
	for _, v := range l.Entities {
		var e legacyEntity
		if v.Kind() != '{' || json.Unmarshal(v, &e, lenientJSON) != nil {
			continue
		}
		for _, ev := range e.toEvidence() {
			if ev.Verdict == "" {
				ev.Verdict = microsoft.ParseVerdict(string(e.Verdict))
			}
			set.Add(ev)
		}
	}
}

// toEvidence goes by what the entity states rather than by its type: the types share the flat members.
func (e legacyEntity) toEvidence() []alert.Evidence {
	columns := row{
		AccountName: e.AccountName, AccountDomain: e.DomainName, AccountSid: e.UserSid, AccountObjectID: e.AadUserID, AccountUpn: e.UserPrincipalName,
		EntityType: e.EntityType, ProcessCommandLine: e.ProcessCommandLine, FileName: e.FileName, FolderPath: e.FilePath, SHA1: e.SHA1, SHA256: e.SHA256,
		RemoteIP: e.IPAddress, RemoteURL: e.URL, NetworkMessageID: cmp.Or(e.NetworkMessageID, e.InternetMessageID), EmailSubject: e.Subject,
		Application: e.ApplicationName, ApplicationID: e.ApplicationID, RegistryValueData: e.RegistryValue,
	}
	if e.RegistryKey != "" {
		columns.RegistryKey = e.RegistryKey
		if e.RegistryHive != "" {
			columns.RegistryKey = e.RegistryHive + `\` + e.RegistryKey
		}
	}
	box := microsoft.NewEvidence(entity.Mailbox, string(e.MailboxAddress))
	box.Name = string(e.MailboxDisplayName)
	group := microsoft.NewEvidence(entity.Other, string(e.SecurityGroupID), entity.AttrKind, "security-group")
	group.Name = string(e.SecurityGroupName)
	return append(columns.columnEvidence(), box, group, microsoft.WithRole(microsoft.NewEvidence(entity.Mailbox, string(e.Recipient)), alert.Victim),
		microsoft.WithRole(microsoft.NewEvidence(entity.Mailbox, string(e.Sender)), alert.Attacker), microsoft.WithRole(microsoft.NewEvidence(entity.IP, string(e.SenderIP)), alert.Attacker))
}
