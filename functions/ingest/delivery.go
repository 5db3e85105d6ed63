package ingest

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/shared/fault"
)

// MaxBody bounds a delivery after decompression, in bytes (design contract, section 3).
const MaxBody = 20 << 20

// Delivery is what one sender sent at once, before anyone has trusted it.
type Delivery struct {
	Body []byte // may be gzip, whatever the headers say
	// Headers are the transport's facts by lower-case name: "content-type", "ce-id", …
	Headers map[string]string
	// Tenant is whose credential came with it; empty when that says nothing, and the account mapping decides.
	Tenant   string
	Received time.Time // when it arrived; the default for Alert.Delivered
	Trace    string    // W3C traceparent, or empty
}

// Header returns a header by lower-case name, empty when absent.
func (d Delivery) Header(name string) string { return d.Headers[name] }

// open decompresses the body and checks what every route refuses alike: nothing, too much, text that is not UTF-8.
func (d Delivery) open() (Delivery, error) {
	body, err := Gunzip(d.Body)
	if err != nil {
		return d, err
	}
	d.Body = bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")))
	switch {
	case len(d.Body) == 0:
		return d, fault.Errorf(fault.Invalid, "body: empty")
	case len(d.Body) > MaxBody:
		return d, tooLarge()
	}
	return d, nil
}

// Gunzip decompresses b when it starts like gzip and returns it as it is otherwise. What would exceed MaxBody is
// fault.TooLarge after reading no more than that.
func Gunzip(b []byte) ([]byte, error) {
	if !bytes.HasPrefix(b, []byte{0x1f, 0x8b}) {
		if len(b) > MaxBody {
			return nil, tooLarge()
		}
		return b, nil
	}
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, fault.Errorf(fault.Invalid, "gzip: %w", err)
	}
	out, err := io.ReadAll(io.LimitReader(z, MaxBody+1))
	if err != nil {
		return nil, fault.Errorf(fault.Invalid, "gzip: %w", err)
	}
	if len(out) > MaxBody {
		return nil, tooLarge()
	}
	return out, nil
}

func tooLarge() error {
	return fault.Errorf(fault.TooLarge, "body: more than %d MB after decompression", MaxBody>>20)
}

// Values splits a body into its JSON values: one value, several on lines of their own (NDJSON) or simply one after
// another. A line that is no JSON becomes a Record with Err and the lines after it are still read. Use Array to
// go on into an array. Records share the bytes of body.
func Values(body []byte) []Record {
	if v := jsontext.Value(bytes.TrimSpace(body)); v.IsValid() { // nearly always: one value
		return []Record{checked(slices.Clip(v))}
	}
	var out []Record
	dec := jsontext.NewDecoder(bytes.NewBuffer(body)) // reads the buffer's own bytes
	for {
		start := dec.InputOffset()
		v, err := dec.ReadValue()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			bad, rest := cutLine(bytes.TrimLeft(body[start:], " \t\r\n"))
			out = append(out, Record{Raw: bad, Err: malformed(bad, err)})
			if len(bytes.TrimSpace(rest)) > 0 {
				out = append(out, Values(rest)...)
			}
			return out
		}
		end := dec.InputOffset()
		out = append(out, checked(body[end-int64(len(v)):end:end]))
	}
}

// Array turns the record of a JSON array into one record per element; any other record stays alone.
func Array(r Record) []Record {
	if r.Err != nil || r.Raw.Kind() != '[' {
		return []Record{r}
	}
	vs, err := Elements(r.Raw)
	if err != nil {
		return []Record{{Raw: r.Raw, Err: err}}
	}
	out := make([]Record, len(vs))
	for i, v := range vs {
		out[i] = NewRecord(v, r.Context)
	}
	return out
}

// checked makes a record of a well-formed value, unless it nests deeper than MaxDepth.
func checked(v jsontext.Value) Record {
	if d := depth(v); d > MaxDepth {
		return Record{Raw: v, Err: fault.Errorf(fault.Invalid, "body: nested %d deep, at most %d is read", d, MaxDepth)}
	}
	return NewRecord(v, nil)
}

func malformed(b []byte, err error) error {
	if !utf8.Valid(b) {
		return fault.Errorf(fault.Invalid, "body: not valid UTF-8")
	}
	return fault.Errorf(fault.Invalid, "%s", Describe(err))
}

func cutLine(b []byte) (line, rest []byte) {
	if i := bytes.IndexByte(b, '\n'); i >= 0 {
		return b[:i], b[i+1:]
	}
	return b, nil
}
