// Package file exports to files: JSON lines, one file a day, or Parquet, a file for each place of a batch. For those
// who collect files, and for looking.
//
//	records ──▶ DIR/NAME-20260303.ndjson ──fsync──▶ taken
//	        └─▶ Pack ─▶ DIR/PLACE/NAME.parquet.part ──fsync──▶ rename ─▶ taken
package file

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/onepane/onepane/functions/export"
	"github.com/onepane/onepane/shared/fault"
)

// Target writes files. A line is whole or not there: what a crash tore is cut off before more is written. So is a file
// of Parquet: until it is whole its name ends in ".part".
type Target struct {
	Dir  string
	Name string
	Pack export.Packer
	// Whole writes a file for each object of a batch, for formats that nothing can be appended to.
	Whole bool
	Now   func() time.Time
}

// Encode implements export.Target.
func (t *Target) Encode(r export.Row) ([]byte, error) { return t.Pack.Encode(r) }

// Limits implements export.Target.
func (t *Target) Limits() export.Limits { return t.Pack.Limits() }

// Send implements export.Target. A full disk is fault.Exhausted.
func (t *Target) Send(_ context.Context, records []export.Record) (int, error) {
	if t.Whole {
		objects, err := t.Pack.Pack(records)
		if err != nil {
			return 0, err
		}
		for _, o := range objects {
			if err := writeWhole(filepath.Join(t.Dir, filepath.FromSlash(o.Key)), o.Data); err != nil {
				return 0, classifyError(err)
			}
		}
		return len(records), nil
	}
	if err := t.appendLines(export.JoinLines(records)); err != nil {
		return 0, classifyError(err)
	}
	return len(records), nil
}

func classifyError(err error) error {
	if errors.Is(err, syscall.ENOSPC) {
		return fault.Errorf(fault.Exhausted, "write: %w", err)
	}
	return fmt.Errorf("write: %w", err)
}

// writeWhole makes a file, or makes it again.
func writeWhole(path string, data []byte) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return err
	}
	part := path + ".part"
	f, err := os.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o640)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(part, path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(part))
	}
	return syncDir(dir)
}

// syncDir makes the names in a directory last.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func (t *Target) appendLines(data []byte) (err error) {
	if err := os.MkdirAll(t.Dir, 0o750); err != nil {
		return err
	}
	path := filepath.Join(t.Dir, t.Name+"-"+t.Now().UTC().Format("20060102")+".ndjson")
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o640)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	end, err := wholeLinesEnd(f)
	if err != nil {
		return err
	}
	if err := f.Truncate(end); err != nil {
		return err
	}
	if _, err := f.WriteAt(data, end); err != nil {
		return errors.Join(err, f.Truncate(end))
	}
	return f.Sync()
}

// wholeLinesEnd is where the last whole line of f ends.
func wholeLinesEnd(f *os.File) (int64, error) {
	end, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return 0, err
	}
	buf := make([]byte, 64<<10)
	for end > 0 {
		n := min(end, int64(len(buf)))
		if _, err := f.ReadAt(buf[:n], end-n); err != nil {
			return 0, err
		}
		if at := bytes.LastIndexByte(buf[:n], '\n'); at >= 0 {
			return end - n + int64(at) + 1, nil
		}
		end -= n
	}
	return 0, nil
}
