package microsoft

import (
	"cmp"
	"strings"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/entity"
)

// AzureResource is evidence of a resource by its Azure id, with the facts that the id itself states.
func AzureResource(id string) alert.Evidence {
	ev := NewEvidence(entity.Resource, id, azureFacts(id)...)
	if name := id[strings.LastIndexByte(id, '/')+1:]; AzureSubscription(id) != name {
		ev.Name = name
	}
	return ev
}

// AddResources adds Azure resources as victims to set; the alert's own subscription is context.
func AddResources(ids []string, subscription string, set *ingest.EvidenceSet) {
	for _, id := range ids {
		ev := AzureResource(id)
		if ev.Role = alert.Victim; strings.EqualFold(strings.TrimRight(id, "/"), "/subscriptions/"+subscription) {
			ev.Role = alert.Context
		}
		set.Add(ev)
	}
}

// azureFacts are cloud, subscription and resource type ("Microsoft.Compute/virtualMachines") of an Azure id, as pairs.
func azureFacts(id string) []string {
	sub := AzureSubscription(id)
	if sub == "" {
		return nil
	}
	facts := []string{entity.AttrCloud, string(entity.Azure), entity.AttrAccount, sub}
	const providers = "/providers/"
	i := strings.LastIndex(strings.ToLower(id), providers)
	if i < 0 || len(strings.ToLower(id)) != len(id) {
		return facts
	}
	part := strings.Split(id[i+len(providers):], "/")
	kind := part[0]
	for j := 1; j+1 < len(part); j += 2 {
		kind += "/" + part[j]
	}
	return append(facts, entity.AttrType, kind)
}

// resourceEvidence is a resource of any cloud, or a blob or container by its address.
func (g *entityGraph) resourceEvidence(e *entityRecord) alert.Evidence {
	switch e.Type {
	case "azureresource":
		ev := AzureResource(string(e.ResourceID))
		if n := string(e.ResourceName); !ingest.IsPlaceholder(n) {
			ev.Name = n
		}
		return ev
	case "amazonresource":
		return g.foreignResource(e, cmp.Or(string(e.AmazonResourceID), string(e.ResourceName)), entity.Amazon, string(e.AmazonAccountID))
	case "gcpresource", "googlecloudresource":
		return g.foreignResource(e, e.googleName(), entity.Google, cmp.Or(string(e.ProjectID), string(e.ProjectNumber)))
	}
	holder, kind, url := e.StorageResource, "blob-container", e.URL.text
	name := string(e.Name)
	if e.Type == "blob" {
		kind = "blob"
		if c := g.resolveReference(e, e.BlobContainer, "blobcontainer"); c != nil {
			holder = c.StorageResource
			name = cmp.Or(string(c.Name), "-") + "/blobs/" + name
			e = c
		}
	}
	if account := g.resolveReference(e, holder, "azureresource"); url == "" && account != nil && account.ResourceID != "" && e.Name != "" {
		url = string(account.ResourceID) + "/blobServices/default/containers/" + name
	}
	ev := NewEvidence(entity.Resource, url, append(azureFacts(url), entity.AttrType, kind)...)
	ev.Name = name[strings.LastIndexByte(name, '/')+1:]
	return ev
}

// foreignResource is a resource of another cloud, known to Azure through a connector as well.
func (g *entityGraph) foreignResource(e *entityRecord, value string, cloud entity.Cloud, account string) alert.Evidence {
	region := cmp.Or(string(e.Region), e.Location.text)
	ev := NewEvidence(entity.Resource, value, entity.AttrCloud, string(cloud), entity.AttrAccount, account,
		entity.AttrRegion, region, entity.AttrType, string(e.ResourceType))
	if n := string(e.ResourceName); n != value && !ingest.IsPlaceholder(n) {
		ev.Name = n
	}
	for _, id := range e.RelatedAzureResourceIDs {
		ev.Entity = withAlias(ev.Entity, entity.Resource, string(id))
	}
	return ev
}

// googleName is a Google resource's full name, put together from its parts where the entity does not state it.
func (e *entityRecord) googleName() string {
	if e.FullResourceName != "" {
		return string(e.FullResourceName)
	}
	project, place, name := string(e.ProjectID), e.Location.text, string(e.ResourceName)
	if project == "" || place == "" || name == "" || strings.Contains(name, "/") {
		return name
	}
	where := "locations"
	if strings.EqualFold(string(e.LocationType), "zonal") {
		where = "zones"
	}
	kind := strings.ToLower(string(e.ResourceType))
	switch {
	case strings.Contains(kind, "instance") && where == "zones":
		return "//compute.googleapis.com/projects/" + project + "/zones/" + place + "/instances/" + name
	case strings.Contains(kind, "cluster"):
		return "//container.googleapis.com/projects/" + project + "/" + where + "/" + place + "/clusters/" + name
	}
	return name
}

// containerEvidence is a container, its image, or the registry the image lies in.
func (g *entityGraph) containerEvidence(e *entityRecord) alert.Evidence {
	switch e.Type {
	case "containerimage":
		return NewEvidence(entity.Image, cmp.Or(string(e.ImageID), string(e.Name)))
	case "containerregistry":
		return NewEvidence(entity.Resource, cmp.Or(string(e.Registry), string(e.Name)), entity.AttrType, "container-registry")
	}
	ev := NewEvidence(entity.Container, cmp.Or(string(e.ContainerID), string(e.Name)), entity.AttrImage, e.Image.text)
	if n := string(e.Name); n != ev.Value {
		ev.Name = n
	}
	if i := g.resolveReference(e, e.Image, "containerimage"); i != nil {
		ev.Entity = ev.WithAttr(entity.AttrImage, string(i.ImageID))
	}
	if p := g.resolveReference(e, e.Pod, "k8spod"); p != nil {
		ev.Entity = ev.WithAttr("pod", string(p.Name))
		ns, cluster := g.namespaceAndCluster(p)
		ev.Entity = ev.WithAttr(entity.AttrNamespace, ns).WithAttr(entity.AttrCluster, cluster)
	}
	return ev
}

