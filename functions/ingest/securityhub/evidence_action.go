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
func (w *walker) addAction(a *action) {
	w.addConnection(&a.NetworkConnectionAction)
	for i := range a.PortProbeAction.PortProbeDetails {
		w.addConnection(&a.PortProbeAction.PortProbeDetails[i])
	}
	c := &a.AwsAPICallAction
	w.addRemoteIP(&c.RemoteIPDetails, "")
	w.AddEntity(alert.Context, entity.Domain, c.DomainDetails.Domain)
	w.AddEntity(alert.Attacker, entity.Domain, a.DNSRequestAction.Domain)
	for _, kind := range slices.Sorted(maps.Keys(c.AffectedResources)) {
		w.AddEntity(alert.Victim, entity.Resource, c.AffectedResources[kind], entity.AttrType, kind)
	}
	w.AddFact("action_type", a.ActionType)
	w.AddFact("api", c.API)
	w.AddFact("api_service", c.ServiceName)
	w.AddFact("caller_type", c.CallerType)
}

func (w *walker) addConnection(c *connection) {
	w.addRemoteIP(&c.RemoteIPDetails, string(c.RemotePortDetails.Port))
	w.AddFact("direction", c.ConnectionDirection)
	w.AddFact("protocol", c.Protocol)
	w.AddFact("local_port", c.LocalPortDetails.Port)
}

func (w *walker) addRemoteIP(d *ipDetails, port string) {
	for _, ip := range []ingest.Text{d.IPAddressV4, d.IPAddressV6} {
		w.AddEntity(alert.Attacker, entity.IP, ip, entity.AttrCountry, string(d.Country.CountryName), entity.AttrCity, string(d.City.CityName),
			entity.AttrOrg, string(cmp.Or(d.Organization.Org, d.Organization.AsnOrg)), entity.AttrPort, port)
	}
}

// addNetwork walks a connection in the format's older words. Inbound, the source attacks; outbound, the destination is
// whom the resource talks to.
func (w *walker) addNetwork(n *network) {
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
		w.AddEntity(end.role, entity.IP, end.v4, entity.AttrPort, string(end.port))
		w.AddEntity(end.role, entity.IP, end.v6, entity.AttrPort, string(end.port))
		w.AddEntity(end.role, entity.Domain, end.name)
	}
	w.AddFact("protocol", n.Protocol)
}

func (w *walker) addProcess(p *process) {
	e := w.AddEntity(alert.Attacker, entity.Process, cmp.Or(p.Path, p.Name), entity.AttrPath, string(p.Path),
		entity.AttrPID, string(p.PID), entity.AttrParentPID, string(p.ParentPID))
	if string(p.Name) != e.Value {
		e.Name = string(p.Name)
	}
}
