package inspector

import "github.com/onepane/onepane/functions/ingest"

// finding is what normalizing needs of one. Its dates read "Thu Sep 05 13:06:56.334 UTC 2024" in events.
type finding struct {
	FindingArn, AwsAccountID, Type, Title, Description ingest.Text
	Severity, Status                                   ingest.Text
	FirstObservedAt, LastObservedAt, UpdatedAt         ingest.Time
	FixAvailable, ExploitAvailable                     ingest.Text
	InspectorScore                                     ingest.Text
	Epss                                               struct{ Score ingest.Text }
	Remediation                                        struct {
		Recommendation struct{ Text, URL ingest.Text }
	}
	Resources                   ingest.List[resource]
	PackageVulnerabilityDetails struct {
		VulnerabilityID, Source, SourceURL ingest.Text
		RelatedVulnerabilities             ingest.List[ingest.Text]
		VulnerablePackages                 ingest.List[struct{ Name, Version, FixedInVersion ingest.Text }]
	}
	NetworkReachabilityDetails struct {
		Protocol      ingest.Text
		OpenPortRange struct{ Begin, End ingest.Text }
		NetworkPath   struct {
			Steps ingest.List[struct{ ComponentID, ComponentType, ComponentArn ingest.Text }]
		}
	}
	CodeVulnerabilityDetails struct {
		DetectorName, DetectorID ingest.Text
		Cwes                     ingest.List[ingest.Text]
		FilePath                 struct{ FilePath, StartLine ingest.Text }
	}
}

type resource struct {
	ID, Type, Region, Partition ingest.Text
	Tags                        map[string]ingest.Text
	Details                     struct {
		AwsEc2Instance struct {
			Type, ImageID, VpcID, Platform, IamInstanceProfileArn ingest.Text
			IPV4Addresses, IPV6Addresses                          ingest.List[ingest.Text]
		}
		AwsEcrContainerImage struct {
			RepositoryName, ImageHash, Platform, Registry ingest.Text
			ImageTags                                     ingest.List[ingest.Text]
		}
		AwsLambdaFunction struct{ FunctionName, Runtime, ExecutionRoleArn ingest.Text }
	}
}
