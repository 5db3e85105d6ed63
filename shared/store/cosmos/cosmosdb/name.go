package cosmosdb

import (
	"encoding/base64"
	"strings"
	"unicode/utf8"
)

// The names of partitions are what they are for, as far as the SDK can say it: azcosmos v1.5.0 writes control
// characters and what is beyond the 16-bit plane as Go escapes, which are no JSON (partition_key.go, toJsonString).
// Such names, and those that would read as one, are written in base64 behind a mark.
const EscapeMark = "~"

// EscapeName makes a name one of a partition.
func EscapeName(name string) string {
	odd := strings.HasPrefix(name, EscapeMark) || !utf8.ValidString(name)
	for _, r := range name {
		odd = odd || r < ' ' || r == 0x7f || r > 0xffff
	}
	if odd {
		return EscapeMark + base64.RawURLEncoding.EncodeToString([]byte(name))
	}
	return name
}

// UnescapeName is what a partition is for.
func UnescapeName(partition string) string {
	if encoded, ok := strings.CutPrefix(partition, EscapeMark); ok {
		if name, err := base64.RawURLEncoding.DecodeString(encoded); err == nil {
			return string(name)
		}
	}
	return partition
}
