package mapping

import (
	"os"
	"testing"

	"github.com/onepane/onepane/functions/ingest"
)

func builtinProvider(t testing.TB, name string) ingest.Provider {
	t.Helper()
	for _, p := range loadBuiltin(t) {
		if p.Name() == name {
			return p
		}
	}
	t.Fatalf("no mapping of %s", name)
	return nil
}

func recordOf(body string) ingest.Record { return ingest.NewRecord([]byte(body), nil) }

func readRecording(t testing.TB, file string) []byte {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
