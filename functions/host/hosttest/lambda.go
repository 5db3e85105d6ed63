package hosttest

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
)

// AWS Lambda behind its Runtime API, called three ways.
var (
	LambdaEvents = Platform{Name: "Lambda, EventBridge", Freezes: true, Start: func(t *testing.T, s Setup) Instance { return &lambda{t: t, s: s, call: eventBridge} }}
	LambdaQueue  = Platform{Name: "Lambda, SQS", Many: true, Partial: true, Freezes: true,
		Start: func(t *testing.T, s Setup) Instance { return &lambda{t: t, s: s, call: sqsBatch} }}
	LambdaURL = Platform{Name: "Lambda, function URL", Many: true, Freezes: true, Start: func(t *testing.T, s Setup) Instance { return &lambda{t: t, s: s, call: functionURL} }}
)

// lambda is a function: as many sandboxes as there are invocations at the same time.
type lambda struct {
	t    *testing.T
	s    Setup
	call func(invoke func(payload string) result, fs []Finding) []bool

	mu   sync.Mutex
	idle []*sandbox
	all  []*sandbox
}

// result is what an invocation came to.
type result struct {
	ok   bool
	body string
}

// Deliver implements Instance.
func (l *lambda) Deliver(t *testing.T, fs ...Finding) []bool {
	return l.call(func(payload string) result {
		b := l.takeSandbox()
		out := b.runInvocation(t, payload, l.s.Deadline)
		l.mu.Lock()
		defer l.mu.Unlock()
		l.idle = append(l.idle, b)
		return out
	}, fs)
}

// takeSandbox finds a sandbox that waits, or starts another.
func (l *lambda) takeSandbox() *sandbox {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.idle) > 0 {
		b := l.idle[len(l.idle)-1]
		l.idle = l.idle[:len(l.idle)-1]
		select {
		case <-b.p.gone: // a function that exits is started anew
		default:
			return b
		}
	}
	b := newSandbox(l.t, l.s)
	l.all = append(l.all, b)
	return b
}

// Stop implements Instance: Lambda kills what it no longer needs.
func (l *lambda) Stop() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var err error
	for _, b := range l.all {
		err = b.p.stopProcess(syscall.SIGKILL)
	}
	return err
}

// sandbox is one process and its Runtime API (AWS Lambda, "Using the Lambda runtime API for custom runtimes").
type sandbox struct {
	p     *process
	next  chan invocation
	ended chan result
}

type invocation struct {
	id, payload string
	end         time.Time
}

func newSandbox(t *testing.T, s Setup) *sandbox {
	b := &sandbox{next: make(chan invocation), ended: make(chan result, 1)}
	const base = "/2018-06-01/runtime/"
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+base+"invocation/next", func(w http.ResponseWriter, r *http.Request) {
		select {
		case in := <-b.next:
			h := w.Header()
			h.Set("Lambda-Runtime-Aws-Request-Id", in.id)
			h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(in.end.UnixMilli(), 10))
			h.Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-west-1:111122223333:function:ingest")
			_, _ = io.WriteString(w, in.payload)
		case <-r.Context().Done(): // frozen until it ends
		}
	})
	finish := func(ok bool) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			w.WriteHeader(http.StatusAccepted)
			b.ended <- result{ok, string(body)}
		}
	}
	mux.HandleFunc("POST "+base+"invocation/{id}/response", finish(true))
	mux.HandleFunc("POST "+base+"invocation/{id}/error", finish(false))
	mux.HandleFunc("POST "+base+"init/error", finish(false))
	api := httptest.NewServer(mux)
	b.p = startSubject(t, s, "HOSTTEST_PLATFORM=lambda", "AWS_LAMBDA_RUNTIME_API="+strings.TrimPrefix(api.URL, "http://"), "AWS_REGION=eu-west-1",
		"AWS_LAMBDA_FUNCTION_NAME=ingest", "AWS_LAMBDA_FUNCTION_VERSION=1", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=256")
	t.Cleanup(func() {
		_ = b.p.stopProcess(syscall.SIGKILL) // before its Runtime API goes, which waits for the long poll
		api.Close()
	})
	return b
}

// runInvocation runs one invocation. The time for it begins when the sandbox takes it; starting is on Lambda's own
// time.
func (b *sandbox) runInvocation(t *testing.T, payload string, limit time.Duration) result {
	in := invocation{id: "8476a536-e9f4-11e8-9739-2dfe598c3fcd", payload: payload, end: time.Now().Add(limit)}
	for taken := false; !taken; {
		select {
		case b.next <- in:
			taken = true
		case <-b.p.gone:
			return result{}
		case <-time.After(limit / 10): // not yet there: the deadline is counted from when it is
			in.end = time.Now().Add(limit)
		}
	}
	select {
	case r := <-b.ended:
		return r
	case <-b.p.gone:
		return result{}
	case <-time.After(time.Until(in.end)):
		t.Error("the invocation was not answered before its deadline")
		return result{}
	}
}

