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
		pathFunction("get", cel.DynType, func(v any) any { return v }),
		pathFunction("text", cel.StringType, func(v any) any { return textOf(v) }),
		pathFunction("num", cel.DoubleType, func(v any) any { return numberOf(v) }),
		pathFunction("list", listType, func(v any) any { return elementsOf(v) }),
		cel.Function("text", overloadOf(cel.StringType, func(v any) any { return textOf(v) })),
		cel.Function("first", listFunction("first", cel.StringType, func(l []any) any { return firstNonEmpty(l) })),
		cel.Function("digest", listFunction("digest", cel.StringType, func(l []any) any { return digestOf(l) })),
		unaryFunction("lower", cel.StringType, func(s string) any { return trimAndLower(s) }),
		unaryFunction("filetime", cel.StringType, func(s string) any { return parseFiletime(s) }),
		unaryFunction("addresses", texts, func(s string) any { return ipAddressesIn(s) }),
		unaryFunction("emails", texts, func(s string) any { return emailsIn(s) }),
		binaryFunction("before", cel.StringType, func(s, sep string) any { b, _, _ := strings.Cut(s, sep); return b }),
		binaryFunction("after", cel.StringType, func(s, sep string) any { _, a, _ := strings.Cut(s, sep); return a }),
		binaryFunction("split", texts, func(s, sep string) any { return splitTrimmed(s, sep) }),
	)
})

// pathFunction declares a function of a value and a path into it: text(r, "a.b").
func pathFunction(name string, result *cel.Type, f func(any) any) cel.EnvOption {
	return cel.Function(name, cel.Overload(name+"_at", []*cel.Type{cel.DynType, cel.StringType}, result,
		cel.BinaryBinding(func(v, path ref.Val) ref.Val {
			p, _ := path.Value().(string)
			return types.DefaultTypeAdapter.NativeToValue(f(lookupPath(nativeValue(v), p)))
		})))
}

// overloadOf declares text of a value without path.
func overloadOf(result *cel.Type, f func(any) any) cel.FunctionOpt {
	return cel.Overload("text_of", []*cel.Type{cel.DynType}, result, cel.UnaryBinding(func(v ref.Val) ref.Val {
		return types.DefaultTypeAdapter.NativeToValue(f(nativeValue(v)))
	}))
}

// listFunction declares a function of a list.
func listFunction(name string, result *cel.Type, f func([]any) any) cel.FunctionOpt {
	return cel.Overload(name+"_of", []*cel.Type{listType}, result, cel.UnaryBinding(func(v ref.Val) ref.Val {
		return types.DefaultTypeAdapter.NativeToValue(f(elementsOf(nativeValue(v))))
	}))
}

// unaryFunction declares a function of one text.
func unaryFunction(name string, result *cel.Type, f func(string) any) cel.EnvOption {
	return cel.Function(name, cel.Overload(name+"_text", []*cel.Type{cel.StringType}, result, cel.UnaryBinding(func(v ref.Val) ref.Val {
		return types.DefaultTypeAdapter.NativeToValue(f(textOf(nativeValue(v))))
	})))
}

// binaryFunction declares a function of two texts.
func binaryFunction(name string, result *cel.Type, f func(a, b string) any) cel.EnvOption {
	return cel.Function(name, cel.Overload(name+"_texts", []*cel.Type{cel.StringType, cel.StringType}, result, cel.BinaryBinding(func(a, b ref.Val) ref.Val {
		return types.DefaultTypeAdapter.NativeToValue(f(textOf(nativeValue(a)), textOf(nativeValue(b))))
	})))
}

// firstNonEmpty is the first text that is no placeholder, "" when there is none.
func firstNonEmpty(list []any) string {
	for _, v := range list {
		if s := strings.TrimSpace(textOf(v)); !ingest.IsPlaceholder(s) {
			return s
		}
	}
	return ""
}

// digestOf is a hash of the parts in 32 hexadecimal digits.
func digestOf(list []any) string {
	h := sha256.New()
	for _, v := range list {
		h.Write([]byte(textOf(v) + "\x00"))
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

func trimAndLower(s string) string { return strings.ToLower(strings.TrimSpace(s)) }

// splitTrimmed splits s, trims the parts and drops empty ones.
func splitTrimmed(s, sep string) []string {
	out := []string{}
	for _, part := range strings.Split(s, sep) {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}

// parseFiletime reads a count of 100 ns since 1601 as RFC 3339. Anything outside 1970 to 2100 is returned as it is:
// such counts read as nanoseconds since 1970 would lie before 1980.
func parseFiletime(s string) string {
	n, err := strconv.ParseInt(s, 10, 64)
	const epoch, end = 116444736000000000, 157469184000000000
	if err != nil || n < epoch || n > end {
		return s
	}
	return time.Unix((n-epoch)/1e7, (n-epoch)%1e7*100).UTC().Format(time.RFC3339Nano)
}

// ipAddressesIn are the IP addresses among the words of text.
func ipAddressesIn(s string) []string {
	out := []string{}
	for _, w := range proseWords(s) {
		if a, err := netip.ParseAddr(strings.TrimRight(w, ".")); err == nil && !a.IsUnspecified() {
			out = append(out, a.String())
		}
	}
	return out
}

// emailsIn are the mail addresses among the words of text, without what a product writes before them ("123456789:").
func emailsIn(s string) []string {
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
