package microsoft

import (
	"cmp"
	"strings"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/entity"
)

// addTo puts what e names into set. Entities of types that name nothing by themselves (a network connection, a
// namespace without its cluster) say it through the entities they hold.
func (g *entityGraph) addTo(e *entityRecord, set *ingest.EvidenceSet) {
	switch e.Type {
	case "host":
		set.Add(e.withVerdict(g.hostEvidence(e)))
	case "account", "user":
		set.Add(e.withVerdict(g.accountEvidence(e)))
	case "process":
		set.Add(e.withVerdict(g.processEvidence(e)))
	case "file":
		set.Add(e.withVerdict(g.fileEvidence(e)))
	case "filehash":
		if !g.owned[e] {
			set.Add(e.withVerdict(NewEvidence(entity.FileHash, string(e.Value))))
		}
	case "ip":
		set.Add(e.withVerdict(e.ipEvidence()))
	case "url":
		set.Add(e.withVerdict(NewEvidence(entity.URL, strings.TrimPrefix(cmp.Or(e.URL.text, string(e.Value)), "uri="))))
	case "dns":
		set.Add(e.withVerdict(NewEvidence(entity.Domain, string(e.DomainName))))
	case "azureresource", "amazonresource", "gcpresource", "googlecloudresource", "blob", "blobcontainer":
		set.Add(e.withVerdict(g.resourceEvidence(e)))
	case "container", "containerimage", "containerregistry":
		set.Add(e.withVerdict(g.containerEvidence(e)))
	case "mailbox", "mailmessage", "submissionmail":
		g.addMail(e, set)
	case "networkconnection":
		g.addConnection(e, set)
	case "securityalert", "alert":
		if id := cmp.Or(e.ProviderAlertID, e.SystemAlertID, e.VendorOriginalID); id != "" {
			g.members = append(g.members, string(id))
		}
	default:
		if strings.HasPrefix(string(e.Type), "k8s") {
			set.Add(e.withVerdict(g.kubernetesEvidence(e)))
		} else {
			set.Add(e.withVerdict(g.otherEvidence(e)))
		}
	}
}

// withVerdict adds what any entity may state: its part as an asset, the product's verdict.
func (e *entityRecord) withVerdict(ev alert.Evidence) alert.Evidence {
	if e.Asset && ev.Role == "" {
		ev.Role = alert.Victim
	}
	ev.Verdict = ParseVerdict(string(e.Verdict))
	return ev
}

// ParseVerdict reads a verdict; "" for words that are none.
func ParseVerdict(word string) alert.Verdict {
	switch strings.ToLower(strings.TrimSpace(word)) {
	case "suspicious":
		return alert.Suspicious
	case "malicious":
		return alert.Malicious
	case "nothreatsfound", "clean", "no threats found":
		return alert.NoThreatsFound
	}
	return ""
}

// NewEvidence is evidence of one thing with attributes given as pairs of name and value; placeholders are left out.
func NewEvidence(kind entity.Kind, value string, attributes ...string) alert.Evidence {
	e := alert.Evidence{Entity: entity.Entity{Kind: kind, Value: value}}
	for i := 0; i+1 < len(attributes); i += 2 {
		if name, v := attributes[i], strings.TrimSpace(attributes[i+1]); !ingest.IsPlaceholder(v) {
			if e.Attributes == nil {
				e.Attributes = make(map[string]string, len(attributes)/2)
			}
			e.Attributes[name] = v
		}
	}
	return e
}

// hostEvidence is a machine: a cloud resource when it has an Azure id, with its other names as aliases.
func (g *entityGraph) hostEvidence(e *entityRecord) alert.Evidence {
	name := cmp.Or(string(e.HostName), string(e.NetBiosName), string(e.FQDN), string(e.DeviceName))
	fqdn := string(e.FQDN)
	if fqdn == "" && e.DNSDomain != "" && name != "" && !strings.Contains(name, ".") {
		fqdn = name + "." + string(e.DNSDomain)
	}
	facts := []string{
		entity.AttrOS, cmp.Or(string(e.OSFamily), string(e.OSPlatform)), entity.AttrVMID, string(e.VMID),
		entity.AttrDeviceID, cmp.Or(string(e.MdatpDeviceID), string(e.MachineID)), entity.AttrAADDeviceID, string(e.AadDeviceID),
		entity.AttrDomain, cmp.Or(string(e.NTDomain), string(e.DNSDomain)), "oms_agent_id", string(e.OMSAgentID),
		"external_ip", string(e.LastExternalIPAddress),
	}
	var ev alert.Evidence
	if id := cmp.Or(string(e.AzureID), string(e.ResourceID)); !ingest.IsPlaceholder(id) {
		ev = NewEvidence(entity.Resource, id, append(facts, azureFacts(id)...)...)
		ev.Name = name
		ev.Entity = withAlias(ev.Entity, entity.Host, name)
	} else {
		ev = NewEvidence(entity.Host, cmp.Or(fqdn, name, string(e.MdatpDeviceID), string(e.MachineID)), facts...)
		if ev.Value != name && !ingest.IsPlaceholder(name) {
			ev.Name = name
		}
	}
	ev.Entity = withAlias(ev.Entity, entity.Host, fqdn)
	ev.Entity = withAlias(ev.Entity, entity.IP, string(e.LastIPAddress))
	return ev
}

