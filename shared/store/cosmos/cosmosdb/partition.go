package cosmosdb

import (
	"errors"
	"net/http"
	"sync"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/data/azcosmos"
)

// Partition is a logical partition of the container of state, and how far this process has seen it.
type Partition struct {
	Name    string
	session *session
}

// AllPartitions is where a query spans all partitions.
var AllPartitions = Partition{}

// NewPartition is a partition that this process has not seen yet.
func NewPartition(name string) Partition { return Partition{name, &session{}} }

// AdvanceTo makes reads answer as of a session token or later.
func (p Partition) AdvanceTo(token string) { p.session.advanceTo(&token) }

func (p Partition) key() azcosmos.PartitionKey {
	if p == AllPartitions {
		return azcosmos.NewPartitionKey()
	}
	return azcosmos.NewPartitionKeyString(p.Name)
}

// session remembers how far a partition has been seen. The service gives what is at least as new to whoever shows the
// token, whichever copy of the partition answers; the SDK does not remember it by itself. A nil session has none.
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

func (s *session) advanceTo(token *string) {
	if s == nil || token == nil || *token == "" {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last = *token
}

// resetIfUnknown forgets the token when no copy of the partition knows of it: the partition was restored, or is
// served from another region now.
func (s *session) resetIfUnknown(err error) {
	var response *azcore.ResponseError
	if s == nil || !errors.As(err, &response) || !isSessionUnavailable(response) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last = ""
}

// isSessionUnavailable is the answer 404/1002, "the read session is not available for the input session token".
func isSessionUnavailable(r *azcore.ResponseError) bool {
	return r.StatusCode == http.StatusNotFound && r.RawResponse != nil && r.RawResponse.Header.Get("x-ms-substatus") == "1002"
}
