package main

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/data/azcosmos"
	"github.com/go-json-experiment/json"

	local "github.com/onepane/onepane/infra/local/cosmos"
	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/incident"
	"github.com/onepane/onepane/shared/store/cosmos"
)

// TestMigrateCosmos migrates each tenant of an account; package cosmos has tests of what that does to older forms.
func TestMigrateCosmos(t *testing.T) {
	var containers []local.Container
	for _, described := range []azcosmos.ContainerProperties{cosmos.StateContainer("state"), cosmos.BlobsContainer("blobs")} {
		var c local.Container
		data, err := described.MarshalJSON()
		if err != nil || json.Unmarshal(data, &c) != nil {
			t.Fatalf("%s, %v", data, err)
		}
		containers = append(containers, c)
	}
	account := local.Start(t, local.Options{Databases: []local.Database{{ID: "onepane", Containers: containers}}})
	s, err := cosmos.Open(cosmos.Options{Connect: cosmos.ConnectWithKey(account.Endpoint, account.Key(), http.DefaultClient)})
	if err != nil {
		t.Fatal(err)
	}
	for _, tenant := range []string{"contoso", "fabrikam"} {
		if err := s.Commit(t.Context(), tenant, 0, incident.Changes{Sequence: 1}); err != nil {
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	if err := migrateCosmos(t.Context(), &out, s); err != nil || !strings.Contains(out.String(), "contoso has the form") || strings.Count(out.String(), "\n") != 2 {
		t.Errorf("%s%v", out.String(), err)
	}
	if _, err := openCosmos("https://x.documents.azure.com", "onepane", ""); fault.Of(err) != fault.Invalid || !strings.Contains(err.Error(), "az account get-access-token") {
		t.Errorf("without a token: %v", err)
	}
}