// withAlias is Also for a value that may be a placeholder.
func withAlias(e entity.Entity, kind entity.Kind, value string) entity.Entity {
	if ingest.IsPlaceholder(value) {
		return e
	}
	return e.WithAlias(kind, value)
}

// accountEvidence is a user by the most telling name it has: UPN, down-level name, plain name. A plain name on a
// known host is a local account of that host.
func (g *entityGraph) accountEvidence(e *entityRecord) alert.Evidence {
	name, domain := string(e.Name), string(e.NTDomain)
	upn := cmp.Or(string(e.UserPrincipalName), string(e.Upn))
	if upn == "" && name != "" && e.UPNSuffix != "" && !strings.Contains(name, "@") {
		upn = name + "@" + string(e.UPNSuffix)
	}
	downLevel := ""
	if !ingest.IsPlaceholder(domain) && name != "" && !strings.ContainsAny(name, `\@`) {
		downLevel = domain + `\` + name
	}
	if domain == "" && upn == "" {
		if h := g.resolveReference(e, e.Host, "host"); h != nil {
			domain = shortNameOf(string(h.HostName))
		}
	}
	ev := NewEvidence(entity.User, cmp.Or(upn, downLevel, name, string(e.DisplayName), string(e.AadUserID), string(e.ObjectGUID), string(e.Sid)),
		entity.AttrUPN, upn, entity.AttrObjectID, cmp.Or(string(e.AadUserID), string(e.ObjectGUID)), entity.AttrSID, string(e.Sid),
		entity.AttrDomain, domain)
	if ev.Value != name && !ingest.IsPlaceholder(name) {
		ev.Entity = ev.WithAttr("account_name", name)
	}
	ev.Entity = withAlias(ev.Entity, entity.User, downLevel)
	if d := string(e.DisplayName); d != ev.Value && !ingest.IsPlaceholder(d) {
		ev.Name = d
	}
	return ev
}

func shortNameOf(host string) string {
	short, _, _ := strings.Cut(host, ".")
	return short
}

// processEvidence is named by its command line, else its image; a bare process number says nothing beyond its machine.
func (g *entityGraph) processEvidence(e *entityRecord) alert.Evidence {
	image := g.resolveReference(e, e.ImageFile, "file")
	path := image.fullPath()
	ev := NewEvidence(entity.Process, cmp.Or(string(e.CommandLine), path),
		entity.AttrCommandLine, string(e.CommandLine), entity.AttrPID, string(e.ProcessID), entity.AttrPath, path)
	if image != nil {
		ev.Name = string(image.Name)
		for name, v := range g.fileHashes(image) {
			ev.Entity = ev.WithAttr(name, v)
		}
	}
	if parent := g.resolveReference(e, e.ParentProcess, "process"); parent != nil {
		ev.Entity = ev.WithAttr(entity.AttrParentPID, string(parent.ProcessID))
		if f := g.resolveReference(parent, parent.ImageFile, "file"); f != nil {
			ev.Entity = ev.WithAttr(entity.AttrParentName, string(f.Name))
		}
	}
	return ev
}

// fileEvidence is its hash, the longest known, with its path; without a hash it is the path.
func (g *entityGraph) fileEvidence(e *entityRecord) alert.Evidence {
	hashes := g.fileHashes(e)
	kind, value := entity.FileHash, cmp.Or(hashes[entity.AttrSHA256], hashes[entity.AttrSHA1], hashes[entity.AttrMD5])
	if value == "" {
		kind, value = entity.File, e.fullPath()
	}
	ev := NewEvidence(kind, value, entity.AttrPath, e.fullPath(), entity.AttrSize, string(e.SizeInBytes))
	for name, v := range hashes {
		ev.Entity = ev.WithAttr(name, v)
	}
	if n := string(e.Name); n != value && !ingest.IsPlaceholder(n) {
		ev.Name = n
	}
	return ev
}

// fullPath is directory and name with the separator that the directory uses.
func (e *entityRecord) fullPath() string {
	switch {
	case e == nil:
		return ""
	case e.Directory == "":
		return string(e.Name)
	case e.Name == "":
		return string(e.Directory)
	}
	sep := "/"
	if strings.Contains(string(e.Directory), `\`) || strings.HasSuffix(string(e.Directory), ":") {
		sep = `\`
	}
	return strings.TrimRight(string(e.Directory), `/\`) + sep + string(e.Name)
}

// fileHashes are a file's hashes by attribute name.
func (g *entityGraph) fileHashes(e *entityRecord) map[string]string {
	out := map[string]string{}
	for _, n := range e.FileHashes {
		h := g.resolveReference(e, n, "filehash")
		if h == nil || ingest.IsPlaceholder(string(h.Value)) {
			continue
		}
		switch strings.ReplaceAll(strings.ToLower(string(h.Algorithm)), "-", "") {
		case "md5":
			out[entity.AttrMD5] = string(h.Value)
		case "sha1":
			out[entity.AttrSHA1] = string(h.Value)
		case "sha256":
			out[entity.AttrSHA256] = string(h.Value)
		}
	}
	return out
}

// ipEvidence is an address; one that threat intelligence knows is an attacker's.
func (e *entityRecord) ipEvidence() alert.Evidence {
	var l entityRecord
	if e.Location.entity != nil {
		l = *e.Location.entity
	}
	asn := string(l.ASN)
	if asn == "0" {
		asn = ""
	}
	ev := NewEvidence(entity.IP, string(e.Address), entity.AttrCountry, cmp.Or(string(l.CountryCode), string(l.CountryName)),
		entity.AttrCity, string(l.City), entity.AttrASN, asn, entity.AttrOrg, cmp.Or(string(l.Organization), string(l.Carrier)))
	if e.ThreatIntelligence {
		ev.Role = alert.Attacker
	}
	return ev
}

// addConnection notes ports on the ends of a network connection; the addresses are entities of their own.
func (g *entityGraph) addConnection(e *entityRecord, set *ingest.EvidenceSet) {
	for _, end := range []struct {
		node entityNode
		port ingest.Text
	}{{e.SourceAddress, e.SourcePort}, {e.DestinationAddress, e.DestinationPort}} {
		port := string(end.port)
		if port == "0" {
			port = ""
		}
		address := end.node.text
		if ip := g.resolveReference(e, end.node, "ip"); ip != nil {
			address = string(ip.Address)
		}
		set.Add(NewEvidence(entity.IP, address, entity.AttrPort, port, entity.AttrProtocol, string(e.Protocol)))
	}
}

// addMail is a mailbox, or a message with the people and the address it came from.
func (g *entityGraph) addMail(e *entityRecord, set *ingest.EvidenceSet) {
	if e.Type == "mailbox" {
		upn := cmp.Or(string(e.Upn), string(e.UserPrincipalName))
		ev := NewEvidence(entity.Mailbox, cmp.Or(string(e.MailboxPrimaryAddress), upn), entity.AttrUPN, upn,
			entity.AttrObjectID, string(e.AadUserID), entity.AttrSID, string(e.Sid))
		ev.Name = string(e.DisplayName)
		set.Add(e.withVerdict(ev))
		return
	}
	ev := NewEvidence(entity.Other, cmp.Or(string(e.NetworkMessageID), string(e.InternetMessageID)), entity.AttrKind, "mail-message",
		"internet_message_id", string(e.InternetMessageID))
	ev.Name = string(e.Subject)
	set.Add(e.withVerdict(ev))
	set.Add(WithRole(NewEvidence(entity.Mailbox, string(e.Recipient)), alert.Victim))
	set.Add(WithRole(NewEvidence(entity.Mailbox, cmp.Or(string(e.P2Sender), string(e.Sender), string(e.P1Sender))), alert.Attacker))
	set.Add(WithRole(NewEvidence(entity.IP, string(e.SenderIP)), alert.Attacker))
}

// WithRole returns evidence in a role.
func WithRole(e alert.Evidence, r alert.Role) alert.Evidence {
	e.Role = r
	return e
}
