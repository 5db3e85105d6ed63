//go:build !linux

package cef

import "net"

// readSocketState can tell nothing here: a receiver's close is all there is.
func readSocketState(*net.TCPConn) (unread int, ended bool, err error) { return 0, false, nil }
