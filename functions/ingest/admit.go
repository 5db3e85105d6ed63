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

// reservation is what one request holds of the bytes in flight. A nil share asks nobody.
type reservation struct {
	inFlight *atomic.Int64
	reserved int64
}

func (s *reservation) reserveBytes(n int64) error {
	if s == nil {
		return nil
	}
	if s.inFlight.Add(n) > maxInFlight {
		s.inFlight.Add(-n)
		return errBusy
	}
	s.reserved += n
	return nil
}

func (s *reservation) releaseBytes() {
	s.inFlight.Add(-s.reserved)
	s.reserved = 0
}

// readAll reads r to its end into memory of the request's share; guess is how much is expected.
func readAll(r io.Reader, guess int64, s *reservation) ([]byte, error) {
	const least, most = 4 << 10, MaxBody + 2
	size := min(max(guess+1, least), 64<<10, most)
	if err := s.reserveBytes(size); err != nil {
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
		if err := s.reserveBytes(more); err != nil {
			return b, err
		}
		b = append(make([]byte, 0, int64(cap(b))+more), b...)
	}
}
