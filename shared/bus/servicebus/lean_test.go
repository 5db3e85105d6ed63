package servicebus_test

import (
	"os/exec"
	"strings"
	"testing"
)

// A function that only publishes starts cold: what costs there stays out of this package.
func TestStaysLean(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", ".").CombinedOutput()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, out)
	}
	for _, dear := range []string{"/azidentity", "/azblob", "github.com/cloudevents/"} {
		for dep := range strings.Lines(string(out)) {
			if strings.Contains(dep, dear) {
				t.Errorf("it pulls in %s", strings.TrimSpace(dep))
			}
		}
	}
}
