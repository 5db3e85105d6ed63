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

// action walks what was done, and from where.
func (w *walk) action(a *action) {
	w.connection(&a.NetworkConnectionAction)
	for i := range a.PortProbeAction.PortProbeDetails {
		w.connection(&a.PortProbeAction.PortProbeDetails[i])
	}
	c := &a.AwsAPICallAction
	w.remoteIP(&c.RemoteIPDetails, "")
	w.Add(alert.Context, entity.Domain, c.DomainDetails.Domain)
	w.Add(alert.Attacker, entity.Domain, a.DNSRequestAction.Domain)
	for _, kind := range slices.Sorted(maps.Keys(c.AffectedResources)) {
		w.Add(alert.Victim, entity.Resource, c.AffectedResources[kind], entity.AttrType, kind)
	}
	w.Note("action_type", a.ActionType)
	w.Note("api", c.API)
	w.Note("api_service", c.ServiceName)
	w.Note("caller_type", c.CallerType)
}

func (w *walk) connection(c *connection) {
	w.remoteIP(&c.RemoteIPDetails, string(c.RemotePortDetails.Port))
	w.Note("direction", c.ConnectionDirection)
	w.Note("protocol", c.Protocol)
	w.Note("local_port", c.LocalPortDetails.Port)
}

func (w *walk) remoteIP(d *ipDetails, port string) {
	for _, ip := range []ingest.Text{d.IPAddressV4, d.IPAddressV6} {
		w.Add(alert.Attacker, entity.IP, ip, entity.AttrCountry, string(d.Country.CountryName), entity.AttrCity, string(d.City.CityName),
			entity.AttrOrg, string(cmp.Or(d.Organization.Org, d.Organization.AsnOrg)), entity.AttrPort, port)
	}
}

// network walks a connection in the format's older words. Inbound, the source attacks; outbound, the destination is
// whom the resource talks to.
func (w *walk) network(n *network) {
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
		w.Add(end.role, entity.IP, end.v4, entity.AttrPort, string(end.port))
		w.Add(end.role, entity.IP, end.v6, entity.AttrPort, string(end.port))
		w.Add(end.role, entity.Domain, end.name)
	}
	w.Note("protocol", n.Protocol)
}

func (w *walk) process(p *process) {
	e := w.Add(alert.Attacker, entity.Process, cmp.Or(p.Path, p.Name), entity.AttrPath, string(p.Path),
		entity.AttrPID, string(p.PID), entity.AttrParentPID, string(p.ParentPID))
	if string(p.Name) != e.Value {
		e.Name = string(p.Name)
	}
}
