package exports

import (
	"strings"
	"testing"

	"github.com/onepane/onepane/shared/config"
)

func TestTargetsOfTheConfiguration(t *testing.T) {
	secret := map[string]string{"webhook": "whsec_b25lcGFuZS10ZXN0LXdlYmhvb2stc2VjcmV0LWtleQ==", "splunk": "token",
		"blob": "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=a2V5;EndpointSuffix=core.windows.net"}
	for name, options := range config.Targets {
		formats := []string{"", "json", "ocsf"}
		if strings.Contains("blob file s3", name) {
			formats = append(formats, "parquet")
		}
		for _, format := range formats {
			c := config.Export{Name: "x", Tenant: "t", Target: name, Format: format, Options: map[string]string{}}
			needed, _, _ := strings.Cut(options, "|")
			for _, o := range strings.Fields(needed) {
				c.Options[o] = "127.0.0.1:6514"
			}
			if secret[name] != "" {
				c.Secrets = []config.Reference{"env:SECRET"}
			}
			e, err := exportOf(c, "test", func(string) string { return secret[name] })
			if err != nil || e.Target == nil || e.Kind != name {
				t.Errorf("%s: %+v, %v", name, e, err)
			}
		}
	}
}

func TestABlobByIdentity(t *testing.T) {
	c := config.Export{Name: "x", Tenant: "t", Target: "blob", Format: "parquet", Options: map[string]string{"container": "c", "endpoint": "https://contoso.blob.core.windows.net"}}
	if _, err := exportOf(c, "test", func(string) string { return "" }); err != nil {
		t.Error(err)
	}
	c.Options["endpoint"] = "contoso"
	if _, err := exportOf(c, "test", func(string) string { return "" }); err == nil {
		t.Error("an address that is none")
	}
}
