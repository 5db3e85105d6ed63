package entity

import (
	"slices"
	"strings"
	"testing"
)

// TestSpelledFinds holds spellings that people search by against the things they mean.
func TestSpelledFinds(t *testing.T) {
	azure := "/subscriptions/0a1b/resourceGroups/Prod/providers/Microsoft.Compute/virtualMachines/Web-03"
	for _, tt := range []struct {
		search string
		thing  Entity
		found  bool
	}{
		{"arn:aws:ec2:eu-west-1:111122223333:instance/i-0abc1234def567890", Entity{Kind: Host, Value: "i-0abc1234def567890"}, true},
		{"i-0abc1234def567890", Entity{Kind: Resource, Value: "arn:aws:ec2:eu-west-1:111122223333:instance/i-0abc1234def567890"}, true},
		{"I-0ABC1234DEF567890", Entity{Kind: Resource, Value: "i-0abc1234def567890"}, true},
		{strings.ToUpper(azure), Entity{Kind: Resource, Value: azure}, true},
		{"web-03", Entity{Kind: Resource, Value: azure}, true},
		{"WEB-03", Entity{Kind: Host, Value: "web-03.contoso.example"}, true},
		{"web-03.contoso.example.", Entity{Kind: Host, Value: "WEB-03.contoso.example"}, true},
		{"web-03.contoso.example", Entity{Kind: Host, Value: "web-03.fabrikam.example"}, false},
		{"dora@contoso.example", Entity{Kind: User, Value: `FABRIKAM\dora`}, false},
		{"dora@contoso.example", Entity{Kind: User, Value: `CONTOSO\dora`}, true},
		{"web-04.contoso.example", Entity{Kind: Host, Value: "web-03.contoso.example"}, false},
		{"web", Entity{Kind: Host, Value: "web-03"}, false},
		{"::ffff:192.0.2.7", Entity{Kind: IP, Value: "192.0.2.7"}, true},
		{"Dora@Contoso.example", Entity{Kind: User, Value: "dora@contoso.example"}, true},
		{`CONTOSO\dora`, Entity{Kind: User, Value: "dora@contoso.example"}, true},
		{"dora", Entity{Kind: User, Value: `CONTOSO\Dora`}, true},
		{"arn:aws:sts::111122223333:assumed-role/Admin/dora@contoso.example", Entity{Kind: User, Value: "dora@contoso.example"}, true},
		{"S-1-5-21-1-2-3-1001", Entity{Kind: User, Value: "dora", Attributes: map[string]string{AttrSID: "s-1-5-21-1-2-3-1001"}}, true},
		{strings.Repeat("AB", 32), Entity{Kind: File, Value: "x.exe", Attributes: map[string]string{AttrSHA256: strings.Repeat("ab", 32)}}, true},
		{"x.exe", Entity{Kind: File, Value: `C:\Temp\X.exe`}, true},
		{"bad.example", Entity{Kind: Domain, Value: "BAD.example"}, true},
		{"backups", Entity{Kind: Resource, Value: "arn:aws:s3:::backups"}, true},
		{"4e6a2f60-8f7d-4c1e-9a57-2b1c5d3e4f60", Entity{Kind: Host, Value: "x", Attributes: map[string]string{AttrVMID: "4E6A2F60-8F7D-4C1E-9A57-2B1C5D3E4F60"}}, true},
		{"-", Entity{Kind: Host, Value: "-"}, false},
	} {
		names := tt.thing.Names()
		found := slices.ContainsFunc(KeysOfText(tt.search), func(k Key) bool { return slices.Contains(names, k.Text) })
		if found != tt.found {
			t.Errorf("%q finds %+v: %v, want %v\n%v\n%v", tt.search, tt.thing, found, tt.found, KeysOfText(tt.search), names)
		}
	}
}

func FuzzSpelled(f *testing.F) {
	for _, s := range []string{"web-03", "arn:aws:sts::1:assumed-role/a/b", `a\b`, "//container.googleapis.com/x/clusters/y", "[::1]:80"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, k := range KeysOfText(s) {
			if k.Text == "" || k.Class() == k.Text {
				t.Errorf("%q: key %q has no class", s, k.Text)
			}
		}
	})
}
