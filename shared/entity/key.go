package entity

import (
	"net/netip"
	"strings"
)

// Key is a canonical name: two entities of one tenant with an equal strong key are one thing.
type Key struct {
	Text string
	// Strong keys identify by themselves (an ARN, a vmId, a UPN). Weak ones (a bare host name, a private
	// address, an unqualified account name) identify only when nothing contradicts them.
	Strong bool
}

// Keys returns the entity's canonical keys, the most telling first. Nil when the entity names nothing that
// could be matched (an empty value, "-", "N/A").
func (e Entity) Keys() []Key {
	var k keys
	k.add(e.Kind, e.Value)
	for _, a := range e.Aliases {
		k.add(a.Kind, a.Value)
	}
	switch e.Kind {
	case Host, Resource:
		k.strong("machine:vm/", e.Attr(AttrVMID))
		k.strong("machine:device/", e.Attr(AttrDeviceID))
		k.strong("machine:aad/", e.Attr(AttrAADDeviceID))
		k.add(Resource, e.Attr(AttrResourceID))
	case User, Mailbox:
		k.add(User, e.Attr(AttrUPN))
		k.strong("user:oid/", e.Attr(AttrObjectID))
		k.strong("user:sid/", e.Attr(AttrSID))
		k.strong("user:aws/", e.Attr(AttrPrincipalID))
		if d := e.Attr(AttrDomain); d != "" && !strings.ContainsAny(e.Value, `\@`) {
			k.add(User, d+`\`+e.Value)
		}
	case File, FileHash:
		k.strong("file:", e.Attr(AttrSHA256))
		k.strong("file:", e.Attr(AttrSHA1))
		k.strong("file:", e.Attr(AttrMD5))
	}
	return k
}

// Class is the part of a key before the colon: machine, user, ip, file, resource and so on. Evidence is weighed by it.
func (k Key) Class() string {
	class, _, _ := strings.Cut(k.Text, ":")
	return class
}

type keys []Key

func (k *keys) put(text string, strong bool) {
	for i, has := range *k {
		if has.Text == text {
			(*k)[i].Strong = has.Strong || strong
			return
		}
	}
	*k = append(*k, Key{text, strong})
}

// strong adds a key whose value compares without case.
func (k *keys) strong(prefix, value string) {
	if v := fold(value); v != "" {
		k.put(prefix+v, true)
	}
}

func (k *keys) add(kind Kind, value string) {
	value = strings.TrimSpace(value)
	if fold(value) == "" {
		return
	}
	switch kind {
	case Resource:
		k.resource(value)
	case Host:
		k.host(value)
	case IP:
		k.ip(value)
	case User, Mailbox:
		k.user(value)
	case FileHash:
		k.strong("file:", value)
	case File, Process:
		k.put(string(kind)+":"+strings.ToLower(value), false)
	case Cluster:
		k.cluster(value)
	case Domain, URL, RegistryKey, Session, App:
		k.strong(string(kind)+":", value)
	default:
		k.put(string(kind)+":"+value, true)
	}
}

// resource understands ARNs, Azure resource ids, Google full resource names, and bare EC2 instance ids.
func (k *keys) resource(v string) {
	lower := strings.ToLower(v)
	switch {
	case isInstance(lower):
		k.put("machine:"+lower, true)
	case strings.HasPrefix(lower, "arn:"):
		k.arn(v)
	case strings.HasPrefix(lower, "/subscriptions/"):
		if id, name, ok := azureMachine(lower); ok {
			k.put("machine:"+id, true)
			k.put("host:"+name, false) // machines are called what their resource is, until told otherwise
			return
		}
		if strings.Contains(lower, "/providers/microsoft.containerservice/managedclusters/") {
			k.cluster(strings.TrimRight(lower, "/"))
			return
		}
		k.put("resource:"+strings.TrimRight(lower, "/"), true)
	case strings.HasPrefix(v, "//container.googleapis.com/") && strings.Contains(v, "/clusters/"):
		k.cluster(v)
	default:
		if project, zone, name, ok := googleMachine(v); ok {
			k.put("machine:gce/"+project+"/"+zone+"/"+name, true)
			k.put("host:"+strings.ToLower(name), false)
			return
		}
		k.put("resource:"+v, strings.ContainsAny(v, "/:"))
	}
}

// cluster keys a Kubernetes cluster: by its cloud's id, and by the name that agents in it know, which is weak.
func (k *keys) cluster(v string) {
	name := v[strings.LastIndexAny(v, "/")+1:]
	if name != v {
		k.put("cluster:"+v, true)
	}
	k.put("cluster:"+strings.ToLower(name), false)
}

// arn keys an Amazon resource by what it is: an instance is a machine, an IAM principal a user.
func (k *keys) arn(v string) {
	part := strings.SplitN(v, ":", 6)
	if len(part) < 6 {
		k.put("resource:"+v, true)
		return
	}
	service, rest := part[2], part[5]
	switch {
	case service == "ec2" && strings.HasPrefix(rest, "instance/"):
		k.put("machine:"+strings.ToLower(strings.TrimPrefix(rest, "instance/")), true)
	case service == "iam" && strings.HasPrefix(rest, "user/"), service == "sts":
		k.user(v)
	case service == "eks" && strings.HasPrefix(rest, "cluster/"):
		k.cluster(v)
	default:
		k.put("resource:"+v, true)
	}
}

// host tells a qualified name, which is strong, from a bare one. A name that only spells an address
// ("ip-10-0-0-12.ec2.internal") or that every machine has ("localhost") is weak or nothing.
func (k *keys) host(v string) {
	v = strings.TrimSuffix(strings.ToLower(v), ".")
	if a, err := netip.ParseAddr(v); err == nil {
		k.ip(a.String())
		return
	}
	if isInstance(v) {
		k.put("machine:"+v, true)
		return
	}
	short, domain, qualified := strings.Cut(v, ".")
	switch {
	case short == "localhost" || short == "unknown":
	case qualified && (strings.HasSuffix(domain, ".internal") || domain == "internal") && strings.HasPrefix(short, "ip-"):
		k.put("host:"+v, false)
		k.put("host:"+short, false)
		k.ip(strings.ReplaceAll(strings.TrimPrefix(short, "ip-"), "-", "."))
	case qualified && domain != "local" && domain != "localdomain":
		k.put("host:"+v, true)
		k.put("host:"+short, false)
	default:
		k.put("host:"+short, false)
		if address, ok := strings.CutPrefix(short, "ip-"); ok {
			k.ip(strings.ReplaceAll(address, "-", "."))
		}
	}
}

// ip keeps globally routable addresses strong; the others name a machine only within one network.
func (k *keys) ip(v string) {
	a, err := netip.ParseAddr(strings.Trim(v, "[]"))
	if err != nil {
		if p, perr := netip.ParseAddrPort(v); perr == nil {
			a = p.Addr()
		} else {
			return
		}
	}
	a = a.Unmap().WithZone("")
	if a.IsUnspecified() || a.IsLoopback() || a.IsMulticast() {
		return
	}
	k.put("ip:"+a.String(), Public(a))
}

// Public reports whether an address is globally routable, so that it means the same machine to everyone.
func Public(a netip.Addr) bool {
	return a.IsGlobalUnicast() && !a.IsPrivate() && !cgnat.Contains(a) && !a.IsLinkLocalUnicast()
}

var cgnat = netip.MustParsePrefix("100.64.0.0/10") // RFC 6598, shared by many customers

// user keys people and service identities: UPN or mail address, DOMAIN\name, IAM user, role session,
// Google "user:" and "serviceAccount:" members.
func (k *keys) user(v string) {
	lower := strings.ToLower(v)
	for _, member := range []string{"user:", "serviceaccount:", "group:"} {
		lower = strings.TrimPrefix(lower, member)
	}
	switch {
	case strings.HasPrefix(lower, "arn:"):
		k.principal(lower)
	case strings.HasPrefix(lower, "s-1-"):
		k.put("user:sid/"+lower, true)
	case strings.Contains(lower, `\`):
		domain, name, _ := strings.Cut(lower, `\`)
		if domain == "nt authority" || domain == "." || domain == "" {
			k.put("user:"+name, false)
			return
		}
		k.put("user:"+lower, true)
		k.put("user:"+name, false)
	case strings.Contains(lower, "@"):
		name, domain, _ := strings.Cut(lower, "@")
		k.put("user:"+lower, true)
		k.put("user:"+name, false)
		if label, _, ok := strings.Cut(domain, "."); ok {
			k.put("user:"+label+`\`+name, false) // a domain's down-level name is mostly its first label
		}
	default:
		k.put("user:"+lower, false)
	}
}

// principal keys an IAM ARN. A role session carries who took the role in its last segment; an SSO session is
// named after the person, so that name is an alias.
func (k *keys) principal(arn string) {
	k.put("user:"+arn, true)
	if i := strings.LastIndexByte(arn, '/'); i >= 0 && strings.Contains(arn, ":assumed-role/") {
		if session := arn[i+1:]; !isInstance(session) { // an instance's own session is nobody's name
			k.user(session)
		}
	}
}

// fold lowers case and empties the words that senders write for "nothing".
func fold(v string) string {
	v = strings.ToLower(strings.TrimSpace(v))
	switch v {
	case "-", "--", "n/a", "na", "none", "null", "unknown", "undefined", "<nil>", "00000000-0000-0000-0000-000000000000":
		return ""
	}
	return v
}
