package securityhub

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/attack"
	"github.com/onepane/onepane/shared/entity"
)

// accountOf is the finding's own, never that of the event it came in: an aggregator repeats findings of other accounts.
func accountOf(f *finding, r ingest.Record) alert.Account {
	region := string(f.Region)
	for i := 0; region == "" && i < len(f.Resources); i++ {
		region = string(f.Resources[i].Region)
	}
	return alert.Account{
		Cloud: entity.Amazon, ID: string(f.AwsAccountID), Name: string(f.AwsAccountName),
		Region: cmp.Or(region, r.Context["region"]),
	}
}

// attackOf reads tactics from the finding's types: the category, or GuardDuty's own type in the third segment, or what
// an attack sequence indicates.
func attackOf(f *finding) ([]attack.Tactic, []string) {
	var tactics []attack.Tactic
	var words []string
	for _, in := range f.Detection.Sequence.SequenceIndicators {
		for _, v := range in.Values {
			switch in.Key {
			case "ATTACK_TACTIC":
				tactics = append(tactics, attack.FromWord(string(v)))
			case "ATTACK_TECHNIQUE":
				words = append(words, string(v))
			}
		}
	}
	for _, t := range f.Types {
		words = append(words, string(t))
		part := strings.SplitN(string(t), "/", 3)
		if len(part) < 2 {
			continue
		}
		tactic := attack.Parse(attack.ASFFType, part[0]+"/"+part[1])
		if tactic == "" && part[0] == "TTPs" {
			tactic = attack.Parse(attack.GuardDuty, part[1])
		}
		if purpose, _, ok := strings.Cut(part[len(part)-1], ":"); ok && tactic == "" {
			tactic = attack.Parse(attack.GuardDuty, purpose)
		}
		tactics = append(tactics, tactic)
	}
	return attack.SortTactics(tactics), attack.FindTechniques(words...)
}

// threatProducts report activity, whatever their types say; postureProducts report weaknesses.
var (
	threatProducts  = map[string]bool{"guardduty": true, "macie": true, "detective": true, "iot-device-defender-detect": true}
	postureProducts = map[string]bool{
		"inspector": true, "access-analyzer": true, "config": true, "ssm-patch-manager": true, "firewall-manager": true,
		"securityhub": true, "trusted-advisor": true, "health": true, "iot-device-defender-audit": true,
	}
)

// threatTypes are the type namespaces of the format that tell of activity.
var threatTypes = []string{"TTPs", "Effects", "Unusual Behaviors", "Sensitive Data Identifications"}

// classOf tells activity from posture: the product decides, then a compliance result, then the types' namespaces.
// A finding that says none of these is somebody's alert.
func classOf(f *finding) alert.Class {
	slug := productSlug(string(f.ProductArn))
	switch {
	case threatProducts[slug]:
		return alert.Threat
	case postureProducts[slug], f.Compliance.Status != "":
		return alert.Exposure
	}
	for _, t := range f.Types {
		for _, ns := range threatTypes {
			if strings.HasPrefix(string(t), ns) {
				return alert.Threat
			}
		}
	}
	if len(f.Vulnerabilities) > 0 || f.PatchSummary.ID != "" {
		return alert.Exposure
	}
	for _, t := range f.Types {
		if strings.HasPrefix(string(t), "Software and Configuration Checks") {
			return alert.Exposure
		}
	}
	return alert.Threat
}

// severityOf takes the label, else the normalized number (90 critical, 70 high, 40 medium, 1 low, 0 informational), and
// from the provider's own fields what the finding leaves open.
func severityOf(f *finding) (alert.Severity, string) {
	for _, s := range []asffSeverity{f.Severity, f.FindingProviderFields.Severity} {
		if label := strings.TrimSpace(string(s.Label)); label != "" {
			return alert.ParseSeverity(label), label
		}
	}
	for _, s := range []asffSeverity{f.Severity, f.FindingProviderFields.Severity} {
		if s.Normalized.Set {
			native := cmp.Or(string(s.Original), strconv.FormatFloat(s.Normalized.Value, 'f', -1, 64))
			return alert.SeverityOfScore(s.Normalized.Value, 90, 70, 40, 1, 0), native
		}
	}
	return alert.ParseSeverity(string(f.Severity.Original)), string(f.Severity.Original)
}

// statusOf reads the workflow. An archived record and a passed check are closed, whatever the workflow says.
func statusOf(f *finding) (alert.Status, string) {
	native := string(cmp.Or(f.Workflow.Status, f.WorkflowState, f.RecordState))
	if strings.EqualFold(string(f.RecordState), "ARCHIVED") || strings.EqualFold(string(f.Compliance.Status), "PASSED") {
		return alert.StatusResolved, native
	}
	if strings.EqualFold(native, "DEFERRED") { // of the retired WorkflowState
		return alert.StatusInProgress, native
	}
	return alert.ParseStatus(native), native
}
