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
	w := evidenceMapper{threat: a.Class == alert.Threat}
	f := rec.Finding
	if pods := f.Kubernetes.V.Pods.V; len(pods) == 1 {
		w.onlyPod = podName(emptyUnset(pods[0].Namespace), emptyUnset(pods[0].Name))
	} else if s := f.Source.V; s.PodName != "" {
		w.onlyPod = podName(emptyUnset(s.PodNamespace), emptyUnset(s.PodName))
	}
	w.addResource(rec, a.Account)
	w.addAccess(f.Access.V)
	w.addIndicator(f.Indicator.V)
	for _, c := range f.Connections.V {
		w.addConnection(c)
	}
	for _, p := range f.Processes.V {
		w.addProcess(p)
	}
	for _, x := range f.Files.V {
		w.addFile(x)
	}
	for _, c := range f.Containers.V {
		w.addContainer(c)
	}
	w.addKubernetes(f.Kubernetes.V)
	for _, b := range f.IAMBindings.V {
		w.addMember(emptyUnset(b.Member))
	}
	for _, d := range f.DataAccess.V {
		w.addUser(emptyUnset(d.PrincipalEmail), "")
	}
	w.addData(f)
	w.addSourceProperties(f.Source.V)
	return w.List()
}

func (w *evidenceMapper) addEntity(kind entity.Kind, value string, role alert.Role) {
	if value != "" {
		w.Add(alert.Evidence{Entity: entity.Entity{Kind: kind, Value: value}, Role: role})
	}
}

// addResource is the asset itself. A Compute Engine instance may be named by its number: its display name then makes
// the other spelling of the same machine.
func (w *evidenceMapper) addResource(rec record, acc alert.Account) {
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
	w.Add(alert.Evidence{Entity: e, Role: w.roleOf(name)})
}

// roleOf tells what was attacked from the scope it lies in: a project, folder or organisation is named by every finding
// whose detector knew no better.
func (w *evidenceMapper) roleOf(resource string) alert.Role {
	switch {
	case !w.threat:
		return ""
	case strings.HasPrefix(resource, "//cloudresourcemanager.googleapis.com/"):
		return alert.Context
	}
	return alert.Victim
}

// addAccess is who called and from where. The caller's address is the far side; the account may be stolen, so it gets no role.
func (w *evidenceMapper) addAccess(a access) {
	user := cmp.Or(emptyUnset(a.PrincipalEmail), memberID(emptyUnset(a.PrincipalSubject)), emptyUnset(a.UserName))
	w.addUser(user, emptyUnset(a.KeyName))
	w.addUser(emptyUnset(a.UserName), "")
	for _, d := range a.Delegation.V {
		w.addUser(cmp.Or(emptyUnset(d.PrincipalEmail), memberID(emptyUnset(d.PrincipalSubject))), "")
	}
	if ip := emptyUnset(a.CallerIP); ip != "" {
		e := entity.Entity{Kind: entity.IP, Value: ip}.WithAttr(entity.AttrCountry, emptyUnset(a.CallerGeo.V.RegionCode))
		w.Add(alert.Evidence{Entity: e, Role: w.remoteRole()})
	}
}

// remoteRole is the role of an address that acts on the resource.
func (w *evidenceMapper) remoteRole() alert.Role {
	if w.threat {
		return alert.Attacker
	}
	return ""
}

func (w *evidenceMapper) addUser(name, key string) {
	if name == "" {
		return
	}
	e := entity.Entity{Kind: entity.User, Value: name}.WithAttr(entity.AttrAccessKey, key)
	if strings.HasSuffix(name, ".gserviceaccount.com") {
		e = e.WithAttr(entity.AttrUserType, "serviceAccount")
	}
	w.Add(alert.Evidence{Entity: e})
}

// addMember reads an IAM member: "user:…", "serviceAccount:…", or the subject of a federated identity. "allUsers" and
// groups of everybody are nobody in particular.
func (w *evidenceMapper) addMember(m string) { w.addUser(memberID(m), "") }

func memberID(m string) string {
	kind, name, ok := strings.Cut(m, ":")
	switch {
	case m == "allUsers" || m == "allAuthenticatedUsers":
		return ""
	case ok && (kind == "user" || kind == "serviceAccount"):
		return name
	case ok && (kind == "domain" || strings.HasPrefix(kind, "project") || kind == "deleted"):
		return ""
	}
	return m
}

func (w *evidenceMapper) addIndicator(i indicator) {
	for _, ip := range i.IPs {
		if v := emptyUnset(ip); v != "" {
			w.Add(alert.Evidence{Entity: entity.Entity{Kind: entity.IP, Value: v}, Role: alert.Attacker, Verdict: alert.Malicious})
		}
	}
	for _, d := range i.Domains {
		if v := strings.TrimSuffix(emptyUnset(d), "."); v != "" {
			w.Add(alert.Evidence{Entity: entity.Entity{Kind: entity.Domain, Value: v}, Role: alert.Attacker, Verdict: alert.Malicious})
		}
	}
	for _, u := range i.URIs {
		w.addEntity(entity.URL, emptyUnset(u), alert.Attacker)
	}
}

