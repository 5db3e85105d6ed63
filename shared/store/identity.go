package store

import (
	"context"

	"github.com/onepane/onepane/shared/incident"
)

// Loader is the reading half of Correlation.
type Loader interface {
	Load(ctx context.Context, tenant string, refs incident.Refs) (incident.Loaded, error)
}

// IdentityOf answers Index.Identity from the nodes that Load gives.
func IdentityOf(ctx context.Context, l Loader, tenant, name string) (incident.Identity, error) {
	const longest = 20 // aliases of aliases; correlation makes no circle
	out := incident.Identity{Key: name}
	for range longest {
		loaded, err := l.Load(ctx, tenant, incident.Refs{Nodes: []string{out.Key}})
		if err != nil {
			return out, err
		}
		if len(loaded.Nodes) == 0 {
			return out, nil
		}
		node := loaded.Nodes[0]
		if node.SameAs == "" {
			out.Aliases = node.Aliases
			for _, t := range node.Targets {
				out.Targets = append(out.Targets, t.Key)
			}
			return out, nil
		}
		out.Key = node.SameAs
	}
	return out, nil
}
