package falco

import (
	"cmp"
	"net/netip"
	"strings"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/entity"
)

// evidenceOf reads the output fields by the names of Falco's field classes: container.*, k8s.*, proc.*, user.*, fd.*,
// and of the Kubernetes audit and CloudTrail plugins ka.*, ct.*.
func evidenceOf(e event) []alert.Evidence {
	var set ingest.EvidenceSet
	f := func(names ...string) string {
		for _, n := range names {
			if v := strings.TrimSpace(string(e.OutputFields[n])); !ingest.IsPlaceholder(v) {
				return v
			}
		}
		return ""
	}
	put := func(x entity.Entity, role alert.Role) { set.Add(alert.Evidence{Entity: x, Role: role}) }

	put(entity.Entity{Kind: entity.Host, Value: cmp.Or(string(e.Hostname), f("evt.hostname"))}, alert.Victim)
	if node := f("k8s.node.name", "k8smeta.node.name"); node != "" {
		put(entity.Entity{Kind: entity.Host, Value: node}, alert.Victim)
	}
	addPod(put, f("k8s.ns.name", "k8smeta.ns.name", "ka.target.namespace"), f("k8s.pod.name", "k8smeta.pod.name", "ka.target.pod.name"))
	image := f("container.image.repository", "container.image", "ka.req.pod.containers.image")
	if tag := f("container.image.tag"); image != "" && tag != "" && !strings.Contains(image[strings.LastIndexByte(image, '/')+1:], ":") {
		image += ":" + tag
	}
	if id := f("container.id"); id != "" && id != "host" {
		put(entity.Entity{Kind: entity.Container, Value: id, Name: f("container.name")}.WithAttr(entity.AttrImage, image), alert.Victim)
	}
	put(entity.Entity{Kind: entity.Image, Value: image}, "")
	addProcess(put, f)
	user := entity.Entity{Kind: entity.User, Value: f("user.name", "ka.user.name", "ct.user")}
	if user.Value != "<NA>" {
		put(user.WithAttr("uid", f("user.uid")).WithAttr(entity.AttrPrincipalID, f("ct.user.principalid")), "")
	}
	addDescriptor(put, f)
	put(entity.Entity{Kind: entity.IP, Value: ipAddress(f("ct.srcip", "ka.sourceips"))}, alert.Attacker)
	put(entity.Entity{Kind: entity.Cluster, Value: f("k8s.cluster.name", "cluster")}, "")
	return set.List()
}

func addPod(put func(entity.Entity, alert.Role), namespace, name string) {
	if name == "" {
		return
	}
	e := entity.Entity{Kind: entity.Pod, Value: name}
	if namespace != "" {
		e = entity.Entity{Kind: entity.Pod, Value: namespace + "/" + name, Name: name}.WithAttr(entity.AttrNamespace, namespace)
	}
	put(e, alert.Victim)
}

func addProcess(put func(entity.Entity, alert.Role), f func(...string) string) {
	command := f("proc.cmdline")
	name := f("proc.name", "proc.exepath", "proc.exe")
	if name == "" {
		name, _, _ = strings.Cut(command, " ")
	}
	e := entity.Entity{Kind: entity.Process, Value: name}
	put(e.WithAttr(entity.AttrCommandLine, command).WithAttr(entity.AttrPath, f("proc.exepath")).WithAttr(entity.AttrPID, f("proc.pid")).
		WithAttr(entity.AttrParentPID, f("proc.ppid")).WithAttr(entity.AttrParentName, f("proc.pname")), "")
	if h := f("proc.exe_sha256", "proc.sha256"); h != "" {
		put(entity.Entity{Kind: entity.FileHash, Value: h, Name: f("proc.exepath")}, "")
	}
}

// addDescriptor reads fd.*: a file's path, or a connection "10.0.0.5:33212->198.51.100.9:443" with its ends spelt out.
func addDescriptor(put func(entity.Entity, alert.Role), f func(...string) string) {
	name := f("fd.name")
	if strings.HasPrefix(name, "/") {
		put(entity.Entity{Kind: entity.File, Value: name}, "")
	}
	for _, n := range []string{"fd.sip", "fd.cip", "fd.rip", "fd.lip"} {
		addConnectionEnd(put, f(n))
	}
	if from, to, ok := strings.Cut(name, "->"); ok {
		addConnectionEnd(put, from)
		addConnectionEnd(put, to)
	}
	for _, n := range []string{"fd.sip.name", "fd.rip.name", "fd.cip.name"} {
		put(entity.Entity{Kind: entity.Domain, Value: f(n)}, "")
	}
}

// addConnectionEnd adds the address of one end of a connection, without role: Falco does not say which end attacks.
func addConnectionEnd(put func(entity.Entity, alert.Role), text string) {
	if ip := ipAddress(text); ip != "" {
		put(entity.Entity{Kind: entity.IP, Value: ip}, "")
	}
}

// ipAddress is the IP address in text, which may carry a port; "" for none, and for those that name no machine.
func ipAddress(text string) string {
	text, _, _ = strings.Cut(text, ",")
	ip, err := netip.ParseAddr(strings.TrimSpace(text))
	if err != nil {
		ap, perr := netip.ParseAddrPort(strings.TrimSpace(text))
		if perr != nil {
			return ""
		}
		ip = ap.Addr()
	}
	if ip.IsUnspecified() || ip.IsLoopback() {
		return ""
	}
	return ip.Unmap().String()
}
