package e2e

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
)

// lambda is ingest-aws behind a Runtime API, one invocation at a time.
type lambda struct {
	p     *process
	next  chan string
	ended chan result
	doom  atomic.Bool // kill the process when it has taken the next invocation
}

// result is what an invocation came to.
type result struct {
	ok   bool
	body string
}

func (w *world) lambda(t testing.TB, dir string, at platforms) *lambda {
	l := &lambda{next: make(chan string), ended: make(chan result, 1)}
	const base = "/2018-06-01/runtime/"
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+base+"invocation/next", func(w http.ResponseWriter, r *http.Request) {
		select {
		case payload := <-l.next:
			w.Header().Set("Lambda-Runtime-Aws-Request-Id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd")
			w.Header().Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(time.Now().Add(time.Minute).UnixMilli(), 10))
			_, _ = io.WriteString(w, payload)
		case <-r.Context().Done():
		}
	})
	finish := func(ok bool) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			w.WriteHeader(http.StatusAccepted)
			l.ended <- result{ok, string(body)}
		}
	}
	mux.HandleFunc("POST "+base+"invocation/{id}/response", finish(true))
	mux.HandleFunc("POST "+base+"invocation/{id}/error", finish(false))
	mux.HandleFunc("POST "+base+"init/error", finish(false))
	api := httptest.NewServer(mux)
	l.p = run(t, dir+"/ingest-aws", w.producer("AWS_LAMBDA_RUNTIME_API="+strings.TrimPrefix(api.URL, "http://"), "AWS_REGION=eu-west-1",
		"AWS_LAMBDA_FUNCTION_NAME=ingest-aws", "AWS_LAMBDA_FUNCTION_VERSION=1", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=512",
		"AWS_ACCESS_KEY_ID=AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY=example", "AWS_SESSION_TOKEN=example", "AWS_ENDPOINT_URL_STS="+at.sts.URL)...)
	t.Cleanup(func() {
		l.p.mu.Lock()
		l.p.over = true
		l.p.mu.Unlock()
		l.p.kill() // before its Runtime API goes, which waits for the long poll
		api.Close()
	})
	return l
}

// invoke runs one invocation; a process that dies fails it.
func (l *lambda) invoke(payload string) (result, error) {
	l.next <- payload
	if l.doom.Swap(false) {
		err := l.p.restart()
		select {
		case r := <-l.ended: // it was faster
			return r, err
		default:
			return result{}, err
		}
	}
	select {
	case r := <-l.ended:
		return r, nil
	case <-time.After(patience):
		return result{}, fmt.Errorf("ingest-aws does not answer")
	}
}

// queue delivers EventBridge events as one batch of SQS, with ReportBatchItemFailures. It says whether all were taken.
func (l *lambda) queue(events []string) (bool, error) {
	records := make([]string, len(events))
	for i, e := range events {
		records[i] = fmt.Sprintf(`{"messageId":"m%d","receiptHandle":"r","body":%s,"attributes":{"ApproximateReceiveCount":"1"},"messageAttributes":{},"md5OfBody":"",`+
			`"eventSource":"aws:sqs","eventSourceARN":"arn:aws:sqs:eu-west-1:111122223333:findings","awsRegion":"eu-west-1"}`, i, quoted(e))
	}
	r, err := l.invoke(`{"Records":[` + strings.Join(records, ",") + `]}`)
	return r.ok && r.body == `{"batchItemFailures":[]}`, err
}

// post posts alerts to the function URL.
func (l *lambda) post(alerts []string) (bool, error) {
	r, err := l.invoke(fmt.Sprintf(`{"version":"2.0","routeKey":"$default","rawPath":"/api/ingest/webhook","rawQueryString":"","headers":{"content-type":"application/json"},`+
		`"requestContext":{"domainName":"abc.lambda-url.eu-west-1.on.aws","http":{"method":"POST","path":"/api/ingest/webhook","protocol":"HTTP/1.1","sourceIp":"192.0.2.1"}},`+
		`"body":%s,"isBase64Encoded":false}`, quoted("["+strings.Join(alerts, ",")+"]")))
	var answer struct {
		Status int `json:"statusCode"`
	}
	return r.ok && json.Unmarshal([]byte(r.body), &answer) == nil && answer.Status == http.StatusAccepted, err
}

func quoted(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err) // it is our own text
	}
	return string(b)
}
