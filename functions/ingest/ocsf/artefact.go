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

// artefact walks one evidence: who, with what, from where to where. Inbound the source attacks; outbound the
// destination is whom the machine talks to.
func (w *walk) artefact(e *evidence) {
	w.user(alert.Victim, &e.Actor.User)
	w.Add(alert.Context, entity.Session, e.Actor.Session.UID)
	w.process(&e.Actor.Process)
	w.process(&e.Process)
	w.user(alert.Victim, &e.User)
	w.file(alert.Attacker, &e.File)
	w.device(&e.Device)
	source, destination := sides(e)
	w.endpoint(source, &e.SrcEndpoint)
	w.endpoint(destination, &e.DstEndpoint)
	w.container(&e.Container)
	w.Add(alert.Attacker, entity.Domain, e.Query.Hostname)
	w.Add(alert.Attacker, entity.URL, e.URL.URLString)
	w.Note("api", e.API.Operation)
	w.Note("api_service", e.API.Service.Name)
	w.Note("error_code", e.API.Response.Error)
	w.Note("direction", e.ConnectionInfo.Direction)
	w.Note("protocol", e.ConnectionInfo.ProtocolName)
}

// sides says which side of the connection is the attacker's. Where no direction is stated, a connection from within
// to a public address is outbound, and so is one of which only the far end is named.
func sides(e *evidence) (source, destination alert.Role) {
	out := e.ConnectionInfo.DirectionID.Value == outbound || strings.EqualFold(string(e.ConnectionInfo.Direction), "outbound")
	if !out && e.ConnectionInfo.DirectionID.Value != inbound {
		from, to := string(e.SrcEndpoint.IP), string(e.DstEndpoint.IP)
		out = public(to) && !public(from)
	}
	if out {
		return alert.Victim, alert.Attacker
	}
	return alert.Attacker, alert.Victim
}

func public(ip string) bool {
	a, err := netip.ParseAddr(ip)
	return err == nil && entity.Public(a.Unmap())
}

// user keeps an identity under its fullest name: an ARN, a mail address, a name, an id.
func (w *walk) user(role alert.Role, u *user) {
	value := cmp.Or(u.Name, u.EmailAddr, u.UID)
	for _, id := range []ingest.Text{u.UID, u.UIDAlt} {
		if strings.HasPrefix(string(id), "arn:") {
			value = id
		}
	}
	if name, domain := string(u.Name), string(u.Domain); value == u.Name && domain != "" && !strings.ContainsAny(name, `\@`) && name != "" {
		value = ingest.Text(domain + `\` + name)
	}
	e := w.Add(role, entity.User, value, entity.AttrUserType, string(u.Type), entity.AttrAccessKey, string(u.CredentialUID), entity.AttrDomain, string(u.Domain))
	if string(u.Name) != e.Value {
		e.Name = string(u.Name)
	}
	ingest.Also(e, entity.User, u.EmailAddr)
	switch id := string(u.UID); {
	case strings.HasPrefix(id, "S-1-"):
		e.Entity = e.With(entity.AttrSID, id)
	case strings.HasPrefix(id, "AIDA"), strings.HasPrefix(id, "AROA"):
		e.Entity = e.With(entity.AttrPrincipalID, id)
	case id != "" && id != e.Value:
		e.Entity = e.With(entity.AttrObjectID, id)
	}
	if strings.HasPrefix(string(u.CredentialUID), "ASIA") { // a temporary key is one session; a lasting one is its user
		w.Add(role, entity.Session, u.CredentialUID)
	}
}

// process keeps a process and its parents' names.
func (w *walk) process(p *process) {
	parent := ""
	if p.ParentProcess != nil {
		parent = string(p.ParentProcess.Name)
	}
	e := w.Add(alert.Attacker, entity.Process, cmp.Or(p.File.Path, p.Name, p.File.Name), entity.AttrPath, string(p.File.Path),
		entity.AttrCommandLine, string(p.CmdLine), entity.AttrPID, string(p.PID), entity.AttrParentName, parent)
	if string(p.Name) != e.Value {
		e.Name = string(p.Name)
	}
	w.hashes(alert.Attacker, &p.File)
	w.user(alert.Victim, &p.User)
	w.container(&p.Container)
}

// file keeps a file by its hashes, else by its path.
func (w *walk) file(role alert.Role, f *file) {
	if !w.hashes(role, f) {
		w.Add(role, entity.File, cmp.Or(f.Path, f.Name))
	}
}

// hashes keeps a file's best hash with the others beside it, and says whether there was one.
func (w *walk) hashes(role alert.Role, f *file) bool {
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
	w.Add(role, entity.FileHash, ingest.Text(best), attrs...)
	return !ingest.Blank(best)
}

func (w *walk) container(c *container) {
	w.Add(alert.Victim, entity.Container, cmp.Or(c.UID, c.Name), entity.AttrImage, string(c.Image.Name)).Name = string(c.Name)
	w.Add(alert.Context, entity.Image, c.Image.Name)
}
