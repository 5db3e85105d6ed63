package api

import (
	"cmp"
	"net/netip"
	"strings"

	"github.com/onepane/onepane/shared/entity"
)

type deviceEvidence struct {
	alertEvidence
	AzureADDeviceID       Nullable    `json:"azureAdDeviceId"`
	MdeDeviceID           Nullable    `json:"mdeDeviceId"`
	HostName              Nullable    `json:"hostName"`
	DeviceDNSName         Nullable    `json:"deviceDnsName"`
	DNSDomain             Nullable    `json:"dnsDomain"`
	NTDomain              Nullable    `json:"ntDomain"`
	OSPlatform            Nullable    `json:"osPlatform"`
	HealthStatus          string      `json:"healthStatus"`
	RiskScore             string      `json:"riskScore"`
	IPInterfaces          []string    `json:"ipInterfaces"`
	LastIPAddress         Nullable    `json:"lastIpAddress"`
	LastExternalIPAddress Nullable    `json:"lastExternalIpAddress"`
	LoggedOnUsers         []any       `json:"loggedOnUsers"`
	VMMetadata            *vmMetadata `json:"vmMetadata"`
}

type vmMetadata struct {
	VMID           Nullable `json:"vmId"`
	CloudProvider  string   `json:"cloudProvider"`
	ResourceID     Nullable `json:"resourceId"`
	SubscriptionID Nullable `json:"subscriptionId"`
}

// mapDevice shows a machine, whether the alert names it as a host or as a cloud resource with host names.
func (w *evidenceMapper) mapDevice() deviceEvidence {
	d := deviceEvidence{
		AzureADDeviceID: w.showAttr(entity.AttrAADDeviceID), MdeDeviceID: w.showAttr(entity.AttrDeviceID),
		OSPlatform: w.showAttr(entity.AttrOS), HealthStatus: "unknown", RiskScore: "none",
		IPInterfaces: w.showAliases(entity.IP), LoggedOnUsers: []any{},
	}
	for _, name := range w.hostNames() {
		short, domain, qualified := strings.Cut(strings.TrimSuffix(name, "."), ".")
		if d.HostName == "" {
			d.HostName = w.showText(short)
		}
		if qualified && d.DeviceDNSName == "" {
			d.DeviceDNSName, d.DNSDomain = w.showText(name), Nullable(domain)
		}
	}
	if domain := w.Attr(entity.AttrDomain); strings.Contains(domain, ".") {
		d.DNSDomain = w.showText(domain)
	} else {
		d.NTDomain = w.showText(domain)
	}
	for _, ip := range d.IPInterfaces {
		if a, err := netip.ParseAddr(ip); err == nil && entity.IsPublicIP(a) {
			d.LastExternalIPAddress = Nullable(ip)
		} else {
			d.LastIPAddress = Nullable(ip)
		}
	}
	d.VMMetadata = w.mapVM()
	d.alertEvidence = w.finishBase("deviceEvidence")
	return d
}

