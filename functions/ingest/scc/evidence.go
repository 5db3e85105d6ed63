package scc

import (
	"cmp"
	"net/netip"
	"strings"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/entity"
)

// evidenceMapper gathers the evidence of one finding.
type evidenceMapper struct {
	ingest.EvidenceSet
	threat  bool
	onlyPod string // the finding's only pod, which its containers then belong to
}

// evidenceOf is everything the finding names: the resource first, then who did it, from where, and with what.
func evidenceOf(rec record, a alert.Alert) []alert.Evidence {
	m := evidenceMapper{threat: a.Class == alert.Threat}
	f := rec.Finding
	if pods := f.Kubernetes.V.Pods.V; len(pods) == 1 {
		m.onlyPod = podName(emptyUnset(pods[0].Namespace), emptyUnset(pods[0].Name))
	} else if s := f.Source.V; s.PodName != "" {
		m.onlyPod = podName(emptyUnset(s.PodNamespace), emptyUnset(s.PodName))
	}
	m.addResource(rec, a.Account)
	m.addAccess(f.Access.V)
	m.addIndicator(f.Indicator.V)
	for _, c := range f.Connections.V {
		m.addConnection(c)
	}
	for _, p := range f.Processes.V {
		m.addProcess(p)
	}
	for _, x := range f.Files.V {
		m.addFile(x)
	}
	for _, c := range f.Containers.V {
		m.addContainer(c)
	}
	m.addKubernetes(f.Kubernetes.V)
	for _, b := range f.IAMBindings.V {
		m.addPrincipal(emptyUnset(b.Member))
	}
	for _, d := range f.DataAccess.V {
		m.addUser(emptyUnset(d.PrincipalEmail), "")
	}
	m.addData(f)
	m.addSourceProperties(f.Source.V)
	return m.List()
}

func (m *evidenceMapper) addEntity(kind entity.Kind, value string, role alert.Role) {
	if value != "" {
		m.Add(alert.Evidence{Entity: entity.Entity{Kind: kind, Value: value}, Role: role})
	}
}

// addResource is the asset itself. A Compute Engine instance may be named by its number: its display name then makes
// the other spelling of the same machine.
func (m *evidenceMapper) addResource(rec record, acc alert.Account) {
	name, r := resourceName(rec), rec.Resource.V
	if name == "" {
		return
	}
	e := entity.Entity{Kind: entity.Resource, Value: name}
	e = e.WithAttr(entity.AttrCloud, string(acc.Cloud)).WithAttr(entity.AttrAccount, acc.ID).WithAttr(entity.AttrRegion, acc.Region).WithAttr(entity.AttrType, emptyUnset(r.Type))
	if display := emptyUnset(r.DisplayName); display != "" && display != name {
		e.Name = display
	}
	if parent, last, ok := cutLast(name); ok && strings.HasPrefix(name, "//compute.googleapis.com/") && strings.HasSuffix(parent, "/instances") {
		if isNumber(last) {
			e = e.WithAttr(entity.AttrVMID, last)
		}
		if e.Name != "" && isHostName(e.Name) {
			e = e.WithAlias(entity.Resource, parent+"/"+e.Name).WithAlias(entity.Host, e.Name)
		} else if !isNumber(last) {
			e = e.WithAlias(entity.Host, last)
		}
	}
	if strings.HasPrefix(name, "//container.googleapis.com/") {
		e = e.WithAttr(entity.AttrCluster, pathSegment(name, "clusters"))
	}
	m.Add(alert.Evidence{Entity: e, Role: m.roleOf(name)})
}

// roleOf tells what was attacked from the scope it lies in: a project, folder or organisation is named by every finding
// whose detector knew no better.
func (m *evidenceMapper) roleOf(resource string) alert.Role {
	switch {
	case !m.threat:
		return ""
	case strings.HasPrefix(resource, "//cloudresourcemanager.googleapis.com/"):
		return alert.Context
	}
	return alert.Victim
}

// addAccess is who called and from where. The caller's address is the far side; the account may be stolen, so it gets
// no role.
func (m *evidenceMapper) addAccess(a access) {
	user := cmp.Or(emptyUnset(a.PrincipalEmail), principalOf(emptyUnset(a.PrincipalSubject)), emptyUnset(a.UserName))
	m.addUser(user, emptyUnset(a.KeyName))
	m.addUser(emptyUnset(a.UserName), "")
	for _, d := range a.Delegation.V {
		m.addUser(cmp.Or(emptyUnset(d.PrincipalEmail), principalOf(emptyUnset(d.PrincipalSubject))), "")
	}
	if ip := emptyUnset(a.CallerIP); ip != "" {
		e := entity.Entity{Kind: entity.IP, Value: ip}.WithAttr(entity.AttrCountry, emptyUnset(a.CallerGeo.V.RegionCode))
		m.Add(alert.Evidence{Entity: e, Role: m.remoteRole()})
	}
}

