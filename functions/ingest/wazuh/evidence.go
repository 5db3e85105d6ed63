package wazuh

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/entity"
)

// evidenceOf lists the agent's machine and the entities that the decoded log names.
func evidenceOf(n native) []alert.Evidence {
	var set ingest.EvidenceSet
	put := func(e entity.Entity, role alert.Role) { set.Add(alert.Evidence{Entity: e, Role: role}) }
	addHost(n, put)
	d := n.Data
	for _, name := range []string{"srcip", "src_ip", "srcIp", "source_ip", "win.eventdata.ipAddress", "win.eventdata.sourceIp", "aws.sourceIPAddress", "aws.source_ip_address", "office365.ClientIP", "gcp.jsonPayload.sourceIP"} {
		put(entity.Entity{Kind: entity.IP, Value: withoutLoopback(d[name])}.WithAttr(entity.AttrPort, d["srcport"]), alert.Attacker)
	}
	for _, name := range []string{"dstip", "dst_ip", "dest_ip", "win.eventdata.destinationIp"} {
		put(entity.Entity{Kind: entity.IP, Value: withoutLoopback(d[name])}, alert.Context)
	}
	for _, name := range []string{"dstuser", "srcuser", "user", "aws.userIdentity.arn", "aws.userIdentity.userName", "office365.UserId", "uname"} {
		put(entity.Entity{Kind: entity.User, Value: d[name]}, "")
	}
	for _, side := range []string{"win.eventdata.targetUser", "win.eventdata.subjectUser"} {
		user := entity.Entity{Kind: entity.User, Value: d[side+"Name"]}.WithAttr(entity.AttrSID, d[side+"Sid"])
		put(user.WithAttr(entity.AttrDomain, d[strings.TrimSuffix(side, "User")+"DomainName"]), "")
	}
	put(entity.Entity{Kind: entity.User, Value: d["win.eventdata.user"]}, "")
	put(entity.Entity{Kind: entity.URL, Value: webURL(d.firstOf("url", "http.url"))}, "")
	put(entity.Entity{Kind: entity.Domain, Value: d.firstOf("win.eventdata.queryName", "dns.rrname", "hostname_query")}, "")
	addProcess(d, put)
	addChanged(n.Syscheck, put)
	put(entity.Entity{Kind: entity.FileHash, Value: d.firstOf("virustotal.source.sha1", "virustotal.source.md5"), Name: d["virustotal.source.file"]}, "")
	put(entity.Entity{Kind: entity.Container, Value: d.firstOf("docker.Actor.ID", "docker.id"), Name: d["docker.Actor.Attributes.name"]}.WithAttr(entity.AttrImage, d["docker.Actor.Attributes.image"]), "")
	put(entity.Entity{Kind: entity.Image, Value: d["docker.Actor.Attributes.image"]}, "")
	return set.List()
}

// addHost is the machine the log came from. Agent 000 is the manager, which then speaks for another machine.
func addHost(n native, put func(entity.Entity, alert.Role)) {
	name := string(n.Agent.Name)
	e := entity.Entity{Kind: entity.Host, Value: cmp.Or(name, string(n.Predecoder.Hostname))}
	if n.Agent.ID != "000" && n.Agent.ID != "" {
		// Agent ids count from 001 on every manager: only the pair names a machine.
		e = e.WithAttr(entity.AttrDeviceID, cmp.Or(string(n.Manager.Name), "manager")+"/"+string(n.Agent.ID))
	}
	if ip := string(n.Agent.IP); !ingest.IsPlaceholder(ip) && ip != "any" && withoutLoopback(ip) != "" {
		e = e.WithAlias(entity.IP, ip)
	}
	put(e, alert.Victim)
	if h := string(n.Predecoder.Hostname); h != "" && n.Agent.ID == "000" && h != name {
		put(entity.Entity{Kind: entity.Host, Value: h}, alert.Victim)
	}
}

func addProcess(d facts, put func(entity.Entity, alert.Role)) {
	path := d.firstOf("win.eventdata.image", "win.eventdata.newProcessName", "audit.exe", "process.path")
	e := entity.Entity{Kind: entity.Process, Value: cmp.Or(path, d.firstOf("process.name", "audit.command"))}
	e = e.WithAttr(entity.AttrPath, path).WithAttr(entity.AttrCommandLine, d.firstOf("win.eventdata.commandLine", "command", "process.command_line"))
	put(e.WithAttr(entity.AttrParentName, d["win.eventdata.parentImage"]).WithAttr(entity.AttrPID, d.firstOf("win.eventdata.processId", "audit.pid")), "")
	for _, part := range strings.Split(d["win.eventdata.hashes"], ",") { // Sysmon: "SHA1=…,SHA256=…"
		if kind, h, ok := strings.Cut(part, "="); ok && kind == "SHA256" {
			put(entity.Entity{Kind: entity.FileHash, Value: h, Name: path}, "")
		}
	}
}

// addChanged adds the file or registry key that integrity monitoring saw change, by its hash after the change.
func addChanged(s facts, put func(entity.Entity, alert.Role)) {
	path := s["path"]
	if strings.HasPrefix(path, "HKEY_") {
		put(entity.Entity{Kind: entity.RegistryKey, Value: path}, "")
		return
	}
	e := entity.Entity{Kind: entity.File, Value: path}
	if h := s.firstOf("sha256_after", "sha1_after", "md5_after"); h != "" {
		e = entity.Entity{Kind: entity.FileHash, Value: h, Name: path}
	}
	e = e.WithAttr(entity.AttrPath, path).WithAttr(entity.AttrSize, s["size_after"]).WithAttr(entity.AttrMD5, s["md5_after"]).WithAttr(entity.AttrSHA1, s["sha1_after"])
	put(e.WithAttr(entity.AttrSHA256, s["sha256_after"]), "")
	put(entity.Entity{Kind: entity.User, Value: s.firstOf("audit.user.name", "uname_after")}, "")
}

// withoutLoopback is ip without the prefix of mapped IPv4; "" for a loopback address.
func withoutLoopback(ip string) string {
	if strings.HasPrefix(ip, "127.") || ip == "::1" {
		return ""
	}
	return strings.TrimPrefix(ip, "::ffff:")
}

// webURL is url if it is absolute, "" for a bare path.
func webURL(url string) string {
	if strings.Contains(url, "://") {
		return url
	}
	return ""
}

func formatNumber(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }
