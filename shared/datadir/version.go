package datadir

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/shared/fault"
)

// Format is the number of the on-disk format: the keys of the package comment and the values behind them. A change
// that an older Onepane would misread raises it, and Open learns to bring older directories up to date.
const Format = 1

// version is the content of the file VERSION.
type version struct {
	Format int    `json:"format"`
	Writer string `json:"writer"`
}

// checkVersion reads the directory's format, or states it in a new one.
func checkVersion(fs vfs.FS, path, writer string) error {
	name := fs.PathJoin(path, "VERSION")
	f, err := fs.Open(name)
	if errors.Is(err, os.ErrNotExist) {
		return writeVersion(fs, path, version{Format, writer})
	}
	if err != nil {
		return fmt.Errorf("open %s: %w", name, err)
	}
	defer f.Close()
	var v version
	b, err := io.ReadAll(f)
	if err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	if err := json.Unmarshal(b, &v); err != nil || v.Format < 1 {
		return fault.Errorf(fault.Invalid, "%s is not the VERSION file of a data directory: give another directory, or restore this file (format %d)", name, Format)
	}
	if v.Format > Format {
		return fault.Errorf(fault.Invalid, "data directory %s has format %d, written by %s; this is %s, which knows formats up to %d: run the newer version, or give another directory",
			path, v.Format, v.Writer, writer, Format)
	}
	return nil
}

// writeVersion puts the file there whole: a crash leaves the old one, or none.
func writeVersion(fs vfs.FS, path string, v version) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	name := fs.PathJoin(path, "VERSION")
	if err := writeSynced(fs, name+".new", append(b, '\n')); err != nil {
		return fault.Errorf(kindOf(err), "write %s: %w", name, err)
	}
	if err := fs.Rename(name+".new", name); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	dir, err := fs.OpenDir(path)
	if err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	return errors.Join(dir.Sync(), dir.Close())
}

func writeSynced(fs vfs.FS, name string, b []byte) error {
	f, err := fs.Create(name, vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	return errors.Join(err, f.Sync(), f.Close())
}
