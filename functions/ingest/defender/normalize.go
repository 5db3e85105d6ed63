package defender

import (
	"cmp"
	"strings"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/functions/ingest/microsoft"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/attack"
	"github.com/onepane/onepane/shared/entity"
	"github.com/onepane/onepane/shared/fault"
)

// product is the name people know; older records still say "Azure Security Center".
const product = "Microsoft Defender for Cloud"

func normalizeAlert(r ingest.Record) (alert.Alert, error) {
	f, err := decodeFinding(r)
	if err != nil {
		return alert.Alert{}, err
	}
	id := string(f.SystemAlertID)
	if ingest.IsPlaceholder(id) {
		return alert.Alert{}, fault.Errorf(fault.Invalid, "systemAlertId: missing")
	}
	severity, status := cmp.Or(f.Severity, f.ReportedSeverity), cmp.Or(f.Status, f.State)
	a := alert.Alert{
		Origin: alert.Origin{Provider: name, ID: strings.ToLower(id)}, Reporter: name, ReportID: id,
		Product: product, DetectionSource: planOf(string(f.ProductComponent), string(cmp.Or(f.AlertType, f.AlertName))),
		Type: string(cmp.Or(f.AlertType, f.AlertName)), Title: string(cmp.Or(f.AlertDisplayName, f.AlertName)),
		Description: string(f.Description), Recommendation: strings.Join(microsoft.ParseTexts(f.RemediationSteps), "\n"),
		URL:      string(f.AlertURI),
		Severity: alert.ParseSeverity(string(severity)), NativeSeverity: string(severity),
		Status: alert.ParseStatus(string(status)), NativeStatus: string(status),
		Tactics:    microsoft.ParseTactics(attack.MicrosoftIntent, string(f.Intent)),
		Techniques: attack.FindTechniques(append(microsoft.ParseTexts(f.Techniques), microsoft.ParseTexts(f.SubTechniques)...)...),
		First:      ingest.FirstSet(f.Start, f.Detected, f.End, f.Generated, f.ExportGenerated, f.Reported),
		Updated:    ingest.FirstSet(f.Generated, f.ExportGenerated, f.Processed, f.ExportProcessed, f.Reported),
		Account: alert.Account{
			Cloud: entity.Azure, ID: f.subscriptionID(r.Text("id")), Organization: f.directoryID(),
		},
		CorrelationKey: string(f.CorrelationKey), Sample: f.isSample(),
		Extra: microsoft.ParseProperties(f.ExtendedProperties),
	}
	a.Last = ingest.FirstSet(f.End, f.Start)
	if a.Last.Before(a.First) {
		a.Last = a.First
	}
	if strings.HasPrefix(strings.ToLower(r.Text("id")), "/subscriptions/") {
		a.CarriedIDs = []string{r.Text("id")}
	}
	f.addEvidence(&a)
	a.Extra = withFact(a.Extra, "compromisedEntity", string(f.Compromised))
	a.Extra = withFact(a.Extra, "productComponentName", string(f.ProductComponent))
	return a, nil
}

func withFact(m map[string]string, key, value string) map[string]string {
	if value == "" {
		return m
	}
	if m == nil {
		m = map[string]string{}
	}
	m[key] = value
	return m
}
