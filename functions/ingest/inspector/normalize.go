package inspector

import (
	"cmp"
	"strings"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/entity"
)

// accountOf is the finding's own; the region is in its resources and its ARN.
func accountOf(f *finding, r ingest.Record) alert.Account {
	part := append(strings.SplitN(string(f.FindingArn), ":", 6), "", "", "", "", "")
	region := ""
	for _, res := range f.Resources {
		region = cmp.Or(region, string(res.Region))
	}
	return alert.Account{
		Cloud: entity.Amazon, ID: cmp.Or(string(f.AwsAccountID), part[4]),
		Region: cmp.Or(region, part[3], r.Context["region"]),
	}
}
