package xdr

import (
	"cmp"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/functions/ingest/microsoft"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/entity"
)

// maxNesting is how deep evidence may hold evidence. Real alerts stay below 6.
const maxNesting = 16

// addGraphEvidence adds what the evidence of an alert names, nested things too, and returns the subscription that the
// first Azure resource states. An element that cannot be read is left out.
func addGraphEvidence(list []jsontext.Value, set *ingest.EvidenceSet) (subscription string) {
	for _, v := range list {
		var e evidence
		if v.Kind() != '{' || json.Unmarshal(v, &e, lenientJSON) != nil {
			continue
		}
		e.addTo("", set, 0)
		subscription = cmp.Or(subscription, e.subscriptionID())
	}
	return subscription
}

// typeName is the type without its decoration: "azureresource" of "#microsoft.graph.security.azureResourceEvidence".
func (e *evidence) typeName() string {
	k := strings.ToLower(string(e.OData))
	return strings.TrimSuffix(k[strings.LastIndexByte(k, '.')+1:], "evidence")
}

// addTo puts e and what it holds into set; hint is the type that the holding member implies.
func (e *evidence) addTo(hint string, set *ingest.EvidenceSet, depth int) {
	if e == nil || depth > maxNesting {
		return
	}
	for i, ev := range e.toEvidence(cmp.Or(e.typeName(), hint)) {
		if i == 0 { // what comes along (an image, who was logged on) is not what was judged
			ev.Role = cmp.Or(ev.Role, roleOf(e.Roles))
			ev.Verdict = microsoft.ParseVerdict(string(e.Verdict))
		}
		set.Add(ev)
	}
	for _, in := range [...]struct {
		hint string
		m    member
	}{
		{"azureresource", e.StorageResource}, {"blobcontainer", e.BlobContainer}, {"user", e.Account}, {"device", e.Host},
		{"containerimage", e.Image}, {"containerimage", e.DigestImage}, {"kubernetespod", e.Pod}, {"kubernetescluster", e.Cluster},
		{"azureresource", e.CloudResource}, {"kubernetescontroller", e.Controller}, {"kubernetesserviceaccount", e.ServiceAccount},
		{"ip", e.PodIP}, {"ip", e.ClusterIP}, {"ip", e.DNSServerIP}, {"ip", e.HostIPAddress}, {"ip", e.SourceAddress},
		{"ip", e.DestinationAddress}, {"ip", e.IPAddress}, {"azureresource", e.IoTHub}, {"kubernetesnamespace", e.Namespace}, {"url", e.SourceRef},
	} {
		in.m.addTo(in.hint, set, depth+1)
	}
	for _, in := range [...]struct {
		hint string
		list members
	}{
		{"ip", e.IPAddresses}, {"file", e.Files}, {"process", e.Processes}, {"container", e.Containers}, {"container", e.InitContainers},
		{"container", e.EphemeralContainers}, {"ip", e.ExternalIPs}, {"nic", e.Nics}, {"url", e.URLs},
	} {
		for _, m := range in.list {
			m.addTo(in.hint, set, depth+1)
			if m.text != "" && in.hint == "url" {
				set.Add(microsoft.NewEvidence(entity.URL, m.text))
			}
		}
	}
}

// roleOf is the first of the roles that tells attacker from victim, else context where that is stated.
func roleOf(words []ingest.Text) alert.Role {
	var out alert.Role
	for _, w := range words {
		switch strings.ToLower(string(w)) {
		case "attacker", "commandandcontrol":
			return alert.Attacker
		case "compromised", "attacked", "scanned":
			return alert.Victim
		case "contextual":
			out = alert.Context
		}
	}
	return out
}

// subscriptionID is the Azure subscription that e or what it holds belongs to.
func (e *evidence) subscriptionID() string {
	ids := []string{string(e.ResourceID)}
	for _, m := range []member{e.VMMetadata, e.StorageResource, e.CloudResource} {
		if m.evidence != nil {
			ids = append(ids, string(m.ResourceID))
		}
	}
	for _, id := range ids {
		if sub := microsoft.AzureSubscription(id); sub != "" {
			return sub
		}
	}
	if m := e.VMMetadata.evidence; m != nil && !ingest.IsPlaceholder(string(m.SubscriptionID)) {
		return string(m.SubscriptionID)
	}
	return ""
}
