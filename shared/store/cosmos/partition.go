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

// shelf is a partition, and how far it has been seen.
type shelf struct {
	name string
	pk   azcosmos.PartitionKey
	seen *session
}

// shelf is the partition of what a name stands for: a tenant, a kind of documents.
func (s *Store) shelf(prefix, name string) shelf {
	partition := prefix + partitionOf(name)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.seen == nil {
		s.seen = map[string]*session{}
	}
	seen := s.seen[partition]
	if seen == nil {
		seen = &session{}
		s.seen[partition] = seen
	}
	return shelf{partition, azcosmos.NewPartitionKeyString(partition), seen}
}
