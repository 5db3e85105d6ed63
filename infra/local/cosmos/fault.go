package cosmos

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Kind is what a request does.
type Kind string

// The kinds of request. Operations inside a batch are of the kinds Create to Read.
const (
	Create  Kind = "create"
	Upsert  Kind = "upsert"
	Replace Kind = "replace"
	Patch   Kind = "patch"
	Delete  Kind = "delete"
	Read    Kind = "read"
	Batch   Kind = "batch"
	Query   Kind = "query"
	Feed    Kind = "feed"
	Ranges  Kind = "ranges"  // partition key ranges
	Control Kind = "control" // account, databases, containers, throughput
)

// Operation is one request as a fault injector sees it, before anything is done.
type Operation struct {
	Kind       Kind
	N          int // how many requests came before it
	Database   string
	Container  string
	ID         string // of the item, when the path names one
	Partition  string // the partition key header, a JSON array
	Activity   string
	QueryText  string // body of a query
	Authorized Access
}

// Fault is what goes wrong with a request; the zero value is nothing.
type Fault struct {
	Status     int           // answered instead of doing anything: 408, 410, 429, 449, 503 …
	Substatus  int           // x-ms-substatus
	RetryAfter time.Duration // x-ms-retry-after-ms, milliseconds
	Drop       Drop          // closes the connection instead of answering
	PageSize   int           // a query or feed page holds at most that many, whatever was asked for
	EmptyPage  bool          // a query page comes back empty, with a continuation, although there is more
}

// Drop says when a connection is closed without an answer.
type Drop int

// When a connection drops. After DropAfter the write has happened and the caller cannot know.
const (
	DropNever Drop = iota
	DropBefore
	DropAfter
)

// Inject asks f about every authorized request. A nil f stops that. f is called with the server locked: it must not
// call the server.
func (s *Server) Inject(f func(Operation) Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inject = f
}

func (f Fault) asRefusal() *refusal {
	e := newRefusal(f.Status, strings.ReplaceAll(http.StatusText(f.Status), " ", ""), "injected fault").withSubstatus(f.Substatus)
	switch f.Status {
	case 449: // RetryWith: a concurrent write got in the way; no name in net/http
		e.code = "RetryWith"
	case http.StatusTooManyRequests:
		e.code = "429"
		if e.substatus == 0 {
			e.substatus = 3200
		}
	}
	if f.RetryAfter > 0 || f.Status == http.StatusTooManyRequests {
		e.header = map[string]string{"x-ms-retry-after-ms": strconv.FormatInt(f.RetryAfter.Milliseconds(), 10)}
	}
	return e
}

// operationOf describes a request.
func (s *Server) operationOf(r *request) Operation {
	op := Operation{Kind: kindOf(r), N: s.requests, Partition: r.Header.Get("x-ms-documentdb-partitionkey"),
		Activity: r.Header.Get("x-ms-activity-id"), Authorized: r.access}
	s.requests++
	if len(r.path) > 3 {
		op.Database, op.Container = r.path[1], r.path[3]
	}
	if len(r.path) == 6 {
		op.ID = r.path[5]
	}
	if op.Kind == Query {
		op.QueryText = string(r.body)
	}
	return op
}

func kindOf(r *request) Kind {
	set := func(name string) bool { return strings.EqualFold(r.Header.Get(name), "true") }
	switch {
	case len(r.path) < 5:
		return Control
	case r.path[4] == "pkranges":
		return Ranges
	case len(r.path) == 6:
		return map[string]Kind{"GET": Read, "PUT": Replace, "PATCH": Patch, "DELETE": Delete}[r.Method]
	case r.Method == "GET":
		return Feed
	case r.Method != "POST":
		return ""
	case set("x-ms-cosmos-is-batch-request"):
		return Batch
	case set("x-ms-documentdb-query") || set("x-ms-documentdb-isquery"):
		return Query
	case set("x-ms-documentdb-is-upsert"):
		return Upsert
	}
	return Create
}
