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

// Keys returns the entity's canonical keys, the most specific first. Nil when the entity names nothing that
// could be matched (an empty value, "-", "N/A").
func (e Entity) Keys() []Key {
	var k keys
	k.addKeys(e.Kind, e.Value)
	for _, a := range e.Aliases {
		k.addKeys(a.Kind, a.Value)
	}
	switch e.Kind {
	case Host, Resource:
		k.addStrong("machine:vm/", e.Attr(AttrVMID))
		k.addStrong("machine:device/", e.Attr(AttrDeviceID))
		k.addStrong("machine:aad/", e.Attr(AttrAADDeviceID))
		k.addKeys(Resource, e.Attr(AttrResourceID))
	case User, Mailbox:
		k.addKeys(User, e.Attr(AttrUPN))
		k.addStrong("user:oid/", e.Attr(AttrObjectID))
		k.addStrong("user:sid/", e.Attr(AttrSID))
		k.addStrong("user:aws/", e.Attr(AttrPrincipalID))
		if d := e.Attr(AttrDomain); d != "" && !strings.ContainsAny(e.Value, `\@`) {
			k.addKeys(User, d+`\`+e.Value)
		}
	case File, FileHash:
		k.addStrong("file:", e.Attr(AttrSHA256))
		k.addStrong("file:", e.Attr(AttrSHA1))
		k.addStrong("file:", e.Attr(AttrMD5))
	}
	return k
}

// Class is the part of a key before the colon: machine, user, ip, file, resource and so on. Evidence is weighed by it.
func (k Key) Class() string {
	class, _, _ := strings.Cut(k.Text, ":")
	return class
}

type keys []Key

func (k *keys) putKey(text string, strong bool) {
	for i, has := range *k {
		if has.Text == text {
			(*k)[i].Strong = has.Strong || strong
			return
		}
	}
	*k = append(*k, Key{text, strong})
}

// addStrong adds a key whose value compares without case.
func (k *keys) addStrong(prefix, value string) {
	if v := normalizeName(value); v != "" {
		k.putKey(prefix+v, true)
	}
}

func (k *keys) addKeys(kind Kind, value string) {
	value = strings.TrimSpace(value)
	if normalizeName(value) == "" {
		return
	}
	switch kind {
	case Resource:
		k.addResource(value)
	case Host:
		k.addHost(value)
	case IP:
		k.addIP(value)
	case User, Mailbox:
		k.addUser(value)
	case FileHash:
		k.addStrong("file:", value)
	case File, Process:
		k.putKey(string(kind)+":"+strings.ToLower(value), false)
	case Cluster:
		k.addCluster(value)
	case Domain, URL, RegistryKey, Session, App:
		k.addStrong(string(kind)+":", value)
	default:
		k.putKey(string(kind)+":"+value, true)
	}
}

// addResource understands ARNs, Azure resource ids, Google full resource names, and bare EC2 instance ids.
func (k *keys) addResource(v string) {
	lower := strings.ToLower(v)
	switch {
	case isInstance(lower):
		k.putKey("machine:"+lower, true)
	case strings.HasPrefix(lower, "arn:"):
		k.addARN(v)
	case strings.HasPrefix(lower, "/subscriptions/"):
		if id, name, ok := azureMachine(lower); ok {
			k.putKey("machine:"+id, true)
			k.putKey("host:"+name, false) // machines are called what their resource is, until told otherwise
			return
		}
		if strings.Contains(lower, "/providers/microsoft.containerservice/managedclusters/") {
			k.addCluster(strings.TrimRight(lower, "/"))
			return
		}
		k.putKey("resource:"+strings.TrimRight(lower, "/"), true)
	case strings.HasPrefix(v, "//container.googleapis.com/") && strings.Contains(v, "/clusters/"):
		k.addCluster(v)
	default:
		if project, zone, name, ok := googleMachine(v); ok {
			k.putKey("machine:gce/"+project+"/"+zone+"/"+name, true)
			k.putKey("host:"+strings.ToLower(name), false)
			return
		}
		k.putKey("resource:"+v, strings.ContainsAny(v, "/:"))
	}
}

// addCluster keys a Kubernetes cluster: by its cloud's id, and by the name that agents in it know, which is weak.
func (k *keys) addCluster(v string) {
	name := v[strings.LastIndexAny(v, "/")+1:]
	if name != v {
		k.putKey("cluster:"+v, true)
	}
	k.putKey("cluster:"+strings.ToLower(name), false)
}

// addARN keys an Amazon resource by what it is: an instance is a machine, an IAM principal a user.
func (k *keys) addARN(v string) {
	part := strings.SplitN(v, ":", 6)
	if len(part) < 6 {
		k.putKey("resource:"+v, true)
		return
	}
	service, rest := part[2], part[5]
	switch {
	case service == "ec2" && strings.HasPrefix(rest, "instance/"):
		k.putKey("machine:"+strings.ToLower(strings.TrimPrefix(rest, "instance/")), true)
	case service == "iam" && strings.HasPrefix(rest, "user/"), service == "sts":
		k.addUser(v)
	case service == "eks" && strings.HasPrefix(rest, "cluster/"):
		k.addCluster(v)
	default:
		k.putKey("resource:"+v, true)
	}
}

// addHost keys a host name: a qualified one is strong, a bare one weak. A name that only spells an address
// ("ip-10-0-0-12.ec2.internal") or that every machine has ("localhost") is weak or nothing.
func (k *keys) addHost(v string) {
	v = strings.TrimSuffix(strings.ToLower(v), ".")
	if a, err := netip.ParseAddr(v); err == nil {
		k.addIP(a.String())
		return
	}
	if isInstance(v) {
		k.putKey("machine:"+v, true)
		return
	}
	short, domain, qualified := strings.Cut(v, ".")
	switch {
	case short == "localhost" || short == "unknown":
	case qualified && (strings.HasSuffix(domain, ".internal") || domain == "internal") && strings.HasPrefix(short, "ip-"):
		k.putKey("host:"+v, false)
		k.putKey("host:"+short, false)
		k.addIP(strings.ReplaceAll(strings.TrimPrefix(short, "ip-"), "-", "."))
	case qualified && domain != "local" && domain != "localdomain":
		k.putKey("host:"+v, true)
		k.putKey("host:"+short, false)
	default:
		k.putKey("host:"+short, false)
		if address, ok := strings.CutPrefix(short, "ip-"); ok {
			k.addIP(strings.ReplaceAll(address, "-", "."))
		}
	}
}

// addIP keeps globally routable addresses strong; the others name a machine only within one network.
func (k *keys) addIP(v string) {
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
	k.putKey("ip:"+a.String(), IsPublicIP(a))
}

// IsPublicIP reports whether an address is globally routable, so that it means the same machine to everyone.
func IsPublicIP(a netip.Addr) bool {
	return a.IsGlobalUnicast() && !a.IsPrivate() && !cgnat.Contains(a) && !a.IsLinkLocalUnicast()
}

var cgnat = netip.MustParsePrefix("100.64.0.0/10") // RFC 6598, shared by many customers

// addUser keys people and service identities: UPN or mail address, DOMAIN\name, IAM user, role session,
// Google "user:" and "serviceAccount:" members.
func (k *keys) addUser(v string) {
	lower := strings.ToLower(v)
	for _, member := range []string{"user:", "serviceaccount:", "group:"} {
		lower = strings.TrimPrefix(lower, member)
	}
	switch {
	case strings.HasPrefix(lower, "arn:"):
		k.addPrincipal(lower)
	case strings.HasPrefix(lower, "s-1-"):
		k.putKey("user:sid/"+lower, true)
	case strings.Contains(lower, `\`):
		domain, name, _ := strings.Cut(lower, `\`)
		if domain == "nt authority" || domain == "." || domain == "" {
			k.putKey("user:"+name, false)
			return
		}
		k.putKey("user:"+lower, true)
		k.putKey("user:"+name, false)
	case strings.Contains(lower, "@"):
		name, domain, _ := strings.Cut(lower, "@")
		k.putKey("user:"+lower, true)
		k.putKey("user:"+name, false)
		if label, _, ok := strings.Cut(domain, "."); ok {
			k.putKey("user:"+label+`\`+name, false) // a domain's down-level name is mostly its first label
		}
	default:
		k.putKey("user:"+lower, false)
	}
}

// addPrincipal keys an IAM ARN. A role session carries who took the role in its last segment; an SSO session is
// named after the person, so that name is an alias.
func (k *keys) addPrincipal(arn string) {
	k.putKey("user:"+arn, true)
	if i := strings.LastIndexByte(arn, '/'); i >= 0 && strings.Contains(arn, ":assumed-role/") {
		if session := arn[i+1:]; !isInstance(session) { // an instance's own session is nobody's name
			k.addUser(session)
		}
	}
}

// normalizeName trims v and lowers its case; "" for the words that senders write for "nothing".
func normalizeName(v string) string {
	v = strings.ToLower(strings.TrimSpace(v))
	switch v {
	case "-", "--", "n/a", "na", "none", "null", "unknown", "undefined", "<nil>", "00000000-0000-0000-0000-000000000000":
		return ""
	}
	return v
}
