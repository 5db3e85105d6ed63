package cosmos

import (
	"errors"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// The limits of a transactional batch.
// Source: learn.microsoft.com/azure/cosmos-db/nosql/transactional-batch ("cannot exceed 2 MB … 100 operations").
const (
	maxBatchOperations = 100
	maxBatchBytes      = 2 << 20
)

// batchLine is one operation of a batch as it comes over the wire.
type batchLine struct {
	Type         string         `json:"operationType"`
	ID           string         `json:"id"`
	PartitionKey string         `json:"partitionKey"`
	Body         jsontext.Value `json:"resourceBody"`
	IfMatch      string         `json:"ifMatch"`
	IfNoneMatch  string         `json:"ifNoneMatch"`
}

// batchResult is its answer.
type batchResult struct {
	StatusCode    int            `json:"statusCode"`
	SubStatusCode int            `json:"subStatusCode,omitzero"`
	RequestCharge float64        `json:"requestCharge"`
	ETag          string         `json:"eTag,omitempty"`
	ResourceBody  jsontext.Value `json:"resourceBody,omitempty"`
}

// answerBatch carries out a transactional batch: every operation or none. When one fails, its line has the true
// status, every other line has 424, and the answer is 207. A caller that prefers a minimal answer gets no body at
// all, so that it cannot tell which operation failed; azcosmos v1.5.0 says so where it decides on the preference.
func (r *call) answerBatch() (answer, error) {
	if err := r.requireAccess(WriteData); err != nil {
		return answer{}, err
	}
	k, err := r.keyOfHeader()
	if err != nil {
		return answer{}, err
	}
	lines, err := batchLines(r.request)
	if err != nil {
		return answer{}, err
	}
	t := r.beginTransaction(k)
	if err := r.admitRequest(t.p); err != nil {
		r.addUsage(Batch, Usage{Requests: 1, Refused: 1})
		return answer{}, err
	}
	results, failed := t.runBatch(lines)
	r.addUsage(Batch, Usage{Requests: 1})
	status := http.StatusOK
	if failed {
		status = http.StatusMultiStatus
	} else {
		t.commitStaged()
	}
	a := answer{status: status, charge: t.charge}
	if !r.wantsNoBody() {
		a.body, err = json.Marshal(results)
	}
	return a, err
}

func batchLines(r *request) ([]batchLine, error) {
	if !strings.EqualFold(r.Header.Get("x-ms-cosmos-batch-atomic"), "true") {
		return nil, refuseBadRequest("x-ms-cosmos-batch-atomic: this server carries out atomic batches only")
	}
	if len(r.body) > maxBatchBytes {
		return nil, newRefusal(http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", "Request size is too large: the batch has %d bytes", len(r.body))
	}
	var lines []batchLine
	if err := json.Unmarshal(r.body, &lines, json.RejectUnknownMembers(true)); err != nil {
		return nil, refuseBadRequest("the batch is not understood: %v", err)
	}
	if len(lines) == 0 || len(lines) > maxBatchOperations {
		return nil, refuseBadRequest("Batch request has %d operations, which is not from 1 to %d", len(lines), maxBatchOperations)
	}
	for _, line := range lines {
		if line.PartitionKey != "" && line.PartitionKey != r.Header.Get("x-ms-documentdb-partitionkey") {
			return nil, refuseBadRequest("an operation has another partition key than its batch")
		}
	}
	return lines, nil
}

// runBatch carries out the lines up to the first that fails.
func (t *transaction) runBatch(lines []batchLine) (results []batchResult, failed bool) {
	results = make([]batchResult, len(lines))
	for i, line := range lines {
		op := operation{kind: Kind(strings.ToLower(line.Type)), id: line.ID, body: line.Body, ifMatch: line.IfMatch, ifNoneMatch: line.IfNoneMatch}
		before := t.charge
		status, it, err := t.carryOut(op)
		charge := t.charge - before
		t.chargeOperation(op.kind, charge, err)
		if err != nil {
			for n := range results {
				results[n] = batchResult{StatusCode: http.StatusFailedDependency}
			}
			results[i] = failedResult(err, charge)
			return results, true
		}
		results[i] = batchResult{StatusCode: status, RequestCharge: charge}
		if it != nil {
			results[i].ETag = it.etag
		}
		if it != nil && !t.wantsNoBody() {
			results[i].ResourceBody = it.encodeBody()
		}
	}
	return results, false
}

func failedResult(err error, charge float64) batchResult {
	refused := new(refusal)
	if !errors.As(err, &refused) {
		return batchResult{StatusCode: http.StatusInternalServerError, RequestCharge: charge}
	}
	return batchResult{StatusCode: refused.status, SubStatusCode: refused.substatus, RequestCharge: charge}
}
