package mapping

import (
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"github.com/onepane/onepane/functions/ingest"
)

var (
	listType = cel.ListType(cel.DynType)
	texts    = cel.ListType(cel.StringType)
)

// environment is what expressions may use: the record, the element, CEL's own functions and those below.
var environment = sync.OnceValues(func() (*cel.Env, error) {
	return cel.NewEnv(
		cel.Variable("r", cel.DynType), cel.Variable("it", cel.DynType),
		at("get", cel.DynType, func(v any) any { return v }),
		at("text", cel.StringType, func(v any) any { return spell(v) }),
		at("num", cel.DoubleType, func(v any) any { return numeric(v) }),
		at("list", listType, func(v any) any { return elements(v) }),
		cel.Function("text", of(cel.StringType, func(v any) any { return spell(v) })),
		cel.Function("first", listOf("first", cel.StringType, func(l []any) any { return first(l) })),
		cel.Function("digest", listOf("digest", cel.StringType, func(l []any) any { return digest(l) })),
		unary("lower", cel.StringType, func(s string) any { return lowered(s) }),
		unary("filetime", cel.StringType, func(s string) any { return filetime(s) }),
		unary("addresses", texts, func(s string) any { return addresses(s) }),
		unary("emails", texts, func(s string) any { return emails(s) }),
		binary("before", cel.StringType, func(s, sep string) any { b, _, _ := strings.Cut(s, sep); return b }),
		binary("after", cel.StringType, func(s, sep string) any { _, a, _ := strings.Cut(s, sep); return a }),
		binary("split", texts, func(s, sep string) any { return split(s, sep) }),
	)
})

// at declares a function of a value and a path into it.
func at(name string, result *cel.Type, f func(any) any) cel.EnvOption {
	return cel.Function(name, cel.Overload(name+"_at", []*cel.Type{cel.DynType, cel.StringType}, result,
		cel.BinaryBinding(func(v, path ref.Val) ref.Val {
			p, _ := path.Value().(string)
			return types.DefaultTypeAdapter.NativeToValue(f(lookup(native(v), p)))
		})))
}

func of(result *cel.Type, f func(any) any) cel.FunctionOpt {
	return cel.Overload("text_of", []*cel.Type{cel.DynType}, result, cel.UnaryBinding(func(v ref.Val) ref.Val {
		return types.DefaultTypeAdapter.NativeToValue(f(native(v)))
	}))
}

func listOf(name string, result *cel.Type, f func([]any) any) cel.FunctionOpt {
	return cel.Overload(name+"_of", []*cel.Type{listType}, result, cel.UnaryBinding(func(v ref.Val) ref.Val {
		return types.DefaultTypeAdapter.NativeToValue(f(elements(native(v))))
	}))
}

func unary(name string, result *cel.Type, f func(string) any) cel.EnvOption {
	return cel.Function(name, cel.Overload(name+"_text", []*cel.Type{cel.StringType}, result, cel.UnaryBinding(func(v ref.Val) ref.Val {
		return types.DefaultTypeAdapter.NativeToValue(f(spell(native(v))))
	})))
}

func binary(name string, result *cel.Type, f func(a, b string) any) cel.EnvOption {
	return cel.Function(name, cel.Overload(name+"_texts", []*cel.Type{cel.StringType, cel.StringType}, result, cel.BinaryBinding(func(a, b ref.Val) ref.Val {
		return types.DefaultTypeAdapter.NativeToValue(f(spell(native(a)), spell(native(b))))
	})))
}

func first(list []any) string {
	for _, v := range list {
		if s := strings.TrimSpace(spell(v)); !ingest.Placeholder(s) {
			return s
		}
	}
	return ""
}

// digest is 32 hexadecimal digits that follow from the parts.
func digest(list []any) string {
	h := sha256.New()
	for _, v := range list {
		h.Write([]byte(spell(v) + "\x00"))
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

func lowered(s string) string { return strings.ToLower(strings.TrimSpace(s)) }

// split gives the parts without the spaces around them; "" has none.
func split(s, sep string) []string {
	out := []string{}
	for _, part := range strings.Split(s, sep) {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}

// filetime reads 100 ns since 1601. The range is 1970 to 2100; as nanoseconds since 1970 it would all lie before 1980.
func filetime(s string) string {
	n, err := strconv.ParseInt(s, 10, 64)
	const epoch, end = 116444736000000000, 157469184000000000
	if err != nil || n < epoch || n > end {
		return s
	}
	return time.Unix((n-epoch)/1e7, (n-epoch)%1e7*100).UTC().Format(time.RFC3339Nano)
}

// addresses are the IP addresses among the words of text.
func addresses(s string) []string {
	out := []string{}
	for _, w := range proseWords(s) {
		if a, err := netip.ParseAddr(strings.TrimRight(w, ".")); err == nil && !a.IsUnspecified() {
			out = append(out, a.String())
		}
	}
	return out
}

// emails are the mail addresses among the words of text, without what a product writes before them ("123456789:").
func emails(s string) []string {
	out := []string{}
	for _, w := range proseWords(s) {
		w = strings.TrimRight(w[strings.LastIndexByte(w, ':')+1:], ".")
		if name, domain, ok := strings.Cut(w, "@"); ok && name != "" && strings.Contains(domain, ".") {
			out = append(out, w)
		}
	}
	return out
}

func proseWords(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(" \t\r\n,;()[]<>\"'/", r) })
}
