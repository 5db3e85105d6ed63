package main

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestAuditCrash kills the server with SIGKILL while people comment on incidents and change settings, again and again
// over one data directory: there are as many entries in the audit log as there are comments and versions of the
// settings.
func TestAuditCrash(t *testing.T) {
	crashes := 3
	if n, err := strconv.Atoi(os.Getenv("ONEPANE_CRASHES")); err == nil {
		crashes = n
	}
	const incidents = 4
	data := t.TempDir()
	var ids []string
	for round := range crashes {
		s := start(t, data)
		if round == 0 {
			for n := range incidents {
				body := fmt.Sprintf(`{"id":"a%d","time":"2026-03-03T00:00:00Z","source":"crash","title":"load %d","entities":[{"kind":"host","value":"host-%d.example"}]}`, n, n, n)
				if status, answer, err := post(s.base, "webhook", []byte(body), true); err != nil || status != http.StatusAccepted {
					t.Fatal(status, string(answer), err)
				}
			}
			for _, i := range s.all("/v1.0/security/incidents?$select=id") {
				ids = append(ids, i["id"].(string))
			}
		}
		if len(ids) != incidents {
			t.Fatalf("%d incidents", len(ids))
		}
		var people sync.WaitGroup
		var done atomic.Int64
		first := make(chan struct{})
		edit := func(method, path, body string) {
			for write(method, s.base+path, body) {
				if done.Add(1) == 10 {
					close(first)
				}
			}
		}
		for _, id := range ids {
			people.Go(func() { edit(http.MethodPost, "/v1.0/security/incidents/"+id+"/comments", `{"comment":"look"}`) })
		}
		people.Go(func() {
			for n := 0; write(http.MethodPatch, s.base+"/api/v1/settings", fmt.Sprintf(`{"tuning":{"JoinAt":"0.%d"}}`, 60+n%20)); n++ {
			}
		})
		<-first
		time.AfterFunc(time.Duration(rand.IntN(100))*time.Millisecond, s.kill)
		people.Wait()
		<-s.done
	}
	s := start(t, data)
	defer s.stop()
	entries := map[string]int{}
	for _, e := range s.all("/api/v1/audit?$top=1000") {
		entries[e["target"].(string)]++
	}
	total := 0
	for _, id := range ids {
		var i struct {
			Comments []struct{} `json:"comments"`
		}
		s.get("/v1.0/security/incidents/"+id, &i)
		if n := entries["incident "+id]; n != len(i.Comments) {
			t.Errorf("incident %s has %d comments and %d entries", id, len(i.Comments), n)
		}
		total += len(i.Comments)
	}
	var set struct {
		Version int `json:"version"`
	}
	if s.get("/api/v1/settings", &set); set.Version != entries["settings"] || set.Version == 0 {
		t.Errorf("the settings are at version %d and have %d entries", set.Version, entries["settings"])
	}
	t.Logf("%d crashes, %d comments and %d versions of the settings, each with its entry", crashes, total, entries["settings"])
}

// write makes one request; false when the server is gone. What it answers does not matter: it may die before it can.
func write(method, url, body string) bool {
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		return false
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	_, err = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	return err == nil
}
