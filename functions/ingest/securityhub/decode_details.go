package securityhub

import (
	"github.com/onepane/onepane/functions/ingest"
)

// details are the members of Resource.Details that add names to a resource, or facts to it. The format has a hundred
// more, which stay in the raw record.
type details struct {
	AwsEc2Instance       ec2Instance
	AwsIamAccessKey      accessKey
	AwsIamUser           struct{ UserName, UserID ingest.Text }
	AwsS3Bucket          struct{ OwnerName, OwnerID ingest.Text }
	AwsEcrContainerImage struct {
		RepositoryName, ImageDigest, Architecture ingest.Text
		ImageTags                                 ingest.List[ingest.Text]
	}
	AwsRdsDBInstance  struct{ DBInstanceIdentifier, Engine, DBIResourceID ingest.Text }
	AwsLambdaFunction struct{ FunctionName ingest.Text }
	AwsEksCluster     struct{ Name, Arn ingest.Text }
	Container         struct{ Name, ImageID, ImageName, ContainerRuntime ingest.Text }
	Other             map[string]ingest.Text
}

type ec2Instance struct {
	Type, ImageID, VpcID, SubnetID, IamInstanceProfileArn ingest.Text
	IPV4Addresses, IPV6Addresses                          ingest.List[ingest.Text]
}

type accessKey struct {
	AccessKeyID, UserName, PrincipalID, PrincipalName, PrincipalType, AccountID ingest.Text
	SessionContext                                                              struct {
		SessionIssuer struct{ Arn, Type, UserName, PrincipalID ingest.Text }
	}
}

// detailed are the resource types whose details are worth reading.
var detailed = map[string]bool{
	"AwsEc2Instance": true, "AwsIamAccessKey": true, "AwsIamUser": true, "AwsS3Bucket": true, "AwsEcrContainerImage": true,
	"AwsRdsDbInstance": true, "AwsLambdaFunction": true, "AwsEksCluster": true, "Container": true, "Other": true,
}

// decodeDetails reads what the resource says of itself. Details that cannot be read never cost the finding.
func (r *resource) decodeDetails() details {
	var d details
	if r.Details.Kind() == '{' && detailed[string(r.Type)] && ingest.Decode(r.Details, &d) != nil {
		return details{}
	}
	return d
}
