package clients

import (
	"path/filepath"
	"testing"

	"github.com/onepane/onepane/infra/local/npm"
)

// TestJavaScript walks the API with Microsoft's client for JavaScript.
func TestJavaScript(t *testing.T) {
	npm.Install(t)
	visit(t, npm.Dir(), "node", filepath.Join(npm.Dir(), "graphclient", "walk.js"))
}
