package clients

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/onepane/onepane/infra/local/npm"
)

const root = "../../.."

// TestReadme runs the README's example of the client for JavaScript, as written but for the host, and finds its line of
// Go in the walk, the versions that it names in the manifests.
func TestReadme(t *testing.T) {
	text := read(t, "README.md")
	_, rest, found := strings.Cut(text, "    const client = Client.init(")
	example, _, ended := strings.Cut(rest, "\n\n")
	if !found || !ended {
		t.Fatal("the README shows no client for JavaScript")
	}
	for file, has := range map[string]string{
		"functions/api/graphtest/client_test.go": `adapter.SetBaseUrl(`, "functions/api/graphtest/go.mod": "msgraph-sdk-go v1.89.0",
		"infra/local/package.json": `"@microsoft/microsoft-graph-client": "3.0.7"`,
	} {
		if !strings.Contains(read(t, file), has) {
			t.Errorf("%s has no %s, which the README tells of", file, has)
		}
	}
	npm.Install(t)
	s := open(t)
	s.furnish()
	example = strings.NewReplacer("https://onepane.example", s.url, "onepane.example", "127.0.0.1").Replace("const client = Client.init(" + example)
	script := `const { Client } = require('@microsoft/microsoft-graph-client'); const token = process.env.TOKEN;
(async () => { ` + example + `
if (!(value.length > 3 && value.every((i) => i.alerts.length > 0))) throw new Error(JSON.stringify(value)); })();`
	cmd := exec.Command("node", "-e", script)
	cmd.Dir, cmd.Env = npm.Dir(), append(os.Environ(), "TOKEN="+s.admin, "NODE_EXTRA_CA_CERTS="+s.ca)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root, file))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
