package cosmos

import (
	"net/http/httptest"
	"testing"
)

// Account is a server that listens.
type Account struct {
	*Server
	Endpoint string // http://127.0.0.1:port
}

// Start runs a server on a free local port until the test ends.
func Start(t testing.TB, o Options) Account {
	t.Helper()
	s := New(o)
	listener := httptest.NewServer(s)
	t.Cleanup(listener.Close)
	return Account{s, listener.URL}
}
