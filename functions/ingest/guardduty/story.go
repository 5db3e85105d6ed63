package guardduty

import (
	"strings"

	"github.com/onepane/onepane/shared/attack"
)

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

// listedTactics reads the line "5 MITRE ATT&CK tactics observed: Exfiltration, Impact" of a sequence's description, which is
// all that deliveries without the sequence itself keep of it.
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
