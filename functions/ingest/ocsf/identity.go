package ocsf

import (
	"cmp"
	"strings"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/entity"
)

// productSlug is an AWS product in the words of its Security Hub ARN, "product/aws/guardduty" or
// "productv2/aws/guardduty"; "" for everyone else's.
func productSlug(f *event) string {
	uid := strings.ToLower(string(f.Metadata.Product.UID))
	for _, p := range []string{":product/aws/", ":productv2/aws/"} {
		if i := strings.Index(uid, p); i >= 0 {
			return uid[i+len(p):]
		}
	}
	return ""
}

// isFromSecurityHub reports whether Security Hub sent the finding, of whichever product.
func isFromSecurityHub(f *event) bool {
	return strings.Contains(string(f.Metadata.Product.UID), ":securityhub:")
}

// originOf is the product that detected it. The rules for AWS products are those of the AWS Security Finding Format,
// so that both formats of one finding are one alert. An ARN names a finding in the whole world; any other id only in
// its account.
func originOf(f *event, info *finding) alert.Origin {
	id := string(info.UID)
	switch s := productSlug(f); {
	case s == "guardduty" || s == "macie":
		return alert.Origin{Provider: s, ID: ingest.LastSegment(id)}
	case s == "inspector" && strings.Contains(id, ":inspector2:"):
		return alert.Origin{Provider: "inspector", ID: id}
	case isFromSecurityHub(f) && (strings.HasPrefix(id, "arn:") || f.Cloud.Account.UID == ""):
		return alert.Origin{Provider: "securityhub", ID: id}
	case isFromSecurityHub(f):
		return alert.Origin{Provider: "securityhub", ID: string(f.Cloud.Account.UID) + "/" + id}
	}
	name := strings.ToLower(strings.TrimSpace(string(cmp.Or(f.Metadata.Product.Name, f.Metadata.Product.VendorName))))
	return alert.Origin{Provider: "ocsf/" + cmp.Or(name, "unknown"), ID: id}
}

// names are the AWS products' names as people know them.
var names = map[string]string{
	"guardduty": "Amazon GuardDuty", "inspector": "Amazon Inspector", "macie": "Amazon Macie",
	"securityhub": "AWS Security Hub", "access-analyzer": "IAM Access Analyzer",
}

func productName(f *event) string {
	if n := names[productSlug(f)]; n != "" {
		return n
	}
	name, vendor := string(f.Metadata.Product.Name), string(f.Metadata.Product.VendorName)
	if vendor == "" || strings.HasPrefix(strings.ToLower(name), strings.ToLower(vendor)) {
		return name
	}
	return strings.TrimSpace(vendor + " " + name)
}

// accountOf is the cloud account the finding names, else the one that owns its first resource.
func accountOf(f *event, r ingest.Record) alert.Account {
	a := alert.Account{
		ID: string(f.Cloud.Account.UID), Name: string(f.Cloud.Account.Name), Region: string(f.Cloud.Region),
		Organization: string(cmp.Or(f.Cloud.Org.UID, f.Cloud.Org.Name, f.Metadata.TenantUID)),
	}
	if a.ID == "" {
		a.ID = string(f.Cloud.ProjectUID)
	}
	for i := range f.Resources {
		a.ID = cmp.Or(a.ID, f.Resources[i].ownerAccount())
		a.Region = cmp.Or(a.Region, string(f.Resources[i].Region))
	}
	a.Region = cmp.Or(a.Region, r.Context["region"])
	switch provider := strings.ToLower(string(f.Cloud.Provider)); {
	case strings.Contains(provider, "aws") || strings.Contains(provider, "amazon") || isFromSecurityHub(f):
		a.Cloud = entity.Amazon
	case strings.Contains(provider, "azure") || strings.Contains(provider, "microsoft"):
		a.Cloud = entity.Azure
	case strings.Contains(provider, "gcp") || strings.Contains(provider, "google"):
		a.Cloud = entity.Google
	}
	return a
}
