package graphtest

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/microsoftgraph/msgraph-sdk-go/models/security"
	requests "github.com/microsoftgraph/msgraph-sdk-go/security"
)

// everything is every alert, with the members of enums that came later.
func everything(t *testing.T) []security.Alertable {
	t.Helper()
	page, err := as(t, "CLIENT_READER").Security().Alerts_v2().Get(t.Context(), &requests.Alerts_v2RequestBuilderGetRequestConfiguration{Headers: allMembers()})
	if err != nil {
		t.Fatal(err)
	}
	return page.GetValue()
}

// first is an alert's first evidence of the SDK's class T.
func first[T security.AlertEvidenceable](t *testing.T, a security.Alertable) T {
	t.Helper()
	var kinds []string
	for _, e := range a.GetEvidence() {
		if x, ok := e.(T); ok {
			return x
		}
		kinds = append(kinds, fmt.Sprintf("%T", e))
	}
	t.Fatalf("%q has no %v, only %v", value(a.GetTitle()), reflect.TypeFor[T](), kinds)
	panic("unreachable")
}

// expect compares texts that the SDK found, by pairs.
func expect(t *testing.T, what string, pairs ...string) {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i] != pairs[i+1] {
			t.Errorf("%s: %q, want %q", what, pairs[i], pairs[i+1])
		}
	}
}

func TestAzureEvidence(t *testing.T) {
	const vm = "/subscriptions/7d2b9a40-1c55-4e0e-b7a1-90c2f6d1e3a4/resourceGroups/shop/providers/Microsoft.Compute/virtualMachines/till-02"
	a := alertOf(t, everything(t), "A file was downloaded and run on till-02")
	resource := first[*security.AzureResourceEvidence](t, a)
	expect(t, "resource", value(resource.GetResourceId()), vm, value(resource.GetResourceName()), "till-02")
	device := first[*security.DeviceEvidence](t, a)
	expect(t, "device", value(device.GetHostName()), "till-02", value(device.GetDeviceDnsName()), "till-02.shop.contoso.example")
	m := device.GetVmMetadata()
	if m == nil || value(m.GetCloudProvider()) != security.AZURE_VMCLOUDPROVIDER {
		t.Fatalf("the device is no machine of Azure's: %+v", m)
	}
	expect(t, "machine", value(m.GetVmId()), "5e6f7081-92a3-44b4-85c5-d6e7f8091a2b", value(m.GetResourceId()), vm, value(m.GetSubscriptionId()), "7d2b9a40-1c55-4e0e-b7a1-90c2f6d1e3a4")
	expect(t, "user", value(first[*security.UserEvidence](t, a).GetUserAccount().GetAccountName()), "erik")
	expect(t, "address", value(first[*security.IpEvidence](t, a).GetIpAddress()), "203.0.113.50")
	expect(t, "url", value(first[*security.UrlEvidence](t, a).GetUrl()), "https://files.attacker.example/a.ps1")
	file := first[*security.FileEvidence](t, a).GetFileDetails()
	expect(t, "file", value(file.GetFileName()), "a.ps1", value(file.GetSha256()), "0c1d2e3f405162738495a6b7c8d9eafb0c1d2e3f405162738495a6b7c8d9eafb")
	process := first[*security.ProcessEvidence](t, a)
	expect(t, "process", value(process.GetProcessCommandLine()), "powershell -File a.ps1", fmt.Sprint(value(process.GetProcessId())), fmt.Sprint(0x1a2b))
}