// addConnection names both ends. The one that is routable from anywhere is the far side; two private ends say nothing.
func (w *evidenceMapper) addConnection(c connection) {
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
			w.Add(alert.Evidence{Entity: e, Role: role})
		}
	}
}

func (w *evidenceMapper) addProcess(p process) {
	path := emptyUnset(p.Binary.V.Path)
	if name := cmp.Or(emptyUnset(p.Name), path); name != "" {
		args := make([]string, len(p.Args))
		for i, a := range p.Args {
			args[i] = string(a)
		}
		e := entity.Entity{Kind: entity.Process, Value: name}.WithAttr(entity.AttrPath, path).WithAttr(entity.AttrSHA256, emptyUnset(p.Binary.V.SHA256)).
			WithAttr(entity.AttrCommandLine, strings.Join(args, " "))
		e = e.WithAttr(entity.AttrPID, positiveNumber(p.PID)).WithAttr(entity.AttrParentPID, positiveNumber(p.ParentPID))
		w.Add(alert.Evidence{Entity: e})
	}
	w.addFile(p.Binary.V)
	w.addFile(p.Script.V)
	for _, l := range p.Libraries.V {
		w.addFile(l)
	}
}

// addFile is known by its hash where there is one, else by its path.
func (w *evidenceMapper) addFile(f file) {
	e := entity.Entity{Kind: entity.File, Value: emptyUnset(f.Path)}
	if h := emptyUnset(f.SHA256); h != "" {
		e = entity.Entity{Kind: entity.FileHash, Value: h, Name: emptyUnset(f.Path)}
	}
	if e.Value != "" {
		w.Add(alert.Evidence{Entity: e.WithAttr(entity.AttrPath, emptyUnset(f.Path)).WithAttr(entity.AttrSize, positiveNumber(f.Size))})
	}
}

func (w *evidenceMapper) addContainer(c container) {
	image := emptyUnset(c.URI)
	if name := emptyUnset(c.Name); name != "" {
		e := entity.Entity{Kind: entity.Container, Value: name}
		if w.onlyPod != "" { // the bare name repeats in every replica
			e.Value, e.Name = w.onlyPod+"/"+name, name
		}
		w.Add(alert.Evidence{Entity: e.WithAttr(entity.AttrImage, image)})
	}
	if image = cmp.Or(image, emptyUnset(c.ImageID)); image != "" {
		w.Add(alert.Evidence{Entity: entity.Entity{Kind: entity.Image, Value: image}.WithAlias(entity.Image, emptyUnset(c.ImageID))})
	}
}

func (w *evidenceMapper) addKubernetes(k kubernetes) {
	for _, p := range k.Pods.V {
		w.addPod(emptyUnset(p.Namespace), emptyUnset(p.Name))
		for _, c := range p.Containers.V {
			w.addContainer(c)
		}
	}
	for _, n := range k.Nodes.V {
		if name := emptyUnset(n.Name); strings.HasPrefix(name, "//") {
			w.addEntity(entity.Resource, name, "")
		} else {
			w.addEntity(entity.Host, name, "")
		}
	}
	for _, b := range k.Bindings.V {
		for _, s := range b.Subjects.V {
			if strings.EqualFold(emptyUnset(s.Kind), "USER") || strings.EqualFold(emptyUnset(s.Kind), "SERVICEACCOUNT") {
				w.addUser(emptyUnset(s.Name), "")
			}
		}
	}
	for _, o := range k.Objects.V {
		if strings.EqualFold(emptyUnset(o.Kind), "Pod") {
			w.addPod(emptyUnset(o.Namespace), emptyUnset(o.Name))
		}
		for _, c := range o.Containers.V {
			w.addContainer(c)
		}
	}
}

// addPod is named with its namespace, because names repeat across namespaces.
func (w *evidenceMapper) addPod(namespace, name string) {
	if name == "" {
		return
	}
	e := entity.Entity{Kind: entity.Pod, Value: podName(namespace, name)}.WithAttr(entity.AttrNamespace, namespace)
	if e.Value != name {
		e.Name = name
	}
	w.Add(alert.Evidence{Entity: e, Role: alert.Victim})
}

func podName(namespace, name string) string {
	if namespace == "" || name == "" {
		return name
	}
	return namespace + "/" + name
}

// addData is what was read, moved or exposed: databases, exfiltration, disks, applications.
func (w *evidenceMapper) addData(f *finding) {
	w.addEntity(entity.Resource, fullName(f.Database.V.Name), "")
	w.addUser(emptyUnset(f.Database.V.UserName), "")
	for _, g := range f.Database.V.Grantees {
		w.addMember(emptyUnset(g))
	}
	for _, s := range f.Exfiltration.V.Sources.V {
		w.addEntity(entity.Resource, fullName(s.Name), alert.Victim)
	}
	for _, t := range f.Exfiltration.V.Targets.V {
		w.addEntity(entity.Resource, fullName(t.Name), alert.Attacker)
	}
	for _, l := range f.LoadBalancers.V {
		w.addEntity(entity.Resource, emptyUnset(l.Name), "")
	}
	w.addEntity(entity.Resource, emptyUnset(f.Disk.V.Name), "")
	w.addEntity(entity.URL, cmp.Or(emptyUnset(f.Application.V.FullURI), emptyUnset(f.Application.V.BaseURI)), "")
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
