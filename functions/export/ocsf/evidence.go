package ocsf

import (
	"fmt"
	"net/netip"
	"strconv"

	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/entity"
)

// maxEvidence bounds an event's evidences.
const maxEvidence = 100

// addEvidence writes each entity to its place, and its value again among the observables, which name that place.
func (v *Event) addEvidence(version string, evs []alert.Evidence) {
	for _, ev := range evs[:min(len(evs), maxEvidence)] {
		if ev.Value == "" {
			continue
		}
		if ev.Kind == entity.Resource || ev.Kind == entity.Cluster || ev.Kind == entity.Pod || ev.Kind == entity.Container {
			v.addResource(version, ev)
			continue
		}
		e, place, id, word := evidenceOf(ev)
		if place == "" {
			continue
		}
		v.addObservable(fmt.Sprintf("evidences[%d].%s", len(v.Evidences), place), id, word, ev.Value)
		v.Evidences = append(v.Evidences, e)
	}
}

func (v *Event) addObservable(name string, id int, word, value string) {
	v.Observables = append(v.Observables, Observable{name, id, word, value})
}

func (v *Event) addResource(version string, ev alert.Evidence) {
	r := Resource{UID: ev.Value, Name: ev.Name, Type: ev.Attr(entity.AttrType), Region: ev.Attr(entity.AttrRegion)}
	if version != V15 { // 1.5 knows no roles
		r.RoleID, r.Role = 3, "Affected"
		if ev.Role == alert.Attacker {
			r.RoleID, r.Role = 2, "Actor"
		}
	}
	v.addObservable(fmt.Sprintf("resources[%d].uid", len(v.Resources)), 10, "Resource UID", ev.Value)
	v.Resources = append(v.Resources, r)
}

// evidenceOf is an entity's place in evidences, with the observable's type; no place for what has none.
func evidenceOf(ev alert.Evidence) (e Evidence, place string, id int, word string) {
	switch ev.Kind {
	case entity.IP:
		if _, err := netip.ParseAddr(ev.Value); err != nil {
			return
		}
		if ev.Role == alert.Attacker {
			return Evidence{Src: &Endpoint{IP: ev.Value}}, "src_endpoint.ip", 2, "IP Address"
		}
		return Evidence{Dst: &Endpoint{IP: ev.Value}}, "dst_endpoint.ip", 2, "IP Address"
	case entity.Host, entity.Domain:
		if ev.Role == alert.Attacker {
			return Evidence{Src: &Endpoint{Hostname: ev.Value}}, "src_endpoint.hostname", 1, "Hostname"
		}
		return Evidence{Dst: &Endpoint{Hostname: ev.Value}}, "dst_endpoint.hostname", 1, "Hostname"
	case entity.User, entity.Mailbox:
		return Evidence{User: &Named{ev.Value}}, "user.name", 4, "User Name"
	case entity.URL:
		return Evidence{URL: &URL{ev.Value}}, "url.url_string", 6, "URL String"
	case entity.File:
		return Evidence{File: &File{Name: ev.Value}}, "file.name", 7, "File Name"
	case entity.FileHash:
		return Evidence{File: &File{Name: ev.Value, Hashes: []Hash{{hashAlgorithmID(ev.Value), ev.Value}}}}, "file.hashes[0].value", 8, "Hash"
	case entity.Process:
		return Evidence{Process: processOf(ev)}, "process.name", 9, "Process Name"
	}
	return
}

// processOf identifies a process by its pid, or by its name when the alert states no pid.
func processOf(ev alert.Evidence) *Process {
	p := &Process{Name: ev.Value, CmdLine: ev.Attr(entity.AttrCommandLine)}
	if n, err := strconv.ParseInt(ev.Attr(entity.AttrPID), 10, 32); err == nil && n > 0 {
		p.PID = n
	} else {
		p.UID = ev.Value
	}
	return p
}

// hashAlgorithmID is OCSF's id of the fingerprint that has as many hexadecimal digits; 0 is unknown.
func hashAlgorithmID(value string) int {
	return map[int]int{32: 1, 40: 2, 64: 3, 128: 4}[len(value)]
}
