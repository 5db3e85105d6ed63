package microsoft

import (
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/attack"
	"github.com/onepane/onepane/shared/entity"
)

func TestEntities(t *testing.T) {
	const vm = "/subscriptions/5b8f/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/web-01"
	for _, tt := range []struct {
		name, list string
		want       []string // kind and value
	}{
		{"text of a list", `"[{\"Address\":\"198.51.100.1\",\"Type\":\"ip\"}]"`, []string{"ip 198.51.100.1"}},
		{"a list that was cut off", `"[{\"Address\":\"198.51.100.1\",\"Type\":\"ip\"},{\"Addr"`, []string{"ip 198.51.100.1"}},
		{"a reference to the nearest of a fitting type", `[{"$id":"1","hostName":"a","type":"host"},{"$id":"1","address":"198.51.100.1","type":"ip"},
			{"$id":"2","sessionId":"0x1","host":{"$ref":"1"},"type":"host-logon-session"}]`,
			[]string{"host a", "ip 198.51.100.1", "session a/0x1"}},
		{"entities that refer to themselves and to nothing", `[{"$id":"1","commandLine":"x","parentProcess":{"$ref":"1"},"imageFile":{"$ref":"7"},"type":"process"},{"$ref":"1"},{"$ref":"9"}]`,
			[]string{"process x"}},
		{"a machine under two names", `[{"resourceId":"` + vm + `","type":"azure-resource"},{"hostName":"WEB-01","dnsDomain":"contoso.example","type":"host"},{"azureID":"` + strings.ToUpper(vm) + `","hostName":"web-01","type":"host"}]`,
			[]string{"resource " + vm}},
		{"placeholders", `[{"address":"0.0.0.0","type":"ip"},{"name":"N/A","type":"account"},{"type":"host"},{"processId":"7","type":"process"}]`, nil},
		{"wrong types", `[1,"x",null,{"address":{},"location":"here","type":"ip"},{"host":7,"name":"dora","type":"account"}]`, []string{"user dora"}},
		{"the REST form", `[{"kind":"Ip","properties":{"address":"203.0.113.4"}}]`, []string{"ip 203.0.113.4"}},
		{"no list", `7`, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var set ingest.EvidenceSet
			AddEntities(jsontext.Value(tt.list), &set)
			var got []string
			for _, e := range set.List() {
				got = append(got, string(e.Kind)+" "+e.Value)
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestEvidenceSetJoinsAHostByItsResourceID(t *testing.T) {
	const vm = "/subscriptions/5b8f/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/web-01"
	var set ingest.EvidenceSet
	set.Add(NewEvidence(entity.Host, "other-name", entity.AttrResourceID, strings.ToLower(vm), entity.AttrDeviceID, "d1"))
	set.Add(AzureResource(vm))
	list := set.List()
	if len(list) != 1 || list[0].Value != vm || list[0].Attr(entity.AttrDeviceID) != "d1" || len(list[0].Aliases) != 1 {
		t.Errorf("evidence %+v", list)
	}
}

func TestTactics(t *testing.T) {
	for list, want := range map[string][]attack.Tactic{
		"Unknown": nil, "": nil, "DefenseEvasion, LateralMovement": {attack.DefenseEvasion, attack.LateralMovement},
		`["InitialAccess","PreAttack"]`: {attack.Reconnaissance, attack.InitialAccess},
	} {
		if got := ParseTactics(attack.MicrosoftIntent, list); !slices.Equal(got, want) {
			t.Errorf("%q: got %q, want %q", list, got, want)
		}
	}
}

func TestPropertiesAreBounded(t *testing.T) {
	var b strings.Builder
	b.WriteString(`{"long":"` + strings.Repeat("é", 3000) + `"`)
	for i := range 80 {
		b.WriteString(`,"k` + strings.Repeat("x", i) + `":1`)
	}
	b.WriteString("}")
	got := ParseProperties(jsontext.Value(b.String()))
	if len(got) != 50 || len(got["long"]) > 2<<10 {
		t.Errorf("%d properties, the long one of %d bytes", len(got), len(got["long"]))
	}
}
