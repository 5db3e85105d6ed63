package xdr

import (
	"testing"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/alert"
)

func TestRole(t *testing.T) {
	for _, tt := range []struct {
		words []ingest.Text
		want  alert.Role
	}{
		{nil, ""}, {[]ingest.Text{"contextual"}, alert.Context}, {[]ingest.Text{"contextual", "attacker"}, alert.Attacker},
		{[]ingest.Text{"compromised"}, alert.Victim}, {[]ingest.Text{"unknownFutureValue"}, ""},
	} {
		if got := roleOf(tt.words); got != tt.want {
			t.Errorf("role(%q) = %q, want %q", tt.words, got, tt.want)
		}
	}
}

func TestGraphWord(t *testing.T) {
	for _, tt := range []struct {
		words      map[string]string
		word, want string
	}{
		{services, "Microsoft Defender for Endpoint", "microsoftDefenderForEndpoint"},
		{services, "MicrosoftCloudAppSecurity", "microsoftDefenderForCloudApps"},
		{detections, "EDR", "microsoftDefenderForEndpoint"},
		{detections, "Scheduled Alerts", "scheduledAlerts"},
		{detections, "Brand New Sensor", "Brand New Sensor"},
	} {
		if got := graphWord(tt.words, tt.word); got != tt.want {
			t.Errorf("graphWord(%q) = %q, want %q", tt.word, got, tt.want)
		}
	}
}
