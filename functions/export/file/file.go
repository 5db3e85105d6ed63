// Package file exports to files of JSON lines, one a day: for those who collect files, and for looking.
//
//	records ──▶ DIR/NAME-20260303.ndjson ──fsync──▶ taken
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

// Target appends to files. A line is whole or not there: what a crash tore is cut off before more is written.
type Target struct {
	Dir    string
	Name   string
	Write  export.Encoder
	Now    func() time.Time
	Alerts int // how many alerts the encoder wants with an incident
}

// Encode implements export.Target.
func (t *Target) Encode(r export.Row) ([]byte, error) { return t.Write(r) }

// Limits implements export.Target.
func (t *Target) Limits() export.Limits {
	return export.Limits{Records: 1000, Bytes: 8 << 20, Overhead: 1, Alerts: t.Alerts}
}

// Send implements export.Target. A full disk is fault.Exhausted.
func (t *Target) Send(_ context.Context, records []export.Record) (int, error) {
	var b bytes.Buffer
	for _, r := range records {
		b.Write(r.Data)
		b.WriteByte('\n')
	}
	if err := t.append(b.Bytes()); err != nil {
		if errors.Is(err, syscall.ENOSPC) {
			return 0, fault.Errorf(fault.Exhausted, "write: %w", err)
		}
		return 0, fmt.Errorf("write: %w", err)
	}
	return len(records), nil
}

func (t *Target) append(data []byte) (err error) {
	if err := os.MkdirAll(t.Dir, 0o750); err != nil {
		return err
	}
	path := filepath.Join(t.Dir, t.Name+"-"+t.Now().UTC().Format("20060102")+".ndjson")
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o640)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	end, err := whole(f)
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

// whole is where the last whole line of f ends.
func whole(f *os.File) (int64, error) {
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
