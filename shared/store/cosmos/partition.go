package cosmos

import (
	"encoding/base64"
	"strings"
	"unicode/utf8"

	"github.com/Azure/azure-sdk-for-go/sdk/data/azcosmos"
)

// A tenant's partition key is its name, as far as the SDK can say it: azcosmos v1.5.0 writes control characters and
// what is beyond the 16-bit plane as Go escapes, which are no JSON (partition_key.go, toJsonString). Such names, and those
// that would read as one, are written in base64 behind a mark.
const escapeMark = "~"

func partitionKey(name string) string {
	odd := strings.HasPrefix(name, escapeMark) || !utf8.ValidString(name)
	for _, r := range name {
		odd = odd || r < ' ' || r == 0x7f || r > 0xffff
	}
	if odd {
		return escapeMark + base64.RawURLEncoding.EncodeToString([]byte(name))
	}
	return name
}

// tenantName is the tenant of a partition.
func tenantName(partition string) string {
	if encoded, ok := strings.CutPrefix(partition, escapeMark); ok {
		if name, err := base64.RawURLEncoding.DecodeString(encoded); err == nil {
			return string(name)
		}
	}
	return partition
}

// partition is a partition, and how far it has been seen.
type partition struct {
	name    string
	pk      azcosmos.PartitionKey
	session *session
}

// partitionOf is the partition of what a name stands for: a tenant, a kind of documents.
func (s *Store) partitionOf(prefix, owner string) partition {
	name := prefix + partitionKey(owner)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.seen == nil {
		s.seen = map[string]*session{}
	}
	seen := s.seen[name]
	if seen == nil {
		seen = &session{}
		s.seen[name] = seen
	}
	return partition{name, azcosmos.NewPartitionKeyString(name), seen}
}
