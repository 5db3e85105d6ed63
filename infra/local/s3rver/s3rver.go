// Package s3rver starts an S3-compatible server (npm s3rver) for tests. It checks signatures; it knows no conditional
// writes, no checksums and no encryption.
package s3rver

import (
	"path/filepath"
	"regexp"
	"testing"

	"github.com/onepane/onepane/infra/local/npm"
)

// The credentials that it takes.
const (
	ID     = "S3RVER"
	Secret = "S3RVER"
)

var listens = regexp.MustCompile(`listens on (http://[0-9.:]+)`)

// Start runs a server with one empty bucket until the test ends and gives its endpoint.
func Start(t testing.TB, bucket string) string {
	t.Helper()
	line := npm.Start(t, listens.MatchString, filepath.Join(npm.Dir(), "s3rver", "s3rver.js"), bucket, t.TempDir())
	return listens.FindStringSubmatch(line)[1]
}
