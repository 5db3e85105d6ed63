package cosmosdb

import "testing"

func TestNames(t *testing.T) {
	for name, want := range map[string]string{
		"contoso":       "contoso",
		"a/b \"ü\"\\":   "a/b \"ü\"\\",
		"":              "",
		"a\x00":         "~YQA",
		"~YQA":          "~fllRQQ",
		"\U0001f600":    "~8J-YgA",
		"line\nfeed":    "~bGluZQpmZWVk",
		"no\xffunicode": "~bm__dW5pY29kZQ",
	} {
		if got := EscapeName(name); got != want {
			t.Errorf("partitionOf(%q) = %q, want %q", name, got, want)
		}
		if got := UnescapeName(want); got != name {
			t.Errorf("nameOf(%q) = %q, want %q", want, got, name)
		}
	}
}
