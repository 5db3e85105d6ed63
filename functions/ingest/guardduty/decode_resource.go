package guardduty

import "github.com/onepane/onepane/functions/ingest"

// resource is what the finding is about; ResourceType says which member leads, others add to it.
type resource struct {
	ResourceType          ingest.Text
	InstanceDetails       instance
	AccessKeyDetails      accessKey
	S3BucketDetails       ingest.List[bucket]
	EksClusterDetails     cluster
	EcsClusterDetails     cluster
	KubernetesDetails     kubernetes
	ContainerDetails      container
	EbsVolumeDetails      struct{ ScannedVolumeDetails, SkippedVolumeDetails ingest.List[volume] }
	EbsSnapshotDetails    struct{ SnapshotArn ingest.Text }
	Ec2ImageDetails       struct{ ImageArn ingest.Text }
	RecoveryPointDetails  struct{ RecoveryPointArn, BackupVaultName ingest.Text }
	RdsDBInstanceDetails  database
	RdsLimitlessDBDetails limitlessDatabase
	RdsDBUserDetails      struct{ User, Application, Database, Ssl, AuthMethod ingest.Text }
	LambdaDetails         struct{ FunctionArn, FunctionName, FunctionVersion, Role ingest.Text }
}

type instance struct {
	InstanceID, InstanceType, InstanceState, AvailabilityZone ingest.Text
	ImageID, OutpostArn, Platform                             ingest.Text
	IamInstanceProfile                                        struct{ Arn, ID ingest.Text }
	NetworkInterfaces                                         ingest.List[networkInterface]
	Tags                                                      ingest.List[tag]
}

type networkInterface struct {
	PrivateDNSName, PrivateIPAddress, PublicDNSName, PublicIP, VpcID ingest.Text
	Ipv6Addresses                                                    ingest.List[ingest.Text]
	PrivateIPAddresses                                               ingest.List[struct{ PrivateDNSName, PrivateIPAddress ingest.Text }]
}

type tag struct{ Key, Value ingest.Text }

type accessKey struct{ AccessKeyID, PrincipalID, UserName, UserType ingest.Text }

type bucket struct {
	Arn, Name, Type ingest.Text
	Owner           struct{ ID ingest.Text }
	PublicAccess    struct{ EffectivePermission ingest.Text }
	S3ObjectDetails ingest.List[struct{ ObjectArn, Key, Hash, ETag, VersionID ingest.Text }]
}

type cluster struct {
	Arn, Name, Status, VpcID ingest.Text
	TaskDetails              struct {
		Arn, DefinitionArn, Group, LaunchType ingest.Text
		Containers                            ingest.List[container]
	}
}

type kubernetes struct {
	KubernetesUserDetails struct {
		Username, UID    ingest.Text
		SessionName      ingest.List[ingest.Text]
		Groups           ingest.List[ingest.Text]
		ImpersonatedUser struct{ Username ingest.Text }
	}
	KubernetesWorkloadDetails struct {
		Name, Type, UID, Namespace, ServiceAccountName ingest.Text
		Containers                                     ingest.List[container]
	}
}

type container struct{ ID, Name, Image, ImagePrefix, ContainerRuntime ingest.Text }

type volume struct{ VolumeArn, SnapshotArn ingest.Text }

type database struct {
	DBInstanceArn, DBInstanceIdentifier, DBClusterIdentifier, DBIResourceID, Engine, EngineVersion ingest.Text
}

type limitlessDatabase struct {
	DBShardGroupArn, DBShardGroupIdentifier, DBShardGroupResourceID, DBClusterIdentifier, Engine ingest.Text
}