// remoteRole is the role of an address that acts on the resource.
func (m *evidenceMapper) remoteRole() alert.Role {
	if m.threat {
		return alert.Attacker
	}
	return ""
}

func (m *evidenceMapper) addUser(name, key string) {
	if name == "" {
		return
	}
	e := entity.Entity{Kind: entity.User, Value: name}.WithAttr(entity.AttrAccessKey, key)
	if strings.HasSuffix(name, ".gserviceaccount.com") {
		e = e.WithAttr(entity.AttrUserType, "serviceAccount")
	}
	m.Add(alert.Evidence{Entity: e})
}

// addPrincipal reads an IAM member: "user:…", "serviceAccount:…", or the subject of a federated identity. "allUsers"
// and groups of everybody are nobody in particular.
func (m *evidenceMapper) addPrincipal(member string) { m.addUser(principalOf(member), "") }

func principalOf(member string) string {
	kind, name, ok := strings.Cut(member, ":")
	switch {
	case member == "allUsers" || member == "allAuthenticatedUsers":
		return ""
	case ok && (kind == "user" || kind == "serviceAccount"):
		return name
	case ok && (kind == "domain" || strings.HasPrefix(kind, "project") || kind == "deleted"):
		return ""
	}
	return member
}

func (m *evidenceMapper) addIndicator(i indicator) {
	for _, ip := range i.IPs {
		if v := emptyUnset(ip); v != "" {
			m.Add(alert.Evidence{Entity: entity.Entity{Kind: entity.IP, Value: v}, Role: alert.Attacker, Verdict: alert.Malicious})
		}
	}
	for _, d := range i.Domains {
		if v := strings.TrimSuffix(emptyUnset(d), "."); v != "" {
			m.Add(alert.Evidence{Entity: entity.Entity{Kind: entity.Domain, Value: v}, Role: alert.Attacker, Verdict: alert.Malicious})
		}
	}
	for _, u := range i.URIs {
		m.addEntity(entity.URL, emptyUnset(u), alert.Attacker)
	}
}

// addConnection names both ends. The one that is routable from anywhere is the far side; two private ends say nothing.
func (m *evidenceMapper) addConnection(c connection) {
	for _, end := range []struct{ ip, port ingest.Text }{{c.SourceIP, c.SourcePort}, {c.DestinationIP, c.DestinationPort}} {
		if ip := emptyUnset(end.ip); ip != "" {
			e := entity.Entity{Kind: entity.IP, Value: ip}.WithAttr(entity.AttrProtocol, emptyUnset(c.Protocol))
			if p := emptyUnset(end.port); p != "0" {
				e = e.WithAttr(entity.AttrPort, p)
			}
			role := alert.Role("")
			if a, err := netip.ParseAddr(ip); err == nil && !entity.IsPublicIP(a) {
				role = alert.Context
			}
			m.Add(alert.Evidence{Entity: e, Role: role})
		}
	}
}

func (m *evidenceMapper) addProcess(p process) {
	path := emptyUnset(p.Binary.V.Path)
	if name := cmp.Or(emptyUnset(p.Name), path); name != "" {
		args := make([]string, len(p.Args))
		for i, a := range p.Args {
			args[i] = string(a)
		}
		e := entity.Entity{Kind: entity.Process, Value: name}.WithAttr(entity.AttrPath, path).WithAttr(entity.AttrSHA256, emptyUnset(p.Binary.V.SHA256)).
			WithAttr(entity.AttrCommandLine, strings.Join(args, " "))
		e = e.WithAttr(entity.AttrPID, positiveNumber(p.PID)).WithAttr(entity.AttrParentPID, positiveNumber(p.ParentPID))
		m.Add(alert.Evidence{Entity: e})
	}
	m.addFile(p.Binary.V)
	m.addFile(p.Script.V)
	for _, l := range p.Libraries.V {
		m.addFile(l)
	}
}

