package macie

import "github.com/onepane/onepane/functions/ingest"

// finding is what normalizing needs of one.
type finding struct {
	ID, AccountID, Region, Partition, Type, Category ingest.Text
	Title, Description                               ingest.Text
	Severity                                         struct {
		Description ingest.Text
		Score       ingest.Number
	}
	Count                 ingest.Number
	Archived, Sample      ingest.Bool
	CreatedAt, UpdatedAt  ingest.Time
	ResourcesAffected     affected
	ClassificationDetails struct {
		JobArn, JobID, DetailedResultsLocation ingest.Text
		Result                                 struct {
			MimeType      ingest.Text
			SensitiveData ingest.List[struct {
				Category   ingest.Text
				Detections ingest.List[struct{ Type, Count ingest.Text }]
			}]
			CustomDataIdentifiers struct {
				Detections ingest.List[struct{ Name, Arn ingest.Text }]
			}
		}
	}
	PolicyDetails struct {
		Action struct {
			ActionType     ingest.Text
			APICallDetails struct {
				API, APIServiceName ingest.Text
				FirstSeen, LastSeen ingest.Time
			}
		}
		Actor actor
	}
}

type affected struct {
	S3Bucket struct {
		Arn, Name    ingest.Text
		Owner        struct{ DisplayName, ID ingest.Text }
		PublicAccess struct{ EffectivePermission ingest.Text }
	}
	S3Object struct {
		Key, Path, BucketArn, VersionID, Size ingest.Text
		PublicAccess                          ingest.Bool
	}
}

type actor struct {
	DomainDetails    struct{ DomainName ingest.Text }
	IPAddressDetails struct {
		IPAddressV4 ingest.Text
		IPCountry   struct{ Name ingest.Text }
		IPCity      struct{ Name ingest.Text }
		IPOwner     struct{ Asn, Org ingest.Text }
	}
	UserIdentity struct {
		Type                       ingest.Text
		AssumedRole, FederatedUser session
		IamUser                    identity
		Root                       identity
		AwsAccount                 struct{ AccountID, PrincipalID ingest.Text }
		AwsService                 struct{ InvokedBy ingest.Text }
	}
}

type identity struct{ AccountID, Arn, PrincipalID, UserName ingest.Text }

type session struct {
	AccessKeyID, AccountID, Arn, PrincipalID ingest.Text
	SessionContext                           struct {
		SessionIssuer struct{ Arn, Type, UserName ingest.Text }
	}
}
