package scc

import (
	"cmp"
	"net/netip"
	"strings"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/entity"
)

// witness gathers the evidence of one finding.
type witness struct {
	ingest.EvidenceSet
	threat  bool
	onlyPod string // the finding's only pod, which its containers then belong to
}

// evidence is everything the finding names: the resource first, then who did it, from where, and with what.
func evidence(rec record, a alert.Alert) []alert.Evidence {
	w := witness{threat: a.Class == alert.Threat}
	f := rec.Finding
	if pods := f.Kubernetes.V.Pods.V; len(pods) == 1 {
		w.onlyPod = podName(set(pods[0].Namespace), set(pods[0].Name))
	} else if s := f.Source.V; s.PodName != "" {
		w.onlyPod = podName(set(s.PodNamespace), set(s.PodName))
	}
	w.resource(rec, a.Account)
	w.access(f.Access.V)
	w.indicator(f.Indicator.V)
	for _, c := range f.Connections.V {
		w.connection(c)
	}
	for _, p := range f.Processes.V {
		w.process(p)
	}
	for _, x := range f.Files.V {
		w.file(x)
	}
	for _, c := range f.Containers.V {
		w.container(c)
	}
	w.kubernetes(f.Kubernetes.V)
	for _, b := range f.IAMBindings.V {
		w.member(set(b.Member))
	}
	for _, d := range f.DataAccess.V {
		w.user(set(d.PrincipalEmail), "")
	}
	w.data(f)
	w.source(f.Source.V)
	return w.List()
}

func (w *witness) put(kind entity.Kind, value string, role alert.Role) {
	if value != "" {
		w.Add(alert.Evidence{Entity: entity.Entity{Kind: kind, Value: value}, Role: role})
	}
}

// resource is the asset itself. A Compute Engine instance may be named by its number: its display name then makes
// the other spelling of the same machine.
func (w *witness) resource(rec record, acc alert.Account) {
	name, r := resourceName(rec), rec.Resource.V
	if name == "" {
		return
	}
	e := entity.Entity{Kind: entity.Resource, Value: name}
	e = e.With(entity.AttrCloud, string(acc.Cloud)).With(entity.AttrAccount, acc.ID).With(entity.AttrRegion, acc.Region).With(entity.AttrType, set(r.Type))
	if display := set(r.DisplayName); display != "" && display != name {
		e.Name = display
	}
	if parent, last, ok := cutLast(name); ok && strings.HasPrefix(name, "//compute.googleapis.com/") && strings.HasSuffix(parent, "/instances") {
		if isNumber(last) {
			e = e.With(entity.AttrVMID, last)
		}
		if e.Name != "" && isHostName(e.Name) {
			e = e.Also(entity.Resource, parent+"/"+e.Name).Also(entity.Host, e.Name)
		} else if !isNumber(last) {
			e = e.Also(entity.Host, last)
		}
	}
	if strings.HasPrefix(name, "//container.googleapis.com/") {
		e = e.With(entity.AttrCluster, segment(name, "clusters"))
	}
	w.Add(alert.Evidence{Entity: e, Role: w.roleOf(name)})
}

// roleOf tells what was attacked from the scope it lies in: a project, folder or organisation is named by every finding
// whose detector knew no better.
func (w *witness) roleOf(resource string) alert.Role {
	switch {
	case !w.threat:
		return ""
	case strings.HasPrefix(resource, "//cloudresourcemanager.googleapis.com/"):
		return alert.Context
	}
	return alert.Victim
}

// access is who called and from where. The caller's address is the far side; the account may be stolen, so it gets no role.
func (w *witness) access(a access) {
	user := cmp.Or(set(a.PrincipalEmail), member(set(a.PrincipalSubject)), set(a.UserName))
	w.user(user, set(a.KeyName))
	w.user(set(a.UserName), "")
	for _, d := range a.Delegation.V {
		w.user(cmp.Or(set(d.PrincipalEmail), member(set(d.PrincipalSubject))), "")
	}
	if ip := set(a.CallerIP); ip != "" {
		e := entity.Entity{Kind: entity.IP, Value: ip}.With(entity.AttrCountry, set(a.CallerGeo.V.RegionCode))
		w.Add(alert.Evidence{Entity: e, Role: w.far()})
	}
}

// far is the role of an address that acts on the resource.
func (w *witness) far() alert.Role {
	if w.threat {
		return alert.Attacker
	}
	return ""
}

func (w *witness) user(name, key string) {
	if name == "" {
		return
	}
	e := entity.Entity{Kind: entity.User, Value: name}.With(entity.AttrAccessKey, key)
	if strings.HasSuffix(name, ".gserviceaccount.com") {
		e = e.With(entity.AttrUserType, "serviceAccount")
	}
	w.Add(alert.Evidence{Entity: e})
}

// member reads an IAM member: "user:…", "serviceAccount:…", or the subject of a federated identity. "allUsers" and
// groups of everybody are nobody in particular.
func (w *witness) member(m string) { w.user(member(m), "") }

