package xdr

import (
	"cmp"
	"strings"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/functions/ingest/microsoft"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/entity"
)

// workloadEvidence is a container or an object of a cluster. Only pods and clusters have names that mean something
// alone.
func (e *evidence) workloadEvidence(kind string) alert.Evidence {
	ns, cluster := e.namespaceAndCluster()
	switch kind {
	case "container":
		ev := microsoft.NewEvidence(entity.Container, string(cmp.Or(e.ContainerID, e.Name)), entity.AttrNamespace, ns, entity.AttrCluster, cluster)
		if ev.Name = string(e.Name); ev.Name == ev.Value {
			ev.Name = ""
		}
		if e.Image.evidence != nil {
			ev.Entity = ev.WithAttr(entity.AttrImage, string(e.Image.ImageID))
		}
		if e.Pod.evidence != nil {
			ev.Entity = ev.WithAttr("pod", string(e.Pod.Name))
		}
		return ev
	case "containerimage":
		return microsoft.NewEvidence(entity.Image, string(e.ImageID))
	case "containerregistry":
		return microsoft.NewEvidence(entity.Resource, string(e.Registry), entity.AttrType, "container-registry")
	case "kubernetescluster":
		return e.clusterEvidence()
	case "kubernetespod":
		return microsoft.NewEvidence(entity.Pod, string(e.Name), entity.AttrNamespace, ns, entity.AttrCluster, cluster)
	case "kubernetesserviceaccount":
		value := string(e.Name)
		if ns != "" && value != "" {
			value = "system:serviceaccount:" + ns + ":" + value
		}
		return microsoft.NewEvidence(entity.User, value, entity.AttrUserType, "serviceAccount", entity.AttrNamespace, ns, entity.AttrCluster, cluster)
	case "kubernetesnamespace":
		if cluster == "" {
			return alert.Evidence{}
		}
		ns = ""
	}
	if e.Name == "" {
		return alert.Evidence{}
	}
	value := strings.Trim(strings.ReplaceAll(cluster+"/"+ns+"/"+string(e.Name), "//", "/"), "/")
	ev := microsoft.NewEvidence(entity.Other, value, entity.AttrKind, strings.Replace(kind, "kubernetes", "k8s-", 1), entity.AttrNamespace, ns, entity.AttrCluster, cluster)
	ev.Name = string(e.Name)
	return ev
}

// clusterEvidence is the cloud resource that the cluster is, where that is known.
func (e *evidence) clusterEvidence() alert.Evidence {
	r := e.CloudResource.evidence
	if r == nil {
		return microsoft.NewEvidence(entity.Cluster, string(e.Name))
	}
	ev := r.resourceEvidence(cmp.Or(r.typeName(), "azureresource"))
	if ev.Value == "" {
		return microsoft.NewEvidence(entity.Cluster, string(e.Name))
	}
	ev.Entity = ev.WithAlias(entity.Cluster, ev.Value)
	ev.Name = cmp.Or(string(e.Name), ev.Name)
	return ev
}

// namespaceAndCluster is the namespace and cluster that e is in, each "" where it is not stated.
func (e *evidence) namespaceAndCluster() (namespace, cluster string) {
	in := e
	if e.Pod.evidence != nil {
		in = e.Pod.evidence
	}
	if ns := in.Namespace.evidence; ns != nil {
		namespace, in = string(ns.Name), ns
	}
	if c := in.Cluster.evidence; c != nil {
		cluster = string(c.Name)
	}
	return namespace, cluster
}

// otherEvidence is what has no kind of its own, or little to tell.
func (e *evidence) otherEvidence(kind string) alert.Evidence {
	named := func(ev alert.Evidence, n ingest.Text) alert.Evidence {
		if string(n) != ev.Value {
			ev.Name = string(n)
		}
		return ev
	}
	label := cmp.Or(e.DisplayName, e.Name)
	switch kind {
	case "cloudapplication", "oauthapplication":
		return named(microsoft.NewEvidence(entity.App, string(cmp.Or(e.AppID, e.SaasAppID, label)), entity.AttrObjectID, string(e.ObjectID),
			"instance", string(e.InstanceName), "publisher", string(e.Publisher)), label)
	case "serviceprincipal":
		return named(microsoft.NewEvidence(entity.User, string(cmp.Or(e.ServicePrincipalName, e.ServicePrincipalObjectID, e.AppID)),
			entity.AttrObjectID, string(e.ServicePrincipalObjectID), entity.AttrUserType, "servicePrincipal", "app_id", string(e.AppID)), e.ServicePrincipalName)
	case "cloudlogonsession":
		return microsoft.NewEvidence(entity.Session, string(e.SessionID), "user_agent", string(e.UserAgent), "browser", string(e.Browser), entity.AttrOS, string(e.OperatingSystem))
	case "cloudlogonrequest":
		return microsoft.NewEvidence(entity.Session, string(e.RequestID))
	case "hostlogonsession":
		id := string(e.SessionID)
		if h := e.Host.evidence; h != nil && id != "" {
			id = string(cmp.Or(h.DeviceDNSName, h.HostName, h.MDEDeviceID)) + "/" + id // the number alone is one machine's own
		}
		return microsoft.NewEvidence(entity.Session, id)
	case "iotdevice":
		ev := microsoft.NewEvidence(entity.Host, string(cmp.Or(e.DeviceName, e.DeviceID)), entity.AttrDeviceID, string(e.DeviceID),
			"mac", string(e.MacAddress), entity.AttrOS, string(e.OperatingSystem), entity.AttrType, "iot-device")
		if ip := e.IPAddress.evidence; ip != nil && !ingest.IsPlaceholder(ip.IPAddress.text) {
			ev.Entity = ev.WithAlias(entity.IP, ip.IPAddress.text)
		}
		return ev
	case "mailboxconfiguration":
		return named(microsoft.NewEvidence(entity.Mailbox, string(cmp.Or(e.MailboxPrimaryAddress, e.Upn)), entity.AttrUPN, string(e.Upn), "configuration_id", string(e.ConfigurationID)), label)
	case "githubuser":
		return named(microsoft.NewEvidence(entity.Other, string(cmp.Or(e.Login, e.Email)), entity.AttrKind, kind, entity.AttrURL, string(e.WebURL)), label)
	}
	value := cmp.Or(e.SecurityGroupID, e.SignatureHash, e.Sid, e.DistinguishedName, e.BaseURL, e.WebURL, e.Login, e.URN, e.ClusterByValue, e.Value, label)
	if e.ResourceID != "" {
		return microsoft.AzureResource(string(e.ResourceID))
	}
	return named(microsoft.NewEvidence(entity.Other, string(value), entity.AttrKind, kind, entity.AttrSID, string(e.Sid)), label)
}
