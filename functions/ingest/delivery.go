package ingest

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"time"

	"github.com/onepane/onepane/shared/fault"
)

// MaxBody bounds a delivery after decompression, in bytes (design contract, section 3).
const MaxBody = 20 << 20

// Delivery is what one sender sent at once, before anyone has trusted it.
type Delivery struct {
	Body []byte // may be gzip, whatever the headers say
	// Headers are the request's headers that describe the body, by lower-case name: "content-type", "ce-id", …
	Headers map[string]string
	// Tenant is the tenant of the sender's credential; "" leaves that to the account mapping.
	Tenant   string
	Received time.Time // when it arrived; the default for Alert.Delivered
	Trace    string    // W3C traceparent, or empty
}

// Header returns a header by lower-case name, empty when absent.
func (d Delivery) Header(name string) string { return d.Headers[name] }

// openBody decompresses the body and refuses what no route reads: an empty body, one over MaxBody, UTF-16.
func (d Delivery) openBody() (Delivery, error) {
	body, err := Gunzip(d.Body)
	if err != nil {
		return d, err
	}
	d.Body = bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")))
	switch {
	case len(d.Body) == 0:
		return d, fault.Errorf(fault.Invalid, "body: empty")
	case len(d.Body) > MaxBody:
		return d, tooLargeError()
	case isUTF16(d.Body):
		return d, fault.Errorf(fault.Invalid, "body: UTF-16, only UTF-8 is read")
	}
	return d, nil
}

// Gunzip decompresses b when it starts like gzip and returns it as it is otherwise. What would exceed MaxBody is
// fault.TooLarge after reading no more than that.
func Gunzip(b []byte) ([]byte, error) { return gunzipReserved(b, nil) }

// gunzipReserved is Gunzip into memory of a request's share: errBusy when none is free.
func gunzipReserved(b []byte, s *reservation) ([]byte, error) {
	if !isGzip(b) {
		if len(b) > MaxBody {
			return nil, tooLargeError()
		}
		return b, nil
	}
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, fault.Errorf(fault.Invalid, "gzip: %w", err)
	}
	out, err := readAll(io.LimitReader(z, MaxBody+1), int64(4*len(b)), s)
	switch {
	case errors.Is(err, errBusy):
		return nil, err
	case err != nil:
		return nil, fault.Errorf(fault.Invalid, "gzip: %w", err)
	case len(out) > MaxBody:
		return nil, tooLargeError()
	case isGzip(out):
		return nil, fault.Errorf(fault.Invalid, "gzip: compressed twice")
	}
	return out, nil
}

func isGzip(b []byte) bool { return bytes.HasPrefix(b, []byte{0x1f, 0x8b}) }

// GunzipBudget is how many bytes the compressed parts of one delivery may still expand to, together.
type GunzipBudget int

// NewGunzipBudget is the budget of a whole delivery: four times MaxBody.
func NewGunzipBudget() *GunzipBudget {
	r := GunzipBudget(maxExpanded)
	return &r
}

const maxExpanded = 4 * MaxBody

// Gunzip decompresses b as the function of that name does; a part that exceeds the budget is fault.TooLarge.
func (r *GunzipBudget) Gunzip(b []byte) ([]byte, error) {
	var out []byte
	if *r >= 0 { // a delivery of bombs is not opened to its end
		var err error
		if out, err = Gunzip(b); err != nil {
			return nil, err
		}
		*r -= GunzipBudget(len(out))
	}
	if *r < 0 {
		return nil, fault.Errorf(fault.TooLarge, "the delivery's compressed parts exceed %d MB", maxExpanded>>20)
	}
	return out, nil
}

func tooLargeError() error {
	return fault.Errorf(fault.TooLarge, "body: more than %d MB after decompression", MaxBody>>20)
}

// isUTF16 reports a byte order mark of UTF-16, or JSON's first character in its two bytes.
func isUTF16(b []byte) bool {
	return bytes.HasPrefix(b, []byte{0xff, 0xfe}) || bytes.HasPrefix(b, []byte{0xfe, 0xff}) ||
		len(b) > 1 && (b[0] == 0) != (b[1] == 0)
}
