// Package cosmos is a strict stand-in for one Azure Cosmos DB account (API for NoSQL) over HTTP, for tests. It keeps
// everything in memory, takes its time from Options.Now, and refuses what the service refuses: code that passes here
// should have nothing left to learn from the service but its latency. Where the service is lenient or its behaviour is
// not documented, this server takes the stricter reading and says so at the place.
//
//	request ─▶ authorizer ─▶ Inject: fault? ─▶ catalog: account, databases, containers
//	                                        └▶ call on one container: item, batch, query, feed, ranges
//	charge, session token ◀── Meter, partitionMeter ◀──┘ transaction: one logical partition, all or nothing
//
// auth.go says who may do what, catalog.go and control.go keep databases and containers, container.go logical
// partitions and the log of changes, transaction.go what a write must hold, index.go and postings.go what is indexed,
// charge.go what everything costs, meter.go what was used and what one logical partition can serve. The query
// language is package sql's. The client it is written for is azcosmos v1.5.0.
package cosmos

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Options are a server's settings; the zero value is a strict account with a random key and nothing in it.
type Options struct {
	// Key is the account's master key in base64; random when empty.
	Key string
	// Endpoint is the address the account gives as its own. When empty it is taken from the Host of each request.
	Endpoint string
	// VerifyToken checks an Entra token and says what its holder may do. Without it every token is refused.
	VerifyToken func(token string) (Access, error)
	// Now is the clock of _ts, of time to live and of throughput; time.Now when nil.
	Now func() time.Time
	// Databases exist from the start.
	Databases []Database
	// PhysicalPartitions is how many partition key ranges a container has; 3 when zero, so that nothing can rely on
	// one.
	PhysicalPartitions int
	// PartitionThroughput is how many request units one logical partition serves a second before it answers 429.
	// Zero counts without refusing; the service's own limit is LogicalPartitionThroughput.
	PartitionThroughput float64
	// PartitionBytes is how much one logical partition holds before it answers 403; LogicalPartitionBytes when zero.
	PartitionBytes int64
}

// Database is one database to start with.
type Database struct {
	ID         string
	Containers []Container
}

// Server is one account. It is an http.Handler, safe for concurrent use.
type Server struct {
	authorizer authorizer
	keyText    string
	options    Options
	mu         sync.Mutex // guards all below; one request is carried out at a time
	inject     func(Operation) Fault
	requests   int
	catalog    catalog
	meter      Meter
}

// New makes an account. It panics on settings that make no sense: they are the test's own.
func New(o Options) *Server {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.PhysicalPartitions == 0 {
		o.PhysicalPartitions = 3
	}
	if o.PartitionBytes == 0 {
		o.PartitionBytes = LogicalPartitionBytes
	}
	if o.Key == "" {
		secret := make([]byte, 64)
		rand.Read(secret) // never fails
		o.Key = base64.StdEncoding.EncodeToString(secret)
	}
	key, err := base64.StdEncoding.DecodeString(o.Key)
	if err != nil {
		panic(fmt.Sprintf("cosmos: the key is not base64: %v", err))
	}
	s := &Server{keyText: o.Key, options: o, authorizer: authorizer{key, o.VerifyToken}, meter: Meter{},
		catalog: catalog{endpoint: o.Endpoint, now: o.Now, physicalPartitions: o.PhysicalPartitions, databases: map[string]*database{}}}
	for _, d := range o.Databases {
		db, err := s.catalog.createDatabase(d.ID)
		if err != nil {
			panic(fmt.Sprintf("cosmos: database %q: %v", d.ID, err))
		}
		for _, c := range d.Containers {
			if _, err := s.catalog.createContainer(db, c); err != nil {
				panic(fmt.Sprintf("cosmos: container %q: %v", c.ID, err))
			}
		}
	}
	return s
}

// Key is the master key, as clients take it.
func (s *Server) Key() string { return s.keyText }

// maxRequest bounds what is read of a body: the 2 MB of an item or batch and room to say that it was more.
const maxRequest = 4 << 20

// request is one HTTP request with its body, its path and who sent it.
type request struct {
	*http.Request
	path   []string // segments below the root, unescaped
	body   []byte
	now    time.Time
	access Access
	op     Operation
	fault  Fault
}

