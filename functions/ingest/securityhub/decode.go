package securityhub

import (
	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/functions/ingest"
)

// finding is what normalizing needs of an ASFF finding.
type finding struct {
	ID, ProductArn, ProductName, CompanyName, GeneratorID    ingest.Text
	AwsAccountID, AwsAccountName, Region, Title, Description ingest.Text
	SourceURL, RecordState, WorkflowState                    ingest.Text
	Types                                                    ingest.List[ingest.Text]
	Severity                                                 asffSeverity
	FirstObservedAt, LastObservedAt, CreatedAt, UpdatedAt    ingest.Time
	Workflow                                                 struct{ Status ingest.Text }
	Compliance                                               struct{ Status, SecurityControlID ingest.Text }
	Remediation                                              struct {
		Recommendation struct{ Text, URL ingest.Text }
	}
	ProductFields         map[string]ingest.Text
	UserDefinedFields     map[string]ingest.Text
	FindingProviderFields providerFields
	Resources             ingest.List[resource]
	Action                action
	Network               network
	Process               process
	Malware               ingest.List[malware]
	Threats               ingest.List[threat]
	ThreatIntelIndicators ingest.List[indicator]
	Vulnerabilities       ingest.List[vulnerability]
	PatchSummary          struct{ ID ingest.Text }
	RelatedFindings       ingest.List[struct{ ID ingest.Text }]
	Detection             struct{ Sequence sequence }
	Note                  struct{ Text ingest.Text }
}

type asffSeverity struct {
	Label, Original ingest.Text
	Normalized      ingest.Number
}

type providerFields struct {
	Severity asffSeverity
	Types    ingest.List[ingest.Text]
}

type resource struct {
	ID, Type, Region, Partition, ResourceRole ingest.Text
	Tags                                      jsontext.Value
	Details                                   jsontext.Value // one member per resource type
}

type action struct {
	ActionType              ingest.Text
	NetworkConnectionAction connection
	AwsAPICallAction        struct {
		API, ServiceName, CallerType ingest.Text
		RemoteIPDetails              ipDetails
		DomainDetails                struct{ Domain ingest.Text }
		AffectedResources            map[string]ingest.Text
	}
	DNSRequestAction struct{ Domain, Protocol ingest.Text }
	PortProbeAction  struct{ PortProbeDetails ingest.List[connection] }
}

type connection struct {
	ConnectionDirection, Protocol       ingest.Text
	RemoteIPDetails, LocalIPDetails     ipDetails
	RemotePortDetails, LocalPortDetails struct{ Port ingest.Text }
}

type ipDetails struct {
	IPAddressV4, IPAddressV6 ingest.Text
	Country                  struct{ CountryName, CountryCode ingest.Text }
	City                     struct{ CityName ingest.Text }
	Organization             struct{ Asn, AsnOrg, Isp, Org ingest.Text }
}

type network struct {
	Direction, Protocol                                                  ingest.Text
	SourceIPV4, SourceIPV6, SourceDomain, SourcePort, SourceMac          ingest.Text
	DestinationIPV4, DestinationIPV6, DestinationDomain, DestinationPort ingest.Text
}

type process struct{ Name, Path, PID, ParentPID, LaunchedAt ingest.Text }

type malware struct{ Name, Path, State, Type ingest.Text }

type threat struct {
	Name, Severity ingest.Text
	FilePaths      ingest.List[struct{ FileName, FilePath, Hash, ResourceID ingest.Text }]
}

type indicator struct{ Type, Value, Category, Source ingest.Text }

type vulnerability struct {
	ID                             ingest.Text
	FixAvailable, ExploitAvailable ingest.Text
	EpssScore                      ingest.Text
}

// sequence is an attack sequence that GuardDuty found.
type sequence struct {
	Actors ingest.List[struct {
		User struct {
			Name, UID, Type, CredentialUID ingest.Text
		}
	}]
	Endpoints ingest.List[struct {
		IP, Domain, Port ingest.Text
		Location         struct{ City, Country ingest.Text }
		AutonomousSystem struct{ Name, Number ingest.Text }
	}]
	Signals            ingest.List[struct{ ID, Type ingest.Text }]
	SequenceIndicators ingest.List[struct {
		Key    ingest.Text
		Values ingest.List[ingest.Text]
	}]
}
