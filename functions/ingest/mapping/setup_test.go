package mapping

import (
	"os"
	"testing"

	"github.com/onepane/onepane/functions/ingest"
)

func product(t testing.TB, name string) ingest.Provider {
	t.Helper()
	for _, p := range load(t) {
		if p.Name() == name {
			return p
		}
	}
	t.Fatalf("no mapping of %s", name)
	return nil
}

func record(body string) ingest.Record { return ingest.NewRecord([]byte(body), nil) }

func recording(t testing.TB, file string) []byte {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