// answer is what a call is answered with; the charge is in request units.
type answer struct {
	status int
	body   []byte
	etag   string
	charge float64
	header map[string]string
}

// ServeHTTP carries out one request of the REST API.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxRequest+1))
	if err != nil {
		return // the caller went away
	}
	s.mu.Lock()
	a, drop := s.handleRequest(&request{Request: r, body: body, now: s.options.Now()})
	s.mu.Unlock()
	if drop {
		panic(http.ErrAbortHandler) // closes the connection without an answer
	}
	h := w.Header()
	for k, v := range a.header {
		h.Set(k, v)
	}
	h.Set("Content-Type", "application/json")
	h.Set("x-ms-request-charge", strconv.FormatFloat(a.charge, 'f', -1, 64))
	h.Set("x-ms-activity-id", activityID(r))
	h.Set("x-ms-gatewayversion", "version=2.0.0")
	if a.etag != "" {
		h.Set("etag", a.etag)
	}
	w.WriteHeader(a.status)
	w.Write(a.body) // a failure is the caller's: it went away
}

// activityID is the caller's own id of the request, or a new one.
func activityID(r *http.Request) string {
	if id := r.Header.Get("x-ms-activity-id"); id != "" {
		return id
	}
	var b [16]byte
	rand.Read(b[:])
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// handleRequest does everything between reading a request and writing its answer; drop means that there is to be none.
func (s *Server) handleRequest(r *request) (a answer, drop bool) {
	a, drop, err := s.carryOut(r)
	if err == nil {
		return a, drop
	}
	refused := new(refusal)
	if !errors.As(err, &refused) {
		refused = newRefusal(http.StatusInternalServerError, "InternalServerError", "%v", err)
	}
	return refused.answerWith(a), drop
}

func (s *Server) carryOut(r *request) (a answer, drop bool, err error) {
	if len(r.body) > maxRequest {
		return a, false, newRefusal(http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", "Request size is too large")
	}
	if r.path, err = pathSegments(r.URL); err != nil {
		return a, false, err
	}
	if r.access, err = s.authorizer.authorizeRequest(r); err != nil {
		return a, false, err
	}
	r.op = s.operationOf(r)
	if s.inject != nil {
		r.fault = s.inject(r.op)
	}
	if r.fault.Drop == DropBefore {
		return a, true, nil
	}
	if r.fault.Status != 0 {
		return a, false, r.fault.asRefusal()
	}
	a, err = s.routeRequest(r)
	return a, r.fault.Drop == DropAfter, err
}

// pathSegments splits a path, unescaping each part by itself, so that an id may hold an escaped slash without being
// split.
func pathSegments(u *url.URL) ([]string, error) {
	var out []string
	for _, raw := range strings.Split(strings.Trim(u.EscapedPath(), "/"), "/") {
		part, err := url.PathUnescape(raw)
		if err != nil {
			return nil, refuseBadRequest("path segment %q: %v", raw, err)
		}
		if part != "" {
			out = append(out, part)
		}
	}
	return out, nil
}

// routeRequest finds who answers: the path alternates between kinds and names, dbs/{db}/colls/{container}/docs/{id}.
func (s *Server) routeRequest(r *request) (answer, error) {
	p := r.path
	switch {
	case len(p) == 0:
		return s.catalog.answerAccount(r)
	case p[0] == "offers":
		return s.catalog.refuseOffers(r)
	case p[0] != "dbs" || len(p) > 2 && p[2] != "colls" || len(p) > 6:
		return answer{}, refuseNotFound("no such resource: /%s", strings.Join(p, "/"))
	case len(p) <= 2:
		return s.catalog.answerDatabases(r)
	case len(p) <= 4:
		return s.catalog.answerContainers(r)
	}
	c, err := s.catalog.findContainer(p[1], p[3])
	if err != nil {
		return answer{}, err
	}
	c.expireItems(r.now)
	switch {
	case p[4] == "pkranges" && len(p) == 5:
		return (&call{r, s, c}).answerRanges()
	case p[4] == "docs":
		return (&call{r, s, c}).answerDocuments()
	}
	return answer{}, refuseNotFound("no such resource: /%s", strings.Join(p, "/"))
}
