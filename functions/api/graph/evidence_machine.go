package graph

import (
	"cmp"
	"net/netip"
	"strings"

	"github.com/onepane/onepane/shared/entity"
)

type deviceEvidence struct {
	AlertEvidence
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
func mapDevice(ev *evidenceMapper) deviceEvidence {
	d := deviceEvidence{
		AzureADDeviceID: ev.showAttr(entity.AttrAADDeviceID), MdeDeviceID: ev.showAttr(entity.AttrDeviceID),
		OSPlatform: ev.showAttr(entity.AttrOS), HealthStatus: "unknown", RiskScore: "none",
		IPInterfaces: ev.showAliases(entity.IP), LoggedOnUsers: []any{},
	}
	for _, name := range hostNamesOf(ev) {
		short, domain, qualified := strings.Cut(strings.TrimSuffix(name, "."), ".")
		if d.HostName == "" {
			d.HostName = ev.showText(short)
		}
		if qualified && d.DeviceDNSName == "" {
			d.DeviceDNSName, d.DNSDomain = ev.showText(name), Nullable(domain)
		}
	}
	if domain := ev.Attr(entity.AttrDomain); strings.Contains(domain, ".") {
		d.DNSDomain = ev.showText(domain)
	} else {
		d.NTDomain = ev.showText(domain)
	}
	for _, ip := range d.IPInterfaces {
		if a, err := netip.ParseAddr(ip); err == nil && entity.IsPublicIP(a) {
			d.LastExternalIPAddress = Nullable(ip)
		} else {
			d.LastIPAddress = Nullable(ip)
		}
	}
	d.VMMetadata = mapVM(ev)
	d.AlertEvidence = ev.finishBase("deviceEvidence")
	return d
}

// hostNamesOf are the machine's names as a host, its own first. An address is no name.
func hostNamesOf(ev *evidenceMapper) []string {
	var out []string
	if ev.Kind == entity.Host {
		out = append(out, ev.Value)
	}
	for _, a := range ev.Aliases {
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
func mapVM(ev *evidenceMapper) *vmMetadata {
	id := ev.Attr(entity.AttrResourceID)
	if ev.Kind == entity.Resource {
		id = ev.Value
	}
	if id == "" && ev.Attr(entity.AttrVMID) == "" {
		return nil
	}
	m := &vmMetadata{VMID: ev.showAttr(entity.AttrVMID), CloudProvider: "unknown", ResourceID: ev.showText(id)}
	_, sub, ok := cutFold(id, "/subscriptions/")
	if ok || entity.Cloud(ev.Attr(entity.AttrCloud)) == entity.Azure {
		m.CloudProvider = "azure"
		sub, _, _ = strings.Cut(sub, "/")
		m.SubscriptionID = ev.showText(cmp.Or(sub, ev.Attr(entity.AttrAccount)))
	}
	return m
}

type containerEvidence struct {
	AlertEvidence
	ContainerID  Nullable                `json:"containerId"`
	Name         Nullable                `json:"name"`
	IsPrivileged bool                    `json:"isPrivileged"`
	Args         []string                `json:"args"`
	Command      []string                `json:"command"`
	Image        *containerImageEvidence `json:"image"`
	Pod          *kubernetesPodEvidence  `json:"pod"`
}

type containerImageEvidence struct {
	AlertEvidence
	ImageID  Nullable                   `json:"imageId"`
	Registry *containerRegistryEvidence `json:"registry"`
}

type containerRegistryEvidence struct {
	AlertEvidence
	Registry string `json:"registry"`
}

type kubernetesPodEvidence struct {
	AlertEvidence
	Name      Nullable                     `json:"name"`
	Namespace *kubernetesNamespaceEvidence `json:"namespace"`
}

type kubernetesNamespaceEvidence struct {
	AlertEvidence
	Name    Nullable                   `json:"name"`
	Cluster *kubernetesClusterEvidence `json:"cluster"`
}

type kubernetesClusterEvidence struct {
	AlertEvidence
	Name          Nullable `json:"name"`
	Distribution  Nullable `json:"distribution"`
	Platform      string   `json:"platform"`
	Version       Nullable `json:"version"`
	CloudResource any      `json:"cloudResource"`
}

func mapContainer(ev *evidenceMapper) containerEvidence {
	c := containerEvidence{ContainerID: ev.showText(ev.Value), Name: ev.showText(ev.Name), Args: []string{}, Command: []string{}}
	if image := ev.showAttr(entity.AttrImage); image != "" {
		c.Image = imageOf(ev, string(image))
	}
	if pods := ev.showAliases(entity.Pod); len(pods) > 0 {
		c.Pod = podOf(ev, pods[0])
	}
	c.AlertEvidence = ev.finishBase("containerEvidence")
	return c
}

func mapImage(ev *evidenceMapper) containerImageEvidence {
	i := imageOf(ev, string(ev.showText(ev.Value)))
	i.AlertEvidence = ev.finishBase("containerImageEvidence")
	return *i
}

// imageOf reads an image reference; its first part is a registry when it looks like a host.
func imageOf(ev *evidenceMapper, ref string) *containerImageEvidence {
	i := &containerImageEvidence{AlertEvidence: ev.nestedBase("containerImageEvidence"), ImageID: Nullable(ref)}
	if host, _, ok := strings.Cut(ref, "/"); ok && strings.ContainsAny(host, ".:") {
		i.Registry = &containerRegistryEvidence{AlertEvidence: ev.nestedBase("containerRegistryEvidence"), Registry: host}
	}
	return i
}

func mapPod(ev *evidenceMapper) kubernetesPodEvidence {
	p := podOf(ev, string(ev.showText(ev.Value)))
	p.AlertEvidence = ev.finishBase("kubernetesPodEvidence")
	return *p
}

// podOf reads a pod's name, "namespace/name" or bare.
func podOf(ev *evidenceMapper, name string) *kubernetesPodEvidence {
	namespace := ev.Attr(entity.AttrNamespace)
	if i := strings.LastIndexByte(name, '/'); i >= 0 && namespace == "" {
		namespace = lastPart(name[:i])
	}
	p := &kubernetesPodEvidence{AlertEvidence: ev.nestedBase("kubernetesPodEvidence"), Name: Nullable(lastPart(name))}
	if lastPart(name) != name {
		delete(ev.shown, name) // its full spelling stays a tag
	}
	cluster := ev.showAttr(entity.AttrCluster)
	if namespace == "" && cluster == "" {
		return p
	}
	p.Namespace = &kubernetesNamespaceEvidence{AlertEvidence: ev.nestedBase("kubernetesNamespaceEvidence"), Name: ev.showText(namespace)}
	if cluster != "" {
		p.Namespace.Cluster = clusterOf(ev, string(cluster))
	}
	return p
}

func mapCluster(ev *evidenceMapper) kubernetesClusterEvidence {
	c := clusterOf(ev, ev.Value)
	ev.showText(string(c.Name))
	if c.CloudResource != nil {
		ev.showText(ev.Value)
	}
	c.AlertEvidence = ev.finishBase("kubernetesClusterEvidence")
	return *c
}

var kubernetesPlatforms = map[entity.Cloud]string{entity.Azure: "aks", entity.Amazon: "eks", entity.Google: "gke"}

// clusterOf reads a cluster's cloud resource name or its bare name.
func clusterOf(ev *evidenceMapper, name string) *kubernetesClusterEvidence {
	r := &evidenceMapper{Evidence: ev.Evidence, account: ev.account, base: ev.base, shown: map[string]bool{}}
	r.Entity = entity.Entity{Kind: entity.Resource, Value: name}.WithAttr(entity.AttrCloud, ev.Attr(entity.AttrCloud))
	c := &kubernetesClusterEvidence{AlertEvidence: ev.nestedBase("kubernetesClusterEvidence"), Name: Nullable(lastPart(name)), Platform: cmp.Or(kubernetesPlatforms[resourceCloud(r)], "unknown")}
	if strings.ContainsAny(name, ":/") {
		c.CloudResource = mapResource(r)
	}
	return c
}