// addFile is known by its hash where there is one, else by its path.
func (m *evidenceMapper) addFile(f file) {
	e := entity.Entity{Kind: entity.File, Value: emptyUnset(f.Path)}
	if h := emptyUnset(f.SHA256); h != "" {
		e = entity.Entity{Kind: entity.FileHash, Value: h, Name: emptyUnset(f.Path)}
	}
	if e.Value != "" {
		m.Add(alert.Evidence{Entity: e.WithAttr(entity.AttrPath, emptyUnset(f.Path)).WithAttr(entity.AttrSize, positiveNumber(f.Size))})
	}
}

func (m *evidenceMapper) addContainer(c container) {
	image := emptyUnset(c.URI)
	if name := emptyUnset(c.Name); name != "" {
		e := entity.Entity{Kind: entity.Container, Value: name}
		if m.onlyPod != "" { // the bare name repeats in every replica
			e.Value, e.Name = m.onlyPod+"/"+name, name
		}
		m.Add(alert.Evidence{Entity: e.WithAttr(entity.AttrImage, image)})
	}
	if image = cmp.Or(image, emptyUnset(c.ImageID)); image != "" {
		m.Add(alert.Evidence{Entity: entity.Entity{Kind: entity.Image, Value: image}.WithAlias(entity.Image, emptyUnset(c.ImageID))})
	}
}

func (m *evidenceMapper) addKubernetes(k kubernetes) {
	for _, p := range k.Pods.V {
		m.addPod(emptyUnset(p.Namespace), emptyUnset(p.Name))
		for _, c := range p.Containers.V {
			m.addContainer(c)
		}
	}
	for _, n := range k.Nodes.V {
		if name := emptyUnset(n.Name); strings.HasPrefix(name, "//") {
			m.addEntity(entity.Resource, name, "")
		} else {
			m.addEntity(entity.Host, name, "")
		}
	}
	for _, b := range k.Bindings.V {
		for _, s := range b.Subjects.V {
			if strings.EqualFold(emptyUnset(s.Kind), "USER") || strings.EqualFold(emptyUnset(s.Kind), "SERVICEACCOUNT") {
				m.addUser(emptyUnset(s.Name), "")
			}
		}
	}
	for _, o := range k.Objects.V {
		if strings.EqualFold(emptyUnset(o.Kind), "Pod") {
			m.addPod(emptyUnset(o.Namespace), emptyUnset(o.Name))
		}
		for _, c := range o.Containers.V {
			m.addContainer(c)
		}
	}
}

// addPod is named with its namespace, because names repeat across namespaces.
func (m *evidenceMapper) addPod(namespace, name string) {
	if name == "" {
		return
	}
	e := entity.Entity{Kind: entity.Pod, Value: podName(namespace, name)}.WithAttr(entity.AttrNamespace, namespace)
	if e.Value != name {
		e.Name = name
	}
	m.Add(alert.Evidence{Entity: e, Role: alert.Victim})
}

func podName(namespace, name string) string {
	if namespace == "" || name == "" {
		return name
	}
	return namespace + "/" + name
}

// addData is what was read, moved or exposed: databases, exfiltration, disks, applications.
func (m *evidenceMapper) addData(f *finding) {
	m.addEntity(entity.Resource, fullName(f.Database.V.Name), "")
	m.addUser(emptyUnset(f.Database.V.UserName), "")
	for _, g := range f.Database.V.Grantees {
		m.addPrincipal(emptyUnset(g))
	}
	for _, s := range f.Exfiltration.V.Sources.V {
		m.addEntity(entity.Resource, fullName(s.Name), alert.Victim)
	}
	for _, t := range f.Exfiltration.V.Targets.V {
		m.addEntity(entity.Resource, fullName(t.Name), alert.Attacker)
	}
	for _, l := range f.LoadBalancers.V {
		m.addEntity(entity.Resource, emptyUnset(l.Name), "")
	}
	m.addEntity(entity.Resource, emptyUnset(f.Disk.V.Name), "")
	m.addEntity(entity.URL, cmp.Or(emptyUnset(f.Application.V.FullURI), emptyUnset(f.Application.V.BaseURI)), "")
}

func fullName(v ingest.Text) string {
	if s := emptyUnset(v); strings.ContainsAny(s, "/:") {
		return s
	}
	return ""
}

func positiveNumber(v ingest.Text) string {
	if s := emptyUnset(v); s != "0" {
		return s
	}
	return ""
}

func isNumber(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

func isHostName(s string) bool { return !strings.ContainsAny(s, "/: ") }

func cutLast(name string) (parent, last string, ok bool) {
	i := strings.LastIndexByte(name, '/')
	if i < 0 {
		return "", "", false
	}
	return name[:i], name[i+1:], true
}