func TestAmazonEvidence(t *testing.T) {
	all := everything(t)
	a := alertOf(t, all, "Someone without a name changed cluster till-cluster.")
	cluster := first[*security.KubernetesClusterEvidence](t, a)
	if value(cluster.GetPlatform()) != security.EKS_KUBERNETESPLATFORM {
		t.Errorf("the cluster's platform is %v", cluster.GetPlatform())
	}
	resource, ok := cluster.GetCloudResource().(*security.AmazonResourceEvidence)
	if !ok {
		t.Fatalf("the cluster is a %T", cluster.GetCloudResource())
	}
	expect(t, "cluster", value(cluster.GetName()), "till-cluster",
		value(resource.GetAmazonResourceId()), "arn:aws:eks:eu-north-1:444455556666:cluster/till-cluster", value(resource.GetAmazonAccountId()), "444455556666")
	pod := first[*security.KubernetesPodEvidence](t, a)
	expect(t, "pod", value(pod.GetName()), "till-5c6d", value(pod.GetNamespace().GetName()), "tills", value(pod.GetNamespace().GetCluster().GetName()), "till-cluster")
	expect(t, "container", value(first[*security.ContainerEvidence](t, a).GetName()), "till")
	expect(t, "image", value(first[*security.ContainerImageEvidence](t, a).GetImageId()), "registry.contoso.example/till:7")
	ip := first[*security.IpEvidence](t, a)
	expect(t, "address", value(ip.GetIpAddress()), "203.0.113.51", value(ip.GetLocation().GetCity()), "Southtown")

	mining := alertOf(t, all, "The EC2 instance i-0f0a1b2c3d4e5f607 is querying a domain name associated with Bitcoin activity.")
	instance := first[*security.AmazonResourceEvidence](t, mining)
	expect(t, "instance", value(instance.GetAmazonResourceId()), "arn:aws:ec2:eu-west-1:111122223333:instance/i-0f0a1b2c3d4e5f607", value(instance.GetAmazonAccountId()), "111122223333")
	if m := first[*security.DeviceEvidence](t, mining).GetVmMetadata(); m == nil || value(m.GetCloudProvider()) != security.UNKNOWN_VMCLOUDPROVIDER {
		t.Errorf("the instance's cloud provider is %+v: the SDK knows only Azure", m)
	}
	if len(first[*security.DnsEvidence](t, mining).GetIpAddresses()) != 0 {
		t.Error("the domain has addresses that nobody reported")
	}
}

func TestGoogleEvidence(t *testing.T) {
	a := alertOf(t, everything(t), "Malware: Bad Domain")
	r := first[*security.GoogleCloudResourceEvidence](t, a)
	expect(t, "resource", value(r.GetFullResourceName()), "//compute.googleapis.com/projects/tills-prod/zones/europe-north1-a/instances/7766554433221100998",
		value(r.GetResourceName()), "till-gw", value(r.GetLocation()), "europe-north1-a")
	if value(r.GetLocationType()) != security.ZONAL_GOOGLECLOUDLOCATIONTYPE || value(r.GetProjectNumber()) != 770077007700 {
		t.Errorf("location type %v, project number %d", r.GetLocationType(), value(r.GetProjectNumber()))
	}
	expect(t, "machine", value(first[*security.DeviceEvidence](t, a).GetHostName()), "till-gw")
	expect(t, "domain", value(first[*security.DnsEvidence](t, a).GetDomainName()), "c2.attacker.example")
}

// TestEvidenceKeepsItsClass: nothing becomes the base class, which has lost what it was.
func TestEvidenceKeepsItsClass(t *testing.T) {
	for _, a := range everything(t) {
		for _, e := range a.GetEvidence() {
			if _, bare := e.(*security.AlertEvidence); bare {
				t.Errorf("%q: %s is unknown to the SDK", value(a.GetTitle()), value(e.GetOdataType()))
			}
			if e.GetVerdict() == nil || e.GetRemediationStatus() == nil || e.GetCreatedDateTime() == nil {
				t.Errorf("%q: %s has a verdict %v and status %v", value(a.GetTitle()), value(e.GetOdataType()), e.GetVerdict(), e.GetRemediationStatus())
			}
		}
	}
}

// TestMembersThatCameLater are sent only to who asks for them. A word that is no member at all would be nil.
func TestMembersThatCameLater(t *testing.T) {
	for _, a := range everything(t) {
		if value(a.GetServiceSource()) != security.MICROSOFTDEFENDERFORCLOUD_SERVICESOURCE || a.GetDetectionSource() == nil || a.GetStatus() == nil || a.GetSeverity() == nil {
			t.Errorf("%q: service %v, detection %v", value(a.GetTitle()), a.GetServiceSource(), a.GetDetectionSource())
		}
	}
	page, err := as(t, "CLIENT_READER").Security().Alerts_v2().Get(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range page.GetValue() {
		if value(a.GetServiceSource()) != security.UNKNOWNFUTUREVALUE_SERVICESOURCE || value(a.GetDetectionSource()) != security.UNKNOWNFUTUREVALUE_DETECTIONSOURCE {
			t.Errorf("%q, unasked: service %v, detection %v", value(a.GetTitle()), a.GetServiceSource(), a.GetDetectionSource())
		}
	}
}
