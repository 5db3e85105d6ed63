package attacks

import (
	"fmt"
	"strings"
	"time"
)

// store is a place for data: a bucket, a storage account, a database, a vault.
type store struct{ cloud, kind, resource, short string }

func (s *store) entityNames(v voice, _ time.Time, d dice) []Entity {
	switch {
	case s.cloud == "azure" && d.isTrue(0.3):
		return []Entity{{Kind: "resource", Value: strings.ToLower(s.resource)}}
	case s.kind == "bucket" && v == siem && d.isTrue(0.4):
		return []Entity{{Kind: "resource", Value: s.short}}
	}
	return []Entity{{Kind: "resource", Value: s.resource}}
}

// cluster is a Kubernetes cluster with its nodes.
type cluster struct {
	cloud, name, resource string
	nodes                 []*machine
}

func (c *cluster) entityNames(v voice, _ time.Time, _ dice) []Entity {
	if v == falco || v == siem || v == edr {
		return []Entity{{Kind: "cluster", Value: c.name}}
	}
	return []Entity{{Kind: "resource", Value: c.resource}}
}

// pod is a pod with its container, image and node.
type pod struct {
	cluster                    *cluster
	node                       *machine
	namespace, name, id, image string
	account                    *service
}

func (p *pod) entityNames(v voice, at time.Time, d dice) []Entity {
	out := []Entity{{Kind: "pod", Value: p.namespace + "/" + p.name}}
	switch v {
	case falco:
		out = append(out, Entity{Kind: "container", Value: p.id}, Entity{Kind: "image", Value: p.image}, Entity{Kind: "cluster", Value: p.cluster.name})
		if d.isTrue(0.7) {
			out = append(out, p.node.entityNames(v, at, d)...)
		}
	case guardDuty, defender, scc:
		out = append(out, p.cluster.entityNames(v, at, d)...)
		if d.isTrue(0.5) {
			out = append(out, Entity{Kind: "image", Value: p.image})
		}
	default:
		out = append(out, Entity{Kind: "cluster", Value: p.cluster.name})
	}
	return out
}

// newStore makes a store of a kind: bucket, database, vault.
func newStore(d dice, t *tenant, cloud, kind, purpose string) *store {
	name := fmt.Sprintf("%s-%s-%s", t.name, purpose, d.drawHex(3))
	s := &store{cloud: cloud, kind: kind, short: name}
	switch cloud + " " + kind {
	case "aws bucket":
		s.resource = "arn:aws:s3:::" + name
	case "aws database":
		s.resource = fmt.Sprintf("arn:aws:rds:%s:%s:db:%s", t.region, t.aws[0], name)
	case "aws vault":
		s.resource = fmt.Sprintf("arn:aws:secretsmanager:%s:%s:secret:%s", t.region, t.aws[0], name)
	case "azure bucket":
		s.short = strings.ReplaceAll(name, "-", "")
		s.resource = azureResource(d, t, purpose, "Microsoft.Storage/storageAccounts/"+s.short)
	case "azure database":
		s.resource = azureResource(d, t, purpose, "Microsoft.Sql/servers/"+name)
	case "azure vault":
		s.resource = azureResource(d, t, purpose, "Microsoft.KeyVault/vaults/"+name)
	case "gcp bucket":
		s.resource = "//storage.googleapis.com/projects/_/buckets/" + name
	case "gcp database":
		s.resource = fmt.Sprintf("//bigquery.googleapis.com/projects/%s/datasets/%s", pickOne(d, t.gcp), strings.ReplaceAll(name, "-", "_"))
	case "gcp vault":
		s.resource = fmt.Sprintf("//secretmanager.googleapis.com/projects/%s/secrets/%s", pickOne(d, t.gcp), name)
	}
	return s
}

func azureResource(d dice, t *tenant, group, path string) string {
	return fmt.Sprintf("/subscriptions/%s/resourceGroups/rg-%s/providers/%s", pickOne(d, t.azure), group, path)
}

// newCluster makes a cluster with nodes of its cloud.
func newCluster(d dice, t *tenant, cloud, purpose string) *cluster {
	c := &cluster{cloud: cloud, name: fmt.Sprintf("%s-%s-%s", map[string]string{"aws": "eks", "azure": "aks", "gcp": "gke"}[cloud], purpose, t.name)}
	switch cloud {
	case "aws":
		c.resource = fmt.Sprintf("arn:aws:eks:%s:%s:cluster/%s", t.region, t.aws[0], c.name)
	case "azure":
		c.resource = azureResource(d, t, "kube", "Microsoft.ContainerService/managedClusters/"+c.name)
	case "gcp":
		c.resource = fmt.Sprintf("//container.googleapis.com/projects/%s/locations/europe-west1/clusters/%s", t.gcp[0], c.name)
	}
	for i := range d.drawInt(3, 6) {
		n := newMachine(d, t, cloud, c.name+"-pool", i)
		c.nodes = append(c.nodes, n)
	}
	return c
}

// newPod starts a pod of a workload.
func newPod(d dice, t *tenant, c *cluster, workload string) *pod {
	return &pod{
		cluster: c, node: pickOne(d, c.nodes), namespace: pickOne(d, []string{"shop", "payments", "internal", "data"}),
		name: fmt.Sprintf("%s-%s-%s", workload, d.drawHex(9), d.drawHex(5)), id: d.drawHex(12),
		image:   fmt.Sprintf("registry.%s/%s@sha256:%s", t.domain, workload, d.drawHex(64)),
		account: &service{"user", "system:serviceaccount:" + workload + ":" + workload + "-" + d.drawHex(4)},
	}
}
