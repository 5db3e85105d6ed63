// Package entity names the things an attack touches and decides when two names
// mean one thing. It knows nothing of alerts, incidents or stores.
//
//	what a provider wrote ──▶ Entity ──Keys──▶ canonical keys, strong and weak ──▶ incident
package entity

// Kind is what sort of thing an entity is. Kinds a sender invents become Other and keep their word in AttrKind.
type Kind string

// The kinds of the generic alert (design contract, section 4), plus File for a file whose hash is not known.
const (
	Host        Kind = "host"
	IP          Kind = "ip"
	User        Kind = "user"
	Resource    Kind = "resource"
	FileHash    Kind = "file_hash"
	File        Kind = "file"
	Process     Kind = "process"
	URL         Kind = "url"
	Domain      Kind = "domain"
	Session     Kind = "session"
	Mailbox     Kind = "mailbox"
	Container   Kind = "container"
	Image       Kind = "image"
	Pod         Kind = "pod"
	Cluster     Kind = "cluster"
	App         Kind = "app"
	RegistryKey Kind = "registry_key"
	Other       Kind = "other"
)

var kinds = map[Kind]bool{
	Host: true, IP: true, User: true, Resource: true, FileHash: true, File: true, Process: true, URL: true,
	Domain: true, Session: true, Mailbox: true, Container: true, Image: true, Pod: true, Cluster: true,
	App: true, RegistryKey: true, Other: true,
}

// ParseKind reads a kind; any word that is not one is Other.
func ParseKind(word string) Kind {
	if k := Kind(word); kinds[k] {
		return k
	}
	return Other
}

// Cloud is where a resource lives. It is not the provider that reports on it.
type Cloud string

// The clouds Onepane knows; the empty cloud is "not stated".
const (
	Azure  Cloud = "azure"
	Amazon Cloud = "aws"
	Google Cloud = "gcp"
)

// Entity is one thing as an alert named it. Value keeps the sender's spelling; matching works on Keys.
type Entity struct {
	Kind  Kind   `json:"kind"`
	Value string `json:"value"`
	// Name is what a person calls it, when that differs from Value ("web-03" for an ARN).
	Name string `json:"name,omitzero"`
	// Aliases are other names the same alert gives this same thing: private DNS name, address, vmId.
	Aliases []Alias `json:"aliases,omitempty"`
	// Attributes are further facts, under the Attr… names.
	Attributes map[string]string `json:"attributes,omitempty"`
}

// Alias is another name of an entity.
type Alias struct {
	Kind  Kind   `json:"kind"`
	Value string `json:"value"`
}

// Names of attributes. All are optional, all are text.
const (
	AttrKind        = "kind"          // the sender's own word for an entity of kind Other
	AttrCloud       = "cloud"         // azure, aws or gcp
	AttrAccount     = "account"       // AWS account id, Azure subscription id, GCP project
	AttrRegion      = "region"        // region, zone or location
	AttrType        = "type"          // resource type in the provider's words ("AwsEc2Instance", "Microsoft.Compute/virtualMachines")
	AttrVMID        = "vm_id"         // Azure vmId, GCE instance number
	AttrDeviceID    = "device_id"     // Defender for Endpoint or EDR device id
	AttrAADDeviceID = "aad_device_id" // Entra ID device id
	AttrResourceID  = "resource_id"   // cloud resource id behind a host
	AttrOS          = "os"            // operating system
	AttrDomain      = "domain"        // NT or DNS domain of a host or user
	AttrUPN         = "upn"           // user principal name
	AttrObjectID    = "object_id"     // directory object id
	AttrSID         = "sid"           // Windows security identifier
	AttrPrincipalID = "principal_id"  // AWS principal id
	AttrAccessKey   = "access_key"    // AWS access key id
	AttrUserType    = "user_type"     // IAMUser, AssumedRole, Root, serviceAccount
	AttrMD5         = "md5"
	AttrSHA1        = "sha1"
	AttrSHA256      = "sha256"
	AttrPath        = "path" // file or executable path
	AttrSize        = "size" // bytes
	AttrCommandLine = "command_line"
	AttrPID         = "pid"
	AttrParentPID   = "parent_pid"
	AttrParentName  = "parent_name"
	AttrCountry     = "country"
	AttrCity        = "city"
	AttrASN         = "asn"
	AttrOrg         = "organization" // owner of an address
	AttrPort        = "port"
	AttrProtocol    = "protocol"
	AttrNamespace   = "namespace" // Kubernetes
	AttrCluster     = "cluster"
	AttrImage       = "image"
	AttrURL         = "url"
	AttrData        = "data" // registry value data
)

// Attr returns one attribute, empty when it is not stated.
func (e Entity) Attr(name string) string { return e.Attributes[name] }

// WithAttr returns e with the attribute set; an empty value changes nothing.
func (e Entity) WithAttr(name, value string) Entity {
	if value == "" {
		return e
	}
	m := make(map[string]string, len(e.Attributes)+1)
	for k, v := range e.Attributes {
		m[k] = v
	}
	m[name] = value
	e.Attributes = m
	return e
}

// WithAlias returns e with one more alias; an empty value, or one it already has, changes nothing.
func (e Entity) WithAlias(kind Kind, value string) Entity {
	a := Alias{kind, value}
	if value == "" || value == e.Value && kind == e.Kind {
		return e
	}
	for _, has := range e.Aliases {
		if has == a {
			return e
		}
	}
	e.Aliases = append(e.Aliases[:len(e.Aliases):len(e.Aliases)], a)
	return e
}
