package contract

import (
	"slices"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/data/azcosmos"

	"github.com/onepane/onepane/shared/store/cosmos"
)

// checkStore: the containers are those the driver opens, with the partition keys it writes by.
func checkStore(s *site) {
	made, _ := s.modules[Azure].locals["containers"].(map[string]any)
	for name, want := range Containers {
		got := Container{textsOf(valueAt(made[name], "partition")), textsOf(valueAt(made[name], "indexed"))}
		if !slices.Equal(got.Partition, want.Partition) || !slices.Equal(got.Indexed, want.Indexed) {
			s.addProblem("azure: container %s is %v, the driver wants %v", name, got, want)
		}
	}
	for name := range made {
		if _, ok := Containers[name]; !ok {
			s.addProblem("azure: nobody opens container %s", name)
		}
	}
	c := s.findResource(Azure, "azapi_resource", "container")
	s.expectAttributes(Azure, c, map[string]any{
		"for_each": ref("local.containers"), "name": ref("each.key"), "lifecycle.prevent_destroy": true,
		"body.properties.resource.partitionKey.paths":   ref("each.value.partition"),
		"body.properties.resource.partitionKey.version": int64(2),
		"body.properties.resource.partitionKey.kind":    ref(`length(each.value.partition) > 1 ? "MultiHash" : "Hash"`),
		// Without an index nothing expires; with every path indexed a write costs several times as much.
		"body.properties.resource.indexingPolicy.indexingMode": "consistent",
	})
	if ttl := c.attribute("body", "properties", "resource", "defaultTtl"); ttl != int64(-1) {
		s.addProblem("azure: container: defaultTtl is %v, want -1: on, and only what says so expires", ttl)
	}
	if some := valueAt(c.attribute("body", "properties", "resource", "indexingPolicy", "includedPaths"), "path"); some != ref("p") {
		s.addProblem("azure: container: indexed is %v, want each.value.indexed", some)
	}
	if skip := textsOf(valueAt(c.attribute("body", "properties", "resource", "indexingPolicy", "excludedPaths"), "path")); !slices.Equal(skip, []string{"/*"}) {
		s.addProblem("azure: container: excluded from the index %v, want /*", skip)
	}
	for _, name := range []string{"cosmos", "database"} {
		s.expectAttributes(Azure, s.findResource(Azure, "azapi_resource", name), map[string]any{"lifecycle.prevent_destroy": true})
	}
	cosmos := s.findResource(Azure, "azapi_resource", "cosmos")
	s.expectAttributes(Azure, cosmos, map[string]any{
		"body.properties.consistencyPolicy.defaultConsistencyLevel": "Session",
		"body.properties.backupPolicy.type":                         "Continuous",
	})
	if limit, _ := cosmos.attribute("body", "properties", "capacity", "totalThroughputLimit").(ref); !strings.Contains(string(limit), "var.cosmos_max_throughput") {
		s.addProblem("azure: cosmos: no ceiling on throughput")
	}
}

// The table says what the driver says.
func TestContainersAreTheDrivers(t *testing.T) {
	described := []azcosmos.ContainerProperties{cosmos.StateContainer("state"), cosmos.BlobsContainer("blobs")}
	if len(described) != len(Containers) {
		t.Errorf("the driver describes %d containers, the table %d", len(described), len(Containers))
	}
	for _, d := range described {
		var indexed []string
		for _, p := range d.IndexingPolicy.IncludedPaths {
			indexed = append(indexed, p.Path)
		}
		want := Containers[d.ID]
		if !slices.Equal(d.PartitionKeyDefinition.Paths, want.Partition) || !slices.Equal(indexed, want.Indexed) {
			t.Errorf("%s: %v indexed %v, the table says %v", d.ID, d.PartitionKeyDefinition.Paths, indexed, want)
		}
		if d.DefaultTimeToLive == nil || *d.DefaultTimeToLive != -1 || d.IndexingPolicy.IndexingMode != azcosmos.IndexingModeConsistent {
			t.Errorf("%s: ttl %v, indexing %v: infra says -1 and consistent", d.ID, d.DefaultTimeToLive, d.IndexingPolicy.IndexingMode)
		}
	}
}
