package api

import (
	"cmp"
	"net/netip"
	"strings"

	"github.com/onepane/onepane/shared/entity"
)

type device struct {
	base
	AzureADDeviceID       nullable    `json:"azureAdDeviceId"`
	MdeDeviceID           nullable    `json:"mdeDeviceId"`
	HostName              nullable    `json:"hostName"`
	DeviceDNSName         nullable    `json:"deviceDnsName"`
	DNSDomain             nullable    `json:"dnsDomain"`
	NTDomain              nullable    `json:"ntDomain"`
	OSPlatform            nullable    `json:"osPlatform"`
	HealthStatus          string      `json:"healthStatus"`
	RiskScore             string      `json:"riskScore"`
	IPInterfaces          []string    `json:"ipInterfaces"`
	LastIPAddress         nullable    `json:"lastIpAddress"`
	LastExternalIPAddress nullable    `json:"lastExternalIpAddress"`
	LoggedOnUsers         []any       `json:"loggedOnUsers"`
	VMMetadata            *vmMetadata `json:"vmMetadata"`
}

type vmMetadata struct {
	VMID           nullable `json:"vmId"`
	CloudProvider  string   `json:"cloudProvider"`
	ResourceID     nullable `json:"resourceId"`
	SubscriptionID nullable `json:"subscriptionId"`
}

// device shows a machine, whether the alert names it as a host or as a cloud resource with host names.
func (w *witness) device() device {
	d := device{
		AzureADDeviceID: w.attr(entity.AttrAADDeviceID), MdeDeviceID: w.attr(entity.AttrDeviceID),
		OSPlatform: w.attr(entity.AttrOS), HealthStatus: "unknown", RiskScore: "none",
		IPInterfaces: w.aliases(entity.IP), LoggedOnUsers: []any{},
	}
	for _, name := range w.hostNames() {
		short, domain, qualified := strings.Cut(strings.TrimSuffix(name, "."), ".")
		if d.HostName == "" {
			d.HostName = w.tell(short)
		}
		if qualified && d.DeviceDNSName == "" {
			d.DeviceDNSName, d.DNSDomain = w.tell(name), nullable(domain)
		}
	}
	if domain := w.Attr(entity.AttrDomain); strings.Contains(domain, ".") {
		d.DNSDomain = w.tell(domain)
	} else {
		d.NTDomain = w.tell(domain)
	}
	for _, ip := range d.IPInterfaces {
		if a, err := netip.ParseAddr(ip); err == nil && entity.Public(a) {
			d.LastExternalIPAddress = nullable(ip)
		} else {
			d.LastIPAddress = nullable(ip)
		}
	}
	d.VMMetadata = w.vm()
	d.base = w.as("deviceEvidence")
	return d
}

// hostNames are the machine's names as a host, its own first. An address is no name.
func (w *witness) hostNames() []string {
	var out []string
	if w.Kind == entity.Host {
		out = append(out, w.Value)
	}
	for _, a := range w.Aliases {
		if a.Kind == entity.Host {
			out = append(out, a.Value)
		}
	}
	kept := out[:0]
	for _, n := range out {
		if _, err := netip.ParseAddr(n); err != nil {
			kept = append(kept, n)
		}
	}
	return kept
}

// vm says which virtual machine a device is, nil when nothing says so. The Graph knows no cloud but Azure here; the
// cloud resource beside it tells the others apart.
func (w *witness) vm() *vmMetadata {
	id := w.Attr(entity.AttrResourceID)
	if w.Kind == entity.Resource {
		id = w.Value
	}
	if id == "" && w.Attr(entity.AttrVMID) == "" {
		return nil
	}
	m := &vmMetadata{VMID: w.attr(entity.AttrVMID), CloudProvider: "unknown", ResourceID: w.tell(id)}
	_, sub, ok := cutFold(id, "/subscriptions/")
	if ok || entity.Cloud(w.Attr(entity.AttrCloud)) == entity.Azure {
		m.CloudProvider = "azure"
		sub, _, _ = strings.Cut(sub, "/")
		m.SubscriptionID = w.tell(cmp.Or(sub, w.Attr(entity.AttrAccount)))
	}
	return m
}

