package ocsf

import (
	"cmp"
	"net/netip"
	"strings"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/entity"
)

// The values of connection_info.direction_id that say something.
const (
	inbound  = 1
	outbound = 2
)

// addArtifact adds the user, process, file, device and connection of one evidence. Inbound, the source is the attacker;
// outbound, the destination.
func (w *walker) addArtifact(e *evidence) {
	w.addUser(alert.Victim, &e.Actor.User)
	w.AddEntity(alert.Context, entity.Session, e.Actor.Session.UID)
	w.addProcess(&e.Actor.Process)
	w.addProcess(&e.Process)
	w.addUser(alert.Victim, &e.User)
	w.addFile(alert.Attacker, &e.File)
	w.addDevice(&e.Device)
	source, destination := connectionRoles(e)
	w.addEndpoint(source, &e.SrcEndpoint)
	w.addEndpoint(destination, &e.DstEndpoint)
	w.addContainer(&e.Container)
	w.AddEntity(alert.Attacker, entity.Domain, e.Query.Hostname)
	w.AddEntity(alert.Attacker, entity.URL, e.URL.URLString)
	w.AddFact("api", e.API.Operation)
	w.AddFact("api_service", e.API.Service.Name)
	w.AddFact("error_code", e.API.Response.Error)
	w.AddFact("direction", e.ConnectionInfo.Direction)
	w.AddFact("protocol", e.ConnectionInfo.ProtocolName)
}

// connectionRoles says which side of the connection is the attacker's. Where no direction is stated, a connection to a
// public address is outbound unless its source is public too.
func connectionRoles(e *evidence) (source, destination alert.Role) {
	out := e.ConnectionInfo.DirectionID.Value == outbound || strings.EqualFold(string(e.ConnectionInfo.Direction), "outbound")
	if !out && e.ConnectionInfo.DirectionID.Value != inbound {
		from, to := string(e.SrcEndpoint.IP), string(e.DstEndpoint.IP)
		out = isPublicIP(to) && !isPublicIP(from)
	}
	if out {
		return alert.Victim, alert.Attacker
	}
	return alert.Attacker, alert.Victim
}

func isPublicIP(ip string) bool {
	a, err := netip.ParseAddr(ip)
	return err == nil && entity.IsPublicIP(a.Unmap())
}

// addUser adds an identity under its fullest name: an ARN, a mail address, a name, an id.
func (w *walker) addUser(role alert.Role, u *user) {
	value := cmp.Or(u.Name, u.EmailAddr, u.UID)
	for _, id := range []ingest.Text{u.UID, u.UIDAlt} {
		if strings.HasPrefix(string(id), "arn:") {
			value = id
		}
	}
	if name, domain := string(u.Name), string(u.Domain); value == u.Name && domain != "" && !strings.ContainsAny(name, `\@`) && name != "" {
		value = ingest.Text(domain + `\` + name)
	}
	e := w.AddEntity(role, entity.User, value, entity.AttrUserType, string(u.Type), entity.AttrAccessKey, string(u.CredentialUID), entity.AttrDomain, string(u.Domain))
	if string(u.Name) != e.Value {
		e.Name = string(u.Name)
	}
	ingest.AddAlias(e, entity.User, u.EmailAddr)
	switch id := string(u.UID); {
	case strings.HasPrefix(id, "S-1-"):
		e.Entity = e.WithAttr(entity.AttrSID, id)
	case strings.HasPrefix(id, "AIDA"), strings.HasPrefix(id, "AROA"):
		e.Entity = e.WithAttr(entity.AttrPrincipalID, id)
	case id != "" && id != e.Value:
		e.Entity = e.WithAttr(entity.AttrObjectID, id)
	}
	if strings.HasPrefix(string(u.CredentialUID), "ASIA") { // a temporary key is one session; a lasting one is its user
		w.AddEntity(role, entity.Session, u.CredentialUID)
	}
}

// addProcess adds a process, its file, user and container.
func (w *walker) addProcess(p *process) {
	parent := ""
	if p.ParentProcess != nil {
		parent = string(p.ParentProcess.Name)
	}
	e := w.AddEntity(alert.Attacker, entity.Process, cmp.Or(p.File.Path, p.Name, p.File.Name), entity.AttrPath, string(p.File.Path),
		entity.AttrCommandLine, string(p.CmdLine), entity.AttrPID, string(p.PID), entity.AttrParentName, parent)
	if string(p.Name) != e.Value {
		e.Name = string(p.Name)
	}
	w.addHashes(alert.Attacker, &p.File)
	w.addUser(alert.Victim, &p.User)
	w.addContainer(&p.Container)
}

// addFile adds a file by its hashes, else by its path.
func (w *walker) addFile(role alert.Role, f *file) {
	if !w.addHashes(role, f) {
		w.AddEntity(role, entity.File, cmp.Or(f.Path, f.Name))
	}
}

// addHashes adds a file by its longest hash, the others as attributes, and reports whether it has one.
func (w *walker) addHashes(role alert.Role, f *file) bool {
	best := ""
	attrs := []string{entity.AttrPath, string(cmp.Or(f.Path, f.Name))}
	for _, h := range f.Hashes {
		v := strings.TrimSpace(string(h.Value))
		if len(v) > len(best) {
			best = v
		}
		switch len(v) {
		case 64:
			attrs = append(attrs, entity.AttrSHA256, v)
		case 40:
			attrs = append(attrs, entity.AttrSHA1, v)
		case 32:
			attrs = append(attrs, entity.AttrMD5, v)
		}
	}
	w.AddEntity(role, entity.FileHash, ingest.Text(best), attrs...)
	return !ingest.IsBlank(best)
}

func (w *walker) addContainer(c *container) {
	w.AddEntity(alert.Victim, entity.Container, cmp.Or(c.UID, c.Name), entity.AttrImage, string(c.Image.Name)).Name = string(c.Name)
	w.AddEntity(alert.Context, entity.Image, c.Image.Name)
}
