package main

import (
	"archive/zip"
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// epoch is the time of every file: the earliest that a zip can say.
var epoch = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)

// file is an entry of an archive.
type file struct {
	name string
	mode fs.FileMode
	body []byte
}

// wrapLambda makes a package of the runtime provided.al2023: a binary called bootstrap.
func wrapLambda(out, binary string) error {
	body, err := os.ReadFile(binary)
	if err != nil {
		return err
	}
	return writeZip(out, []file{{"bootstrap", 0o755, body}})
}

// wrapFunctions makes a package of Azure Functions: infra/azure/app, and the binary that host.json names.
func wrapFunctions(out, binary string) error {
	body, err := os.ReadFile(binary)
	if err != nil {
		return err
	}
	files := []file{{"handler", 0o755, body}}
	app, err := appDir()
	if err != nil {
		return err
	}
	err = fs.WalkDir(os.DirFS(app), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(name) != ".json" {
			return err
		}
		b, err := os.ReadFile(filepath.Join(app, name))
		files = append(files, file{name, 0o644, b})
		return err
	})
	if err != nil {
		return err
	}
	return writeZip(out, files)
}

// appDir is infra/azure/app of the module, wherever this is started.
func appDir() (string, error) {
	root, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", module).Output()
	return filepath.Join(strings.TrimSpace(string(root)), "infra", "azure", "app"), err
}

func writeZip(out string, files []file) error {
	slices.SortFunc(files, func(a, b file) int { return strings.Compare(a.name, b.name) })
	var buf bytes.Buffer
	z := zip.NewWriter(&buf)
	for _, f := range files {
		h := &zip.FileHeader{Name: f.name, Method: zip.Deflate, Modified: epoch}
		h.SetMode(f.mode)
		w, err := z.CreateHeader(h)
		if err == nil {
			_, err = w.Write(f.body)
		}
		if err != nil {
			return err
		}
	}
	if err := z.Close(); err != nil {
		return err
	}
	return os.WriteFile(out, buf.Bytes(), 0o644)
}
