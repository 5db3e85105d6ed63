package securityhub

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/entity"
)

// addAction walks what was done, and from where.
func (m *evidenceMapper) addAction(a *action) {
	m.addConnection(&a.NetworkConnectionAction)
	for i := range a.PortProbeAction.PortProbeDetails {
		m.addConnection(&a.PortProbeAction.PortProbeDetails[i])
	}
	c := &a.AwsAPICallAction
	m.addRemoteIP(&c.RemoteIPDetails, "")
	m.AddEntity(alert.Context, entity.Domain, c.DomainDetails.Domain)
	m.AddEntity(alert.Attacker, entity.Domain, a.DNSRequestAction.Domain)
	for _, kind := range slices.Sorted(maps.Keys(c.AffectedResources)) {
		m.AddEntity(alert.Victim, entity.Resource, c.AffectedResources[kind], entity.AttrType, kind)
	}
	m.AddFact("action_type", a.ActionType)
	m.AddFact("api", c.API)
	m.AddFact("api_service", c.ServiceName)
	m.AddFact("caller_type", c.CallerType)
}

func (m *evidenceMapper) addConnection(c *connection) {
	m.addRemoteIP(&c.RemoteIPDetails, string(c.RemotePortDetails.Port))
	m.AddFact("direction", c.ConnectionDirection)
	m.AddFact("protocol", c.Protocol)
	m.AddFact("local_port", c.LocalPortDetails.Port)
}

func (m *evidenceMapper) addRemoteIP(d *ipDetails, port string) {
	for _, ip := range []ingest.Text{d.IPAddressV4, d.IPAddressV6} {
		m.AddEntity(alert.Attacker, entity.IP, ip, entity.AttrCountry, string(d.Country.CountryName), entity.AttrCity, string(d.City.CityName),
			entity.AttrOrg, string(cmp.Or(d.Organization.Org, d.Organization.AsnOrg)), entity.AttrPort, port)
	}
}

// addNetwork walks a connection in the format's older words. Inbound, the source attacks; outbound, the destination is
// whom the resource talks to.
func (m *evidenceMapper) addNetwork(n *network) {
	source, destination := alert.Attacker, alert.Victim
	if strings.EqualFold(string(n.Direction), "OUT") {
		source, destination = alert.Victim, alert.Attacker
	}
	for _, end := range []struct {
		role         alert.Role
		v4, v6, name ingest.Text
		port         ingest.Text
	}{
		{source, n.SourceIPV4, n.SourceIPV6, n.SourceDomain, n.SourcePort},
		{destination, n.DestinationIPV4, n.DestinationIPV6, n.DestinationDomain, n.DestinationPort},
	} {
		m.AddEntity(end.role, entity.IP, end.v4, entity.AttrPort, string(end.port))
		m.AddEntity(end.role, entity.IP, end.v6, entity.AttrPort, string(end.port))
		m.AddEntity(end.role, entity.Domain, end.name)
	}
	m.AddFact("protocol", n.Protocol)
}

func (m *evidenceMapper) addProcess(p *process) {
	e := m.AddEntity(alert.Attacker, entity.Process, cmp.Or(p.Path, p.Name), entity.AttrPath, string(p.Path),
		entity.AttrPID, string(p.PID), entity.AttrParentPID, string(p.ParentPID))
	if string(p.Name) != e.Value {
		e.Name = string(p.Name)
	}
}
