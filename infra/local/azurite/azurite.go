// Package azurite starts Microsoft's blob storage emulator (npm azurite) for tests.
package azurite

import (
	"crypto/rand"
	"encoding/base64"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/onepane/onepane/infra/local/npm"
)

var listens = regexp.MustCompile(`listens on (http://[0-9.:]+)`)

// Start runs an empty blob service until the test ends and gives its connection string.
func Start(t testing.TB) string {
	t.Helper()
	secret := make([]byte, 32)
	if _, err := rand.Read(secret); err != nil {
		t.Fatal(err)
	}
	const account = "onepane"
	key := base64.StdEncoding.EncodeToString(secret)
	line := npm.Start(t, listens.MatchString, filepath.Join(npm.Dir(), "azurite", "azurite.js"), account+":"+key,
		"--blobHost", "127.0.0.1", "--blobPort", "0", "--location", t.TempDir(), "--disableTelemetry", "--skipApiVersionCheck", "--silent")
	url := listens.FindStringSubmatch(line)[1] + "/" + account
	return "DefaultEndpointsProtocol=http;AccountName=" + account + ";AccountKey=" + key + ";BlobEndpoint=" + url + ";"
}
