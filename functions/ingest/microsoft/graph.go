package microsoft

import (
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/functions/ingest"
)

// entityRecord is one entity, of whatever type; each type uses some of the members. A member that holds another entity
// does so as an object, a reference, or sometimes just a name.
type entityRecord struct {
	ID         ingest.Text `json:"$id"`
	Ref        ingest.Text `json:"$ref"`
	Type       ingest.Text `json:"type"`
	Kind       ingest.Text `json:"kind"`       // Sentinel's REST form, with the members in Properties
	Properties entityNode  `json:"properties"` //
	Asset      ingest.Bool `json:"asset"`
	Verdict    ingest.Text `json:"lastVerdict"`

	Name, DisplayName, FriendlyName, Value, Algorithm, Category, Key, Hive                  ingest.Text
	HostName, DNSDomain, NTDomain, NetBiosName, FQDN, AzureID, OMSAgentID                   ingest.Text
	OSFamily, OSPlatform, VMID, MachineID, MdatpDeviceID, AadDeviceID                       ingest.Text
	LastIPAddress, LastExternalIPAddress, DeviceID, DeviceName, MacAddress                  ingest.Text
	UPNSuffix, UserPrincipalName, AadUserID, AadTenantID, Sid, ObjectGUID, Puid             ingest.Text
	ProcessID, CommandLine, Directory, SizeInBytes                                          ingest.Text
	Address, DomainName, Protocol, SourcePort, DestinationPort                              ingest.Text
	ResourceID, ResourceName, ResourceType, FullResourceName, LocationType                  ingest.Text
	AmazonResourceID, AmazonAccountID, ProjectID, ProjectNumber, Region                     ingest.Text
	ImageID, Registry, ContainerID, SessionID, AppID, InstanceName, UserAgent               ingest.Text
	Recipient, Sender, P1Sender, P2Sender, SenderIP, Subject                                ingest.Text
	NetworkMessageID, InternetMessageID, MailboxPrimaryAddress, Upn, Query                  ingest.Text
	ValueName, ValueData, DistinguishedName, SignatureHash, RequestID, Login, WebURL, Etag  ingest.Text
	SystemAlertID, ProviderAlertID, VendorOriginalID                                        ingest.Text
	RelatedAzureResourceIDs                                                                 ingest.List[ingest.Text]
	ThreatIntelligence                                                                      presence
	Location, Host, Account, ImageFile, ParentProcess, URL, Image                           entityNode
	Pod, Namespace, Cluster, CloudResource, StorageResource, BlobContainer, PodIP           entityNode
	SourceAddress, DestinationAddress, IPAddress, HostIPAddress, DNSServerIP                entityNode
	Controller, ServiceAccount, IoTHub, Domain, DigestImage, ClusterIP, File, Process       entityNode
	FileHashes, Files, IPAdresses, IPAddresses, Processes, Containers, InitContainers, URLs entityNodes
	ExternalIPs, EphemeralContainers, Nics, Hosts, Accounts                                 entityNodes

	CountryCode, CountryName, City, ASN, Carrier, Organization ingest.Text // of a Location

	place int // in reading order, from 1
}

// entityNode is a member that holds an entity, a reference to one, or a bare name.
type entityNode struct {
	entity *entityRecord
	text   string
}

// UnmarshalJSONFrom reads what it understands and skips the rest.
func (n *entityNode) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	switch dec.PeekKind() {
	case '{':
		n.entity = new(entityRecord)
		return json.UnmarshalDecode(dec, n.entity)
	case '"', '0':
		var t ingest.Text
		err := t.UnmarshalJSONFrom(dec)
		n.text = string(t)
		return err
	}
	return dec.SkipValue()
}

// entityNodes is a list of those, or its only element.
type entityNodes []entityNode

// UnmarshalJSONFrom reads an array or one element.
func (l *entityNodes) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	if dec.PeekKind() != '[' {
		var n entityNode
		err := n.UnmarshalJSONFrom(dec)
		if n != (entityNode{}) {
			*l = entityNodes{n}
		}
		return err
	}
	var list []entityNode
	err := json.UnmarshalDecode(dec, &list)
	*l = list
	return err
}

// presence is true for a member that holds anything at all.
type presence bool

// UnmarshalJSON looks no further than whether there is something.
func (p *presence) UnmarshalJSON(b []byte) error {
	v := jsontext.Value(b)
	*p = v.Kind() != 'n' && string(b) != "[]" && string(b) != "{}" && string(b) != `""`
	return nil
}

// entityGraph is an entity list on its way to evidence.
type entityGraph struct {
	all     []*entityRecord // in reading order, references left out
	byID    map[string][]*entityRecord
	owned   map[*entityRecord]bool // hashes that say something of a file
	members []string
}

