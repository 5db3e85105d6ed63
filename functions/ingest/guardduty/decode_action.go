package guardduty

import "github.com/onepane/onepane/functions/ingest"

// action is what was done; exactly one member is set in a finding that states any.
type action struct {
	ActionType                         ingest.Text
	NetworkConnectionAction            connection
	PortProbeAction                    struct{ PortProbeDetails ingest.List[connection] }
	AwsApiCallAction                   apiCall
	DNSRequestAction                   dnsRequest
	KubernetesAPICallAction            kubernetesCall
	KubernetesPermissionCheckedDetails struct{ Verb, Resource, Namespace, Allowed ingest.Text }
	KubernetesRoleBindingDetails       struct{ Kind, Name, UID, RoleRefName, RoleRefKind ingest.Text }
	KubernetesRoleDetails              struct{ Kind, Name, UID ingest.Text }
	RdsLoginAttemptAction              loginAttempt
}

type connection struct {
	ConnectionDirection ingest.Text
	Protocol            ingest.Text
	Blocked             ingest.Bool
	LocalIPDetails      ipDetails
	RemoteIPDetails     ipDetails
	LocalPortDetails    struct{ Port ingest.Text }
	RemotePortDetails   struct{ Port ingest.Text }
}

type ipDetails struct {
	IPAddressV4, IPAddressV6 ingest.Text
	Country                  struct{ CountryName, CountryCode ingest.Text }
	City                     struct{ CityName ingest.Text }
	Organization             struct{ Asn, AsnOrg, Isp, Org ingest.Text }
}

type apiCall struct {
	API, ServiceName, CallerType, ErrorCode, UserAgent ingest.Text
	RemoteIPDetails                                    ipDetails
	DomainDetails                                      struct{ Domain ingest.Text }
	RemoteAccountDetails                               struct {
		AccountID  ingest.Text
		Affiliated ingest.Text
	}
	AffectedResources map[string]ingest.Text
}

type dnsRequest struct {
	Domain, DomainWithSuffix, Protocol, VpcOwnerAccountID ingest.Text
	Blocked                                               ingest.Bool
}

type kubernetesCall struct {
	RequestURI, Verb, UserAgent, StatusCode        ingest.Text
	Resource, Subresource, ResourceName, Namespace ingest.Text
	SourceIPs                                      ingest.List[ingest.Text]
	RemoteIPDetails                                ipDetails
}

type loginAttempt struct {
	RemoteIPDetails ipDetails
	LoginAttributes ingest.List[struct {
		User, Application, FailedLoginAttempts, SuccessfulLoginAttempts ingest.Text
	}]
}
