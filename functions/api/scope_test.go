package api

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// guarded are the server's contracts that tenants' data lies behind, free are all others.
var (
	guarded = []string{"Reader", "Actions", "Quarantine", "AuditLog", "Keys", "Exports", "Settings"}
	free    = []string{"Authenticate", "Limit", "Replayer", "Bus", "Ready", "BaseURL", "PortalURL", "Version", "Now", "Log"}
)

func TestHandlersUseTheTenantScope(t *testing.T) {
	names, err := filepath.Glob("*.go")
	if err != nil || len(names) < 20 {
		t.Fatalf("%d sources: %v", len(names), err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") || name == "scope.go" || name == "scope_reader.go" {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			use, ok := n.(*ast.SelectorExpr)
			if !ok || !slices.Contains(guarded, use.Sel.Name) {
				return true
			}
			if of := lastName(use.X); of == "server" {
				t.Errorf("%s: %s.%s is used beside the tenant scope in scope.go", name, of, use.Sel.Name)
			}
			return true
		})
	}
}

func TestEveryContractIsSorted(t *testing.T) {
	for f := range reflect.TypeFor[Server]().Fields() {
		if slices.Contains(guarded, f.Name) == slices.Contains(free, f.Name) {
			t.Errorf("Server.%s: does tenants' data lie behind it? Then bind it to the principal in scope.go and name it in guarded, else in free", f.Name)
		}
	}
}

func lastName(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	}
	return ""
}
