package cef

import (
	"bytes"
	"errors"
	"net"
	"sync"
	"syscall"
	"testing"

	"github.com/onepane/onepane/functions/export"
	"github.com/onepane/onepane/shared/fault"
)

// TestAnEndBeforeTheBatchHasComeIsNone: the receiver has ended its side while most of the batch still waits to leave
// this machine.
func TestAnEndBeforeTheBatchHasComeIsNone(t *testing.T) {
	narrow := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) (err error) {
		failed := c.Control(func(fd uintptr) { err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 4096) })
		return errors.Join(failed, err)
	}}
	l, err := narrow.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	decided := make(chan struct{})
	var serve sync.WaitGroup
	serve.Go(func() {
		c, err := l.Accept()
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		if err := c.(*net.TCPConn).CloseWrite(); err != nil {
			t.Error(err)
		}
		<-decided
	})
	n, err := (&Target{Address: l.Addr().String()}).Send(t.Context(), []export.Record{{Data: bytes.Repeat([]byte("x"), 60_000)}})
	close(decided)
	serve.Wait()
	if n != 0 || fault.Of(err) != fault.Unavailable {
		t.Errorf("%d records taken, %v", n, err)
	}
}