func member(m string) string {
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

func (w *witness) indicator(i indicator) {
	for _, ip := range i.IPs {
		if v := set(ip); v != "" {
			w.Add(alert.Evidence{Entity: entity.Entity{Kind: entity.IP, Value: v}, Role: alert.Attacker, Verdict: alert.Malicious})
		}
	}
	for _, d := range i.Domains {
		if v := strings.TrimSuffix(set(d), "."); v != "" {
			w.Add(alert.Evidence{Entity: entity.Entity{Kind: entity.Domain, Value: v}, Role: alert.Attacker, Verdict: alert.Malicious})
		}
	}
	for _, u := range i.URIs {
		w.put(entity.URL, set(u), alert.Attacker)
	}
}

// connection names both ends. The one that is routable from anywhere is the far side; two private ends say nothing.
func (w *witness) connection(c connection) {
	for _, end := range []struct{ ip, port ingest.Text }{{c.SourceIP, c.SourcePort}, {c.DestinationIP, c.DestinationPort}} {
		if ip := set(end.ip); ip != "" {
			e := entity.Entity{Kind: entity.IP, Value: ip}.With(entity.AttrProtocol, set(c.Protocol))
			if p := set(end.port); p != "0" {
				e = e.With(entity.AttrPort, p)
			}
			role := alert.Role("")
			if a, err := netip.ParseAddr(ip); err == nil && !entity.Public(a) {
				role = alert.Context
			}
			w.Add(alert.Evidence{Entity: e, Role: role})
		}
	}
}

func (w *witness) process(p process) {
	path := set(p.Binary.V.Path)
	if name := cmp.Or(set(p.Name), path); name != "" {
		args := make([]string, len(p.Args))
		for i, a := range p.Args {
			args[i] = string(a)
		}
		e := entity.Entity{Kind: entity.Process, Value: name}.With(entity.AttrPath, path).With(entity.AttrSHA256, set(p.Binary.V.SHA256)).
			With(entity.AttrCommandLine, strings.Join(args, " "))
		e = e.With(entity.AttrPID, positive(p.PID)).With(entity.AttrParentPID, positive(p.ParentPID))
		w.Add(alert.Evidence{Entity: e})
	}
	w.file(p.Binary.V)
	w.file(p.Script.V)
	for _, l := range p.Libraries.V {
		w.file(l)
	}
}

// file is known by its hash where there is one, else by its path.
func (w *witness) file(f file) {
	e := entity.Entity{Kind: entity.File, Value: set(f.Path)}
	if h := set(f.SHA256); h != "" {
		e = entity.Entity{Kind: entity.FileHash, Value: h, Name: set(f.Path)}
	}
	if e.Value != "" {
		w.Add(alert.Evidence{Entity: e.With(entity.AttrPath, set(f.Path)).With(entity.AttrSize, positive(f.Size))})
	}
}

func (w *witness) container(c container) {
	image := set(c.URI)
	if name := set(c.Name); name != "" {
		e := entity.Entity{Kind: entity.Container, Value: name}
		if w.onlyPod != "" { // the bare name repeats in every replica
			e.Value, e.Name = w.onlyPod+"/"+name, name
		}
		w.Add(alert.Evidence{Entity: e.With(entity.AttrImage, image)})
	}
	if image = cmp.Or(image, set(c.ImageID)); image != "" {
		w.Add(alert.Evidence{Entity: entity.Entity{Kind: entity.Image, Value: image}.Also(entity.Image, set(c.ImageID))})
	}
}

func (w *witness) kubernetes(k kubernetes) {
	for _, p := range k.Pods.V {
		w.pod(set(p.Namespace), set(p.Name))
		for _, c := range p.Containers.V {
			w.container(c)
		}
	}
	for _, n := range k.Nodes.V {
		if name := set(n.Name); strings.HasPrefix(name, "//") {
			w.put(entity.Resource, name, "")
		} else {
			w.put(entity.Host, name, "")
		}
	}
	for _, b := range k.Bindings.V {
		for _, s := range b.Subjects.V {
			if strings.EqualFold(set(s.Kind), "USER") || strings.EqualFold(set(s.Kind), "SERVICEACCOUNT") {
				w.user(set(s.Name), "")
			}
		}
	}
	for _, o := range k.Objects.V {
		if strings.EqualFold(set(o.Kind), "Pod") {
			w.pod(set(o.Namespace), set(o.Name))
		}
		for _, c := range o.Containers.V {
			w.container(c)
		}
	}
}

// pod is named with its namespace, because names repeat across namespaces.
func (w *witness) pod(namespace, name string) {
	if name == "" {
		return
	}
	e := entity.Entity{Kind: entity.Pod, Value: podName(namespace, name)}.With(entity.AttrNamespace, namespace)
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

// data is what was read, moved or exposed: databases, exfiltration, disks, applications.
func (w *witness) data(f *finding) {
	w.put(entity.Resource, fullName(f.Database.V.Name), "")
	w.user(set(f.Database.V.UserName), "")
	for _, g := range f.Database.V.Grantees {
		w.member(set(g))
	}
	for _, s := range f.Exfiltration.V.Sources.V {
		w.put(entity.Resource, fullName(s.Name), alert.Victim)
	}
	for _, t := range f.Exfiltration.V.Targets.V {
		w.put(entity.Resource, fullName(t.Name), alert.Attacker)
	}
	for _, l := range f.LoadBalancers.V {
		w.put(entity.Resource, set(l.Name), "")
	}
	w.put(entity.Resource, set(f.Disk.V.Name), "")
	w.put(entity.URL, cmp.Or(set(f.Application.V.FullURI), set(f.Application.V.BaseURI)), "")
}

func fullName(v ingest.Text) string {
	if s := set(v); strings.ContainsAny(s, "/:") {
		return s
	}
	return ""
}

func positive(v ingest.Text) string {
	if s := set(v); s != "0" {
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
