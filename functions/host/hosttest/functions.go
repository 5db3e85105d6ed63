package hosttest

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// The Azure Functions host, posting the envelopes of each trigger. It completes or abandons a batch as a
// whole.
var (
	FunctionsServiceBus = Platform{Name: "Functions, Service Bus", Many: true, Start: func(t *testing.T, s Setup) Instance { return startFunctions(t, s, serviceBus) }}
	FunctionsEventHub   = Platform{Name: "Functions, Event Hubs", Many: true, Start: func(t *testing.T, s Setup) Instance { return startFunctions(t, s, eventHub) }}
	FunctionsHTTP       = Platform{Name: "Functions, HTTP", Many: true, Streams: true, Start: func(t *testing.T, s Setup) Instance { return startFunctions(t, s, forwardRequest) }}
)

func startFunctions(t *testing.T, s Setup, call func(*server, *testing.T, []Finding) []bool) Instance {
	port := freePort(t)
	h := &server{s: s, base: "http://127.0.0.1:" + port, call: call, p: startSubject(t, s, "HOSTTEST_PLATFORM=azure", "FUNCTIONS_CUSTOMHANDLER_PORT="+port)}
	h.checkStartup(t)
	return h
}

// checkStartup asks as the host does whether the handler listens: any answer means yes, however slowly the rest starts.
func (s *server) checkStartup(t *testing.T) {
	waitUntilListening(t, s.p, s.base)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.base+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Errorf("the handler does not answer while it starts: %v", err)
		return
	}
	_ = resp.Body.Close()
}

// Invoke posts an envelope and reports whether the host would complete the invocation. A 2xx without a body would run
// into the function's timeout.
func (s *server) Invoke(t *testing.T, function, data, metadata string) bool {
	code, body := postRequest(t, s.base+"/"+function, fmt.Sprintf(`{"Data":%s,"Metadata":%s}`, data, metadata), http.Header{
		"Content-Type": {"application/json; charset=utf-8"}, "X-Azure-Functions-Invocationid": {"d2b7f1a0-3b1e-4a53-8a0f-0d4b1c2e3f40"},
		"X-Azure-Functions-Hostversion": {"4.1036.2.2"}, "User-Agent": {"Azure-Functions-Host/4.1036.2.2"}}, s.s.Deadline)
	ok := code >= 200 && code < 300
	if ok && !strings.HasPrefix(string(body), `{"Outputs":`) {
		t.Errorf("%d with the body %q would not finish the invocation", code, body)
	}
	return ok
}

// serviceBus delivers findings as messages of a session, taken as binary: each a compressed batch of one event. The
// list is passed as a string that holds its JSON, as are all arrays of the metadata.
func serviceBus(s *server, t *testing.T, fs []Finding) []bool {
	var bodies, ids, types, sessions, counts []string
	for _, f := range fs {
		e := fmt.Sprintf(`[{"specversion":"1.0","id":%q,"source":"/probe","type":"probe","tenant":"contoso","datacontenttype":"application/json","data":%s}]`, f.ID, f.JSON())
		bodies = append(bodies, jsonString(base64.StdEncoding.EncodeToString(gzipBytes(e))))
		ids, types = append(ids, jsonString(f.ID)), append(types, `"application/cloudevents-batch+json"`)
		sessions, counts = append(sessions, `"contoso"`), append(counts, "1")
	}
	list := func(elements []string) string { return jsonString("[" + strings.Join(elements, ",") + "]") }
	metadata := fmt.Sprintf(`{"MessageIdArray":%s,"ContentTypeArray":%s,"SessionIdArray":%s,"DeliveryCountArray":%s,"sys":{"MethodName":"correlate","UtcNow":"2026-03-03T00:07:33Z"}}`,
		list(ids), list(types), list(sessions), list(counts))
	return sameAnswers(len(fs), s.Invoke(t, "correlate", `{"messages":`+list(bodies)+`}`, metadata))
}

// eventHub delivers findings as events taken as strings: a string that holds a list of strings that hold JSON. A large
// one comes compressed, as base64.
func eventHub(s *server, t *testing.T, fs []Finding) []bool {
	var elements, keys []string
	for _, f := range fs {
		text := `{"records":[` + f.JSON() + `]}`
		if f.Pad > 0 {
			text = gzipBase64(text)
		}
		elements, keys = append(elements, jsonString(text)), append(keys, "null")
	}
	return sameAnswers(len(fs), s.Invoke(t, "ingest-azure", `{"events":`+jsonString("["+strings.Join(elements, ",")+"]")+`}`,
		`{"PartitionKeyArray":`+jsonString("["+strings.Join(keys, ",")+"]")+`,"sys":{"MethodName":"ingest-azure"}}`))
}

// forwardRequest passes a request on as it came, with what the front end and the host add to it.
func forwardRequest(s *server, t *testing.T, fs []Finding) []bool {
	h := http.Header{"Content-Type": {"application/json"}, "X-Forwarded-For": {"192.0.2.1:4711"}, "X-Azure-Functions-Invocationid": {"i-1"}}
	body := findingsArray(fs)
	if isAnyPadded(fs) {
		body = string(gzipBytes(body))
		h.Set("Content-Encoding", "gzip")
	}
	return sameAnswers(len(fs), isFinalStatus(postStatus(t, s.base+"/api/ingest/webhook", body, h, s.s.Deadline)))
}
