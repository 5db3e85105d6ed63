package contract

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

// events are recorded deliveries of EventBridge and the source whose rule takes each; "" is for none. Every event is
// taken once at most, or an alert would be sent twice.
var events = map[string]string{
	"guardduty-finding.json":              "guardduty",
	"guardduty-malware-scan.json":         "",
	"inspector-finding.json":              "inspector",
	"inspector-scan.json":                 "",
	"macie-finding.json":                  "macie",
	"securityhub-imported-own.json":       "securityhub",
	"securityhub-imported-partner.json":   "securityhub",
	"securityhub-imported-guardduty.json": "",
	"securityhub-custom-action.json":      "",
	"securityhub-insight.json":            "",
	"securityhub-v2-own.json":             "securityhub-v2",
	"securityhub-v2-guardduty.json":       "",
	"spoofed-source.json":                 "",
}

// checkPatterns: with every choice of sources, the rules take each finding once and nothing else.
func checkPatterns(s *site) {
	stack := map[string]any{}
	for name, r := range s.loadStackSet() {
		if p := valueAt(r, "Properties", "EventPattern"); p != nil {
			stack[strings.ToLower(strings.TrimSuffix(name, "Rule"))] = p
		}
	}
	s.checkTaken("stackset", stack)
	for _, sources := range [][]string{
		{"guardduty", "inspector", "macie", "securityhub"},
		{"guardduty", "inspector", "macie", "securityhub-v2"},
	} {
		s.checkTaken(fmt.Sprintf("aws %v", sources), s.eventPatterns(sources))
	}
	// Alone, Security Hub brings what the others found as well.
	for source, event := range map[string]string{"securityhub": "securityhub-imported-guardduty.json", "securityhub-v2": "securityhub-v2-guardduty.json"} {
		if ok, err := matchEvent(s.eventPatterns([]string{source})[source], s.readEvent(event)); !ok || err != nil {
			s.addProblem("aws [%s]: %s is lost (%v)", source, event, err)
		}
	}
	for _, name := range []string{"take", "forward"} {
		s.expectAttributes(AWS, s.findResource(AWS, "aws_cloudwatch_event_rule", name), map[string]any{"event_pattern": ref("local.patterns[each.value.source]")})
	}
}

// checkTaken: each event of a source among the patterns is taken by that pattern, and by no other.
func (s *site) checkTaken(where string, patterns map[string]any) {
	if len(patterns) < 4 {
		s.addProblem("%s: only %d patterns: %v", where, len(patterns), slices.Sorted(maps.Keys(patterns)))
	}
	for file, want := range events {
		event := s.readEvent(file)
		for source, pattern := range patterns {
			ok, err := matchEvent(pattern, event)
			if err != nil {
				s.addProblem("%s: %s: %v", where, source, err)
			}
			if ok != (source == want) {
				s.addProblem("%s: %s: taken by the rule of %s: %v", where, file, source, ok)
			}
		}
	}
}

// readEvent reads a recording.
func (s *site) readEvent(file string) any {
	b, err := os.ReadFile(filepath.Join("testdata", "events", file))
	var v any
	if err == nil {
		err = json.Unmarshal(b, &v)
	}
	if err != nil {
		s.addProblem("%v", err)
	}
	return v
}

// eventPatterns evaluates local.patterns as Terraform would, for a choice of sources.
func (s *site) eventPatterns(sources []string) map[string]any {
	m := s.modules[AWS]
	set := make([]cty.Value, len(sources))
	for i, x := range sources {
		set[i] = cty.StringVal(x)
	}
	locals := map[string]cty.Value{}
	ctx := &hcl.EvalContext{
		Variables: map[string]cty.Value{"var": cty.ObjectVal(map[string]cty.Value{"sources": cty.SetVal(set)})},
		Functions: map[string]function.Function{"contains": stdlib.ContainsFunc, "concat": stdlib.ConcatFunc, "jsonencode": stdlib.JSONEncodeFunc},
	}
	for _, name := range []string{"direct", "forwarded", "all_patterns", "patterns"} {
		if m.exprs[name] == nil {
			s.addProblem("aws: no local.%s", name)
			return nil
		}
		v, diags := m.exprs[name].Value(ctx)
		if diags.HasErrors() {
			s.addProblem("aws: local.%s: %v", name, diags)
			return nil
		}
		locals[name] = v
		ctx.Variables["local"] = cty.ObjectVal(locals)
	}
	out := map[string]any{}
	for source, text := range locals["patterns"].AsValueMap() {
		var p any
		if err := json.Unmarshal([]byte(text.AsString()), &p); err != nil {
			s.addProblem("aws: pattern of %s: %v", source, err)
		}
		out[source] = p
	}
	return out
}
