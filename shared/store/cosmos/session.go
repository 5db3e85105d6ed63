package cosmos

import "sync"

// session remembers how far a tenant's partition has been seen. The service gives what is at least as new to whoever shows
// the token, whichever copy of the partition answers; the SDK does not remember it by itself. A nil session has none.
type session struct {
	mu   sync.Mutex
	last string
}

func (s *session) token() *string {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last == "" {
		return nil
	}
	token := s.last
	return &token
}

func (s *session) saw(token *string) {
	if s == nil || token == nil || *token == "" {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last = *token
}
