package ingest

import (
	"errors"
	"io"
	"sync/atomic"
)

// maxInFlight bounds, in bytes, what the bodies of all requests at hand take together. Reading a body and decompressing it
// ask for room as they go, so that a sender who announces much and sends little holds little.
const maxInFlight = 160 << 20

// largeBody is from how many bytes on a delivery is handled alone: what is made of it takes a multiple of that.
const largeBody = 1 << 20

// errBusy says that there is no room for a body just now.
var errBusy = errors.New("too many deliveries are being taken in at once, send it again")

// share is what one request holds of the bytes in flight. A nil share asks nobody.
type share struct {
	all  *atomic.Int64
	mine int64
}

func (s *share) take(n int64) error {
	if s == nil {
		return nil
	}
	if s.all.Add(n) > maxInFlight {
		s.all.Add(-n)
		return errBusy
	}
	s.mine += n
	return nil
}

func (s *share) release() {
	s.all.Add(-s.mine)
	s.mine = 0
}

// readAll reads r to its end into memory of the request's share; guess is how much is expected.
func readAll(r io.Reader, guess int64, s *share) ([]byte, error) {
	const least, most = 4 << 10, MaxBody + 2
	size := min(max(guess+1, least), 64<<10, most)
	if err := s.take(size); err != nil {
		return nil, err
	}
	b := make([]byte, 0, size)
	for {
		n, err := r.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if errors.Is(err, io.EOF) {
			return b, nil
		}
		if err != nil {
			return b, err
		}
		if len(b) < cap(b) {
			continue
		}
		more := min(int64(cap(b)), max(most-int64(cap(b)), 1))
		if err := s.take(more); err != nil {
			return b, err
		}
		b = append(make([]byte, 0, int64(cap(b))+more), b...)
	}
}
