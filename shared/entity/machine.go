package entity

import (
	"slices"
	"strings"
)

// The names that clouds give their machines. They are read by hand: regular expressions would be compiled in every cold
// start, for the few resources that are machines.

// isInstance reports whether a name in lower case is an EC2 instance id: "i-" and 8 or 17 hexadecimal digits.
func isInstance(lower string) bool {
	digits, ok := strings.CutPrefix(lower, "i-")
	return ok && (len(digits) == 8 || len(digits) == 17) && strings.Trim(digits, "0123456789abcdef") == ""
}

// azureMachine finds the machine in an Azure resource id in lower case that is one, or of something below one:
// "/subscriptions/…/resourcegroups/…/providers/microsoft.compute/virtualmachines/vm-1/extensions/…".
func azureMachine(lower string) (id, name string, ok bool) {
	part := strings.SplitN(lower, "/", 10)
	if len(part) < 9 || part[0] != "" || part[1] != "subscriptions" || part[3] != "resourcegroups" || part[5] != "providers" ||
		part[2] == "" || part[4] == "" || part[8] == "" {
		return "", "", false
	}
	provider, found := strings.CutPrefix(part[6], "microsoft.")
	if !found || !slices.Contains([]string{"compute", "hybridcompute", "classiccompute"}, provider) ||
		!slices.Contains([]string{"virtualmachines", "machines", "virtualmachinescalesets"}, part[7]) {
		return "", "", false
	}
	return strings.Join(part[:9], "/"), part[8], true
}

// googleMachine takes the full resource name of a Compute Engine instance apart:
// "//compute.googleapis.com/projects/…/zones/…/instances/…".
func googleMachine(v string) (project, zone, name string, ok bool) {
	part := strings.Split(v, "/")
	if len(part) != 9 || part[0] != "" || part[1] != "" || part[2] != "compute.googleapis.com" ||
		part[3] != "projects" || part[5] != "zones" || part[7] != "instances" {
		return "", "", "", false
	}
	return part[4], part[6], part[8], part[4] != "" && part[6] != "" && part[8] != ""
}