// kubernetesEvidence is an object of a cluster. Only pods and clusters have names that mean something alone; the
// others are named within namespace and cluster.
func (g *entityGraph) kubernetesEvidence(e *entityRecord) alert.Evidence {
	ns, cluster := g.namespaceAndCluster(e)
	switch e.Type {
	case "k8scluster":
		if r := g.resolveReference(e, e.CloudResource, "azureresource", "amazonresource", "gcpresource", "googlecloudresource"); r != nil {
			ev := g.resourceEvidence(r)
			ev.Entity = withAlias(ev.Entity, entity.Cluster, ev.Value)
			ev.Name = cmp.Or(string(e.Name), ev.Name)
			return ev
		}
		return NewEvidence(entity.Cluster, string(e.Name))
	case "k8spod":
		return NewEvidence(entity.Pod, string(e.Name), entity.AttrNamespace, ns, entity.AttrCluster, cluster)
	case "k8sserviceaccount":
		if ns == "" || e.Name == "" {
			return NewEvidence(entity.User, string(e.Name), entity.AttrUserType, "serviceAccount", entity.AttrCluster, cluster)
		}
		return NewEvidence(entity.User, "system:serviceaccount:"+ns+":"+string(e.Name), entity.AttrUserType, "serviceAccount",
			entity.AttrNamespace, ns, entity.AttrCluster, cluster)
	case "k8snamespace":
		ns = ""
		if cluster == "" {
			return alert.Evidence{}
		}
	}
	if e.Name == "" {
		return alert.Evidence{}
	}
	value := strings.Trim(strings.Join([]string{cluster, ns, string(e.Name)}, "/"), "/")
	ev := NewEvidence(entity.Other, strings.ReplaceAll(value, "//", "/"), entity.AttrKind, strings.Replace(string(e.Type), "k8s", "k8s-", 1),
		entity.AttrNamespace, ns, entity.AttrCluster, cluster)
	ev.Name = string(e.Name)
	return ev
}

// namespaceAndCluster is the namespace and cluster an object is in, each "" where it is not stated.
func (g *entityGraph) namespaceAndCluster(e *entityRecord) (namespace, cluster string) {
	namespace = e.Namespace.text
	c := e.Cluster
	holder := e
	if ns := g.resolveReference(e, e.Namespace, "k8snamespace"); ns != nil {
		namespace, c, holder = string(ns.Name), ns.Cluster, ns
	}
	cluster = c.text
	if k := g.resolveReference(holder, c, "k8scluster"); k != nil {
		cluster = string(k.Name)
	}
	return namespace, cluster
}

// otherEvidence is what has no kind of its own, or is one of a few with little to tell.
func (g *entityGraph) otherEvidence(e *entityRecord) alert.Evidence {
	name := cmp.Or(string(e.Name), string(e.DisplayName), string(e.FriendlyName))
	named := func(ev alert.Evidence) alert.Evidence {
		if name != ev.Value && !ingest.IsPlaceholder(name) {
			ev.Name = name
		}
		return ev
	}
	switch e.Type {
	case "registrykey", "registryvalue":
		key := strings.Trim(string(e.Hive)+`\`+string(e.Key), `\`)
		ev := NewEvidence(entity.RegistryKey, key, entity.AttrData, string(e.ValueData))
		ev.Name = string(e.ValueName)
		return ev
	case "hostlogonsession":
		id := string(e.SessionID)
		if h := g.resolveReference(e, e.Host, "host"); h != nil && id != "" {
			id = string(h.HostName) + "/" + id // the number alone is one machine's own
		}
		return NewEvidence(entity.Session, id)
	case "cloudlogonsession":
		return NewEvidence(entity.Session, string(e.SessionID), "user_agent", string(e.UserAgent))
	case "cloudlogonrequest":
		return NewEvidence(entity.Session, string(e.RequestID))
	case "cloudapplication", "oauthapplication":
		return named(NewEvidence(entity.App, cmp.Or(string(e.AppID), name), "instance", string(e.InstanceName)))
	case "iotdevice", "nic":
		ev := NewEvidence(entity.Host, cmp.Or(string(e.DeviceName), string(e.DeviceID)), entity.AttrDeviceID, string(e.DeviceID),
			"mac", string(e.MacAddress), entity.AttrType, string(e.Type))
		if ip := g.resolveReference(e, e.IPAddress, "ip"); ip != nil {
			ev.Entity = withAlias(ev.Entity, entity.IP, string(ip.Address))
		}
		ev.Entity = withAlias(ev.Entity, entity.IP, e.IPAddress.text)
		return ev
	case "serviceprincipal":
		return named(NewEvidence(entity.User, cmp.Or(name, string(e.ObjectGUID), string(e.AppID)), entity.AttrObjectID, string(e.ObjectGUID),
			entity.AttrUserType, "servicePrincipal"))
	}
	value := cmp.Or(string(e.SignatureHash), string(e.Sid), string(e.ObjectGUID), string(e.DistinguishedName), string(e.WebURL),
		string(e.Login), string(e.Query), string(e.Value), name)
	if id := string(e.ResourceID); id != "" {
		return AzureResource(id)
	}
	return named(NewEvidence(entity.Other, value, entity.AttrKind, string(e.Type)))
}
