package cosmos

import (
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/infra/local/cosmos/sql"
)

// maxPartitionKey is the longest partition key value, in bytes.
// Source: learn.microsoft.com/azure/cosmos-db/concepts-limits, "Maximum length of partition key value 2,048 bytes".
const maxPartitionKey = 2048

// key is one logical partition's key: as canonical JSON, and as the place it hashes to.
type key struct {
	text   string
	values []any
	epk    string
}

func newKey(parts []any) (key, error) {
	plain := make([]any, len(parts))
	for i, part := range parts {
		plain[i] = part
		if part == (sql.Undefined{}) {
			plain[i] = map[string]any{}
		}
		if text, ok := part.(string); ok && len(text) > maxPartitionKey {
			return key{}, refuseBadRequest("a partition key value of %d bytes is longer than %d", len(text), maxPartitionKey)
		}
	}
	text, err := json.Marshal(plain)
	if err != nil {
		return key{}, refuseBadRequest("partition key: %v", err)
	}
	return key{text: string(text), values: parts, epk: effectiveKey(parts)}, nil
}

// partition is one logical partition.
type partition struct {
	key      key
	items    map[string]*item
	sorted   sortedItems       // by id
	postings postings          // nil until a query asks
	unique   map[string]string // unique key → id of its holder
	bytes    int64
	meter    partitionMeter
}

// parsePath reads /a/b/"c d"/?, as policies write it, into its names.
func parsePath(text string) (sql.Path, error) {
	if !strings.HasPrefix(text, "/") || len(text) < 2 {
		return nil, refuseBadRequest("path %q does not begin with /", text)
	}
	var out sql.Path
	for _, part := range strings.Split(text[1:], "/") {
		if unquoted, err := jsontext.AppendUnquote(nil, part); err == nil && strings.HasPrefix(part, `"`) {
			part = string(unquoted)
		}
		if part == "" {
			return nil, refuseBadRequest("path %q has an empty part", text)
		}
		out = append(out, part)
	}
	return out, nil
}
