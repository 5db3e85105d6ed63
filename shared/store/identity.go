package store

import (
	"context"

	"github.com/onepane/onepane/shared/incident"
)

// IdentityOf answers Index.Identity from the nodes that Load gives.
func IdentityOf(ctx context.Context, c Correlation, tenant, name string) (incident.Identity, error) {
	const longest = 20 // names of names of names; correlation makes no circle
	out := incident.Identity{Key: name}
	for range longest {
		l, err := c.Load(ctx, tenant, incident.Refs{Nodes: []string{out.Key}})
		if err != nil {
			return out, err
		}
		if len(l.Nodes) == 0 {
			return out, nil
		}
		n := l.Nodes[0]
		if n.SameAs == "" {
			out.Aliases = n.Aliases
			for _, o := range n.Targets {
				out.Targets = append(out.Targets, o.Key)
			}
			return out, nil
		}
		out.Key = n.SameAs
	}
	return out, nil
}
