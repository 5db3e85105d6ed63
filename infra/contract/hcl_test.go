package contract

import (
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// site is infra/ as read from disk: what the checks look at.
type site struct {
	root     string
	modules  map[Module]*module
	problems []string
}

// addProblem notes a broken promise.
func (s *site) addProblem(format string, args ...any) {
	s.problems = append(s.problems, fmt.Sprintf(format, args...))
}

// module is one Terraform module.
type module struct {
	resources []*resource
	locals    map[string]any // as plain makes them
	exprs     map[string]hclsyntax.Expression
	blocks    []*hclsyntax.Block // all the others
	text      map[string]string  // of each file
}

// resource is one resource block. Attributes are plain values by name; nested blocks are lists of such maps.
type resource struct {
	kind, name string
	attrs      map[string]any
}

func (r *resource) String() string { return r.kind + "." + r.name }

// ref is an expression that is no constant, as it is written.
type ref string

// loadSite reads the modules below root.
func loadSite(root string) (*site, error) {
	s := &site{root: root, modules: map[Module]*module{}}
	for _, name := range []Module{Azure, AWS, GCP} {
		m, err := loadModule(filepath.Join(root, string(name)))
		if err != nil {
			return nil, fmt.Errorf("read module %s: %w", name, err)
		}
		s.modules[name] = m
	}
	return s, nil
}

func loadModule(dir string) (*module, error) {
	m := &module{locals: map[string]any{}, exprs: map[string]hclsyntax.Expression{}, text: map[string]string{}}
	files, err := fs.Glob(os.DirFS(dir), "*.tf")
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, errors.New("no .tf files")
	}
	for _, name := range files {
		src, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return nil, err
		}
		f, diags := hclsyntax.ParseConfig(src, name, hcl.InitialPos)
		if diags.HasErrors() {
			return nil, diags
		}
		m.text[name] = string(src)
		for _, b := range f.Body.(*hclsyntax.Body).Blocks {
			m.addBlock(b, src)
		}
	}
	return m, nil
}

func (m *module) addBlock(b *hclsyntax.Block, src []byte) {
	switch b.Type {
	case "resource":
		m.resources = append(m.resources, &resource{b.Labels[0], b.Labels[1], bodyOf(b.Body, src)})
	case "locals":
		for name, a := range b.Body.Attributes {
			m.locals[name], m.exprs[name] = plainValue(a.Expr, src), a.Expr
		}
	default:
		m.blocks = append(m.blocks, b)
	}
}

// bodyOf makes a plain map of a block; dynamic blocks appear under the name of what they make.
func bodyOf(b *hclsyntax.Body, src []byte) map[string]any {
	out := map[string]any{}
	for name, a := range b.Attributes {
		out[name] = plainValue(a.Expr, src)
	}
	for _, n := range b.Blocks {
		name, inner := n.Type, n.Body
		if name == "dynamic" {
			name = n.Labels[0]
			for _, c := range n.Body.Blocks {
				inner = c.Body
			}
		}
		list, _ := out[name].([]any)
		out[name] = append(list, bodyOf(inner, src))
	}
	return out
}

// plainValue makes an ordinary value of an expression: map[string]any, []any, string, bool, int64, or a ref for
// whatever is no constant. jsonencode is looked through; merge and conditionals of objects give the union of their
// keys.
func plainValue(e hclsyntax.Expression, src []byte) any {
	text := ref(src[e.Range().Start.Byte:e.Range().End.Byte])
	switch e := e.(type) {
	case *hclsyntax.ObjectConsExpr:
		out := map[string]any{}
		for _, item := range e.Items {
			out[keyOf(item.KeyExpr, src)] = plainValue(item.ValueExpr, src)
		}
		return out
	case *hclsyntax.TupleConsExpr:
		out := []any{}
		for _, x := range e.Exprs {
			out = append(out, plainValue(x, src))
		}
		return out
	case *hclsyntax.FunctionCallExpr:
		switch e.Name {
		case "jsonencode":
			return plainValue(e.Args[0], src)
		case "merge":
			return unionOf(text, e.Args, src)
		}
	case *hclsyntax.ParenthesesExpr:
		return plainValue(e.Expression, src)
	case *hclsyntax.ConditionalExpr:
		return unionOf(text, []hclsyntax.Expression{e.TrueResult, e.FalseResult}, src)
	case *hclsyntax.ForExpr:
		if e.KeyExpr == nil {
			if v := plainValue(e.ValExpr, src); !isRef(v) {
				return v
			}
			return text // what it runs over says more than its variable
		}
		return map[string]any{keyOf(e.KeyExpr, src): plainValue(e.ValExpr, src)}
	}
	if len(e.Variables()) > 0 {
		return text
	}
	v, diags := e.Value(nil)
	if diags.HasErrors() || !v.IsKnown() || v.IsNull() {
		return text
	}
	return constantValue(v, text)
}

