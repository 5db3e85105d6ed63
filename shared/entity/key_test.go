package entity

import (
	"slices"
	"testing"
)

func TestKeys(t *testing.T) {
	for _, tt := range []struct {
		name   string
		e      Entity
		strong []string
		weak   []string
	}{
		{"EC2 ARN", Entity{Kind: Resource, Value: "arn:aws:ec2:eu-west-1:111122223333:instance/i-0abcdef1234567890"}, []string{"machine:i-0abcdef1234567890"}, nil},
		{"bare instance id", Entity{Kind: Host, Value: "i-0ABCDEF1234567890"}, []string{"machine:i-0abcdef1234567890"}, nil},
		{"Azure VM, any case", Entity{Kind: Resource, Value: "/SUBSCRIPTIONS/S/resourceGroups/RG/providers/Microsoft.Compute/virtualMachines/Web-03/extensions/x"},
			[]string{"machine:/subscriptions/s/resourcegroups/rg/providers/microsoft.compute/virtualmachines/web-03"}, []string{"host:web-03"}},
		{"GCE", Entity{Kind: Resource, Value: "//compute.googleapis.com/projects/p/zones/z/instances/n"}, []string{"machine:gce/p/z/n"}, []string{"host:n"}},
		{"qualified host", Entity{Kind: Host, Value: "FIN-LT057.contoso.example"}, []string{"host:fin-lt057.contoso.example"}, []string{"host:fin-lt057"}},
		{"bare host", Entity{Kind: Host, Value: "web-03"}, nil, []string{"host:web-03"}},
		{"EC2 private name", Entity{Kind: Host, Value: "ip-10-0-0-12.eu-west-1.compute.internal"}, nil, []string{"host:ip-10-0-0-12.eu-west-1.compute.internal", "host:ip-10-0-0-12", "ip:10.0.0.12"}},
		{"public address", Entity{Kind: IP, Value: "198.51.100.7"}, []string{"ip:198.51.100.7"}, nil},
		{"mapped address", Entity{Kind: IP, Value: "::ffff:10.0.0.1"}, nil, []string{"ip:10.0.0.1"}},
		{"nobody's address", Entity{Kind: IP, Value: "0.0.0.0"}, nil, nil},
		{"down-level name", Entity{Kind: User, Value: `CONTOSO\dora`}, []string{`user:contoso\dora`}, []string{"user:dora"}},
		{"UPN", Entity{Kind: User, Value: "Dora@contoso.example"}, []string{"user:dora@contoso.example"}, []string{"user:dora", `user:contoso\dora`}},
		{"Google member", Entity{Kind: User, Value: "user:dora@contoso.example"}, []string{"user:dora@contoso.example"}, []string{"user:dora", `user:contoso\dora`}},
		{"role session of a person", Entity{Kind: User, Value: "arn:aws:sts::111122223333:assumed-role/Admin/dora@contoso.example"},
			[]string{"user:arn:aws:sts::111122223333:assumed-role/admin/dora@contoso.example", "user:dora@contoso.example"}, []string{"user:dora", `user:contoso\dora`}},
		{"role session of an instance", Entity{Kind: User, Value: "arn:aws:sts::111122223333:assumed-role/web/i-0abcdef1234567890"},
			[]string{"user:arn:aws:sts::111122223333:assumed-role/web/i-0abcdef1234567890"}, nil},
		{"host with device ids", Entity{Kind: Host, Value: "web-03", Attributes: map[string]string{AttrVMID: "AA-1", AttrDeviceID: "d1"}},
			[]string{"machine:vm/aa-1", "machine:device/d1"}, []string{"host:web-03"}},
		{"user with domain", Entity{Kind: User, Value: "dora", Attributes: map[string]string{AttrDomain: "CONTOSO"}}, []string{`user:contoso\dora`}, []string{"user:dora"}},
		{"nothing", Entity{Kind: User, Value: "N/A"}, nil, nil},
		{"aliases", Entity{Kind: Resource, Value: "i-0abcdef1234567890"}.WithAlias(IP, "10.0.0.12"), []string{"machine:i-0abcdef1234567890"}, []string{"ip:10.0.0.12"}},
	} {
		var strong, weak []string
		for _, k := range tt.e.Keys() {
			if k.Strong {
				strong = append(strong, k.Text)
			} else {
				weak = append(weak, k.Text)
			}
		}
		if !slices.Equal(strong, tt.strong) || !slices.Equal(weak, tt.weak) {
			t.Errorf("%s: strong %q weak %q, want %q and %q", tt.name, strong, weak, tt.strong, tt.weak)
		}
	}
}
