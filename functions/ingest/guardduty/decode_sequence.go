package guardduty

import "github.com/onepane/onepane/functions/ingest"

// sequence is an attack sequence: several signals, told as one story.
type sequence struct {
	UID, Description   ingest.Text
	Actors             ingest.List[actor]
	Endpoints          ingest.List[endpoint]
	Resources          ingest.List[sequenceResource]
	Signals            ingest.List[signal]
	SequenceIndicators ingest.List[indicator]
}

type actor struct {
	ID   ingest.Text
	User struct {
		Name, UID, Type, CredentialUID ingest.Text
		Account                        struct{ UID, Name ingest.Text }
	}
	Session struct{ UID, Issuer, MfaStatus ingest.Text }
	Process struct{ Name, Path, Sha256 ingest.Text }
}

type endpoint struct {
	ID, IP, Domain, Port ingest.Text
	Location             struct{ City, Country ingest.Text }
	AutonomousSystem     struct{ Name, Number ingest.Text }
}

type signal struct {
	UID, Type, Name  ingest.Text
	SignalIndicators ingest.List[indicator]
}

type indicator struct {
	Key    ingest.Text
	Values ingest.List[ingest.Text]
}

type sequenceResource struct {
	UID, Name, AccountID, ResourceType, Region, Service ingest.Text
	Data                                                struct {
		Ec2Instance struct {
			InstanceType, ImageDescription, AvailabilityZone ingest.Text
			IamInstanceProfile                               struct{ Arn ingest.Text }
		}
		Ec2NetworkInterface struct {
			PublicIP, VpcID    ingest.Text
			Ipv6Addresses      ingest.List[ingest.Text]
			PrivateIPAddresses ingest.List[struct{ PrivateDNSName, PrivateIPAddress ingest.Text }]
		}
		AccessKey          struct{ PrincipalID, UserName, UserType ingest.Text }
		Container          struct{ Image, ImageUID ingest.Text }
		EksCluster         struct{ Arn ingest.Text }
		EcsCluster         struct{ Status ingest.Text }
		KubernetesWorkload struct {
			ContainerUids ingest.List[ingest.Text]
			Type          ingest.Text
			Namespace     ingest.Text
		}
	}
}
