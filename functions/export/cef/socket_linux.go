package cef

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// closeWait is a connection whose peer has closed its side (linux/include/net/tcp_states.h).
const closeWait = 8

// readSocketState gives how many bytes the receiver's machine has not acknowledged, with a close as one, and whether
// the receiver has ended its side; an error is what is wrong with the connection (tcp(7): SIOCOUTQ, TCP_INFO,
// SO_ERROR).
func readSocketState(c *net.TCPConn) (unread int, ended bool, err error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return 0, false, err
	}
	var failed int
	var info *unix.TCPInfo
	var failure error
	err = raw.Control(func(fd uintptr) {
		if failed, failure = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_ERROR); failure != nil {
			return
		}
		if info, failure = unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO); failure != nil {
			return
		}
		unread, failure = unix.IoctlGetInt(int(fd), unix.SIOCOUTQ)
	})
	switch {
	case err != nil:
		return 0, false, err
	case failure != nil:
		return 0, false, failure
	case failed != 0:
		return 0, false, syscall.Errno(failed)
	}
	return unread, info.State == closeWait, nil
}
