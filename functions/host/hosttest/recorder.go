package hosttest

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// Recorder stands for the bus: it keeps what is published and fails when it is told to.
type Recorder struct {
	*httptest.Server

	mu      sync.Mutex
	kept    map[string][]string // publishes by queue
	fail    string
	hold    string
	release chan struct{}
	held    chan struct{}
	opening chan struct{}
	open    chan struct{}
	once    sync.Once
}

func newRecorder(t *testing.T) *Recorder {
	r := &Recorder{kept: map[string][]string{}, release: make(chan struct{}), held: make(chan struct{}, 100),
		opening: make(chan struct{}, 100), open: make(chan struct{})}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /open", func(_ http.ResponseWriter, req *http.Request) {
		r.opening <- struct{}{}
		r.waitUntil(req, r.open)
	})
	mux.HandleFunc("POST /{queue}", r.recordPublish)
	r.Server = httptest.NewServer(mux)
	t.Cleanup(func() {
		r.AllowStart()
		r.ReleasePublishes()
		r.Close()
	})
	return r
}

func (r *Recorder) waitUntil(req *http.Request, until chan struct{}) {
	select {
	case <-until:
	case <-req.Context().Done():
	}
}

func (r *Recorder) recordPublish(w http.ResponseWriter, req *http.Request) {
	b, err := io.ReadAll(req.Body)
	if err != nil {
		return
	}
	body := string(b)
	r.mu.Lock()
	fail, hold, release := r.fail != "" && containsID(body, r.fail), r.hold != "" && containsID(body, r.hold), r.release
	r.mu.Unlock()
	if fail {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	if hold {
		r.held <- struct{}{}
		if r.waitUntil(req, release); req.Context().Err() != nil {
			return
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	queue := req.PathValue("queue")
	r.kept[queue] = append(r.kept[queue], body)
}

// containsID finds a finding's id, which a rejection quotes.
func containsID(body, id string) bool {
	return strings.Contains(strings.ReplaceAll(body, `\`, ""), `"`+id+`"`)
}

// FailPublishes refuses every publish that mentions id, until EndFailures.
func (r *Recorder) FailPublishes(id string) { r.mu.Lock(); defer r.mu.Unlock(); r.fail = id }

// EndFailures ends FailPublishes.
func (r *Recorder) EndFailures() { r.FailPublishes("") }

// HoldPublishes lets every publish that mentions id wait, until Release.
func (r *Recorder) HoldPublishes(id string) { r.mu.Lock(); defer r.mu.Unlock(); r.hold = id }

// WaitForHeld returns when a publish waits.
func (r *Recorder) WaitForHeld() { <-r.held }

// ReleasePublishes ends HoldPublishes.
func (r *Recorder) ReleasePublishes() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.hold != "" {
		r.hold = ""
		close(r.release)
		r.release = make(chan struct{})
	}
}

// AllowStart lets the subject start.
func (r *Recorder) AllowStart() { r.once.Do(func() { close(r.open) }) }

// WaitForStart returns when the subject asks whether it may start.
func (r *Recorder) WaitForStart() { <-r.opening }

// HasPublished reports whether a publish to the queue mentioned id.
func (r *Recorder) HasPublished(queue, id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, body := range r.kept[queue] {
		if containsID(body, id) {
			return true
		}
	}
	return false
}

// CountPublishes is how often the queue was published to.
func (r *Recorder) CountPublishes(queue string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.kept[queue])
}
