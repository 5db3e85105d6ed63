package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/x509"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/infra/contract"
)

// TestTwoBuildsAreTheSameBytes packs everything for this kind of machine twice and looks into what came out.
func TestTwoBuildsAreTheSameBytes(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: this test builds every binary twice")
	}
	list := slices.DeleteFunc(slices.Clone(artefacts), func(a artefact) bool { return a.arch != "amd64" })
	one, two := t.TempDir(), t.TempDir()
	for _, dir := range []string{one, two} {
		if err := packArtifact(dir, "v1.2.3", list); err != nil {
			t.Fatal(err)
		}
	}
	entries, err := os.ReadDir(one)
	if err != nil || len(entries) != 2*len(list)+2 {
		t.Fatalf("%v: %d files, want an SBOM each, a digest and the sums beside %d", err, len(entries), len(list))
	}
	for _, e := range entries {
		a, b := read(t, one, e.Name()), read(t, two, e.Name())
		if !bytes.Equal(a, b) {
			t.Errorf("%s differs between two builds", e.Name())
		}
		if e.Name() != "SHA256SUMS" && !strings.HasSuffix(e.Name(), ".digest") && !bytes.Contains(read(t, one, "SHA256SUMS"), []byte("  "+e.Name()+"\n")) {
			t.Errorf("%s is not in SHA256SUMS", e.Name())
		}
	}
	t.Run("lambda", func(t *testing.T) {
		if got := modes(t, read(t, one, "ingest-aws-amd64.zip")); len(got) != 1 || got["bootstrap"] != 0o755 {
			t.Errorf("holds %v", got)
		}
	})
	t.Run("functions", func(t *testing.T) {
		got := modes(t, read(t, one, "azure.zip"))
		if got["handler"] != 0o755 || got["host.json"] != 0o644 {
			t.Errorf("holds %v", got)
		}
		for _, f := range contract.Functions {
			if got[f.Name+"/function.json"] == 0 {
				t.Errorf("%s has no function.json", f.Name)
			}
		}
	})
	t.Run("image", func(t *testing.T) {
		lookAtImage(t, read(t, one, "ingest-gcp.tar"), string(read(t, one, "ingest-gcp.tar.digest")))
	})
	t.Run("sbom", func(t *testing.T) {
		text := string(read(t, one, "ingest-gcp.tar.cdx.json"))
		for _, part := range []string{`"bomFormat": "CycloneDX"`, "pkg:golang/github.com/go-json-experiment/json@v", "pkg:golang/std@go1", `"version": "v1.2.3"`} {
			if !strings.Contains(text, part) {
				t.Errorf("no %s in it", part)
			}
		}
	})
}

func read(t *testing.T, dir, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// modes are the files of a zip with their permissions.
func modes(t *testing.T, b []byte) map[string]os.FileMode {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]os.FileMode{}
	for _, f := range z.File {
		out[f.Name] = f.Mode().Perm()
	}
	return out
}

func untar(t *testing.T, r io.Reader) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	for tr := tar.NewReader(r); ; {
		h, err := tr.Next()
		if err == io.EOF {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		if out[h.Name], err = io.ReadAll(tr); err != nil {
			t.Fatal(err)
		}
	}
}

// lookAtImage follows the image from its index to its layer, holding every digest against its blob.
func lookAtImage(t *testing.T, image []byte, printed string) {
	files := untar(t, bytes.NewReader(image))
	blob := func(d descriptor) []byte {
		b := files["blobs/sha256/"+strings.TrimPrefix(d.Digest, "sha256:")]
		if digestOf(b) != d.Digest || len(b) != d.Size {
			t.Fatalf("%s of %d bytes is not what its descriptor says", d.Digest, d.Size)
		}
		return b
	}
	var index struct {
		Manifests []descriptor `json:"manifests"`
	}
	decode(t, files["index.json"], &index)
	if got := index.Manifests[0].Digest; got != strings.TrimSpace(printed) {
		t.Errorf("the digest file says %s, the index %s", printed, got)
	}
	var manifest struct {
		Config descriptor   `json:"config"`
		Layers []descriptor `json:"layers"`
	}
	decode(t, blob(index.Manifests[0]), &manifest)
	var config struct {
		Config struct{ User string } `json:"config"`
		RootFS struct {
			Layers []string `json:"diff_ids"`
		} `json:"rootfs"`
	}
	decode(t, blob(manifest.Config), &config)
	z, err := gzip.NewReader(bytes.NewReader(blob(manifest.Layers[0])))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(z)
	if err != nil || config.RootFS.Layers[0] != digestOf(plain) || strings.HasPrefix(config.Config.User, "0") || config.Config.User == "" {
		t.Errorf("config %+v does not fit the layer (%v)", config, err)
	}
	layer := untar(t, bytes.NewReader(plain))
	if pool := x509.NewCertPool(); !pool.AppendCertsFromPEM(layer["etc/ssl/certs/ca-certificates.crt"]) || len(layer["ingest-gcp"]) < 1<<20 {
		t.Error("the layer lacks the binary or the roots")
	}
}

func decode(t *testing.T, b []byte, v any) {
	t.Helper()
	if err := json.Unmarshal(b, v, json.MatchCaseInsensitiveNames(true)); err != nil {
		t.Fatal(err)
	}
}
