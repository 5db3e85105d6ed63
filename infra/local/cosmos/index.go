package cosmos

import (
	"hash/fnv"
	"math"
	"slices"
	"strings"

	"github.com/onepane/onepane/infra/local/cosmos/sql"
)

// IndexingPolicy says which properties are indexed.
type IndexingPolicy struct {
	IndexingMode     string             `json:"indexingMode,omitempty"` // consistent or none
	Automatic        bool               `json:"automatic"`
	IncludedPaths    []IndexPath        `json:"includedPaths"`
	ExcludedPaths    []IndexPath        `json:"excludedPaths"`
	CompositeIndexes [][]CompositeIndex `json:"compositeIndexes,omitempty"`
}

// IndexPath is a path of a policy: /name/? is one value, /name/* everything below, /name/[]/? every element.
type IndexPath struct {
	Path string `json:"path"`
}

// CompositeIndex is one column of a composite index; the order is ascending or descending.
type CompositeIndex struct {
	Path  string `json:"path"`
	Order string `json:"order,omitempty"`
}

// indexEverything is the policy of a container that was created without one.
func indexEverything() *IndexingPolicy {
	return &IndexingPolicy{IndexingMode: "consistent", Automatic: true, IncludedPaths: []IndexPath{{"/*"}}, ExcludedPaths: []IndexPath{{`/"_etag"/?`}}}
}

// index is a policy made ready for use.
type index struct {
	none       bool
	paths      []indexPath
	composites [][]sql.OrderBy
}

type indexPath struct {
	path     sql.Path
	included bool
	below    bool // ends in *, not in ?
}

// term is one entry of the index for one item.
type term uint64

// newIndex checks a policy: the root is included or excluded, and every path ends in ? or *.
// Source: learn.microsoft.com/azure/cosmos-db/index-policy.
func newIndex(policy IndexingPolicy) (*index, error) {
	if strings.EqualFold(policy.IndexingMode, "none") {
		return &index{none: true}, nil
	}
	ix := &index{}
	root := false
	for i, list := range [][]IndexPath{policy.IncludedPaths, policy.ExcludedPaths} {
		for _, p := range list {
			parsed, err := parsePath(p.Path)
			if err != nil {
				return nil, err
			}
			last := parsed[len(parsed)-1]
			if last != "?" && last != "*" {
				return nil, refuseBadRequest("The indexing path %q could not be accepted: it ends in neither ? nor *", p.Path)
			}
			root = root || p.Path == "/*"
			ix.paths = append(ix.paths, indexPath{parsed[:len(parsed)-1], i == 0, last == "*"})
		}
	}
	if !root {
		return nil, refuseBadRequest("The special mandatory indexing path \"/*\" is not provided in any of the path type sets")
	}
	for _, columns := range policy.CompositeIndexes {
		if len(columns) < 2 {
			return nil, refuseBadRequest("a composite index has at least two paths")
		}
		var composite []sql.OrderBy
		for _, column := range columns {
			p, err := parsePath(column.Path)
			if err != nil {
				return nil, err
			}
			composite = append(composite, sql.OrderBy{Path: p, Desc: strings.EqualFold(column.Order, "descending")})
		}
		ix.composites = append(ix.composites, composite)
	}
	return ix, nil
}

// coversPath is whether a value at p is in the index: the most precise path that fits decides. id and _ts always are;
// the partition key is not by itself.
func (ix *index) coversPath(p sql.Path) bool {
	if ix.none {
		return false
	}
	if len(p) == 1 && (p[0] == "id" || p[0] == "_ts") {
		return true
	}
	included, best := false, -1
	for _, ip := range ix.paths {
		fits := len(p) >= len(ip.path) && slices.Equal(ip.path, p[:len(ip.path)]) && (ip.below || len(p) == len(ip.path))
		precision := 2 * len(ip.path)
		if !ip.below {
			precision++
		}
		if fits && precision > best {
			included, best = ip.included, precision
		}
	}
	return included
}

// servesOrder is whether an order of several columns has its composite index: the same paths in the same sequence,
// every direction as in the index or every one reversed.
func (ix *index) servesOrder(order []sql.OrderBy) bool {
	for _, composite := range ix.composites {
		if len(composite) != len(order) {
			continue
		}
		same, reversed := true, true
		for i, column := range composite {
			fits := slices.Equal(column.Path, order[i].Path)
			same = same && fits && column.Desc == order[i].Desc
			reversed = reversed && fits && column.Desc != order[i].Desc
		}
		if same || reversed {
			return true
		}
	}
	return false
}

// termsOf are an item's entries in the index, sorted, each once: one for each indexed value at its path, one for each
// composite index, and id and _ts.
func (ix *index) termsOf(it *item) []term {
	if ix.none {
		return nil
	}
	out := []term{hashTerm(sql.Path{"id"}, it.id), hashTerm(sql.Path{"_ts"}, float64(it.ts))}
	for _, m := range it.members {
		if m.name != "id" && ix.reachesBelow(sql.Path{m.name}) {
			out = ix.appendTerms(out, sql.Path{m.name}, it.document.valueAt(sql.Path{m.name}))
		}
	}
	for n, composite := range ix.composites {
		sum := uint64(n)
		for _, column := range composite {
			sum = sum*31 + uint64(hashTerm(column.Path, it.valueAt(column.Path)))
		}
		out = append(out, term(sum))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// reachesBelow is whether anything at or below p can be indexed, so that the rest need not be looked at.
func (ix *index) reachesBelow(p sql.Path) bool {
	for _, ip := range ix.paths {
		if ip.included && (len(ip.path) >= len(p) && slices.Equal(ip.path[:len(p)], p) || ip.below && len(ip.path) < len(p) && slices.Equal(ip.path, p[:len(ip.path)])) {
			return true
		}
	}
	return false
}

func (ix *index) appendTerms(out []term, p sql.Path, v any) []term {
	switch v := v.(type) {
	case map[string]any:
		for name, below := range v {
			out = ix.appendTerms(out, append(slices.Clip(p), name), below)
		}
	case []any:
		for _, element := range v {
			out = ix.appendTerms(out, append(slices.Clip(p), "[]"), element)
		}
	default:
		if ix.coversPath(p) {
			out = append(out, hashTerm(p, v))
		}
	}
	return out
}

func hashTerm(p sql.Path, v any) term {
	h := fnv.New64a()
	h.Write([]byte(p.String()))
	switch v := v.(type) {
	case string:
		h.Write([]byte("\x01" + v))
	case float64:
		bits := math.Float64bits(v)
		for i := range 8 {
			h.Write([]byte{byte(bits >> (8 * i))})
		}
	case bool:
		if v {
			h.Write([]byte{2})
		}
		h.Write([]byte{3})
	case nil:
		h.Write([]byte{4})
	}
	return term(h.Sum64())
}

// countDifferences counts what of two sorted lists is only in the first and only in the second.
func countDifferences(before, after []term) (removed, added int) {
	for len(before) > 0 && len(after) > 0 {
		switch {
		case before[0] == after[0]:
			before, after = before[1:], after[1:]
		case before[0] < after[0]:
			before, removed = before[1:], removed+1
		default:
			after, added = after[1:], added+1
		}
	}
	return removed + len(before), added + len(after)
}
