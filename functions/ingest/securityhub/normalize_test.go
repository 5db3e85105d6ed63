package securityhub

import (
	"testing"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/alert"
)

const products = "arn:aws:securityhub:eu-west-1::product/"

func TestClass(t *testing.T) {
	for _, tt := range []struct {
		product, compliance, kind string
		want                      alert.Class
	}{
		{"aws/guardduty", "", "TTPs/Discovery/Recon:EC2-Portscan", alert.Threat},
		{"aws/guardduty", "", "Software and Configuration Checks/Policy", alert.Threat},
		{"aws/macie", "", "Software and Configuration Checks/AWS Security Best Practices/Policy:IAMUser-S3BucketPublic", alert.Threat},
		{"aws/securityhub", "FAILED", "Software and Configuration Checks/Industry and Regulatory Standards", alert.Exposure},
		{"aws/access-analyzer", "", "Effects/Data Exposure/External Access Granted", alert.Exposure},
		{"aws/config", "", "", alert.Exposure},
		{"111122223333/default", "", "Unusual Behaviors/User", alert.Threat},
		{"111122223333/default", "FAILED", "TTPs/Discovery", alert.Exposure},
		{"111122223333/default", "", "Software and Configuration Checks/Patch", alert.Exposure},
		{"111122223333/default", "", "", alert.Threat},
		{"example/edr", "", "Effects/Data Exfiltration", alert.Threat},
	} {
		f := finding{ProductArn: ingest.Text(products + tt.product), Types: ingest.List[ingest.Text]{ingest.Text(tt.kind)}}
		f.Compliance.Status = ingest.Text(tt.compliance)
		if got := classOf(&f); got != tt.want {
			t.Errorf("class(%s, %q, %q) = %q, want %q", tt.product, tt.compliance, tt.kind, got, tt.want)
		}
	}
}

func TestOrigin(t *testing.T) {
	for _, tt := range []struct {
		product, id string
		want        alert.Origin
	}{
		{"aws/guardduty", "arn:aws:guardduty:eu-west-1:111122223333:detector/d/finding/f1", alert.Origin{Provider: "guardduty", ID: "f1"}},
		{"aws/macie", "arn:aws:macie2:eu-west-1:111122223333:finding/f2", alert.Origin{Provider: "macie", ID: "f2"}},
		{"aws/inspector", "arn:aws:inspector2:eu-west-1:111122223333:finding/f3", alert.Origin{Provider: "inspector", ID: "arn:aws:inspector2:eu-west-1:111122223333:finding/f3"}},
		{"aws/inspector", "inspector/eu-west-1/111122223333/f4", alert.Origin{Provider: "securityhub", ID: "111122223333/inspector/eu-west-1/111122223333/f4"}},
		{"aws/securityhub", "arn:aws:securityhub:eu-west-1:111122223333:security-control/S3.8/finding/f5", alert.Origin{Provider: "securityhub", ID: "arn:aws:securityhub:eu-west-1:111122223333:security-control/S3.8/finding/f5"}},
		{"111122223333/default", "f6", alert.Origin{Provider: "securityhub", ID: "111122223333/f6"}},
	} {
		f := finding{ProductArn: ingest.Text(products + tt.product), ID: ingest.Text(tt.id), AwsAccountID: "111122223333"}
		if got := originOf(&f); got != tt.want {
			t.Errorf("origin(%s, %s) = %v, want %v", tt.product, tt.id, got, tt.want)
		}
	}
}

func TestStatus(t *testing.T) {
	for _, tt := range []struct {
		workflow, state, record, compliance string
		want                                alert.Status
		native                              string
	}{
		{"NEW", "NEW", "ACTIVE", "FAILED", alert.StatusNew, "NEW"},
		{"NOTIFIED", "", "ACTIVE", "", alert.StatusNew, "NOTIFIED"},
		{"SUPPRESSED", "", "ACTIVE", "", alert.StatusResolved, "SUPPRESSED"},
		{"NEW", "", "ACTIVE", "PASSED", alert.StatusResolved, "NEW"},
		{"NEW", "", "ARCHIVED", "", alert.StatusResolved, "NEW"},
		{"", "IN_PROGRESS", "ACTIVE", "", alert.StatusInProgress, "IN_PROGRESS"},
		{"", "DEFERRED", "", "", alert.StatusInProgress, "DEFERRED"},
		{"SIDEWAYS", "", "", "", alert.StatusUnknown, "SIDEWAYS"},
	} {
		f := finding{WorkflowState: ingest.Text(tt.state), RecordState: ingest.Text(tt.record)}
		f.Workflow.Status, f.Compliance.Status = ingest.Text(tt.workflow), ingest.Text(tt.compliance)
		if got, native := statusOf(&f); got != tt.want || native != tt.native {
			t.Errorf("status(%+v) = %s %q", tt, got, native)
		}
	}
}

func TestSeverity(t *testing.T) {
	for _, tt := range []struct {
		label, original string
		normalized      float64
		set             bool
		want            alert.Severity
		native          string
	}{
		{"CRITICAL", "", 0, false, alert.Critical, "CRITICAL"},
		{"HIGH", "9.1", 10, true, alert.High, "HIGH"},
		{"", "", 90, true, alert.Critical, "90"}, {"", "", 89, true, alert.High, "89"}, {"", "", 40, true, alert.Medium, "40"},
		{"", "", 39, true, alert.Low, "39"}, {"", "", 0, true, alert.Informational, "0"},
		{"", "6.0", 40, true, alert.Medium, "6.0"}, {"", "", 0, false, alert.Unknown, ""}, {"PURPLE", "", 0, false, alert.Unknown, "PURPLE"},
	} {
		f := finding{Severity: asffSeverity{Label: ingest.Text(tt.label), Original: ingest.Text(tt.original), Normalized: ingest.Number{Value: tt.normalized, Set: tt.set}}}
		if got, native := severityOf(&f); got != tt.want || native != tt.native {
			t.Errorf("severity(%+v) = %s %q", tt, got, native)
		}
	}
}
