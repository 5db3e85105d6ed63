package xdr

import (
	"cmp"
	"strings"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/functions/ingest/microsoft"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/entity"
)

// toEvidence turns e into evidence of its kind; what it holds is read by itself.
func (e *evidence) toEvidence(kind string) []alert.Evidence {
	one := func(ev alert.Evidence) []alert.Evidence { return []alert.Evidence{ev} }
	switch kind {
	case "user", "mailbox":
		return one(e.userEvidence(kind))
	case "device":
		return e.deviceEvidence()
	case "ip":
		return one(e.ipEvidence())
	case "url":
		return one(microsoft.NewEvidence(entity.URL, e.URL.text))
	case "file":
		return one(e.FileDetails.detailsEvidence())
	case "process":
		return e.processEvidence()
	case "filehash":
		return one(microsoft.NewEvidence(entity.FileHash, string(e.Value)))
	case "dns":
		return one(microsoft.NewEvidence(entity.Domain, string(e.DomainName)))
	case "azureresource", "amazonresource", "googlecloudresource", "blob", "blobcontainer":
		return one(e.resourceEvidence(kind))
	case "registrykey", "registryvalue":
		ev := microsoft.NewEvidence(entity.RegistryKey, strings.Trim(string(e.RegistryHive+`\`+e.RegistryKey), `\`), entity.AttrData, string(e.RegistryValue))
		ev.Name = string(e.RegistryValueName)
		return one(ev)
	case "networkconnection":
		return e.connectionEvidence()
	case "analyzedmessage", "submissionmail", "teamsmessage":
		return e.mailEvidence(kind)
	case "nic":
		return nil // its address is told by itself
	}
	if strings.HasPrefix(kind, "kubernetes") || strings.HasPrefix(kind, "container") {
		return one(e.workloadEvidence(kind))
	}
	return one(e.otherEvidence(kind))
}

func (e *evidence) userEvidence(kind string) alert.Evidence {
	u := e.UserAccount.evidence
	if u == nil {
		u = &evidence{}
	}
	upn := string(cmp.Or(u.UserPrincipalName, e.Upn))
	downLevel := ""
	if u.AccountName != "" && u.DomainName != "" {
		downLevel = string(u.DomainName + `\` + u.AccountName)
	}
	k, value := entity.User, cmp.Or(upn, downLevel, string(u.AccountName), string(u.AzureADUserID), string(u.UserSid))
	if kind == "mailbox" {
		k, value = entity.Mailbox, cmp.Or(string(e.PrimaryAddress), value)
	}
	ev := microsoft.NewEvidence(k, value, entity.AttrUPN, upn, entity.AttrObjectID, string(cmp.Or(u.AzureADUserID, u.ActiveDirectoryObjectGUID)),
		entity.AttrSID, string(u.UserSid), entity.AttrDomain, string(u.DomainName), "account_name", string(u.AccountName))
	if ev.Name = string(cmp.Or(u.DisplayName, e.DisplayName)); ev.Name == value {
		ev.Name = ""
	}
	if !strings.Contains(string(u.DomainName), ".") {
		ev.Entity = ev.WithAlias(entity.User, downLevel)
	}
	return ev
}

// deviceEvidence is the machine, and whoever was logged on to it.
func (e *evidence) deviceEvidence() []alert.Evidence {
	facts := []string{
		entity.AttrDeviceID, string(e.MDEDeviceID), entity.AttrAADDeviceID, string(e.AzureADDeviceID), entity.AttrOS, string(e.OSPlatform),
		entity.AttrDomain, string(cmp.Or(e.NTDomain, e.DNSDomain)), "external_ip", string(e.LastExternalIPAddress), "risk_score", string(e.RiskScore),
	}
	if m := e.VMMetadata.evidence; m != nil {
		facts = append(facts, entity.AttrVMID, string(m.VMID), entity.AttrResourceID, string(m.ResourceID))
	}
	ev := microsoft.NewEvidence(entity.Host, string(cmp.Or(e.DeviceDNSName, e.HostName, e.MDEDeviceID, e.AzureADDeviceID)), facts...)
	if h := string(e.HostName); !ingest.IsPlaceholder(h) {
		ev.Entity = ev.WithAlias(entity.Host, h)
	}
	for _, ip := range append([]ingest.Text{e.LastIPAddress}, e.IPInterfaces...) {
		if !ingest.IsPlaceholder(string(ip)) && !strings.HasPrefix(string(ip), "127.") && ip != "::1" {
			ev.Entity = ev.WithAlias(entity.IP, string(ip))
		}
	}
	out := []alert.Evidence{ev}
	for _, m := range e.LoggedOnUsers {
		if m.evidence != nil && m.AccountName != "" {
			u := microsoft.NewEvidence(entity.User, strings.TrimPrefix(string(m.DomainName+`\`+m.AccountName), `\`), entity.AttrDomain, string(m.DomainName))
			u.Role = alert.Context
			out = append(out, u)
		}
	}
	return out
}

func (e *evidence) ipEvidence() alert.Evidence {
	var l evidence
	if e.Location.evidence != nil {
		l = *e.Location.evidence
	}
	return microsoft.NewEvidence(entity.IP, e.IPAddress.text, entity.AttrCountry, string(cmp.Or(e.CountryLetterCode, l.CountryName)), entity.AttrCity, string(l.City))
}

// connectionEvidence notes ports on the two ends.
func (e *evidence) connectionEvidence() []alert.Evidence {
	var out []alert.Evidence
	for _, end := range []struct {
		address member
		port    ingest.Text
	}{{e.SourceAddress, e.SourcePort}, {e.DestinationAddress, e.DestinationPort}} {
		if end.address.evidence != nil {
			out = append(out, microsoft.NewEvidence(entity.IP, end.address.IPAddress.text, entity.AttrPort, string(end.port), entity.AttrProtocol, string(e.Protocol)))
		}
	}
	return out
}

// detailsEvidence reads file details.
func (m member) detailsEvidence() alert.Evidence {
	f := m.evidence
	if f == nil {
		return alert.Evidence{}
	}
	return fileEvidence(joinPath(string(f.FilePath), string(f.FileName)), string(f.FileName), string(f.MD5), string(f.SHA1), string(f.SHA256), string(f.FileSize))
}

// fileEvidence is a file by its hash, the longest known; without a hash by its path.
func fileEvidence(path, name, md5, sha1, sha256, size string) alert.Evidence {
	kind, value := entity.FileHash, cmp.Or(sha256, sha1, md5)
	if value == "" {
		kind, value = entity.File, path
	}
	ev := microsoft.NewEvidence(kind, value, entity.AttrPath, path, entity.AttrMD5, md5, entity.AttrSHA1, sha1, entity.AttrSHA256, sha256, entity.AttrSize, size)
	if name != value {
		ev.Name = name
	}
	return ev
}

// joinPath joins a folder and a file name with the separator that the folder uses; a folder that ends in the name
// already is whole.
func joinPath(folder, file string) string {
	if folder == "" || file == "" || strings.HasSuffix(folder, `\`+file) || strings.HasSuffix(folder, "/"+file) {
		return cmp.Or(folder, file)
	}
	sep := "/"
	if strings.Contains(folder, `\`) || strings.HasSuffix(folder, ":") {
		sep = `\`
	}
	return strings.TrimRight(folder, `/\`) + sep + file
}

// processEvidence is the process, its image and the account it ran as.
func (e *evidence) processEvidence() []alert.Evidence {
	image := e.ImageFile.evidence
	if image == nil {
		image = &evidence{}
	}
	where := joinPath(string(image.FilePath), string(image.FileName))
	ev := microsoft.NewEvidence(entity.Process, cmp.Or(string(e.ProcessCommandLine), where), entity.AttrCommandLine, string(e.ProcessCommandLine),
		entity.AttrPath, where, entity.AttrPID, string(e.ProcessID), entity.AttrParentPID, string(e.ParentProcessID),
		entity.AttrMD5, string(image.MD5), entity.AttrSHA1, string(image.SHA1), entity.AttrSHA256, string(image.SHA256), entity.AttrDeviceID, string(e.MDEDeviceID))
	ev.Name = string(image.FileName)
	out := []alert.Evidence{ev, e.ImageFile.detailsEvidence()}
	if p := e.ParentProcessImageFile.evidence; p != nil {
		out[0].Entity = out[0].WithAttr(entity.AttrParentName, string(p.FileName))
	}
	if e.UserAccount.evidence != nil {
		out = append(out, e.userEvidence("user"))
	}
	return out
}

// resourceEvidence is a resource of any cloud, or a blob or container by its address.
func (e *evidence) resourceEvidence(kind string) alert.Evidence {
	var ev alert.Evidence
	switch kind {
	case "azureresource":
		ev = microsoft.AzureResource(string(e.ResourceID))
		ev.Entity = ev.WithAttr(entity.AttrType, string(e.ResourceType))
	case "amazonresource":
		ev = microsoft.NewEvidence(entity.Resource, string(e.AmazonResourceID), entity.AttrCloud, string(entity.Amazon),
			entity.AttrAccount, string(e.AmazonAccountID), entity.AttrType, string(e.ResourceType))
	case "googlecloudresource":
		ev = microsoft.NewEvidence(entity.Resource, string(cmp.Or(e.FullResourceName, e.ResourceName)), entity.AttrCloud, string(entity.Google),
			entity.AttrAccount, string(cmp.Or(e.ProjectID, e.ProjectNumber)), entity.AttrRegion, e.Location.text, entity.AttrType, string(e.ResourceType))
	default:
		ev = microsoft.NewEvidence(entity.Resource, e.URL.text, entity.AttrType, strings.Replace(kind, "blobc", "blob-c", 1), "etag", string(e.Etag))
		ev.Name = string(e.Name)
		for _, m := range e.FileHashes {
			if m.evidence != nil {
				ev.Entity = ev.WithAttr(strings.ToLower(string(m.Algorithm)), string(m.Value))
			}
		}
		return ev
	}
	if n := string(e.ResourceName); !ingest.IsPlaceholder(n) && n != ev.Value {
		ev.Name = n
	}
	return ev
}

// mailEvidence is a message with the people and the address it came from.
func (e *evidence) mailEvidence(kind string) []alert.Evidence {
	message := microsoft.NewEvidence(entity.Other, string(cmp.Or(e.NetworkMessageID, e.InternetMessageID, e.MessageID)), entity.AttrKind, kind,
		"internet_message_id", string(e.InternetMessageID))
	message.Name = string(e.Subject)
	sender := string(cmp.Or(e.Sender, e.SenderFromAddress))
	for _, m := range []member{e.P2Sender, e.P1Sender} {
		if m.evidence != nil {
			sender = cmp.Or(string(m.EmailAddress), sender)
			break
		}
	}
	out := []alert.Evidence{message, microsoft.WithRole(microsoft.NewEvidence(entity.Mailbox, sender), alert.Attacker), microsoft.WithRole(microsoft.NewEvidence(entity.IP, string(e.SenderIP)), alert.Attacker)}
	for _, to := range append([]ingest.Text{e.RecipientEmailAddress, e.Recipient}, e.Recipients...) {
		out = append(out, microsoft.WithRole(microsoft.NewEvidence(entity.Mailbox, string(to)), alert.Victim))
	}
	return out
}
