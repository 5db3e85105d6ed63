package main

import (
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

const module = "github.com/onepane/onepane"

// packArtifact builds and wraps artefacts into a directory, with an SBOM each and the sums of all.
func packArtifact(out, version string, list []artefact) error {
	work, err := os.MkdirTemp("", "onepane-package")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	var sums strings.Builder
	for _, a := range list {
		binary := filepath.Join(work, a.name)
		if err := buildBinary(a, version, binary); err != nil {
			return err
		}
		sbom := a.name + ".cdx.json"
		if err := a.wrap(filepath.Join(out, a.name), binary); err != nil {
			return fmt.Errorf("%s: %w", a.name, err)
		}
		if err := writeSBOM(filepath.Join(out, sbom), a, version, binary); err != nil {
			return fmt.Errorf("%s: %w", sbom, err)
		}
		for _, name := range []string{a.name, sbom} {
			b, err := os.ReadFile(filepath.Join(out, name))
			if err != nil {
				return err
			}
			fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256(b), name)
		}
	}
	return os.WriteFile(filepath.Join(out, "SHA256SUMS"), []byte(sums.String()), 0o644)
}

// buildBinary links a binary that holds nothing of the machine it is built on. lambda.norpc leaves out a mode of Lambda
// that only its retired runtime uses.
func buildBinary(a artefact, version, to string) error {
	cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-tags", "lambda.norpc", "-ldflags", "-s -w -buildid= -X main.version="+version,
		"-o", to, module+"/functions/cmd/"+a.command)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+a.arch, "GOAMD64=v1", "GOARM64=v8.0", "GOFLAGS=-mod=readonly")
	if b, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s for %s: %w\n%s", a.command, a.arch, err, b)
	}
	return nil
}
