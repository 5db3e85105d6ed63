package macie

import (
	"strconv"
	"strings"

	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/attack"
)

// severityOf takes the word, else the score: 3 high, 2 medium, 1 low.
func severityOf(f *finding) (alert.Severity, string) {
	if word := string(f.Severity.Description); word != "" {
		return alert.ParseSeverity(word), word
	}
	if !f.Severity.Score.Set {
		return alert.Unknown, ""
	}
	score := f.Severity.Score.Value
	return alert.SeverityOfScore(score, 4, 3, 2, 1, 0), strconv.FormatFloat(score, 'f', -1, 64)
}

// tacticsOf: a policy made weaker hides or opens something, as ATT&CK sees it; found data says nothing of an attack.
func tacticsOf(kind string) []attack.Tactic {
	if strings.HasPrefix(kind, "Policy:") {
		return []attack.Tactic{attack.DefenseEvasion}
	}
	return nil
}
