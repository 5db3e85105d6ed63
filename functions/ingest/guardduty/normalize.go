package guardduty

import (
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/attack"
	"github.com/onepane/onepane/shared/fault"
)

// setTimes takes the activity from service, which is absent in cut-down findings, else from the record's own life.
func setTimes(a *alert.Alert, f finding) {
	a.First = ingest.FirstSet(f.Service.EventFirstSeen, f.CreatedAt, f.Service.EventLastSeen, f.UpdatedAt)
	a.Last = ingest.FirstSet(f.Service.EventLastSeen, f.UpdatedAt, f.CreatedAt)
	if a.Last.Before(a.First) {
		a.Last = a.First
	}
	a.Updated = ingest.FirstSet(f.UpdatedAt, f.Service.EventLastSeen, f.CreatedAt)
}

// parseSeverity reads the number, however it is written. Bounds: 9 critical, 7 high, 4 medium, 1 low. Absent is
// unknown.
func parseSeverity(raw jsontext.Value) (alert.Severity, string, error) {
	var t ingest.Text
	switch raw.Kind() {
	case '{', '[':
		return "", "", fault.Errorf(fault.Invalid, "severity: a JSON object or array where a number was expected")
	case '"', '0':
		if err := ingest.Decode(raw, &t); err != nil {
			return "", "", fault.Errorf(fault.Invalid, "severity: %w", err)
		}
	}
	word := strings.TrimSpace(string(t))
	score, err := strconv.ParseFloat(word, 64)
	if err != nil {
		return alert.ParseSeverity(word), word, nil
	}
	return alert.SeverityOfScore(score, 9, 7, 4, 1, 0), strconv.FormatFloat(score, 'f', -1, 64), nil
}

// consoleURL is where the console of the finding's partition shows it.
func consoleURL(region, partition, id string) string {
	if region == "" {
		return ""
	}
	host := "console.aws.amazon.com"
	switch partition {
	case "aws-cn":
		host = "console.amazonaws.cn"
	case "aws-us-gov":
		host = "console.amazonaws-us-gov.com"
	}
	return "https://" + region + "." + host + "/guardduty/home?region=" + region + "#/findings?search=id%3D" + id
}

// lastSegment is what follows the last slash of an ARN: the short id.
func lastSegment(arn string) string { return arn[strings.LastIndexByte(arn, '/')+1:] }

// arnPart is the i-th part of an ARN, from 0 ("arn"); empty when s is none.
func arnPart(s string, i int) string {
	parts := strings.SplitN(s, ":", 6)
	if len(parts) < 6 || parts[0] != "arn" {
		return ""
	}
	return parts[i]
}

// attackOf is what the finding says of tactics and techniques: a sequence names them, its text may; for the rest the
// purpose that its type starts with stands for the tactic.
func attackOf(f *finding) ([]attack.Tactic, []string) {
	var tactics []attack.Tactic
	var words []string
	s := f.Service.Detection.Sequence
	indicators := s.SequenceIndicators
	for _, sig := range s.Signals {
		indicators = append(indicators[:len(indicators):len(indicators)], sig.SignalIndicators...)
	}
	for _, in := range indicators {
		switch in.Key {
		case "ATTACK_TACTIC":
			for _, v := range in.Values {
				tactics = append(tactics, attack.FromWord(string(v)))
			}
		case "ATTACK_TECHNIQUE":
			for _, v := range in.Values {
				words = append(words, string(v))
			}
		}
	}
	if strings.HasPrefix(string(f.Type), "AttackSequence:") {
		for _, text := range []string{string(s.Description), string(f.Description)} {
			tactics = append(tactics, listedTactics(text)...)
			words = append(words, text)
		}
	}
	tactics = attack.SortTactics(tactics)
	if len(tactics) == 0 {
		purpose, _, _ := strings.Cut(string(f.Type), ":")
		tactics = attack.SortTactics([]attack.Tactic{attack.Parse(attack.GuardDuty, purpose)})
	}
	return tactics, attack.FindTechniques(words...)
}

// listedTactics reads the line "5 MITRE ATT&CK tactics observed: Exfiltration, Impact" of a sequence's description,
// which is all that deliveries without the sequence itself keep of it.
func listedTactics(text string) []attack.Tactic {
	_, rest, ok := strings.Cut(text, "tactics observed:")
	if !ok {
		return nil
	}
	line, _, _ := strings.Cut(rest, "\n")
	var out []attack.Tactic
	for word := range strings.SplitSeq(line, ",") {
		out = append(out, attack.FromWord(word))
	}
	return out
}
