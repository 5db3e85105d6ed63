package attacks

import (
	"fmt"
	"strings"
	"time"
)

// machine is anything with a host name: a laptop, a server, a cloud machine, a cluster node.
type machine struct {
	host, domain string // host without domain
	cloud        string // aws, azure, gcp, office
	resource     string // ARN, resource id or full resource name; empty in the office
	instance     string // i-0…, vmId, instance number
	public       string // internet address, when it faces it
	leases       []lease
	twin         bool // another machine of the tenant has the same host name
}

// lease is a private address from a moment on.
type lease struct {
	from    time.Time
	address string
}

func (m *machine) addressAt(at time.Time) string {
	out := m.leases[0].address
	for _, l := range m.leases {
		if !at.Before(l.from) {
			out = l.address
		}
	}
	return out
}

func (m *machine) entityNames(v voice, at time.Time, d dice) []Entity {
	address := Entity{Kind: "ip", Value: m.addressAt(at)}
	host, resource := Entity{Kind: "host", Value: m.hostSpelling(v, d)}, Entity{Kind: "resource", Value: m.resource}
	switch v {
	case guardDuty, securityHub, defender, scc:
		if m.resource == "" {
			return []Entity{host}
		}
		out := []Entity{m.resourceSpelling(resource, v, d)}
		if v == guardDuty && d.isTrue(0.6) {
			out = append(out, address)
		}
		if v == defender && d.isTrue(0.5) {
			out = append(out, host)
		}
		return out
	case edr, xdr:
		out := []Entity{host}
		if m.resource != "" && (m.twin || d.isTrue(0.5)) {
			out = append(out, m.resourceSpelling(resource, v, d))
		}
		if d.isTrue(0.3) {
			out = append(out, address)
		}
		return out
	case siem:
		if m.twin || d.isTrue(0.5) {
			return []Entity{host, address}
		}
		if d.isTrue(0.05) {
			return []Entity{address}
		}
	}
	return []Entity{host}
}

// hostSpelling is the host name in a product's spelling.
func (m *machine) hostSpelling(v voice, d dice) string {
	full := m.host + "." + m.domain
	switch {
	case v == xdr:
		return strings.ToLower(full)
	case v == edr && m.cloud == "office" && d.isTrue(0.3):
		return strings.ToUpper(m.host)
	case v == edr && d.isTrue(0.6), v == waf:
		return full
	case v == siem && d.isTrue(0.2):
		return full
	case v == falco:
		return m.host
	}
	return m.host
}

// resourceSpelling is the resource as a product writes it: Azure's case is anyone's guess, and GuardDuty may say just
// the id.
func (m *machine) resourceSpelling(e Entity, v voice, d dice) Entity {
	switch {
	case m.cloud == "azure" && d.isTrue(0.25):
		e.Value = strings.ToLower(e.Value)
	case m.cloud == "azure" && d.isTrue(0.2):
		e.Value = strings.ReplaceAll(e.Value, "resourceGroups", "RESOURCEGROUPS")
	case m.cloud == "azure" && v == xdr && d.isTrue(0.2):
		e.Value = m.instance
	case m.cloud == "aws" && v == guardDuty && d.isTrue(0.2):
		e.Value = m.instance
	}
	return e
}

// newMachine makes a cloud machine; n makes its name and first address unique.
func newMachine(d dice, t *tenant, cloud, role string, n int) *machine {
	m := &machine{host: fmt.Sprintf("%s-%02d", role, n), domain: t.domain, cloud: cloud, leases: []lease{{t.from, t.privateAddress()}}}
	switch cloud {
	case "aws":
		account := pickOne(d, t.aws)
		m.instance = "i-0" + d.drawHex(16)
		m.resource = fmt.Sprintf("arn:aws:ec2:%s:%s:instance/%s", t.region, account, m.instance)
		if d.isTrue(0.5) { // nobody named it
			m.host, m.domain = "ip-"+strings.ReplaceAll(m.leases[0].address, ".", "-"), t.region+".compute.internal"
		}
	case "azure":
		m.instance = d.drawGUID()
		m.resource = azureMachine(pickOne(d, t.azure), role, m.host)
	case "gcp":
		m.instance = d.drawDigits(19)
		m.host = fmt.Sprintf("gce-%s-%s", m.host, d.drawHex(4))
		m.resource = fmt.Sprintf("//compute.googleapis.com/projects/%s/zones/europe-west1-b/instances/%s", pickOne(d, t.gcp), m.host)
	}
	if role == "web" || role == "bastion" || role == "vpn" {
		m.public = d.drawPublicIP()
	}
	return m
}

func azureMachine(subscription, role, host string) string {
	return fmt.Sprintf("/subscriptions/%s/resourceGroups/rg-%s/providers/Microsoft.Compute/virtualMachines/%s", subscription, role, host)
}
