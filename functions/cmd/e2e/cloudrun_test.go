package e2e

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/onepane/onepane/functions/host/hosttest"
)

// cloudRun is ingest-gcp, pushed to by Pub/Sub.
type cloudRun struct {
	p       *process
	address string
	token   string
	doom    atomic.Bool // kill the process while it has the next push
}

func (w *world) cloudRun(t testing.TB, dir string, at platforms) *cloudRun {
	port := freePort(t)
	c := &cloudRun{address: "127.0.0.1:" + port, token: w.google.Token(nil)}
	c.p = run(t, dir+"/ingest-gcp", w.producer("PORT="+port, "ONEPANE_BIND=127.0.0.1", "ONEPANE_PUSH_AUDIENCE="+hosttest.PushAudience,
		"ONEPANE_PUSH_ACCOUNT="+hosttest.PushEmail, "ONEPANE_PUSH_KEYS="+w.google.URL,
		"GCE_METADATA_HOST="+strings.TrimPrefix(at.metadata.URL, "http://"))...)
	return c
}

// push delivers one finding and says whether Pub/Sub may forget it.
func (c *cloudRun) push(finding string) (bool, error) {
	if err := listening(c.address); err != nil {
		return false, err
	}
	req, err := http.NewRequest(http.MethodPost, "http://"+c.address+"/", strings.NewReader(pushed(finding)))
	if err != nil {
		return false, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+c.token)
	killed := make(chan error, 1)
	if c.doom.Swap(false) {
		go func() { killed <- c.p.restart() }()
	} else {
		killed <- nil
	}
	resp, err := local.Do(req)
	if restarted := <-killed; restarted != nil {
		return false, restarted
	}
	if err != nil {
		return false, nil // nobody answered: it is pushed again
	}
	defer resp.Body.Close()
	return resp.StatusCode == http.StatusNoContent, nil
}

// pushed is the push message of a finding.
func pushed(finding string) string {
	return fmt.Sprintf(`{"message":{"data":%q,"messageId":"2070443601311540","publishTime":"2026-03-03T00:07:33Z","attributes":{}},`+
		`"subscription":"projects/example/subscriptions/scc-findings"}`, base64.StdEncoding.EncodeToString([]byte(finding)))
}
