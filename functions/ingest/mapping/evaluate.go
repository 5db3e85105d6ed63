package mapping

import (
	"fmt"
	"strings"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"go.yaml.in/yaml/v3"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/fault"
)

// expr is one expression of a file, with its line there, from 1.
type expr struct {
	source  string
	line    int
	program cel.Program
}

// UnmarshalYAML keeps the source; Load compiles it.
func (x *expr) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind != yaml.ScalarNode {
		return fmt.Errorf("line %d: must be an expression, not a list or a map", n.Line)
	}
	*x = expr{source: strings.TrimSpace(n.Value), line: n.Line}
	return nil
}

func (x expr) isAbsent() bool { return x.source == "" }

// evaluation evaluates a mapping on one record. After the first expression that fails, err is set and all others are
// empty.
type evaluation struct {
	product string
	r, it   any
	err     error
}

func (p *Provider) newEvaluation(r ingest.Record) *evaluation {
	e := &evaluation{product: p.file.Product}
	e.r = decodeValue(r.Raw)
	return e
}

// ResolveName gives a program its variables: "r", the record, and "it", the element of evidence.each.
func (e *evaluation) ResolveName(name string) (any, bool) {
	switch name {
	case "r":
		return e.r, true
	case "it":
		return e.it, true
	}
	return nil, false
}

// Parent is nil: there are no other variables.
func (e *evaluation) Parent() cel.Activation { return nil }

// evalExpr evaluates one expression: nil for an absent one and after the first failure.
func (e *evaluation) evalExpr(key string, x expr) ref.Val {
	if x.program == nil || e.err != nil {
		return nil
	}
	v, _, err := x.program.Eval(e)
	if err != nil {
		e.err = fault.Errorf(fault.Invalid, "%s: %s: %w", e.product, key, err)
		return nil
	}
	return v
}

func (e *evaluation) evalText(key string, x expr) string {
	if v := e.evalExpr(key, x); v != nil {
		return strings.TrimSpace(textOf(nativeValue(v)))
	}
	return ""
}

func (e *evaluation) evalBool(key string, x expr) bool {
	return e.evalExpr(key, x) == types.True
}

func (e *evaluation) evalNumber(key string, x expr) float64 {
	if v := e.evalExpr(key, x); v != nil {
		return numberOf(nativeValue(v))
	}
	return 0
}

func (e *evaluation) evalTime(key string, x expr) time.Time {
	t, err := ingest.ParseTime(e.evalText(key, x))
	if err != nil && e.err == nil {
		e.err = fault.Errorf(fault.Invalid, "%s: %s: %w", e.product, key, err)
	}
	return t
}

// evalElements are the elements of a list expression; a value that is no list is a list of one.
func (e *evaluation) evalElements(key string, x expr) []any {
	if v := e.evalExpr(key, x); v != nil {
		return elementsOf(nativeValue(v))
	}
	return nil
}

// evalTexts are the distinct texts of a list expression, without placeholders.
func (e *evaluation) evalTexts(key string, x expr) []string {
	var out []string
next:
	for _, v := range e.evalElements(key, x) {
		s := strings.TrimSpace(textOf(v))
		if ingest.IsPlaceholder(s) {
			continue
		}
		for _, has := range out {
			if has == s {
				continue next
			}
		}
		out = append(out, s)
	}
	return out
}

// evalWord is the word of a severity or status: the value, else the native word, translated by the mapping's words.
func (e *evaluation) evalWord(key string, m wordKeys, nativeWord string) string {
	w := nativeWord
	if !m.Value.isAbsent() {
		w = e.evalText(key, m.Value)
	}
	for from, to := range m.Words {
		if strings.EqualFold(from, w) {
			return to
		}
	}
	return w
}
