package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/pem"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/go-json-experiment/json"
	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// descriptor points at a blob of the image (OCI image specification 1.1, "Content descriptors").
type descriptor struct {
	MediaType string            `json:"mediaType"`
	Digest    string            `json:"digest"`
	Size      int               `json:"size"`
	Platform  map[string]string `json:"platform,omitempty"`
}

// layout is an OCI image layout in the making.
type layout struct{ files []file }

// wrapImage makes an OCI image from nothing, as an image layout in a tar: no shell, no user, nothing to update but
// itself. Without a base image it brings the roots of TLS, Mozilla's by way of golang.org/x/crypto, whose version
// go.mod pins. Tools push it as it is: skopeo copy oci-archive:ingest-gcp.tar docker://REPOSITORY.
func wrapImage(out, binary string) error {
	body, err := os.ReadFile(binary)
	if err != nil {
		return err
	}
	plain, err := tarballOf([]file{
		{"etc/ssl/certs/ca-certificates.crt", 0o644, rootCertificates()}, {"ingest-gcp", 0o755, body}})
	if err != nil {
		return err
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed) // without name and time
	if _, err := z.Write(plain); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	l := &layout{}
	layer := l.addBlob("application/vnd.oci.image.layer.v1.tar+gzip", packed.Bytes())
	config, err := l.addJSON("application/vnd.oci.image.config.v1+json", map[string]any{
		"architecture": "amd64", "os": "linux", "created": epoch,
		"config": map[string]any{"User": "65532:65532", "Entrypoint": []string{"/ingest-gcp"}},
		"rootfs": map[string]any{"type": "layers", "diff_ids": []string{digestOf(plain)}},
	})
	if err != nil {
		return err
	}
	manifest, err := l.addJSON("application/vnd.oci.image.manifest.v1+json", map[string]any{
		"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "config": config, "layers": []descriptor{layer}})
	if err != nil {
		return err
	}
	return l.writeFiles(out, manifest)
}

func digestOf(b []byte) string { return fmt.Sprintf("sha256:%x", sha256.Sum256(b)) }

func (l *layout) addBlob(mediaType string, b []byte) descriptor {
	d := digestOf(b)
	l.files = append(l.files, file{"blobs/sha256/" + d[len("sha256:"):], 0o644, b})
	return descriptor{MediaType: mediaType, Digest: d, Size: len(b)}
}

func (l *layout) addJSON(mediaType string, v any) (descriptor, error) {
	b, err := json.Marshal(v, json.Deterministic(true))
	return l.addBlob(mediaType, b), err
}

// writeFiles puts the layout into a tar, and the digest that infra/gcp is given beside it.
func (l *layout) writeFiles(out string, manifest descriptor) error {
	manifest.Platform = map[string]string{"os": "linux", "architecture": "amd64"}
	index, err := json.Marshal(map[string]any{"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json",
		"manifests": []descriptor{manifest}}, json.Deterministic(true))
	if err != nil {
		return err
	}
	b, err := tarballOf(append(l.files, file{"oci-layout", 0o644, []byte(`{"imageLayoutVersion":"1.0.0"}`)}, file{"index.json", 0o644, index}))
	if err != nil {
		return err
	}
	if err := os.WriteFile(out, b, 0o644); err != nil {
		return err
	}
	return os.WriteFile(out+".digest", []byte(manifest.Digest+"\n"), 0o644)
}

// tarballOf packs files with the directories they lie in, in the order given, owned by nobody in particular.
func tarballOf(files []file) ([]byte, error) {
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	made := map[string]bool{".": true}
	var dir func(name string) error
	dir = func(name string) error {
		if made[name] {
			return nil
		}
		made[name] = true
		if err := dir(filepath.Dir(name)); err != nil {
			return err
		}
		return w.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: name + "/", Mode: 0o755, ModTime: epoch, Format: tar.FormatUSTAR})
	}
	for _, f := range files {
		if err := dir(filepath.Dir(f.name)); err != nil {
			return nil, err
		}
		h := &tar.Header{Typeflag: tar.TypeReg, Name: f.name, Mode: int64(f.mode & fs.ModePerm), Size: int64(len(f.body)), ModTime: epoch, Format: tar.FormatUSTAR}
		if err := w.WriteHeader(h); err != nil {
			return nil, err
		}
		if _, err := w.Write(f.body); err != nil {
			return nil, err
		}
	}
	err := w.Close()
	return buf.Bytes(), err
}

// rootCertificates are the certificate authorities in PEM; those that are trusted with conditions only are left out.
func rootCertificates() []byte {
	var out bytes.Buffer
	for r := range bundle.Roots() {
		if r.Constraint == nil {
			_ = pem.Encode(&out, &pem.Block{Type: "CERTIFICATE", Bytes: r.Certificate}) // a buffer takes all
		}
	}
	return out.Bytes()
}