type containerEvidence struct {
	base
	ContainerID  nullable           `json:"containerId"`
	Name         nullable           `json:"name"`
	IsPrivileged bool               `json:"isPrivileged"`
	Args         []string           `json:"args"`
	Command      []string           `json:"command"`
	Image        *containerImage    `json:"image"`
	Pod          *kubernetesPodNest `json:"pod"`
}

type containerImage struct {
	base
	ImageID  nullable           `json:"imageId"`
	Registry *containerRegistry `json:"registry"`
}

type containerRegistry struct {
	base
	Registry string `json:"registry"`
}

type kubernetesPodNest struct {
	base
	Name      nullable             `json:"name"`
	Namespace *kubernetesNamespace `json:"namespace"`
}

type kubernetesNamespace struct {
	base
	Name    nullable           `json:"name"`
	Cluster *kubernetesCluster `json:"cluster"`
}

type kubernetesCluster struct {
	base
	Name          nullable `json:"name"`
	Distribution  nullable `json:"distribution"`
	Platform      string   `json:"platform"`
	Version       nullable `json:"version"`
	CloudResource any      `json:"cloudResource"`
}

func (w *witness) container() containerEvidence {
	c := containerEvidence{ContainerID: w.tell(w.Value), Name: w.tell(w.Name), Args: []string{}, Command: []string{}}
	if image := w.attr(entity.AttrImage); image != "" {
		c.Image = w.imageOf(string(image))
	}
	if pods := w.aliases(entity.Pod); len(pods) > 0 {
		c.Pod = w.podOf(pods[0])
	}
	c.base = w.as("containerEvidence")
	return c
}

func (w *witness) image() containerImage {
	i := w.imageOf(string(w.tell(w.Value)))
	i.base = w.as("containerImageEvidence")
	return *i
}

// imageOf reads an image reference; its first part is a registry when it looks like a host.
func (w *witness) imageOf(ref string) *containerImage {
	i := &containerImage{base: w.inner("containerImageEvidence"), ImageID: nullable(ref)}
	if host, _, ok := strings.Cut(ref, "/"); ok && strings.ContainsAny(host, ".:") {
		i.Registry = &containerRegistry{base: w.inner("containerRegistryEvidence"), Registry: host}
	}
	return i
}

func (w *witness) pod() kubernetesPodNest {
	p := w.podOf(string(w.tell(w.Value)))
	p.base = w.as("kubernetesPodEvidence")
	return *p
}

// podOf reads a pod's name, "namespace/name" or bare.
func (w *witness) podOf(name string) *kubernetesPodNest {
	namespace := w.Attr(entity.AttrNamespace)
	if i := strings.LastIndexByte(name, '/'); i >= 0 && namespace == "" {
		namespace = lastPart(name[:i])
	}
	p := &kubernetesPodNest{base: w.inner("kubernetesPodEvidence"), Name: nullable(lastPart(name))}
	if lastPart(name) != name {
		delete(w.told, name) // its full spelling stays a tag
	}
	cluster := w.attr(entity.AttrCluster)
	if namespace == "" && cluster == "" {
		return p
	}
	p.Namespace = &kubernetesNamespace{base: w.inner("kubernetesNamespaceEvidence"), Name: w.tell(namespace)}
	if cluster != "" {
		p.Namespace.Cluster = w.clusterOf(string(cluster))
	}
	return p
}

func (w *witness) cluster() kubernetesCluster {
	c := w.clusterOf(w.Value)
	w.tell(string(c.Name))
	if c.CloudResource != nil {
		w.tell(w.Value)
	}
	c.base = w.as("kubernetesClusterEvidence")
	return *c
}

var platforms = map[entity.Cloud]string{entity.Azure: "aks", entity.Amazon: "eks", entity.Google: "gke"}

// clusterOf reads a cluster's cloud resource name or its bare name.
func (w *witness) clusterOf(name string) *kubernetesCluster {
	r := &witness{Evidence: w.Evidence, account: w.account, base: w.base, told: map[string]bool{}}
	r.Entity = entity.Entity{Kind: entity.Resource, Value: name}.With(entity.AttrCloud, w.Attr(entity.AttrCloud))
	c := &kubernetesCluster{base: w.inner("kubernetesClusterEvidence"), Name: nullable(lastPart(name)), Platform: cmp.Or(platforms[r.cloud()], "unknown")}
	if strings.ContainsAny(name, ":/") {
		c.CloudResource = r.resource()
	}
	return c
}
