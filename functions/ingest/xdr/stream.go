package xdr

import (
	"cmp"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/functions/ingest/microsoft"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/attack"
	"github.com/onepane/onepane/shared/entity"
	"github.com/onepane/onepane/shared/fault"
)

// streamRecord is one record of the streaming API.
type streamRecord struct {
	Time       ingest.Time `json:"time"`
	TenantID   ingest.Text `json:"tenantId"`
	Category   ingest.Text `json:"category"`
	Properties row         `json:"properties"`
}

// row is a row of AlertInfo, or of AlertEvidence, which repeats most of it and adds one entity.
type row struct {
	Timestamp  ingest.Time `json:"Timestamp"`
	AlertID    ingest.Text `json:"AlertId"`
	Title      ingest.Text `json:"Title"`
	Category   ingest.Text `json:"Category"`
	Categories ingest.Text `json:"Categories"`
	Severity   ingest.Text `json:"Severity"`
	Service    ingest.Text `json:"ServiceSource"`
	Detection  ingest.Text `json:"DetectionSource"`
	Techniques ingest.Text `json:"AttackTechniques"`

	EntityType, EvidenceRole, EvidenceDirection, ThreatFamily              ingest.Text
	FileName, FolderPath, SHA1, SHA256, FileSize                           ingest.Text
	RemoteIP, RemoteURL, LocalIP                                           ingest.Text
	AccountName, AccountDomain, AccountSid, AccountObjectID, AccountUpn    ingest.Text
	DeviceID, DeviceName, NetworkMessageID, EmailSubject                   ingest.Text
	Application, ApplicationID, OAuthApplicationID, ProcessCommandLine     ingest.Text
	RegistryKey, RegistryValueName, RegistryValueData                      ingest.Text
	CloudResource, CloudPlatform, ResourceType, ResourceID, SubscriptionID ingest.Text
	AdditionalFields                                                       jsontext.Value
}

func normalizeStreamed(r ingest.Record) (alert.Alert, error) {
	table := strings.TrimPrefix(r.Text("category"), "AdvancedHunting-")
	if table != "AlertInfo" && table != "AlertEvidence" {
		return alert.Alert{}, ingest.Ignore("a row of " + microsoft.ClipText(table, 60) + " is telemetry, no finding")
	}
	var s streamRecord
	if err := ingest.Decode(r.Raw, &s); err != nil {
		return alert.Alert{}, err
	}
	p := s.Properties
	id := string(p.AlertID)
	if ingest.IsPlaceholder(id) {
		return alert.Alert{}, fault.Errorf(fault.Invalid, "properties.AlertId: missing")
	}
	a := alert.Alert{
		Origin: alert.Origin{Provider: name, ID: id}, Reporter: name, ReportID: id, Product: productName("", string(p.Service)),
		ServiceSource: graphWord(services, string(p.Service)), DetectionSource: graphWord(detections, string(p.Detection)),
		Type: string(cmp.Or(p.Category, p.Categories)), Title: string(p.Title),
		Severity: alert.ParseSeverity(string(p.Severity)), NativeSeverity: string(p.Severity), Status: alert.StatusNew,
		Tactics:    microsoft.ParseTactics(attack.GraphCategory, string(p.Category), string(p.Categories)),
		Techniques: attack.FindTechniques(string(p.Techniques)),
		First:      ingest.FirstSet(p.Timestamp, s.Time), Last: ingest.FirstSet(p.Timestamp, s.Time), Updated: ingest.FirstSet(s.Time, p.Timestamp),
		Account: alert.Account{Cloud: entity.Azure, Organization: organizationOf(string(s.TenantID), r), ID: p.subscriptionID()},
	}
	if theirs, ok := strings.CutPrefix(id, "dc"); ok && a.ServiceSource == "microsoftDefenderForCloud" {
		a.CarriedIDs = []string{strings.ToLower(theirs)} // the prefix is XDR's, the rest Defender for Cloud's own id
	}
	a.Extra = microsoft.WithFact(a.Extra, "serviceSource", string(p.Service))
	a.Extra = microsoft.WithFact(a.Extra, "detectionSource", string(p.Detection))
	a.Extra = microsoft.WithFact(a.Extra, "threatFamilyName", string(p.ThreatFamily))
	completeAlert(&a)
	if table == "AlertEvidence" {
		a.Class = alert.EvidenceOnly
		var set ingest.EvidenceSet
		p.addEvidence(&set)
		a.Evidence = set.List()
	}
	return a, nil
}

