package api

import (
	"errors"
	"net/http"

	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/shared/fault"
)

// replayRequest names what to take in again.
type replayRequest struct {
	IDs    []string `json:"ids"`
	All    bool     `json:"all"`
	Cursor string   `json:"cursor"` // with all: where the answer before this one stopped
}

// replayResult is what became of one record: taken and gone from quarantine, or still there and why.
type replayResult struct {
	ID    string `json:"id"`
	Taken bool   `json:"taken"`
	Replayed
	Reason string `json:"reason,omitzero"`
}

// maxReplayed bounds one request, so that its answer comes in time; its cursor leads to the rest.
const maxReplayed = 1000

// maxRequest bounds a request body, in bytes.
const maxRequest = 1 << 20

// replayQuarantine takes rejected records in again. Repeating it is safe: a record that was taken is gone from
// quarantine, and one that was taken by a request that broke off makes the same alert once more.
func replayQuarantine(req *request) error {
	if req.server.Replayer == nil {
		return newFailure(http.StatusNotImplemented, "notSupported", "This server cannot replay.")
	}
	wanted, err := readReplayRequest(req)
	if err != nil {
		return err
	}
	req.audited = true // each record that is taken is noted by itself
	chosen, next, err := chooseRecords(req, wanted)
	if err != nil {
		return err
	}
	results := make([]replayResult, 0, len(chosen))
	for _, s := range chosen {
		result, err := replayOne(req, s)
		if err != nil {
			return err
		}
		results = append(results, result)
		delete(wanted.left, s.id)
	}
	for _, id := range wanted.IDs {
		if wanted.left[id] {
			results = append(results, replayResult{ID: id, Reason: "no such record in quarantine"})
		}
	}
	return req.writeJSON(http.StatusOK, struct {
		Value  []replayResult `json:"value"`
		Cursor string         `json:"cursor,omitzero"` // there are records beyond those tried: send it with "all"
	}{results, next})
}

// replaySelection is a read request with the ids not yet met.
type replaySelection struct {
	replayRequest
	left map[string]bool
}

func readReplayRequest(req *request) (replaySelection, error) {
	w := replaySelection{left: map[string]bool{}}
	body, err := req.readBody(maxRequest)
	if err != nil {
		return w, err
	}
	if err := json.Unmarshal(body, &w.replayRequest, json.RejectUnknownMembers(true)); err != nil {
		return w, fault.Errorf(fault.Invalid, `The body must be {"ids":["…"]} or {"all":true}.`)
	}
	switch {
	case w.All == (len(w.IDs) > 0):
		return w, fault.Errorf(fault.Invalid, `Name either "ids" or "all": true.`)
	case len(w.IDs) > maxReplayed:
		return w, fault.Errorf(fault.TooLarge, "At most %d ids are taken at once.", maxReplayed)
	}
	for _, id := range w.IDs {
		w.left[id] = true
	}
	return w, nil
}

// chooseRecords collects the records to take, before any is removed from quarantine and its pages move. Of all it takes
// whole pages.
func chooseRecords(req *request, w replaySelection) (out []quarantinedEvent, next string, err error) {
	if w.All {
		for next = w.Cursor; len(out) < maxReplayed; {
			page, after, err := quarantinePage(req, next, quarantineChunk)
			if out = append(out, page...); err != nil || after == "" || after == next {
				return out, "", err
			}
			next = after
		}
		return out, next, nil
	}
	_, err = eachQuarantined(req, "", func(s quarantinedEvent) error {
		if w.left[s.id] {
			out = append(out, s)
		}
		if len(out) == len(w.left) {
			return errFound
		}
		return nil
	})
	if errors.Is(err, errFound) {
		err = nil
	}
	return out, "", err
}

// replayOne tries one record. Only passing trouble is an error: the rest of the request would meet it too. That the
// record is taken is noted before it leaves quarantine.
func replayOne(req *request, s quarantinedEvent) (replayResult, error) {
	out := replayResult{ID: s.id}
	if s.rejection.Cut {
		out.Reason = "only part of the record was kept: it cannot be replayed"
		return out, nil
	}
	var done Replayed
	var reason error
	err := req.runAudited(s.rejection.Tenant, "quarantined record "+s.id, quarantinedOf(s.id, s.rejection), func() (any, error) {
		done, reason = req.server.Replayer.Replay(req.Context(), s.rejection)
		return done, reason
	})
	if k := fault.Of(reason); reason != nil && k != fault.Again && k != fault.Exhausted {
		out.Reason = reason.Error()
		return out, nil
	}
	if err != nil {
		return out, err
	}
	out.Taken, out.Replayed = true, done
	return out, req.tenantScope().removeQuarantined(req.Context(), s)
}