func isRef(v any) bool { _, is := v.(ref); return is }

// unionOf joins objects; anything else among them stays a ref.
func unionOf(text ref, of []hclsyntax.Expression, src []byte) any {
	out := map[string]any{}
	for _, x := range of {
		switch v := plainValue(x, src).(type) {
		case map[string]any:
			for k, w := range v {
				out[k] = w
			}
		case []any:
			for _, w := range v { // merge([…]...)
				if o, ok := w.(map[string]any); ok {
					for k, x := range o {
						out[k] = x
					}
				}
			}
		}
	}
	if len(out) == 0 {
		return text
	}
	return out
}

func constantValue(v cty.Value, text ref) any {
	switch v.Type() {
	case cty.String:
		return v.AsString()
	case cty.Bool:
		return v.True()
	case cty.Number:
		if n, accuracy := v.AsBigFloat().Int64(); accuracy == big.Exact {
			return n
		}
	}
	return text
}

// keyOf is an object key: a bare word, a string, or the text of a template.
func keyOf(e hclsyntax.Expression, src []byte) string {
	if k, ok := e.(*hclsyntax.ObjectConsKeyExpr); ok {
		if word := hcl.ExprAsKeyword(k.Wrapped); word != "" && !k.ForceNonLiteral {
			return word
		}
		e = k.Wrapped
	}
	if v, diags := e.Value(nil); !diags.HasErrors() && v.Type() == cty.String {
		return v.AsString()
	}
	return strings.Trim(string(src[e.Range().Start.Byte:e.Range().End.Byte]), `"`)
}

// findResource is the resource of that kind and name; nil and a problem when there is none.
func (s *site) findResource(m Module, kind, name string) *resource {
	for _, r := range s.modules[m].resources {
		if r.kind == kind && r.name == name {
			return r
		}
	}
	s.addProblem("%s: there is no %s.%s", m, kind, name)
	return &resource{kind: kind, name: name, attrs: map[string]any{}}
}

// resourcesOf are the resources of a kind.
func (m *module) resourcesOf(kind string) []*resource {
	var out []*resource
	for _, r := range m.resources {
		if r.kind == kind {
			out = append(out, r)
		}
	}
	return out
}

// armType is the ARM type of an azapi resource without its version; "" for others.
func (r *resource) armType() string {
	t, _ := r.attrs["type"].(string)
	t, _, _ = strings.Cut(t, "@")
	return t
}

// valueAt follows names into maps, and enters lists of one (nested blocks).
func valueAt(v any, path ...string) any {
	for _, name := range path {
		if list, ok := v.([]any); ok && len(list) == 1 {
			v = list[0]
		}
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[name]
	}
	return v
}

func (r *resource) attribute(path ...string) any { return valueAt(r.attrs, path...) }

// expectAttributes notes every path of want that has another value.
func (s *site) expectAttributes(m Module, r *resource, want map[string]any) {
	for path, w := range want {
		if got := r.attribute(strings.Split(path, ".")...); got != w {
			s.addProblem("%s: %s: %s is %v, want %v", m, r, path, got, w)
		}
	}
}

// textsOf makes a list of strings of v: a string, a ref, or a list of them.
func textsOf(v any) []string {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		var out []string
		for _, x := range v {
			out = append(out, textsOf(x)...)
		}
		return out
	}
	return []string{fmt.Sprint(v)}
}

// textOf is v as it is written; "" for nothing and for what is no single value.
func textOf(v any) string {
	switch v := v.(type) {
	case ref:
		return string(v)
	case string:
		return v
	}
	return ""
}