// subscriptionID is the subscription of the row's cloud resource.
func (p row) subscriptionID() string {
	if sub := string(p.SubscriptionID); !ingest.IsPlaceholder(sub) {
		return sub
	}
	return microsoft.AzureSubscription(string(p.ResourceID))
}

// addEvidence reads the entity twice: the fields in full, which nest what belongs to it, and the columns.
func (p row) addEvidence(set *ingest.EvidenceSet) {
	microsoft.AddEntities(p.AdditionalFields, set)
	role := parseImpact(string(p.EvidenceRole))
	for _, e := range p.columnEvidence() {
		if e.Role == "" {
			e.Role = role
		}
		if have := set.Find(e.Kind, e.Value); have != nil && have.Role == "" {
			have.Role = e.Role
		}
		set.Add(e)
	}
}

// parseImpact reads the older word for a role.
func parseImpact(word string) alert.Role {
	switch strings.ToLower(word) {
	case "impacted":
		return alert.Victim
	case "related":
		return alert.Context
	}
	return ""
}

// columnEvidence are the things that the row's columns name.
func (p row) columnEvidence() []alert.Evidence {
	host := microsoft.NewEvidence(entity.Host, string(cmp.Or(p.DeviceName, p.DeviceID)), entity.AttrDeviceID, string(p.DeviceID))
	if ip := string(p.LocalIP); !ingest.IsPlaceholder(ip) {
		host.Entity = host.WithAlias(entity.IP, ip)
	}
	remote := microsoft.NewEvidence(entity.IP, string(p.RemoteIP))
	mail := microsoft.NewEvidence(entity.Other, string(p.NetworkMessageID), entity.AttrKind, "mail-message")
	mail.Name = string(p.EmailSubject)
	app := microsoft.NewEvidence(entity.App, string(cmp.Or(p.OAuthApplicationID, p.ApplicationID, p.Application)))
	app.Name = string(p.Application)
	key := microsoft.NewEvidence(entity.RegistryKey, string(p.RegistryKey), entity.AttrData, string(p.RegistryValueData))
	key.Name = string(p.RegistryValueName)
	return []alert.Evidence{
		host, remote, p.userEvidence(), p.processEvidence(), p.fileEvidence(), microsoft.NewEvidence(entity.URL, strings.TrimPrefix(string(p.RemoteURL), "uri=")),
		mail, app, key, p.resourceEvidence(),
	}
}

func (p row) userEvidence() alert.Evidence {
	downLevel := ""
	if p.AccountName != "" && p.AccountDomain != "" {
		downLevel = string(p.AccountDomain + `\` + p.AccountName)
	}
	e := microsoft.NewEvidence(entity.User, string(cmp.Or(p.AccountUpn, ingest.Text(downLevel), p.AccountName, p.AccountObjectID, p.AccountSid)),
		entity.AttrUPN, string(p.AccountUpn), entity.AttrObjectID, string(p.AccountObjectID), entity.AttrSID, string(p.AccountSid),
		entity.AttrDomain, string(p.AccountDomain))
	e.Entity = e.WithAlias(entity.User, downLevel)
	return e
}

func (p row) processEvidence() alert.Evidence {
	if !strings.EqualFold(string(p.EntityType), "Process") {
		return alert.Evidence{}
	}
	e := microsoft.NewEvidence(entity.Process, string(cmp.Or(p.ProcessCommandLine, p.FileName)), entity.AttrCommandLine, string(p.ProcessCommandLine),
		entity.AttrPath, joinPath(string(p.FolderPath), string(p.FileName)), entity.AttrSHA1, string(p.SHA1), entity.AttrSHA256, string(p.SHA256))
	e.Name = string(p.FileName)
	return e
}

func (p row) fileEvidence() alert.Evidence {
	return fileEvidence(joinPath(string(p.FolderPath), string(p.FileName)), string(p.FileName), "", string(p.SHA1), string(p.SHA256), string(p.FileSize))
}

func (p row) resourceEvidence() alert.Evidence {
	id := string(cmp.Or(p.ResourceID, p.CloudResource))
	e := microsoft.NewEvidence(entity.Resource, id, entity.AttrType, string(p.ResourceType), entity.AttrAccount, string(p.SubscriptionID),
		entity.AttrCloud, cloudOf(string(p.CloudPlatform)))
	if n := string(p.CloudResource); n != id {
		e.Name = n
	}
	return e
}

func cloudOf(platform string) string {
	switch p := strings.ToLower(platform); {
	case strings.Contains(p, "azure"):
		return string(entity.Azure)
	case strings.Contains(p, "amazon"), p == "aws":
		return string(entity.Amazon)
	case strings.Contains(p, "google"), p == "gcp":
		return string(entity.Google)
	}
	return ""
}
