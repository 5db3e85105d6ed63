package cosmos

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// keyRange is one physical partition: the keys that hash from min on and below max.
type keyRange struct{ id, min, max string }

// splitEvenly cuts the ring of keys into n ranges. Hashes of version 2 begin with a byte below 0x40.
func splitEvenly(n int) []keyRange {
	out := make([]keyRange, n)
	for i := range out {
		out[i] = keyRange{strconv.Itoa(i), rangeBoundary(i, n), rangeBoundary(i+1, n)}
	}
	out[0].min, out[n-1].max = "", "FF"
	return out
}

func rangeBoundary(i, n int) string { return fmt.Sprintf("%04X%028d", 0x4000*i/n, 0) }

func (k keyRange) holdsKey(epk string) bool { return epk >= k.min && epk < k.max }

// answerRanges answers the container's physical partitions, as a feed of its own: what changed since If-None-Match,
// then 304.
func (r *call) answerRanges() (answer, error) {
	if err := r.requireAccess(ReadData); err != nil {
		return answer{}, err
	}
	if r.Header.Get("If-None-Match") == r.c.etag {
		return answer{status: http.StatusNotModified, etag: r.c.etag, charge: controlCharge}, nil
	}
	list := []map[string]any{}
	for _, k := range r.c.ranges {
		list = append(list, map[string]any{"id": k.id, "_rid": r.c.rid, "_etag": r.c.etag, "minInclusive": k.min, "maxExclusive": k.max,
			"ridPrefix": 0, "_self": r.c.self + "pkranges/" + k.id + "/", "throughputFraction": 1 / float64(len(r.c.ranges)),
			"status": "online", "parents": []string{}, "ownedArchivalPKRangeIds": []string{}, "_ts": r.c.changed.Unix(), "lsn": r.c.lsn})
	}
	return showResource(http.StatusOK, map[string]any{"_rid": r.c.rid, "PartitionKeyRanges": list, "_count": len(list)}, r.c.etag)
}

// answerFeed answers the change feed of one physical partition, or of one logical partition in it: the latest version
// of each item changed since If-None-Match, in the order of change, never a transaction in parts; deletes are not
// told. At its end it answers 304. "*" starts now, If-Modified-Since at a time, neither at the beginning.
// Source: learn.microsoft.com/rest/api/cosmos-db/list-documents, headers A-IM, If-None-Match, If-Modified-Since.
func (r *call) answerFeed() (answer, error) {
	if err := r.requireAccess(ReadData); err != nil {
		return answer{}, err
	}
	if !strings.EqualFold(strings.ReplaceAll(r.Header.Get("A-IM"), " ", ""), "incrementalfeed") {
		return answer{}, refuseBadRequest("this server lists items as a change feed only: A-IM is not Incremental feed")
	}
	wanted, err := r.scopeOf()
	if err != nil {
		return answer{}, err
	}
	since, from, err := r.feedStart()
	if err != nil {
		return answer{}, err
	}
	limit, err := pageSize(r.request)
	if err != nil {
		return answer{}, err
	}
	one, err := r.aimedPartition(Feed)
	if err != nil {
		return answer{}, err
	}
	page, charge := r.c.changesSince(wanted, since, from, limit)
	r.chargePage(one, Feed, charge)
	if len(page) == 0 {
		return answer{status: http.StatusNotModified, etag: strconv.Quote(strconv.FormatInt(r.c.lsn, 10)), charge: charge}, nil
	}
	docs := []jsontext.Value{}
	for _, it := range page {
		body := it.encodeBody()
		docs = append(docs, append(body[:len(body)-1], fmt.Sprintf(`,"_lsn":%d}`, it.lsn)...))
	}
	body, err := json.Marshal(map[string]any{"_rid": r.c.rid, "Documents": docs, "_count": len(docs)}, json.Deterministic(true))
	last := page[len(page)-1].lsn
	return answer{status: http.StatusOK, body: body, etag: strconv.Quote(strconv.FormatInt(last, 10)), charge: charge}, err
}

func (r *call) feedStart() (since int64, from time.Time, err error) {
	switch token := r.Header.Get("If-None-Match"); token {
	case "":
	case "*":
		return r.c.lsn, from, nil
	default:
		since, err = strconv.ParseInt(strings.Trim(token, `"`), 10, 64)
		if err != nil || since < 0 {
			return 0, from, refuseBadRequest("If-None-Match %s is no position in this feed", token)
		}
		return since, from, nil
	}
	if text := r.Header.Get("If-Modified-Since"); text != "" {
		if from, err = http.ParseTime(text); err != nil {
			if from, err = time.Parse(time.RFC1123, text); err != nil { // azcosmos v1.5.0 writes UTC for GMT
				return 0, from, refuseBadRequest("If-Modified-Since: %v", err)
			}
		}
	}
	return 0, from, nil
}

// pageSize is how many items a page may hold: what was asked for, 100 when nothing was, 1,000 when the service is to
// choose.
func pageSize(r *request) (int, error) {
	size := 100
	if text := r.Header.Get("x-ms-max-item-count"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < -1 || n == 0 {
			return 0, refuseBadRequest("x-ms-max-item-count %q is neither -1 nor positive", text)
		}
		size = n
		if n == -1 || n > 1000 {
			size = 1000
		}
	}
	if r.fault.PageSize > 0 {
		size = min(size, r.fault.PageSize)
	}
	return size, nil
}
