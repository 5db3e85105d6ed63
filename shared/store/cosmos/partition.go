package cosmos

import (
	"encoding/base64"
	"strings"
	"unicode/utf8"
)

// A tenant's partition key is its name, as far as the SDK can say it: azcosmos v1.5.0 writes control characters and
// what is beyond the 16-bit plane as Go escapes, which are no JSON (partition_key.go, toJsonString). Such names, and those
// that would read as one, are written in base64 behind a mark.
const marked = "~"

func partitionOf(name string) string {
	odd := strings.HasPrefix(name, marked) || !utf8.ValidString(name)
	for _, r := range name {
		odd = odd || r < ' ' || r == 0x7f || r > 0xffff
	}
	if odd {
		return marked + base64.RawURLEncoding.EncodeToString([]byte(name))
	}
	return name
}

// nameOf is the tenant of a partition.
func nameOf(partition string) string {
	if encoded, ok := strings.CutPrefix(partition, marked); ok {
		if name, err := base64.RawURLEncoding.DecodeString(encoded); err == nil {
			return string(name)
		}
	}
	return partition
}
