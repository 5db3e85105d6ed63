package mapping

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"go.yaml.in/yaml/v3"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/entity"
)

//go:embed products/*.yaml
var embedded embed.FS

// BuiltinProducts are the built-in mappings.
func BuiltinProducts() fs.FS {
	sub, err := fs.Sub(embedded, "products")
	if err != nil {
		panic(err) // the folder is part of this package
	}
	return sub
}

// Load reads every *.yaml at the top of the given folders and returns a Provider for each, in the order of their file
// names. A file in a later folder replaces one of the same name. The error lists every mistake of every file, each as
// "file:line: key: what is wrong".
func Load(folders ...fs.FS) ([]ingest.Provider, error) {
	files := map[string]fs.FS{}
	var mistakes []error
	for _, folder := range folders {
		names, err := fs.Glob(folder, "*.yaml")
		if err != nil {
			return nil, fmt.Errorf("list mappings: %w", err)
		}
		for _, name := range names {
			files[name] = folder
		}
	}
	var out []ingest.Provider
	products := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		p, err := readFile(files[name], name)
		if err != nil {
			mistakes = append(mistakes, err)
			continue
		}
		if other := products[p.Name()]; other != "" {
			mistakes = append(mistakes, fmt.Errorf("%s: product: %q is the product of %s already", name, p.Name(), other))
		}
		products[p.Name()] = name
		out = append(out, p)
	}
	if len(mistakes) > 0 {
		return nil, errors.Join(mistakes...)
	}
	return out, nil
}

// file is a mapping as written. The package comment says what each key means.
type file struct {
	Product        string          `yaml:"product"`
	Name           string          `yaml:"name"`
	Fields         []string        `yaml:"fields"`
	Match          expr            `yaml:"match"`
	Ignore         expr            `yaml:"ignore"`
	Class          expr            `yaml:"class"`
	ID             expr            `yaml:"id"`
	ReportID       expr            `yaml:"report_id"`
	CarriedIDs     expr            `yaml:"carried_ids"`
	Members        expr            `yaml:"members"`
	CorrelationKey expr            `yaml:"correlation_key"`
	Type           expr            `yaml:"type"`
	Title          expr            `yaml:"title"`
	Description    expr            `yaml:"description"`
	Recommendation expr            `yaml:"recommendation"`
	URL            expr            `yaml:"url"`
	Severity       wordKeys        `yaml:"severity"`
	Status         wordKeys        `yaml:"status"`
	First          expr            `yaml:"first"`
	Last           expr            `yaml:"last"`
	Updated        expr            `yaml:"updated"`
	Count          expr            `yaml:"count"`
	Account        accountKeys     `yaml:"account"`
	Tactics        expr            `yaml:"tactics"`
	Techniques     expr            `yaml:"techniques"`
	Extra          map[string]expr `yaml:"extra"`
	Evidence       []evidenceKeys  `yaml:"evidence"`
}

type wordKeys struct {
	Native expr              `yaml:"native"`
	Value  expr              `yaml:"value"`
	Words  map[string]string `yaml:"words"`
}

type accountKeys struct {
	Cloud        expr `yaml:"cloud"`
	ID           expr `yaml:"id"`
	Name         expr `yaml:"name"`
	Organization expr `yaml:"organization"`
	Region       expr `yaml:"region"`
}

type evidenceKeys struct {
	Each       expr            `yaml:"each"`
	When       expr            `yaml:"when"`
	Kind       string          `yaml:"kind"`
	Role       string          `yaml:"role"`
	Verdict    string          `yaml:"verdict"`
	Value      expr            `yaml:"value"`
	Name       expr            `yaml:"name"`
	Aliases    []aliasKeys     `yaml:"aliases"`
	Attributes map[string]expr `yaml:"attributes"`
}

type aliasKeys struct {
	Kind  string `yaml:"kind"`
	Value expr   `yaml:"value"`
}

// readFile decodes and compiles one file. Unknown keys are mistakes: they are nearly always misspelt ones.
func readFile(folder fs.FS, name string) (*Provider, error) {
	b, err := fs.ReadFile(folder, name)
	if err != nil {
		return nil, fmt.Errorf("read mapping: %w", err)
	}
	var p Provider
	dec := yaml.NewDecoder(bytes.NewReader(b))
	dec.KnownFields(true)
	if err := dec.Decode(&p.file); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	env, err := environment()
	if err != nil {
		return nil, err
	}
	c := compiler{env: env, file: path.Base(name)}
	c.compileFile(&p.file)
	return &p, errors.Join(c.mistakes...)
}

// compiler turns expressions into programs and collects what is wrong with them.
type compiler struct {
	env      *cel.Env
	file     string
	mistakes []error
}