// eventBridge delivers each finding as an event; a large one as CloudWatch Logs would, which is the way for what is
// compressed.
func eventBridge(invoke func(string) result, fs []Finding) []bool {
	out := make([]bool, len(fs))
	for i, f := range fs {
		payload := eventBridgeEvent(f)
		if f.Pad > 0 {
			payload = fmt.Sprintf(`{"awslogs":{"data":%q}}`, gzipBase64(`{"messageType":"DATA_MESSAGE","logEvents":[{"message":`+f.JSON()+`}]}`))
		}
		out[i] = invoke(payload).ok
	}
	return out
}

// eventBridgeEvent is an EventBridge event around a finding.
func eventBridgeEvent(f Finding) string {
	return fmt.Sprintf(`{"version":"0","id":"6f1c3a0e-7d55-4d40-9f4e-3c1b8a1f0001","detail-type":"GuardDuty Finding","source":"aws.guardduty",`+
		`"account":"111122223333","time":"2026-03-03T00:07:33Z","region":"eu-west-1","resources":[],"detail":%s}`, f.JSON())
}

// sqsBatch delivers all findings as one batch, with ReportBatchItemFailures.
func sqsBatch(invoke func(string) result, fs []Finding) []bool {
	records := make([]string, len(fs))
	for i, f := range fs {
		body := eventBridgeEvent(f)
		if f.Pad > 0 {
			body = gzipBase64(body)
		}
		records[i] = fmt.Sprintf(`{"messageId":%q,"receiptHandle":"r","body":%s,"attributes":{"ApproximateReceiveCount":"1"},"messageAttributes":{},`+
			`"md5OfBody":"","eventSource":"aws:sqs","eventSourceARN":"arn:aws:sqs:eu-west-1:111122223333:findings","awsRegion":"eu-west-1"}`, "m-"+f.ID, jsonString(body))
	}
	out := make([]bool, len(fs))
	r := invoke(`{"Records":[` + strings.Join(records, ",") + `]}`)
	var answer struct {
		Failures []struct {
			ID string `json:"itemIdentifier"`
		} `json:"batchItemFailures"`
	}
	if !r.ok || json.Unmarshal([]byte(r.body), &answer) != nil {
		return out // SQS takes what it cannot read for a failure of all
	}
	failed := map[string]bool{}
	for _, f := range answer.Failures {
		failed[f.ID] = true
	}
	for i, f := range fs {
		out[i] = !failed["m-"+f.ID]
	}
	return out
}

// functionURL posts all findings as an array. What is refused for good its sender will not repeat.
func functionURL(invoke func(string) result, fs []Finding) []bool {
	body, encoded := findingsArray(fs), false
	if isAnyPadded(fs) {
		body, encoded = gzipBase64(body), true
	}
	r := invoke(fmt.Sprintf(`{"version":"2.0","routeKey":"$default","rawPath":"/api/ingest/webhook","rawQueryString":"","headers":{"content-type":"application/json"},`+
		`"requestContext":{"domainName":"abc.lambda-url.eu-west-1.on.aws","http":{"method":"POST","path":"/api/ingest/webhook","protocol":"HTTP/1.1","sourceIp":"192.0.2.1"}},`+
		`"body":%s,"isBase64Encoded":%v}`, jsonString(body), encoded))
	var answer struct {
		Status int `json:"statusCode"`
	}
	if !r.ok || json.Unmarshal([]byte(r.body), &answer) != nil {
		return make([]bool, len(fs))
	}
	return sameAnswers(len(fs), isFinalStatus(answer.Status))
}

// isFinalStatus reports whether an HTTP answer ends a delivery: taken, or refused for good.
func isFinalStatus(code int) bool { return code >= 200 && code < 300 || code == 400 || code == 413 }

// sameAnswers is the same answer for all.
func sameAnswers(n int, ok bool) []bool {
	out := make([]bool, n)
	for i := range out {
		out[i] = ok
	}
	return out
}

func findingsArray(fs []Finding) string {
	parts := make([]string, len(fs))
	for i, f := range fs {
		parts[i] = f.JSON()
	}
	return "[" + strings.Join(parts, ",") + "]"
}

func isAnyPadded(fs []Finding) bool {
	for _, f := range fs {
		if f.Pad > 0 {
			return true
		}
	}
	return false
}

// gzipBase64 is text as base64 of gzip.
func gzipBase64(text string) string { return base64.StdEncoding.EncodeToString(gzipBytes(text)) }
