package replay

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"io"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/functions/ingest"
)

// readValues hands each JSON value of in to do: one a line, or the whole input when its first line is no value by
// itself (a pretty-printed document). Gzip is read as what it holds.
func readValues(in io.Reader, do func(body []byte) error) error {
	r := bufio.NewReaderSize(in, 1<<20)
	if head, _ := r.Peek(2); bytes.Equal(head, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(r)
		if err != nil {
			return errNotJSON("gzip: " + err.Error())
		}
		r = bufio.NewReaderSize(z, 1<<20)
	}
	for first := true; ; first = false {
		line, err := r.ReadBytes('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		body := bytes.TrimSpace(line)
		if first && len(body) > 0 && !jsontext.Value(body).IsValid() {
			return readDocument(line, r, do)
		}
		if len(body) > 0 {
			if err := do(body); err != nil {
				return err
			}
		}
		if err != nil {
			return nil
		}
	}
}

// readDocument reads an input that is one document.
func readDocument(start []byte, r io.Reader, do func([]byte) error) error {
	rest, err := io.ReadAll(io.LimitReader(r, ingest.MaxBody+1-int64(len(start))))
	if err != nil {
		return err
	}
	return do(append(start, rest...))
}
