package resolve

import "strings"

// This file says what a name is by its spelling alone.

// isAnchor reports whether a strong name says by itself what an entity is. A full host name and a down-level user name
// do only while nothing better is known of whom they belong to.
func isAnchor(key string) bool {
	return !strings.HasPrefix(key, "host:") && !(strings.HasPrefix(key, "user:") && strings.Contains(key, `\`))
}

func isMachine(key string) bool { return strings.HasPrefix(key, "machine:") }

func isFullHostName(key string) bool {
	return strings.HasPrefix(key, "host:") && strings.Contains(key, ".")
}

// isObjectID reports whether a user is named by a directory's object id, a UUID.
func isObjectID(key string) bool {
	return len(key) == len("user:")+36 && strings.Count(key, "-") == 4
}

// exclusiveScheme says which scheme of ids a key is of, among those of which an entity has exactly one id; "" for
// others.
func exclusiveScheme(key string) string {
	class, rest, _ := strings.Cut(key, ":")
	switch class {
	case "machine":
		if i := strings.IndexAny(rest, "-/"); i >= 0 {
			return "machine:" + rest[:i] // "i" of i-0abc, "" of /subscriptions/…, "gce", "vm", "device", "aad"
		}
	case "user":
		if scheme, _, ok := strings.Cut(rest, "/"); ok && (scheme == "sid" || scheme == "oid" || scheme == "aws") {
			return "user:" + scheme
		}
	case "file":
		return "file:" + strings.Repeat("x", min(len(rest), 64)) // hashes of one length are of one algorithm
	}
	return ""
}

// IsEverywhere reports whether an account or host exists everywhere and so identifies nobody.
func IsEverywhere(key string) bool { return everywhere[key] }

var everywhere = map[string]bool{
	"user:root": true, "user:administrator": true, "user:admin": true, "user:system": true, "user:guest": true,
	"user:network service": true, "user:local service": true, "user:anonymous": true, "user:anonymous logon": true,
	"user:nobody": true, "user:www-data": true, "user:ubuntu": true, "user:ec2-user": true, "user:azureuser": true,
	"user:daemon": true, "user:service": true, "user:test": true, "user:user": true, "user:sa": true,
	"user:postgres": true, "user:mysql": true, "user:system:anonymous": true, "user:system:unauthenticated": true,
	"host:localhost": true, "host:workstation": true, "host:desktop": true,
	"user:sid/s-1-5-18": true, "user:sid/s-1-5-19": true, "user:sid/s-1-5-20": true,
}
