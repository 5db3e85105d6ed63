package ingest

import (
	"strings"

	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/entity"
)

// EvidenceSet collects the evidence of one alert: each distinct thing once, in the order it was first named, and a
// machine once even when the alert names it as a resource here and as a host there. The zero value is empty.
type EvidenceSet struct {
	list []alert.Evidence
	at   map[string]int
}

// Add puts e in the set or, when the thing is already there, adds the names and attributes it lacks. A placeholder is
// dropped.
func (s *EvidenceSet) Add(e alert.Evidence) {
	if e.Value = strings.TrimSpace(e.Value); IsPlaceholder(e.Value) || e.Value[0] == '{' { // an object where a name belongs
		return
	}
	key := string(e.Kind) + "/" + sameSpelling(e.Kind, e.Value)
	i, has := s.at[key]
	if !has {
		if s.at == nil {
			s.at = map[string]int{}
		}
		s.at[key] = len(s.list)
		s.list = append(s.list, e)
		return
	}
	have := s.list[i]
	e.Value = have.Value
	s.list[i] = alert.MergeEvidence([]alert.Evidence{have}, []alert.Evidence{e})[0]
}

// Find returns the evidence of a kind and value, nil when it is not there. The pointer is good until the next Add.
func (s *EvidenceSet) Find(kind entity.Kind, value string) *alert.Evidence {
	if i, ok := s.at[string(kind)+"/"+sameSpelling(kind, strings.TrimSpace(value))]; ok {
		return &s.list[i]
	}
	return nil
}

// List returns the evidence, nil when there is none. A host that states the id, or has the name, of one cloud machine
// in the set is merged into that machine as an alias.
func (s *EvidenceSet) List() []alert.Evidence {
	machines := s.machinesByName()
	out := make([]alert.Evidence, 0, len(s.list))
	joined := make(map[int]bool)
	for i, e := range s.list {
		if m, ok := s.machineOf(e, machines); ok {
			s.list[m], joined[i] = mergeHost(s.list[m], e), true
		}
	}
	for i, e := range s.list {
		if !joined[i] {
			out = append(out, e)
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// machineOf finds the place of the cloud machine that a host is: by the resource id it states, else by its short name.
func (s *EvidenceSet) machineOf(e alert.Evidence, machines map[string]int) (int, bool) {
	if e.Kind != entity.Host {
		return 0, false
	}
	if id := e.Attr(entity.AttrResourceID); id != "" {
		i, ok := s.at[string(entity.Resource)+"/"+sameSpelling(entity.Resource, id)]
		return i, ok
	}
	i, ok := machines[shortName(e.Value)]
	return i, ok && i >= 0
}

// machinesByName maps the short names of cloud machines to their places, -1 where two share a name.
func (s *EvidenceSet) machinesByName() map[string]int {
	out := map[string]int{}
	for i, e := range s.list {
		if e.Kind != entity.Resource || !isMachine(e.Value) {
			continue
		}
		for _, name := range []string{shortName(e.Value[strings.LastIndexByte(e.Value, '/')+1:]), shortName(e.Name)} {
			if have, ok := out[name]; ok && have != i {
				i = -1
			}
			out[name] = i
		}
	}
	delete(out, "")
	return out
}

// mergeHost adds a host's names, attributes, role and verdict to machine m, whose own come first.
func mergeHost(m, host alert.Evidence) alert.Evidence {
	m.Entity = m.WithAlias(entity.Host, host.Value)
	for _, a := range host.Aliases {
		m.Entity = m.WithAlias(a.Kind, a.Value)
	}
	for k, v := range host.Attributes {
		if m.Attr(k) == "" {
			m.Entity = m.WithAttr(k, v)
		}
	}
	if m.Role == "" {
		m.Role = host.Role
	}
	if m.Verdict == "" {
		m.Verdict = host.Verdict
	}
	return m
}

// isMachine reports whether a resource name is that of a virtual or connected machine in Azure or Google Cloud.
func isMachine(v string) bool {
	l := strings.ToLower(v)
	return strings.Contains(l, "/microsoft.compute/virtualmachines/") || strings.Contains(l, "/microsoft.hybridcompute/machines/") ||
		strings.Contains(l, "/microsoft.classiccompute/virtualmachines/") ||
		strings.HasPrefix(l, "//compute.googleapis.com/") && strings.Contains(l, "/instances/")
}

func shortName(host string) string {
	short, _, _ := strings.Cut(strings.ToLower(host), ".")
	return short
}

// sameSpelling lowers the case of kinds that compare without it, so that two spellings are one thing.
func sameSpelling(kind entity.Kind, v string) string {
	switch kind {
	case entity.Resource:
		if l := strings.ToLower(v); strings.HasPrefix(l, "/subscriptions/") {
			return strings.TrimRight(l, "/")
		}
		return v
	case entity.Host, entity.User, entity.Domain, entity.IP, entity.Mailbox, entity.FileHash, entity.RegistryKey:
		return strings.ToLower(v)
	}
	return v
}

// IsPlaceholder reports whether a value is one of the words, addresses and ids that senders write for "nothing".
func IsPlaceholder(v string) bool {
	v = strings.TrimSpace(v)
	switch len(v) {
	case 0:
		return true
	case 36:
		return strings.Trim(v, "0-") == ""
	}
	switch strings.ToLower(v) {
	case "-", "--", "n/a", "na", "none", "null", "unknown", "undefined", "<nil>", "0.0.0.0", "::":
		return true
	}
	return len(v) > 4 && strings.EqualFold(v[:4], "n/a ")
}