// Limits of one list. Real entities nest below 8 deep and number some hundreds; what goes beyond is left out.
const (
	maxNesting  = 32
	maxEntities = 5000
)

// addEntity notes e and the entities inside it. The hint is the type that the holding member implies.
func (g *entityGraph) addEntity(e *entityRecord, hint string, depth int) {
	if e == nil || depth > maxNesting || len(g.all) == maxEntities || e.Ref != "" && e.Type == "" && e.ID == "" {
		return
	}
	if in := e.Properties.entity; in != nil && in.Type == "" {
		in.Type, in.ID, hint = e.Kind, e.ID, ""
		g.addEntity(in, hint, depth+1)
		return
	}
	e.Type = ingest.Text(entityType(string(e.Type)))
	if e.Type == "" {
		e.Type = ingest.Text(hint)
	}
	e.place = len(g.all) + 1
	g.all = append(g.all, e)
	if e.ID != "" {
		g.byID[string(e.ID)] = append(g.byID[string(e.ID)], e)
	}
	for _, in := range e.nestedEntities() {
		g.addEntity(in.node.entity, in.hint, depth+1)
	}
}

// entityType folds the spellings of a type: "K8s-pod", "kubernetesPod", "mailMessage", "MailMessage".
func entityType(word string) string {
	t := strings.NewReplacer("-", "", "_", "", " ", "").Replace(strings.ToLower(word))
	return strings.Replace(t, "kubernetes", "k8s", 1)
}

// nestedEntity is a member's entity with the type that the member implies.
type nestedEntity struct {
	node entityNode
	hint string
}

// nestedEntities lists the entities that e holds.
func (e *entityRecord) nestedEntities() []nestedEntity {
	out := make([]nestedEntity, 0, 8)
	for _, h := range [...]nestedEntity{
		{e.Host, "host"}, {e.Account, "account"}, {e.ImageFile, "file"}, {e.ParentProcess, "process"}, {e.URL, "url"},
		{e.Image, "containerimage"}, {e.Pod, "k8spod"}, {e.Namespace, "k8snamespace"}, {e.Cluster, "k8scluster"},
		{e.CloudResource, ""}, {e.StorageResource, "azureresource"}, {e.BlobContainer, "blobcontainer"}, {e.PodIP, "ip"},
		{e.SourceAddress, "ip"}, {e.DestinationAddress, "ip"}, {e.IPAddress, "ip"}, {e.HostIPAddress, "ip"},
		{e.DNSServerIP, "ip"}, {e.Controller, "k8scontroller"}, {e.ServiceAccount, "k8sserviceaccount"},
		{e.IoTHub, "azureresource"}, {e.DigestImage, "containerimage"}, {e.ClusterIP, "ip"}, {e.File, "file"}, {e.Process, "process"},
	} {
		if h.node.entity != nil {
			out = append(out, h)
		}
	}
	for _, l := range [...]struct {
		nodes entityNodes
		hint  string
	}{
		{e.FileHashes, "filehash"}, {e.Files, "file"}, {e.IPAdresses, "ip"}, {e.IPAddresses, "ip"}, {e.Processes, "process"},
		{e.Containers, "container"}, {e.InitContainers, "container"}, {e.EphemeralContainers, "container"}, {e.URLs, "url"},
		{e.ExternalIPs, "ip"}, {e.Nics, "nic"}, {e.Hosts, "host"}, {e.Accounts, "account"},
	} {
		for _, n := range l.nodes {
			if n.entity != nil {
				out = append(out, nestedEntity{n, l.hint})
			}
		}
	}
	return out
}

// resolveReference is the entity that a member of e holds or refers to, when it has one of the types. An id may be
// given to several entities: the last one of a fitting type before e is meant, else the first after it. Nil when
// there is none.
func (g *entityGraph) resolveReference(e *entityRecord, n entityNode, types ...string) *entityRecord {
	if n.entity == nil {
		return nil
	}
	fits := func(c *entityRecord) bool { return len(types) == 0 || slices.Contains(types, string(c.Type)) }
	if n.entity.place > 0 {
		if fits(n.entity) {
			return n.entity
		}
		return nil
	}
	var best *entityRecord
	for _, c := range g.byID[string(n.entity.Ref)] {
		switch {
		case c == e || !fits(c):
		case c.place < e.place || best == nil:
			best = c
		}
		if best != nil && c.place > e.place {
			break
		}
	}
	return best
}

// claimHashes marks the hashes that belong to a file, so that they are told with it and not again alone.
func (g *entityGraph) claimHashes() {
	for _, e := range g.all {
		for _, n := range e.FileHashes {
			if h := g.resolveReference(e, n, "filehash"); h != nil {
				g.owned[h] = true
			}
		}
	}
}
