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

// keyOfHeader reads the partition key header. A key with fewer parts than the container has paths is refused: the
// service serves such prefixes only for queries and only with the hashed range beside it, which azcosmos v1.5.0 does
// not send.
func (c *container) keyOfHeader(r *request) (key, error) {
	header := r.Header.Get("x-ms-documentdb-partitionkey")
	if header == "" {
		return key{}, refuseBadRequest("PartitionKey value must be supplied for this operation: x-ms-documentdb-partitionkey is missing")
	}
	var parts []any
	if err := json.Unmarshal([]byte(header), &parts); err != nil {
		return key{}, refuseBadRequest("Partition key %s is invalid: %v", header, err)
	}
	for i, part := range parts {
		switch part := part.(type) {
		case map[string]any:
			if len(part) != 0 {
				return key{}, refuseBadRequest("Partition key %s is invalid: a part is an object", header)
			}
			parts[i] = sql.Undefined{}
		case []any:
			return key{}, refuseBadRequest("Partition key %s is invalid: a part is an array", header)
		}
	}
	if want := len(c.PartitionKey.Paths); len(parts) != want {
		return key{}, refuseBadRequest("The partition key supplied in x-ms-partitionkey header has %d components, the container has %d",
			len(parts), want).withSubstatus(1001)
	}
	return newKey(parts)
}

// keyOfItem reads the same from an item.
func (c *container) keyOfItem(d *document) (key, error) {
	parts := make([]any, len(c.PartitionKey.Paths))
	for i, p := range c.PartitionKey.Paths {
		path, err := parsePath(p)
		if err != nil {
			return key{}, err
		}
		switch v := d.valueAt(path).(type) {
		case map[string]any, []any:
			return key{}, refuseBadRequest("the value at partition key path %s is neither text, number, boolean nor null", p)
		default:
			parts[i] = v
		}
	}
	return newKey(parts)
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

func (c *container) partitionOf(k key) *partition {
	p := c.partitions[k.text]
	if p == nil {
		p = &partition{key: k, items: map[string]*item{}, unique: map[string]string{}}
		c.partitions[k.text] = p
	}
	return p
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