func (c *compiler) compileFile(m *file) {
	c.checkRequired(m)
	for _, k := range []struct {
		key  string
		x    *expr
		want *cel.Type
	}{
		{"match", &m.Match, cel.BoolType}, {"ignore", &m.Ignore, cel.StringType}, {"class", &m.Class, cel.StringType},
		{"id", &m.ID, cel.StringType}, {"report_id", &m.ReportID, cel.StringType}, {"type", &m.Type, cel.StringType},
		{"title", &m.Title, cel.StringType}, {"description", &m.Description, cel.StringType},
		{"recommendation", &m.Recommendation, cel.StringType}, {"url", &m.URL, cel.StringType},
		{"correlation_key", &m.CorrelationKey, cel.StringType}, {"carried_ids", &m.CarriedIDs, listType},
		{"members", &m.Members, listType}, {"tactics", &m.Tactics, listType}, {"techniques", &m.Techniques, listType},
		{"severity.native", &m.Severity.Native, cel.StringType}, {"severity.value", &m.Severity.Value, cel.StringType},
		{"status.native", &m.Status.Native, cel.StringType}, {"status.value", &m.Status.Value, cel.StringType},
		{"first", &m.First, cel.StringType}, {"last", &m.Last, cel.StringType}, {"updated", &m.Updated, cel.StringType},
		{"count", &m.Count, cel.DoubleType}, {"account.cloud", &m.Account.Cloud, cel.StringType},
		{"account.id", &m.Account.ID, cel.StringType}, {"account.name", &m.Account.Name, cel.StringType},
		{"account.organization", &m.Account.Organization, cel.StringType}, {"account.region", &m.Account.Region, cel.StringType},
	} {
		c.compileExpr(k.key, k.x, k.want)
	}
	c.compileExprs("extra", m.Extra)
	for i := range m.Evidence {
		c.compileEvidence(fmt.Sprintf("evidence[%d]", i), &m.Evidence[i])
	}
}

// checkRequired checks the words that are no expressions.
func (c *compiler) checkRequired(m *file) {
	if m.Product == "" {
		c.addMistake(0, "product", "missing")
	}
	if len(m.Fields) == 0 {
		c.addMistake(0, "fields", "missing; name the top-level members that every record of the product has")
	}
	if m.ID.isAbsent() {
		c.addMistake(0, "id", "missing")
	}
	for word, s := range m.Severity.Words {
		if sev := alert.ParseSeverity(s); string(sev) != s {
			c.addMistake(0, "severity.words."+word, "%q is no severity", s)
		}
	}
	for word, s := range m.Status.Words {
		if st := alert.ParseStatus(s); string(st) != s && s != "inProgress" {
			c.addMistake(0, "status.words."+word, "%q is no status (new, inProgress, resolved)", s)
		}
	}
}

func (c *compiler) compileEvidence(key string, row *evidenceKeys) {
	c.checkKind(key, row.Kind)
	if !slices.Contains([]string{"", "attacker", "victim", "context"}, row.Role) {
		c.addMistake(row.Value.line, key+".role", "%q is no role (attacker, victim, context)", row.Role)
	}
	if !slices.Contains([]string{"", "suspicious", "malicious", "noThreatsFound"}, row.Verdict) {
		c.addMistake(row.Value.line, key+".verdict", "%q is no verdict (suspicious, malicious, noThreatsFound)", row.Verdict)
	}
	if row.Value.isAbsent() {
		c.addMistake(0, key+".value", "missing")
	}
	c.compileExpr(key+".each", &row.Each, listType)
	c.compileExpr(key+".when", &row.When, cel.BoolType)
	c.compileExpr(key+".value", &row.Value, cel.StringType)
	c.compileExpr(key+".name", &row.Name, cel.StringType)
	c.compileExprs(key+".attributes", row.Attributes)
	for i := range row.Aliases {
		alias := fmt.Sprintf("%s.aliases[%d]", key, i)
		c.checkKind(alias, row.Aliases[i].Kind)
		c.compileExpr(alias+".value", &row.Aliases[i].Value, nil)
	}
}

func (c *compiler) checkKind(key, word string) {
	if k := entity.ParseKind(word); string(k) != word {
		c.addMistake(0, key+".kind", "%q is no kind of entity", word)
	}
}

func (c *compiler) compileExprs(key string, m map[string]expr) {
	for _, name := range slices.Sorted(maps.Keys(m)) {
		x := m[name]
		c.compileExpr(key+"."+name, &x, cel.StringType)
		m[name] = x
	}
}

// compileExpr compiles one expression and checks what it gives; any type does where want is nil.
func (c *compiler) compileExpr(key string, x *expr, want *cel.Type) {
	if x.isAbsent() {
		return
	}
	ast, issues := c.env.Compile(x.source)
	if err := issues.Err(); err != nil {
		c.addMistake(x.line, key, "%s", strings.TrimPrefix(firstLine(err.Error()), "ERROR: "))
		return
	}
	if got := ast.OutputType(); want != nil && !want.IsAssignableType(got) && got.Kind() != cel.DynKind {
		c.addMistake(x.line, key, "gives %s, must give %s", got, want)
		return
	}
	prg, err := c.env.Program(ast, cel.EvalOptions(cel.OptOptimize))
	if err != nil {
		c.addMistake(x.line, key, "%v", err)
		return
	}
	x.program = prg
}

func (c *compiler) addMistake(line int, key, format string, args ...any) {
	at := c.file
	if line > 0 {
		at = fmt.Sprintf("%s:%d", at, line)
	}
	c.mistakes = append(c.mistakes, fmt.Errorf("%s: %s: %s", at, key, fmt.Sprintf(format, args...)))
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}
