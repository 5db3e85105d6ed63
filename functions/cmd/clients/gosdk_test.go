package clients

import (
	"os"
	"testing"
)

// TestGo walks the API with Microsoft's SDK for Go, a module of its own.
func TestGo(t *testing.T) {
	if os.Getenv("ONEPANE_TEST_GRAPH_SDK") == "" {
		t.Skip("the SDK takes five minutes of a core and 5 GB to build: `make clients` runs it")
	}
	visit(t, "../../api/graphtest", "go", "test", "-count=1", "-v", ".")
}
