package ingest

import (
	"errors"
	"io"
	"sync/atomic"
)

// maxInFlight bounds the memory, in bytes, that the bodies of all requests take together. Reading and decompressing
// reserve it as they go, so that a sender who announces much and sends little holds little.
const maxInFlight = 160 << 20

// largeBody is the size, in bytes, above which deliveries are handled one at a time: their alerts take a multiple of
// it.
const largeBody = 1 << 20

// errBusy is the error of a body for which no memory is free just now.
var errBusy = errors.New("too many deliveries are being taken in at once, send it again")

// reservation is the part of maxInFlight that one request holds. A nil one reserves nothing and is never refused.
type reservation struct {
	all  *atomic.Int64
	mine int64
}

func (s *reservation) reserveBytes(n int64) error {
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

func (s *reservation) releaseBytes() {
	s.all.Add(-s.mine)
	s.mine = 0
}

// readAll reads r to its end into memory of the request's share; guess is the expected size in bytes.
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
