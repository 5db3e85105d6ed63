// Package azurite starts Microsoft's blob storage emulator (npm azurite) for tests.
package azurite

import (
	"crypto/rand"
	"encoding/base64"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/onepane/onepane/infra/local/npm"
)

var listens = regexp.MustCompile(`listens on (https?://[0-9.:]+)`)

// Account is a running blob service with one account.
type Account struct {
	URL        string // "http://127.0.0.1:1234/onepane"
	Connection string // lets a client in with every right
}

// Start runs an empty blob service until the test ends and gives its connection string.
func Start(t testing.TB) string {
	t.Helper()
	return startServer(t).Connection
}

// StartTLS runs one with a certificate and its key, in PEM. It takes bearer tokens as well: of issuer
// "https://sts.windows.net/…", for "https://storage.azure.com", in time; it does not check their signatures.
func StartTLS(t testing.TB, certificate, key string) Account {
	t.Helper()
	dir := t.TempDir()
	files := map[string]string{"certificate.pem": certificate, "key.pem": key}
	for name, text := range files {
		files[name] = filepath.Join(dir, name)
		if err := os.WriteFile(files[name], []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return startServer(t, "--oauth", "basic", "--cert", files["certificate.pem"], "--key", files["key.pem"])
}

func startServer(t testing.TB, args ...string) Account {
	t.Helper()
	secret := make([]byte, 32)
	if _, err := rand.Read(secret); err != nil {
		t.Fatal(err)
	}
	const account = "onepane"
	key := base64.StdEncoding.EncodeToString(secret)
	args = append([]string{account + ":" + key, "--blobHost", "127.0.0.1", "--blobPort", "0", "--location", t.TempDir(),
		"--disableTelemetry", "--skipApiVersionCheck", "--silent"}, args...)
	line := npm.Start(t, listens.MatchString, filepath.Join(npm.Dir(), "azurite", "azurite.js"), args...)
	url := listens.FindStringSubmatch(line)[1] + "/" + account
	protocol, _, _ := strings.Cut(url, ":")
	return Account{url, "DefaultEndpointsProtocol=" + protocol + ";AccountName=" + account + ";AccountKey=" + key + ";BlobEndpoint=" + url + ";"}
}
