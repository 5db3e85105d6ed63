package cosmos

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/infra/local/cosmos/sql"
)

// call is a request about the items of one container.
type call struct {
	*request
	server *Server
	c      *container
}

// answerDocuments answers everything below docs.
func (r *call) answerDocuments() (answer, error) {
	a, err := r.answerDocument()
	if a.header == nil {
		a.header = map[string]string{}
	}
	a.header["x-ms-session-token"] = fmt.Sprintf("0:-1#%d", r.c.lsn)
	return a, err
}

// answerDocument chooses who answers by the kind of operation.
func (r *call) answerDocument() (answer, error) {
	switch r.op.Kind {
	case Query:
		return r.answerQuery()
	case Feed:
		return r.answerFeed()
	case Batch:
		return r.answerBatch()
	case Create, Upsert, Replace, Patch, Delete, Read:
		return r.answerPoint()
	}
	return answer{}, newRefusal(http.StatusMethodNotAllowed, "MethodNotAllowed", "%s is not served here", r.Method)
}

// answerPoint carries out a request about one item.
func (r *call) answerPoint() (answer, error) {
	access := WriteData
	if r.op.Kind == Read {
		access = ReadData
	}
	if err := r.requireAccess(access); err != nil {
		return answer{}, err
	}
	k, err := r.keyOfHeader()
	if err != nil {
		return answer{}, err
	}
	op := operation{kind: r.op.Kind, id: r.op.ID, body: r.body, ifMatch: r.Header.Get("If-Match"), ifNoneMatch: r.Header.Get("If-None-Match")}
	t := r.beginTransaction(k)
	if err := r.admitRequest(t.p); err != nil {
		r.addUsage(op.kind, Usage{Requests: 1, Operations: 1, Refused: 1})
		return answer{}, err
	}
	status, it, err := t.carryOut(op)
	if err == nil {
		t.commitStaged()
	}
	t.chargeOperation(op.kind, t.charge, err)
	r.addUsage(op.kind, Usage{Requests: 1})
	if err != nil {
		return answer{charge: t.charge}, err
	}
	a := answer{status: status, charge: t.charge}
	if it != nil {
		a.etag = it.etag
	}
	if it != nil && status != http.StatusNotModified && (op.kind == Read || !r.wantsNoBody()) {
		a.body = it.encodeBody()
	}
	return a, nil
}

// wantsNoBody reports whether the caller prefers a write to be answered without a body.
func (r *request) wantsNoBody() bool {
	return strings.Contains(r.Header.Get("Prefer"), "return=minimal")
}

// admitRequest refuses a request when the partition's second is used up: the service lets a request through as long as
// anything is left, and makes the next ones wait.
func (r *call) admitRequest(p *partition) error {
	limit := r.server.options.PartitionThroughput
	if limit <= 0 || p.meter.second != r.now.Unix() || p.meter.spent < limit {
		return nil
	}
	wait := r.now.Truncate(time.Second).Add(time.Second).Sub(r.now)
	e := newRefusal(http.StatusTooManyRequests, "429", "Request rate is large. More Request Units may be needed, so no changes were made").withSubstatus(3200)
	e.header = map[string]string{"x-ms-retry-after-ms": fmt.Sprint(max(1, wait.Milliseconds()))}
	return e
}

// keyOfHeader reads the partition key header. A key with fewer parts than the container has paths is refused: the
// service serves such prefixes only for queries and only with the hashed range beside it, which azcosmos v1.5.0 does
// not send.
func (r *call) keyOfHeader() (key, error) {
	header := r.Header.Get("x-ms-documentdb-partitionkey")
	if header == "" {
		return key{}, refuseBadRequest("PartitionKey value must be supplied for this operation: x-ms-documentdb-partitionkey is missing")
	}
	var parts []any
	if err := json.Unmarshal([]byte(header), &parts); err != nil {
		return key{}, refuseBadRequest("Partition key %s is invalid: %v", header, err)
	}
	for i, part := range parts {
		switch part := part.(type) {
		case map[string]any:
			if len(part) != 0 {
				return key{}, refuseBadRequest("Partition key %s is invalid: a part is an object", header)
			}
			parts[i] = sql.Undefined{}
		case []any:
			return key{}, refuseBadRequest("Partition key %s is invalid: a part is an array", header)
		}
	}
	if want := len(r.c.PartitionKey.Paths); len(parts) != want {
		return key{}, refuseBadRequest("The partition key supplied in x-ms-partitionkey header has %d components, the container has %d",
			len(parts), want).withSubstatus(1001)
	}
	return newKey(parts)
}

// scopeOf is which items a feed or query may see, by its headers: a range, a logical partition, or both.
func (r *call) scopeOf() (func(key) bool, error) {
	all := func(key) bool { return true }
	if id := r.Header.Get("x-ms-documentdb-partitionkeyrangeid"); id != "" {
		k, err := r.c.rangeNamed(id)
		if err != nil {
			return nil, err
		}
		all = func(of key) bool { return k.holdsKey(of.epk) }
	}
	if r.Header.Get("x-ms-documentdb-partitionkey") == "" {
		return all, nil
	}
	k, err := r.keyOfHeader()
	if err != nil {
		return nil, err
	}
	return func(of key) bool { return of.text == k.text && all(of) }, nil
}

// aimedPartition is the logical partition that a feed or query is for by its header, nil when it is for all of them.
// It is refused when the partition has nothing left of its second.
func (r *call) aimedPartition(kind Kind) (*partition, error) {
	if r.Header.Get("x-ms-documentdb-partitionkey") == "" {
		return nil, nil
	}
	k, err := r.keyOfHeader()
	if err != nil {
		return nil, err
	}
	p := r.c.partitionOf(k)
	if err := r.admitRequest(p); err != nil {
		r.addUsage(kind, Usage{Requests: 1, Operations: 1, Refused: 1})
		return nil, err
	}
	return p, nil
}

// beginTransaction begins to change one logical partition.
func (r *call) beginTransaction(k key) *transaction {
	return &transaction{call: r, p: r.c.partitionOf(k), staged: map[string]*item{}}
}

// chargePage puts what a page of a feed or query cost on the meters.
func (r *call) chargePage(one *partition, kind Kind, charge float64) {
	r.addUsage(kind, Usage{Requests: 1, Operations: 1, Charge: charge})
	if one != nil {
		one.meter.addCharge(r.now, charge)
	}
}

// addUsage adds to the line of the call's container.
func (r *call) addUsage(kind Kind, more Usage) {
	line := MeterLine{r.op.Database, r.op.Container, kind}
	usage := r.server.meter[line]
	usage.add(more)
	r.server.meter[line] = usage
}
