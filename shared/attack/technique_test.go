package attack

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// What a technique id looks like, in the words of a regular expression.
var techniqueID = regexp.MustCompile(`(?i)\bT\d{4}(\.\d{3})?\b`)

var techniqueTexts = []string{
	"", "T1059", "t1059.001", "T1059.0012", "T1059.01", "T1059.", "T10590", "xT1059", "_T1059", "éT1059é", "T1059_", "T1059-T1059.001,T1078",
	"T1059T1060", "T1059.001.002", "T1059.001T1060", "TT1059", "T105", "T", "attack.t1110.003", "T\u0661059", "T1059\xff",
}

func TestTechniquesAreFoundAsWords(t *testing.T) {
	for _, s := range techniqueTexts {
		sameTechniques(t, s)
	}
}

func FuzzTechniques(f *testing.F) {
	for _, s := range techniqueTexts {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) { sameTechniques(t, s) })
}

func sameTechniques(t *testing.T, s string) {
	t.Helper()
	var want []string
	for _, id := range techniqueID.FindAllString(s, -1) {
		if id = strings.ToUpper(id); !slices.Contains(want, id) {
			want = append(want, id)
		}
	}
	if got := FindTechniques(s); !slices.Equal(got, want) {
		t.Errorf("%q: %q, want %q", s, got, want)
	}
}
