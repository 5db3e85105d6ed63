package cosmos

import (
	"fmt"
	"net/http"
	"strconv"

	"github.com/go-json-experiment/json"
)

// refusal is an answer that says no, in the service's error shape.
type refusal struct {
	status    int
	substatus int
	code      string
	message   string
	header    map[string]string
}

func (e *refusal) Error() string { return fmt.Sprintf("%d %s: %s", e.status, e.code, e.message) }

// answerWith keeps the charge and headers that the refused call had already earned.
func (e *refusal) answerWith(a answer) answer {
	body, err := json.Marshal(map[string]string{"code": e.code, "message": e.message}, json.Deterministic(true))
	if err != nil { // a message quoting bytes that are no text
		body = []byte(`{"code":"` + e.code + `","message":""}`)
	}
	header := map[string]string{}
	for _, from := range []map[string]string{a.header, e.header} {
		for k, v := range from {
			header[k] = v
		}
	}
	if e.substatus != 0 {
		header["x-ms-substatus"] = strconv.Itoa(e.substatus)
	}
	return answer{status: e.status, body: body, charge: a.charge, header: header}
}

func newRefusal(status int, code, format string, args ...any) *refusal {
	return &refusal{status: status, code: code, message: fmt.Sprintf(format, args...)}
}

func refuseBadRequest(format string, args ...any) *refusal {
	return newRefusal(http.StatusBadRequest, "BadRequest", format, args...)
}

func refuseNotFound(format string, args ...any) *refusal {
	return newRefusal(http.StatusNotFound, "NotFound", format, args...)
}

func refuseConflict(format string, args ...any) *refusal {
	return newRefusal(http.StatusConflict, "Conflict", format, args...)
}

func refusePrecondition() *refusal {
	return newRefusal(http.StatusPreconditionFailed, "PreconditionFailed", "One of the specified pre-condition is not met")
}

// withSubstatus sets the substatus, which distinguishes refusals of one status.
func (e *refusal) withSubstatus(substatus int) *refusal {
	e.substatus = substatus
	return e
}