// hostNames are the machine's names as a host, its own first. An address is no name.
func (w *evidenceMapper) hostNames() []string {
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

// mapVM says which virtual machine a device is, nil when nothing says so. The Graph knows no cloud but Azure here; the
// cloud resource beside it tells the others apart.
func (w *evidenceMapper) mapVM() *vmMetadata {
	id := w.Attr(entity.AttrResourceID)
	if w.Kind == entity.Resource {
		id = w.Value
	}
	if id == "" && w.Attr(entity.AttrVMID) == "" {
		return nil
	}
	m := &vmMetadata{VMID: w.showAttr(entity.AttrVMID), CloudProvider: "unknown", ResourceID: w.showText(id)}
	_, sub, ok := cutFold(id, "/subscriptions/")
	if ok || entity.Cloud(w.Attr(entity.AttrCloud)) == entity.Azure {
		m.CloudProvider = "azure"
		sub, _, _ = strings.Cut(sub, "/")
		m.SubscriptionID = w.showText(cmp.Or(sub, w.Attr(entity.AttrAccount)))
	}
	return m
}

type containerEvidence struct {
	alertEvidence
	ContainerID  Nullable                `json:"containerId"`
	Name         Nullable                `json:"name"`
	IsPrivileged bool                    `json:"isPrivileged"`
	Args         []string                `json:"args"`
	Command      []string                `json:"command"`
	Image        *containerImageEvidence `json:"image"`
	Pod          *kubernetesPodEvidence  `json:"pod"`
}

type containerImageEvidence struct {
	alertEvidence
	ImageID  Nullable                   `json:"imageId"`
	Registry *containerRegistryEvidence `json:"registry"`
}

type containerRegistryEvidence struct {
	alertEvidence
	Registry string `json:"registry"`
}

type kubernetesPodEvidence struct {
	alertEvidence
	Name      Nullable                     `json:"name"`
	Namespace *kubernetesNamespaceEvidence `json:"namespace"`
}

type kubernetesNamespaceEvidence struct {
	alertEvidence
	Name    Nullable                   `json:"name"`
	Cluster *kubernetesClusterEvidence `json:"cluster"`
}

type kubernetesClusterEvidence struct {
	alertEvidence
	Name          Nullable `json:"name"`
	Distribution  Nullable `json:"distribution"`
	Platform      string   `json:"platform"`
	Version       Nullable `json:"version"`
	CloudResource any      `json:"cloudResource"`
}

func (w *evidenceMapper) mapContainer() containerEvidence {
	c := containerEvidence{ContainerID: w.showText(w.Value), Name: w.showText(w.Name), Args: []string{}, Command: []string{}}
	if image := w.showAttr(entity.AttrImage); image != "" {
		c.Image = w.imageOf(string(image))
	}
	if pods := w.showAliases(entity.Pod); len(pods) > 0 {
		c.Pod = w.podOf(pods[0])
	}
	c.alertEvidence = w.finishBase("containerEvidence")
	return c
}

func (w *evidenceMapper) mapImage() containerImageEvidence {
	i := w.imageOf(string(w.showText(w.Value)))
	i.alertEvidence = w.finishBase("containerImageEvidence")
	return *i
}

// imageOf reads an image reference; its first part is a registry when it looks like a host.
func (w *evidenceMapper) imageOf(ref string) *containerImageEvidence {
	i := &containerImageEvidence{alertEvidence: w.nestedBase("containerImageEvidence"), ImageID: Nullable(ref)}
	if host, _, ok := strings.Cut(ref, "/"); ok && strings.ContainsAny(host, ".:") {
		i.Registry = &containerRegistryEvidence{alertEvidence: w.nestedBase("containerRegistryEvidence"), Registry: host}
	}
	return i
}

func (w *evidenceMapper) mapPod() kubernetesPodEvidence {
	p := w.podOf(string(w.showText(w.Value)))
	p.alertEvidence = w.finishBase("kubernetesPodEvidence")
	return *p
}

// podOf reads a pod's name, "namespace/name" or bare.
func (w *evidenceMapper) podOf(name string) *kubernetesPodEvidence {
	namespace := w.Attr(entity.AttrNamespace)
	if i := strings.LastIndexByte(name, '/'); i >= 0 && namespace == "" {
		namespace = lastPart(name[:i])
	}
	p := &kubernetesPodEvidence{alertEvidence: w.nestedBase("kubernetesPodEvidence"), Name: Nullable(lastPart(name))}
	if lastPart(name) != name {
		delete(w.shown, name) // its full spelling stays a tag
	}
	cluster := w.showAttr(entity.AttrCluster)
	if namespace == "" && cluster == "" {
		return p
	}
	p.Namespace = &kubernetesNamespaceEvidence{alertEvidence: w.nestedBase("kubernetesNamespaceEvidence"), Name: w.showText(namespace)}
	if cluster != "" {
		p.Namespace.Cluster = w.clusterOf(string(cluster))
	}
	return p
}

func (w *evidenceMapper) mapCluster() kubernetesClusterEvidence {
	c := w.clusterOf(w.Value)
	w.showText(string(c.Name))
	if c.CloudResource != nil {
		w.showText(w.Value)
	}
	c.alertEvidence = w.finishBase("kubernetesClusterEvidence")
	return *c
}

var kubernetesPlatforms = map[entity.Cloud]string{entity.Azure: "aks", entity.Amazon: "eks", entity.Google: "gke"}

// clusterOf reads a cluster's cloud resource name or its bare name.
func (w *evidenceMapper) clusterOf(name string) *kubernetesClusterEvidence {
	r := &evidenceMapper{Evidence: w.Evidence, account: w.account, base: w.base, shown: map[string]bool{}}
	r.Entity = entity.Entity{Kind: entity.Resource, Value: name}.WithAttr(entity.AttrCloud, w.Attr(entity.AttrCloud))
	c := &kubernetesClusterEvidence{alertEvidence: w.nestedBase("kubernetesClusterEvidence"), Name: Nullable(lastPart(name)), Platform: cmp.Or(kubernetesPlatforms[r.resourceCloud()], "unknown")}
	if strings.ContainsAny(name, ":/") {
		c.CloudResource = r.mapResource()
	}
	return c
}
