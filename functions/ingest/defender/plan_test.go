package defender

import (
	"testing"

	"github.com/onepane/onepane/shared/alert"
)

func TestPlan(t *testing.T) {
	for _, tt := range []struct{ component, alertType, want string }{
		{"VirtualMachines", "", servers},
		{"Storage Accounts", "SIMULATED_Storage.Blob_AM.MalwareFound", storage},
		{"", "SIMULATED_AKS_ExposedService", containers},
		{"", "Network_CommunicationWithC2", network},
		{"Databases", "SQL.VM_BruteForce", databases},
		{"ARM", "ARM_AnomalousClassicRoleAssignment", resources},
		{"", "AzureDNS_SinkholedDomain", dns},
		{"", "SomethingNew", ""},
	} {
		if got := planOf(tt.component, tt.alertType); got != tt.want {
			t.Errorf("plan(%q, %q) = %q, want %q", tt.component, tt.alertType, got, tt.want)
		}
	}
}

func TestExposureStatus(t *testing.T) {
	for code, want := range map[string]alert.Status{
		"Unhealthy": alert.StatusNew, "Healthy": alert.StatusResolved, "NotApplicable": alert.StatusResolved, "Odd": alert.StatusUnknown,
	} {
		if got := exposureStatus(code); got != want {
			t.Errorf("exposureStatus(%q) = %q, want %q", code, got, want)
		}
	}
}
