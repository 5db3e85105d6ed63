package entity

import (
	"regexp"
	"strings"
	"testing"
)

// What the names of machines look like, in the words of regular expressions.
var (
	instanceID = regexp.MustCompile(`^i-[0-9a-f]{8}([0-9a-f]{9})?$`)
	azureVM    = regexp.MustCompile(`^/subscriptions/[^/]+/resourcegroups/[^/]+/providers/microsoft\.(compute|hybridcompute|classiccompute)/(virtualmachines|machines|virtualmachinescalesets)/([^/]+)`)
	gceVM      = regexp.MustCompile(`^//compute\.googleapis\.com/projects/([^/]+)/zones/([^/]+)/instances/([^/]+)$`)
)

var machineNames = []string{
	"", "i-", "i-0abc1234", "i-0abc12345", "i-0abc1234567890def", "i-0ABC1234", "i-0abc123g", "xi-0abc1234", "i-0abc1234\n",
	"/subscriptions/s/resourcegroups/g/providers/microsoft.compute/virtualmachines/vm-1",
	"/subscriptions/s/resourcegroups/g/providers/microsoft.compute/virtualmachines/vm-1/extensions/e/more",
	"/subscriptions/s/resourcegroups/g/providers/microsoft.hybridcompute/machines/vm-1",
	"/subscriptions/s/resourcegroups/g/providers/microsoft.classiccompute/virtualmachinescalesets/vm-1/",
	"/subscriptions/s/resourcegroups/g/providers/microsoft.compute/disks/d", "/subscriptions/s/resourcegroups/g/providers/microsoft.storage/virtualmachines/vm-1",
	"/subscriptions/s/resourcegroups/g/providers/microsoft.compute/virtualmachines/", "/subscriptions//resourcegroups/g/providers/microsoft.compute/virtualmachines/v",
	"/subscriptions/s/resourcegroups//providers/microsoft.compute/virtualmachines/v", "/subscriptions/s/resourcegroups/g/providers/compute/virtualmachines/v",
	"/subscriptions/s", "x/subscriptions/s/resourcegroups/g/providers/microsoft.compute/virtualmachines/v",
	"//compute.googleapis.com/projects/p/zones/z/instances/n", "//compute.googleapis.com/projects/p/zones/z/instances/n/", "//compute.googleapis.com/projects/p/zones/z/instances/",
	"//compute.googleapis.com/projects//zones/z/instances/n", "//compute-googleapis.com/projects/p/zones/z/instances/n", "/compute.googleapis.com/projects/p/zones/z/instances/n",
}

func TestMachineNames(t *testing.T) {
	found := 0
	for _, name := range machineNames {
		found += sameMachine(t, name)
	}
	if found != 8 {
		t.Errorf("%d of the names are machines, want 8", found)
	}
}

func FuzzMachineNames(f *testing.F) {
	for _, name := range machineNames {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) { sameMachine(t, name) })
}

// sameMachine holds what is read by hand against the expressions and counts the machines.
func sameMachine(t *testing.T, name string) (found int) {
	t.Helper()
	lower := strings.ToLower(name)
	if got, want := isInstance(lower), instanceID.MatchString(lower); got != want {
		t.Errorf("isInstance(%q) = %v", lower, got)
	} else if got {
		found++
	}
	id, vm, ok := azureMachine(lower)
	if m := azureVM.FindStringSubmatch(lower); ok != (m != nil) || ok && (id != m[0] || vm != m[3]) {
		t.Errorf("azureMachine(%q) = %q, %q, %v, want %q", lower, id, vm, ok, m)
	} else if ok {
		found++
	}
	project, zone, vm, ok := googleMachine(name)
	if m := gceVM.FindStringSubmatch(name); ok != (m != nil) || ok && (project != m[1] || zone != m[2] || vm != m[3]) {
		t.Errorf("googleMachine(%q) = %q, %q, %q, %v, want %q", name, project, zone, vm, ok, m)
	} else if ok {
		found++
	}
	return found
}
