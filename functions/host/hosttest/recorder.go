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
		r.wait(req, r.open)
	})
	mux.HandleFunc("POST /{queue}", r.publish)
	r.Server = httptest.NewServer(mux)
	t.Cleanup(func() {
		r.Open()
		r.Release()
		r.Close()
	})
	return r
}

func (r *Recorder) wait(req *http.Request, until chan struct{}) {
	select {
	case <-until:
	case <-req.Context().Done():
	}
}

func (r *Recorder) publish(w http.ResponseWriter, req *http.Request) {
	b, err := io.ReadAll(req.Body)
	if err != nil {
		return
	}
	body := string(b)
	r.mu.Lock()
	fail, hold, release := r.fail != "" && mentions(body, r.fail), r.hold != "" && mentions(body, r.hold), r.release
	r.mu.Unlock()
	if fail {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	if hold {
		r.held <- struct{}{}
		if r.wait(req, release); req.Context().Err() != nil {
			return
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	queue := req.PathValue("queue")
	r.kept[queue] = append(r.kept[queue], body)
}

// mentions finds a finding's id, which a rejection quotes.
func mentions(body, id string) bool {
	return strings.Contains(strings.ReplaceAll(body, `\`, ""), `"`+id+`"`)
}

// Fail refuses every publish that mentions id, until Heal.
func (r *Recorder) Fail(id string) { r.mu.Lock(); defer r.mu.Unlock(); r.fail = id }

// Heal ends Fail.
func (r *Recorder) Heal() { r.Fail("") }

// Hold lets every publish that mentions id wait, until Release.
func (r *Recorder) Hold(id string) { r.mu.Lock(); defer r.mu.Unlock(); r.hold = id }

// WaitHeld returns when a publish waits.
func (r *Recorder) WaitHeld() { <-r.held }

// Release ends Hold.
func (r *Recorder) Release() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.hold != "" {
		r.hold = ""
		close(r.release)
		r.release = make(chan struct{})
	}
}

// Open lets the subject start.
func (r *Recorder) Open() { r.once.Do(func() { close(r.open) }) }

// WaitOpening returns when the subject asks whether it may start.
func (r *Recorder) WaitOpening() { <-r.opening }

// Has reports whether a publish to the queue mentioned id.
func (r *Recorder) Has(queue, id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, body := range r.kept[queue] {
		if mentions(body, id) {
			return true
		}
	}
	return false
}

// Count is how often the queue was published to.
func (r *Recorder) Count(queue string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.kept[queue])
}
