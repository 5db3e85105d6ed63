package xdr

import (
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/functions/ingest"
)

// graph is an alert of alerts_v2.
type graph struct {
	ID              ingest.Text              `json:"id"`
	ProviderAlertID ingest.Text              `json:"providerAlertId"`
	IncidentID      ingest.Text              `json:"incidentId"`
	TenantID        ingest.Text              `json:"tenantId"`
	Title           ingest.Text              `json:"title"`
	Description     ingest.Text              `json:"description"`
	Recommended     ingest.Text              `json:"recommendedActions"`
	Category        ingest.Text              `json:"category"`
	Categories      ingest.List[ingest.Text] `json:"categories"`
	Techniques      ingest.List[ingest.Text] `json:"mitreTechniques"`
	Severity        ingest.Text              `json:"severity"`
	Status          ingest.Text              `json:"status"`
	Service         ingest.Text              `json:"serviceSource"`
	Detection       ingest.Text              `json:"detectionSource"`
	ProductName     ingest.Text              `json:"productName"`
	DetectorID      ingest.Text              `json:"detectorId"`
	URL             ingest.Text              `json:"alertWebUrl"`
	Created         ingest.Time              `json:"createdDateTime"`
	Updated         ingest.Time              `json:"lastUpdateDateTime"`
	First           ingest.Time              `json:"firstActivityDateTime"`
	Last            ingest.Time              `json:"lastActivityDateTime"`

	Classification ingest.Text                 `json:"classification"`
	Determination  ingest.Text                 `json:"determination"`
	AssignedTo     ingest.Text                 `json:"assignedTo"`
	Investigation  ingest.Text                 `json:"investigationState"`
	Actor          ingest.Text                 `json:"actorDisplayName"`
	Threat         ingest.Text                 `json:"threatDisplayName"`
	Family         ingest.Text                 `json:"threatFamilyName"`
	PolicyID       ingest.Text                 `json:"alertPolicyId"`
	Additional     jsontext.Value              `json:"additionalData"`
	Custom         jsontext.Value              `json:"customDetails"`
	Evidence       ingest.List[jsontext.Value] `json:"evidence"`
}

// evidence is one element of an alert's evidence, of whatever type; each type uses some of the members.
type evidence struct {
	OData   ingest.Text              `json:"@odata.type"`
	Verdict ingest.Text              `json:"verdict"`
	Roles   ingest.List[ingest.Text] `json:"roles"`

	ResourceID, ResourceName, ResourceType, AmazonResourceID, AmazonAccountID, FullResourceName                ingest.Text
	ProjectID, ProjectNumber, Name, DisplayName, Etag, SignatureHash, RequestID, SessionID, UserAgent, Browser ingest.Text
	AppID, SaasAppID, InstanceName, ObjectID, Publisher, ServicePrincipalName, ServicePrincipalObjectID        ingest.Text
	SecurityGroupID, Sid, ActiveDirectoryObjectGUID, DistinguishedName                                         ingest.Text
	AzureADDeviceID, MDEDeviceID, HostName, DeviceDNSName, DNSDomain, NTDomain, OSPlatform, LastIPAddress      ingest.Text
	LastExternalIPAddress, RiskScore, CountryLetterCode, DomainName, SourcePort, DestinationPort, Protocol     ingest.Text
	MacAddress, Algorithm, Value, Category, RegistryHive, RegistryKey, RegistryValue, RegistryValueName        ingest.Text
	ContainerID, ImageID, Registry, Type, SecretType, DeviceID, DeviceName, OperatingSystem                    ingest.Text
	Login, WebURL, BaseURL, RepoID, OrgID, Email, PrimaryAddress, Upn, ConfigurationID, MailboxPrimaryAddress  ingest.Text
	NetworkMessageID, InternetMessageID, SenderIP, Subject, RecipientEmailAddress, Recipient, Sender           ingest.Text
	SenderFromAddress, MessageID, ProcessID, ParentProcessID, ProcessCommandLine, URN, ClusterByValue          ingest.Text
	AccountName, UserPrincipalName, AzureADUserID, UserSid, CountryName, City, State                           ingest.Text
	FileName, FilePath, FileSize, MD5, SHA1, SHA256, VMID, SubscriptionID, EmailAddress                        ingest.Text
	IPInterfaces, Recipients                                                                                   ingest.List[ingest.Text]

	URL, Location, IPAddress, Image, StorageResource, BlobContainer, Account, Host, UserAccount, VMMetadata   member
	FileDetails, ImageFile, ParentProcessImageFile, Pod, Namespace, Cluster, CloudResource, Controller        member
	ServiceAccount, PodIP, ClusterIP, DNSServerIP, HostIPAddress, SourceAddress, DestinationAddress           member
	IoTHub, P1Sender, P2Sender, SourceRef, DigestImage                                                        member
	FileHashes, IPAddresses, LoggedOnUsers, Files, Processes, Containers, InitContainers, EphemeralContainers members
	ExternalIPs, Nics, URLs                                                                                   members
}

// member holds an object of any of the types, or a text where other types write one.
type member struct {
	*evidence
	text string
}

// UnmarshalJSONFrom reads what it understands and skips the rest.
func (m *member) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	switch dec.PeekKind() {
	case '{':
		m.evidence = new(evidence)
		return json.UnmarshalDecode(dec, m.evidence)
	case '"':
		v, err := dec.ReadToken()
		if err == nil {
			m.text = v.String()
		}
		return err
	}
	return dec.SkipValue()
}

// members is a list of those; anything but an array is skipped.
type members []member

// UnmarshalJSONFrom reads an array.
func (l *members) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	if dec.PeekKind() != '[' {
		return dec.SkipValue()
	}
	var list []member
	err := json.UnmarshalDecode(dec, &list)
	*l = list
	return err
}

// lenientJSON lets a member that is repeated in another case pass.
var lenientJSON = json.JoinOptions(json.MatchCaseInsensitiveNames(true), jsontext.AllowDuplicateNames(true))
