package settings_test

import (
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/onepane/onepane/functions/api"
	"github.com/onepane/onepane/functions/api/settings"
	"github.com/onepane/onepane/shared/datadir"
	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/incident"
	"github.com/onepane/onepane/shared/store/localstore"
)

func TestSettings(t *testing.T) {
	dir := datadir.OpenMemory()
	t.Cleanup(func() { _ = dir.Close() })
	store, err := localstore.Open(dir, localstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 3, 3, 0, 0, 0, 0, time.UTC)
	open := func() *settings.Keeper {
		return &settings.Keeper{
			Documents: store, Configured: map[string]map[string]string{"contoso": {"JoinAt": "0.5", "MergeAt": "0.95"}},
			Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler),
		}
	}
	one, other := open(), open()
	if got := one.Tuning("contoso"); got.JoinAt != 0.5 || got != one.Tuning("contoso") {
		t.Errorf("as configured: %v, and not the same one when asked again", got.JoinAt)
	}
	if got := other.Tuning("contoso").JoinAt; got != 0.5 {
		t.Errorf("the other: %v", got)
	}
	s, err := one.Set(t.Context(), "contoso", 0, map[string]string{"JoinAt": "0.7"}, nil)
	if err != nil || s.Version != 1 {
		t.Fatal(s, err)
	}
	if got := one.Tuning("contoso"); got.JoinAt != 0.7 || got.MergeAt != 0.95 {
		t.Errorf("set over what is configured: %v, %v", got.JoinAt, got.MergeAt)
	}
	if got := other.Tuning("contoso").JoinAt; got != 0.5 {
		t.Errorf("the other reads the store at every question: %v", got)
	}
	now = now.Add(time.Minute)
	if got := other.Tuning("contoso").JoinAt; got != 0.7 {
		t.Errorf("the other a minute later: %v", got)
	}
	if got := one.Tuning("fabrikam").JoinAt; got == 0.7 {
		t.Error("another tenant has it too")
	}
	for _, tt := range []struct {
		version uint64
		tuning  map[string]string
		kind    fault.Kind
	}{{0, map[string]string{"JoinAt": "0.6"}, fault.Conflict}, {1, map[string]string{"JoinAt": "0.99"}, fault.Invalid}, {1, map[string]string{"X": "1"}, fault.Invalid}} {
		if _, err := one.Set(t.Context(), "contoso", tt.version, tt.tuning, nil); fault.Of(err) != tt.kind {
			t.Errorf("%v at %d: %v", tt.tuning, tt.version, err)
		}
	}
	if _, err := one.Set(t.Context(), "contoso", 1, map[string]string{}, nil); err != nil || one.Tuning("contoso").JoinAt != 0.5 {
		t.Errorf("taken back: %v, %v", one.Tuning("contoso").JoinAt, err)
	}
}

// What is noted is in the journal when the settings are set, and only then.
func TestSettingsBringTheirEntry(t *testing.T) {
	dir := datadir.OpenMemory()
	t.Cleanup(func() { _ = dir.Close() })
	store, err := localstore.Open(dir, localstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	k := &settings.Keeper{Documents: store, Now: time.Now, Log: slog.New(slog.DiscardHandler)}
	note := func(after api.Setting) (*api.AuditLine, error) {
		return &api.AuditLine{Tenant: "contoso", AuditEntry: incident.AuditEntry{ID: fmt.Sprint("to version ", after.Version), Data: []byte(`{}`)}}, nil
	}
	for _, tt := range []struct {
		version uint64
		joinAt  string
		kind    fault.Kind
	}{{0, "0.7", 0}, {0, "0.8", fault.Conflict}, {5, "0.8", fault.Conflict}, {1, "0.99", fault.Invalid}} {
		if _, err := k.Set(t.Context(), "contoso", tt.version, map[string]string{"JoinAt": tt.joinAt}, note); fault.Of(err) != tt.kind {
			t.Errorf("%+v: %v", tt, err)
		}
	}
	unsaid := func(api.Setting) (*api.AuditLine, error) { return nil, errors.New("no words") }
	if _, err := k.Set(t.Context(), "contoso", 1, map[string]string{}, unsaid); err == nil {
		t.Error("set without a word")
	}
	if s, err := k.Settings(t.Context(), "contoso"); err != nil || s.Version != 1 {
		t.Errorf("%+v, %v", s, err)
	}
	if es, err := store.Entries(t.Context(), "contoso", "", 10); err != nil || len(es) != 1 || es[0].ID != "to version 1" {
		t.Errorf("journal %+v, %v", es, err)
	}
}
