package layout

import (
	"go/ast"
	"go/token"
	"strings"
	"unicode"
)

// What can be counted of how the code reads (style guide, "Words"), in files that are no tests.
const (
	// MaxMethods and MaxMethodFiles bound a receiver: one that needs more is a package, or several types.
	MaxMethods, MaxMethodFiles = 30, 4
	// MaxFileLines and MaxFunctionLines bound a file and a function; of functions MaxLongShare may be longer.
	MaxFileLines, MaxFunctionLines = 500, 60
	MaxLongShare                   = 0.01
	// MaxOneWordShare is the share of functions that one lower-case word names: verb and object say more.
	MaxOneWordShare = 0.15
	// MaxCommentColumns bounds a line with nothing but a comment, a tab counting as 4.
	MaxCommentColumns = 120
)

// Taken are words that had a private meaning once, or two, with what to say instead. None is part of a name that the
// project declares. Params of correlation keep theirs, for tenants' settings name them.
var Taken = map[string]string{
	"apart":     "splitFrom, or a gap",
	"aside":     "deadLettered or quarantine",
	"bearer":    "resolveHost; a bearer token is a token",
	"borrower":  "alias",
	"clue":      "deferred link",
	"clues":     "deferred links",
	"deed":      "action result",
	"door":      "auth or tenant scope",
	"doors":     "auth or tenant scope",
	"drip":      "recurring noise",
	"dripping":  "is recurring",
	"endless":   "is indicator",
	"hindsight": "revisit",
	"ledger":    "Documents or AuditLog",
	"lend":      "alias",
	"living":    "survivorOf or requireActive",
	"patiently": "with retries",
	"retell":    "resummarize",
	"rival":     "unknown-attack rate",
	"shelf":     "quarantine",
	"stretch":   "range",
	"stride":    "page",
	"telling":   "novelty",
	"tie":       "link",
	"ties":      "links",
	"unled":     "unreferenced blobs",
	"witness":   "evidence mapper",
}

// isOneWord reports whether an unexported function is named by one lower-case word. main, init and _ are of the
// language.
func isOneWord(name string) bool {
	return name != "main" && name != "init" && name != "_" && unicode.IsLower(rune(name[0])) && strings.ToLower(name) == name
}

// wordsOf splits a Go name into its words, in lower case: "splitHTTPBody" is "split", "httpbody".
func wordsOf(name string) []string {
	var words []string
	start, runes := 0, []rune(name)
	for i := 1; i <= len(runes); i++ {
		if i == len(runes) || unicode.IsUpper(runes[i]) && !unicode.IsUpper(runes[i-1]) || runes[i] == '_' {
			if w := strings.Trim(string(runes[start:i]), "_"); w != "" {
				words = append(words, strings.ToLower(w))
			}
			start = i
		}
	}
	return words
}

// declaredNames are the names that a file declares: of packages' things, fields, methods, parameters and variables.
func declaredNames(f *ast.File) []*ast.Ident {
	var out []*ast.Ident
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			out = append(out, n.Name)
		case *ast.TypeSpec:
			out = append(out, n.Name)
		case *ast.ValueSpec:
			out = append(out, n.Names...)
		case *ast.Field:
			out = append(out, n.Names...)
		case *ast.AssignStmt:
			if n.Tok == token.DEFINE {
				out = append(out, identsOf(n.Lhs)...)
			}
		case *ast.RangeStmt:
			if n.Tok == token.DEFINE {
				out = append(out, identsOf([]ast.Expr{n.Key, n.Value})...)
			}
		}
		return true
	})
	return out
}

func identsOf(exprs []ast.Expr) []*ast.Ident {
	var out []*ast.Ident
	for _, e := range exprs {
		if id, ok := e.(*ast.Ident); ok {
			out = append(out, id)
		}
	}
	return out
}

// receiverOf is the name of the type that a method is of, "" for a function.
func receiverOf(fn *ast.FuncDecl) string {
	if fn.Recv == nil {
		return ""
	}
	t := fn.Recv.List[0].Type
	for {
		switch x := t.(type) {
		case *ast.StarExpr:
			t = x.X
		case *ast.IndexExpr:
			t = x.X
		case *ast.IndexListExpr:
			t = x.X
		case *ast.Ident:
			return x.Name
		default:
			return ""
		}
	}
}
