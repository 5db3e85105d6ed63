package sentinel

import (
	"testing"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/alert"
)

func TestOrigin(t *testing.T) {
	for _, tt := range []struct {
		product, vendorID string
		want              alert.Origin
	}{
		{"Azure Security Center", "2516_AB", alert.Origin{Provider: "defender-for-cloud", ID: "2516_ab"}},
		{"Microsoft Defender for Cloud", "2516_AB", alert.Origin{Provider: "defender-for-cloud", ID: "2516_ab"}},
		{"Azure Security Center", "", alert.Origin{Provider: "sentinel", ID: "guid"}},
		{"Microsoft Defender Advanced Threat Protection", "7B_1", alert.Origin{Provider: "defender-xdr", ID: "7B_1"}},
		{"Azure Sentinel", "x", alert.Origin{Provider: "sentinel", ID: "guid"}},
	} {
		row := alertRow{ProductName: ingest.Text(tt.product), VendorOriginalID: ingest.Text(tt.vendorID)}
		if got := row.originOf("guid"); got != tt.want {
			t.Errorf("origin of %q %q = %+v, want %+v", tt.product, tt.vendorID, got, tt.want)
		}
	}
}

func TestIncidentStatus(t *testing.T) {
	for word, want := range map[string]alert.Status{"New": alert.StatusNew, "Active": alert.StatusInProgress, "Closed": alert.StatusResolved, "": alert.StatusNew} {
		if got := incidentStatus(word); got != want {
			t.Errorf("incidentStatus(%q) = %q, want %q", word, got, want)
		}
	}
}
