package ocsf

import (
	"cmp"
	"strings"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/entity"
)

// addDevice adds the machine of the finding as one entity: a cloud instance by its ARN or id, else by host name, else
// by address; the other names are aliases.
func (w *walker) addDevice(d *endpoint) {
	arn := ingest.Text("")
	for _, id := range []ingest.Text{d.UID, d.UIDAlt, d.InstanceUID} {
		if strings.HasPrefix(string(id), "arn:") || strings.HasPrefix(string(id), "i-") {
			arn = cmp.Or(arn, id)
		}
	}
	kind, value := entity.Host, cmp.Or(d.Hostname, d.Name)
	if arn != "" {
		kind, value = entity.Resource, arn
	}
	if value == "" {
		kind, value = entity.IP, d.IP
	}
	e := w.AddEntity(alert.Victim, kind, cmp.Or(value, d.UID), entity.AttrOS, string(d.Os.Name), entity.AttrDomain, string(d.Domain), entity.AttrRegion, string(d.Region))
	if kind != entity.IP {
		ingest.AddAlias(e, entity.Host, d.Hostname)
		ingest.AddAlias(e, entity.IP, d.IP)
		ingest.AddAlias(e, entity.Resource, d.InstanceUID)
		for _, n := range d.NetworkInterfaces {
			ingest.AddAlias(e, entity.IP, n.IP)
		}
	}
	if kind == entity.Host && d.UID != "" && e.Value != string(d.UID) {
		e.Entity = e.WithAttr(entity.AttrDeviceID, string(d.UID))
	}
	if name := string(d.Name); name != e.Value {
		e.Name = name
	}
}

// addEndpoint adds one side of a connection: its address, host, domain and instance.
func (w *walker) addEndpoint(role alert.Role, d *endpoint) {
	asn := string(d.AutonomousSystem.Number)
	if asn == "0" {
		asn = ""
	}
	w.AddEntity(role, entity.IP, d.IP, entity.AttrCountry, string(d.Location.Country), entity.AttrCity, string(d.Location.City),
		entity.AttrASN, asn, entity.AttrOrg, string(d.AutonomousSystem.Name), entity.AttrPort, string(d.Port))
	w.AddEntity(role, entity.Host, d.Hostname)
	w.AddEntity(role, entity.Domain, d.Domain)
	if strings.HasPrefix(string(d.InstanceUID), "i-") {
		w.AddEntity(role, entity.Resource, d.InstanceUID)
	}
}

// kinds are the observable types that name a thing, by type_id.
var kinds = map[int]entity.Kind{
	1: entity.Host, 2: entity.IP, 4: entity.User, 5: entity.Mailbox, 6: entity.URL, 7: entity.File, 8: entity.FileHash,
	9: entity.Process, 10: entity.Resource, 20: entity.Host, 21: entity.User, 23: entity.URL, 24: entity.File,
	25: entity.Process, 27: entity.Container, 28: entity.RegistryKey, 30: entity.FileHash, 45: entity.File,
}

// addObservables adds the observables that no fuller mention names already.
func (w *walker) addObservables(list ingest.List[loose[observable]]) {
	if len(list) == 0 {
		return
	}
	named := map[string]bool{}
	for i := range w.Found {
		e := &w.Found[i]
		named[e.Value], named[e.Name] = true, true
		for _, a := range e.Aliases {
			named[a.Value] = true
		}
	}
	for _, one := range list {
		o := &one.value
		kind, known := kinds[int(o.TypeID.Value)]
		switch value := strings.TrimSpace(string(o.Value)); {
		case !known || named[value]:
		case strings.Contains(strings.ToLower(string(o.Name)), "assigned"): // an analyst, not a party to the attack
			w.AddFact("assigned_to", o.Value)
		default:
			named[value] = true
			w.AddEntity(observedRole(strings.ToLower(string(o.Name))), kind, o.Value)
		}
	}
}

// observedRole reads the path that an observable was found at: "src_endpoint.ip", "resources[].uid".
func observedRole(name string) alert.Role {
	switch {
	case strings.HasPrefix(name, "src") || strings.HasPrefix(name, "source"), strings.Contains(name, "attacker"):
		return alert.Attacker
	case strings.HasPrefix(name, "dst") || strings.Contains(name, "destination"), strings.HasPrefix(name, "resource"), strings.HasPrefix(name, "device"):
		return alert.Victim
	}
	return ""
}
