package api

import "strings"

// Right is what a principal may do; several are joined by "|".
type Right uint16

// The rights. Writing does not imply reading here: whoever grants a right to write grants both.
const (
	ReadAlerts Right = 1 << iota // alerts, exposures and quarantine
	WriteAlerts
	ReadIncidents
	WriteIncidents
	Ingest  // deliver alerts
	Operate // release quarantine, make and revoke keys, read the audit log

	Read       = ReadAlerts | ReadIncidents
	Write      = Read | WriteAlerts | WriteIncidents
	Everything = Write | Ingest | Operate
)

// Roles are the rights by the names that tokens, keys and the directory use. The first four are those of the Graph
// (unified-api reference, 3.6), the others are ours.
var Roles = []struct {
	Name  string
	Right Right
}{
	{"SecurityAlert.Read.All", ReadAlerts},
	{"SecurityAlert.ReadWrite.All", ReadAlerts | WriteAlerts},
	{"SecurityIncident.Read.All", ReadIncidents},
	{"SecurityIncident.ReadWrite.All", ReadIncidents | WriteIncidents},
	{"Onepane.Ingest.All", Ingest},
	{"Onepane.Operate.All", Operate},
}

// RightOf is the right that a role gives, 0 for a role that is not ours. Case matters, as in the directory.
func RightOf(role string) Right {
	for _, r := range Roles {
		if r.Name == role {
			return r.Right
		}
	}
	return 0
}

// rolesGranting names the roles that give one of the rights, for a message.
func rolesGranting(any Right) string {
	var names []string
	for _, r := range Roles {
		if r.Right&any != 0 {
			names = append(names, r.Name)
		}
	}
	return strings.Join(names, ", ")
}
