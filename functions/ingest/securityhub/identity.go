package securityhub

import (
	"strconv"
	"strings"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/alert"
)

// productSlug is the product in the words of its ARN: "guardduty" of
// arn:aws:securityhub:eu-west-1::product/aws/guardduty. Products of others and custom ones have their company's name
// or an account before the slash, and give "".
func productSlug(arn string) string {
	if i := strings.Index(arn, ":product/aws/"); i >= 0 {
		return strings.ToLower(arn[i+len(":product/aws/"):])
	}
	return ""
}

// originOf is the product that detected it, with that product's own id where it is known to be the same.
// An ARN names a finding in the whole world; any other id only within its account.
func originOf(f *finding) alert.Origin {
	id := string(f.ID)
	switch slug := productSlug(string(f.ProductArn)); {
	case slug == "guardduty" || slug == "macie":
		return alert.Origin{Provider: slug, ID: ingest.LastSegment(id)}
	case slug == "inspector" && strings.Contains(id, ":inspector2:"):
		return alert.Origin{Provider: "inspector", ID: id}
	case strings.HasPrefix(id, "arn:") || f.AwsAccountID == "":
		return alert.Origin{Provider: "securityhub", ID: id}
	}
	return alert.Origin{Provider: "securityhub", ID: string(f.AwsAccountID) + "/" + id}
}

// carriedIDs are the other ids other products know it by.
func carriedIDs(f *finding) []string {
	var out []string
	if o := originOf(f); o.ID != string(f.ID) {
		out = append(out, string(f.ID))
	}
	for _, name := range []string{"aws/securityhub/FindingId", "aws/inspector/arn", "findingId"} {
		if v := string(f.ProductFields[name]); v != "" && v != string(f.ID) {
			out = append(out, v)
		}
	}
	return out
}

// names are the products' names as people know them.
var names = map[string]string{
	"guardduty": "Amazon GuardDuty", "inspector": "Amazon Inspector", "macie": "Amazon Macie",
	"securityhub": "AWS Security Hub", "access-analyzer": "IAM Access Analyzer", "config": "AWS Config",
	"firewall-manager": "AWS Firewall Manager", "health": "AWS Health", "detective": "Amazon Detective",
	"ssm-patch-manager": "AWS Systems Manager Patch Manager",
}

func productName(f *finding) string {
	if n := names[productSlug(string(f.ProductArn))]; n != "" {
		return n
	}
	name, company := string(f.ProductName), string(f.CompanyName)
	if name == "" {
		name = string(f.ProductFields["aws/securityhub/ProductName"])
	}
	if company == "" || company == "Personal" || strings.HasPrefix(name, company) {
		return name
	}
	return strings.TrimSpace(company + " " + name)
}

// sightingCount is how often GuardDuty saw it, which Security Hub keeps as text.
func sightingCount(fields map[string]ingest.Text) int64 {
	for _, name := range []string{"aws/guardduty/service/count", "Count"} {
		if n, err := strconv.ParseInt(string(fields[name]), 10, 64); err == nil && n > 0 {
			return n
		}
	}
	return 0
}

// isSample reports findings that GuardDuty or Macie made up on request.
func isSample(fields map[string]ingest.Text) bool {
	for _, name := range []string{"aws/guardduty/service/additionalInfo/sample", "aws/macie/sample"} {
		if strings.EqualFold(string(fields[name]), "true") {
			return true
		}
	}
	return false
}
