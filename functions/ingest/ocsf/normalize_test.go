package ocsf

import (
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/alert"
)

// TestJudgement says what class, severity and status a few members make.
func TestJudgement(t *testing.T) {
	for _, tt := range []struct {
		members  string
		class    alert.Class
		severity alert.Severity
		status   alert.Status
	}{
		{`"class_uid":2004,"severity_id":1,"status_id":1`, alert.Threat, alert.Informational, alert.StatusNew},
		{`"class_uid":2004,"severity_id":"5","status_id":2`, alert.Threat, alert.Critical, alert.StatusInProgress},
		{`"class_uid":2004,"severity_id":6,"status_id":5`, alert.Threat, alert.Critical, alert.StatusResolved},
		{`"class_uid":2004,"severity_id":99,"severity":"purple","status_id":99,"status":"odd"`, alert.Threat, alert.Unknown, alert.StatusUnknown},
		{`"class_uid":2004,"activity_id":3`, alert.Threat, alert.Unknown, alert.StatusResolved},
		{`"class_uid":2004,"status_code":"FAIL"`, alert.Exposure, alert.Unknown, alert.StatusNew},
		{`"class_uid":2004,"status_code":"PASS","status_id":1`, alert.Exposure, alert.Unknown, alert.StatusResolved},
		{`"class_uid":2001,"state_id":4,"status_id":1`, alert.Threat, alert.Unknown, alert.StatusResolved},
		{`"class_uid":2001,"compliance":{"status":"PASSED"}`, alert.Exposure, alert.Unknown, alert.StatusResolved},
		{`"class_uid":2001,"vulnerabilities":[{"cve":{"uid":"CVE-2026-0001"}}]`, alert.Exposure, alert.Unknown, alert.StatusNew},
		{`"class_uid":2002`, alert.Exposure, alert.Unknown, alert.StatusNew},
		{`"class_uid":2003,"compliance":{"status":"Fail","status_id":3}`, alert.Exposure, alert.Unknown, alert.StatusNew},
		{`"class_uid":2006`, alert.Threat, alert.Unknown, alert.StatusNew},
		{`"class_uid":2007`, alert.Exposure, alert.Unknown, alert.StatusNew},
	} {
		raw := `{"metadata":{"product":{"name":"p"}},"finding_info":{"uid":"1"},` + tt.members + `}`
		a, err := Provider{}.Normalize(ingest.NewRecord(jsontext.Value(raw), nil))
		if err != nil || a.Class != tt.class || a.Severity != tt.severity || a.Status != tt.status {
			t.Errorf("%s: class %q severity %s status %s, %v; want %q %s %s", tt.members, a.Class, a.Severity, a.Status, err, tt.class, tt.severity, tt.status)
		}
	}
}

// TestFolds: what Security Hub says in this format and in its own is one finding.
func TestFolds(t *testing.T) {
	for product, want := range map[string]alert.Origin{
		"arn:aws:securityhub:eu-west-1::productv2/aws/guardduty":   {Provider: "guardduty", ID: "f1"},
		"arn:aws:securityhub:eu-west-1::product/aws/macie":         {Provider: "macie", ID: "f1"},
		"arn:aws:securityhub:eu-west-1::productv2/aws/securityhub": {Provider: "securityhub", ID: "arn:aws:x:eu-west-1:111122223333:d/f1"},
		"": {Provider: "ocsf/some sensor", ID: "arn:aws:x:eu-west-1:111122223333:d/f1"},
	} {
		var f event
		f.Metadata.Product.UID, f.Metadata.Product.Name = ingest.Text(product), "Some Sensor"
		if got := originOf(&f, &finding{UID: "arn:aws:x:eu-west-1:111122223333:d/f1"}); got != want {
			t.Errorf("%s: origin %v, want %v", product, got, want)
		}
	}
}

func TestSides(t *testing.T) {
	for _, tt := range []struct {
		from, to  string
		direction float64
		source    alert.Role
	}{
		{"198.51.100.1", "10.0.0.1", 0, alert.Attacker},
		{"10.0.0.1", "198.51.100.1", 0, alert.Victim},
		{"", "198.51.100.1", 0, alert.Victim},
		{"10.0.0.1", "198.51.100.1", inbound, alert.Attacker},
		{"198.51.100.1", "198.51.100.2", outbound, alert.Victim},
	} {
		var e evidence
		e.SrcEndpoint.IP, e.DstEndpoint.IP = ingest.Text(tt.from), ingest.Text(tt.to)
		e.ConnectionInfo.DirectionID.Value = tt.direction
		if source, _ := connectionRoles(&e); source != tt.source {
			t.Errorf("%+v: source is %s", tt, source)
		}
	}
}
