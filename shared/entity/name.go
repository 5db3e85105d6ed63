package entity

import "strings"

// Names are the names that search finds e by: its keys, and in class "name:" what people call it, such as the last
// part of a path or id. Distinct, the most specific first.
func (e Entity) Names() []string {
	var k keys
	k = append(k, e.Keys()...)
	called := func(v string) {
		if v = normalizeName(v); v != "" && !k.hasKey("host:"+v) && !k.hasKey("user:"+v) {
			k.putKey("name:"+v, false)
		}
	}
	called(e.Name)
	switch e.Kind {
	case Resource, Cluster, Container, Image, Pod, File, App, Session, Other:
		called(lastPart(e.Value))
	}
	out := make([]string, len(k))
	for i := range k {
		out[i] = k[i].Text
	}
	return out
}

// KeysOfText are the keys of every entity that text may name, whatever its kind: an ARN, a resource id in any case, an
// instance id, a host name long or short, an address, a user, a hash, a domain. A strong key names one entity only.
func KeysOfText(text string) []Key {
	text = strings.TrimSpace(text)
	var k keys
	for _, kind := range []Kind{Host, IP, User, Resource, FileHash, Domain, URL, Session, App, Cluster, File, Process, RegistryKey, Container, Image, Pod, Other} {
		for i, key := range (Entity{Kind: kind, Value: text}).Keys() {
			if !isPartOf(key, text) {
				k.putKey(key.Text, key.Strong && i == 0)
			}
		}
	}
	for _, attribute := range []string{"machine:vm/", "machine:device/", "machine:aad/", "user:oid/", "user:aws/"} {
		k.addStrong(attribute, text)
	}
	if v := normalizeName(text); v != "" {
		k.putKey("name:"+v, false)
	}
	return k
}

// isPartOf reports whether a key is only the bare beginning or end of what text writes in full, and so names many
// things: "web-03" of "web-03.contoso.example", "dora" of "dora@contoso.example".
func isPartOf(k Key, text string) bool {
	_, value, _ := strings.Cut(k.Text, ":")
	return !k.Strong && !strings.ContainsAny(value, `\@.:/`) && !strings.EqualFold(value, text)
}

func (k keys) hasKey(text string) bool {
	for i := range k {
		if k[i].Text == text {
			return true
		}
	}
	return false
}

// lastPart is what follows the last slash, backslash or colon.
func lastPart(v string) string {
	v = strings.TrimRight(v, `/\`)
	return v[strings.LastIndexAny(v, `/\:`)+1:]
}
