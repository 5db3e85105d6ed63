package storetest

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/store"
)

// DocumentStore is what a driver offers beside Store.
type DocumentStore interface {
	store.Documents
	store.AuditLog
}

// DocumentsDriver is one fresh, empty store of documents and audit logs under test.
type DocumentsDriver struct {
	Store DocumentStore
	// Crash gives the store as a crash right now could leave it. Nil when it cannot.
	Crash func(t *testing.T) DocumentStore
	// Later moves the store's clock on. Nil when nothing can.
	Later func(d time.Duration)
	Now   func() time.Time
}

// RunDocuments checks the promises of store.Documents and store.AuditLog, each on a fresh driver.
func RunDocuments(t *testing.T, open func(t *testing.T) DocumentsDriver) {
	for _, p := range []struct {
		name  string
		check func(*testing.T, DocumentsDriver)
	}{
		{"a document is found as it was put", putAndFound},
		{"a document that is not there is not found", noDocument},
		{"a document is replaced only at its version", documentVersions},
		{"of concurrent writers of a document one wins", documentRace},
		{"documents of a kind are listed by id, page by page", documentsListed},
		{"a document and its audit entry are written together", documentAudited},
		{"what was written survives a crash", documentsSurviveCrash},
		{"too much is refused", documentTooLarge},
		{"an audit log is listed newest first, page by page", auditLogListed},
		{"an entry is kept once, as it was first", entryKeptOnce},
		{"audit logs of tenants are apart", auditLogsAreSeparate},
		{"expired entries are not shown", entriesExpire},
		{"odd names are names", oddNames},
	} {
		t.Run(p.name, func(t *testing.T) { p.check(t, open(t)) })
	}
}

func putDocument(t *testing.T, l DocumentStore, kind, id string, version uint64, data string) {
	t.Helper()
	v, err := l.PutDocument(t.Context(), kind, store.Document{ID: id, Version: version, Data: []byte(data)})
	if err != nil || v != version+1 {
		t.Fatalf("PutDocument %s %s: version %d, %v", kind, id, v, err)
	}
}

func findDocument(t *testing.T, l DocumentStore, kind, id string) store.Document {
	t.Helper()
	d, err := l.Document(t.Context(), kind, id)
	if err != nil {
		t.Fatalf("Document %s %s: %v", kind, id, err)
	}
	return d
}

func appendEntry(t *testing.T, l DocumentStore, tenant, id, data string) {
	t.Helper()
	if err := l.AppendEntry(t.Context(), tenant, store.AuditEntry{ID: id, Data: []byte(data)}); err != nil {
		t.Fatalf("Append %s to %q: %v", id, tenant, err)
	}
}

func entryIDs(t *testing.T, l DocumentStore, tenant, before string, limit int) []string {
	t.Helper()
	es, err := l.Entries(t.Context(), tenant, before, limit)
	if err != nil {
		t.Fatalf("Entries of %q: %v", tenant, err)
	}
	out := []string{}
	for _, e := range es {
		out = append(out, e.ID)
	}
	return out
}

func putAndFound(t *testing.T, d DocumentsDriver) {
	putDocument(t, d.Store, "key", "a", 0, `{"n":1}`)
	putDocument(t, d.Store, "other", "a", 0, `{"n":2}`)
	if got := findDocument(t, d.Store, "key", "a"); string(got.Data) != `{"n":1}` || got.Version != 1 || got.ID != "a" {
		t.Errorf("got %+v", got)
	}
}

func noDocument(t *testing.T, d DocumentsDriver) {
	putDocument(t, d.Store, "key", "ab", 0, `{}`)
	for _, id := range []string{"a", "abc", ""} {
		if _, err := d.Store.Document(t.Context(), "key", id); fault.Of(err) != fault.NotFound {
			t.Errorf("%q: %v", id, err)
		}
	}
}

func documentVersions(t *testing.T, d DocumentsDriver) {
	putDocument(t, d.Store, "key", "a", 0, `{"n":1}`)
	for _, version := range []uint64{0, 2, 7} {
		if _, err := d.Store.PutDocument(t.Context(), "key", store.Document{ID: "a", Version: version, Data: []byte(`{}`)}); fault.Of(err) != fault.Conflict {
			t.Errorf("at version %d: %v", version, err)
		}
	}
	if _, err := d.Store.PutDocument(t.Context(), "key", store.Document{ID: "new", Version: 1, Data: []byte(`{}`)}); fault.Of(err) != fault.Conflict {
		t.Errorf("a new one at version 1: %v", err)
	}
	putDocument(t, d.Store, "key", "a", 1, `{"n":2}`)
	if got := findDocument(t, d.Store, "key", "a"); string(got.Data) != `{"n":2}` || got.Version != 2 {
		t.Errorf("got %+v", got)
	}
}

func documentRace(t *testing.T, d DocumentsDriver) {
	var wg sync.WaitGroup
	errs := make(chan error, 8)
	for n := range 8 {
		wg.Go(func() {
			_, err := d.Store.PutDocument(t.Context(), "key", store.Document{ID: "a", Data: fmt.Append(nil, n)})
			errs <- err
		})
	}
	wg.Wait()
	close(errs)
	won := 0
	for err := range errs {
		if err == nil {
			won++
		} else if fault.Of(err) != fault.Conflict {
			t.Error(err)
		}
	}
	if won != 1 {
		t.Errorf("%d won", won)
	}
}

func documentsListed(t *testing.T, d DocumentsDriver) {
	for n := 6; n >= 0; n-- {
		putDocument(t, d.Store, "key", fmt.Sprint("k", n), 0, `{}`)
	}
	putDocument(t, d.Store, "other", "k1x", 0, `{}`)
	var got []string
	for after := ""; ; {
		page, err := d.Store.ListDocuments(t.Context(), "key", after, 3)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		for _, doc := range page {
			got = append(got, doc.ID)
		}
		after = page[len(page)-1].ID
	}
	checkStrings(t, "documents", got, []string{"k0", "k1", "k2", "k3", "k4", "k5", "k6"})
}

func documentAudited(t *testing.T, d DocumentsDriver) {
	putAudited := func(version uint64, entry string, data []byte) error {
		_, err := d.Store.PutAudited(t.Context(), "key", store.Document{ID: "a", Version: version, Data: []byte(`{}`)}, tenant, store.AuditEntry{ID: entry, Data: data})
		return err
	}
	for version, entry := range []string{"1", "2"} {
		if err := putAudited(uint64(version), entry, []byte(`{"n":1}`)); err != nil {
			t.Fatal(err)
		}
	}
	if err := putAudited(0, "3", []byte(`{}`)); fault.Of(err) != fault.Conflict {
		t.Errorf("at another version: %v", err)
	}
	if err := putAudited(2, "4", make([]byte, store.MaxDocument+1)); fault.Of(err) != fault.TooLarge {
		t.Errorf("an entry that is too large: %v", err)
	}
	check := func(l DocumentStore) {
		t.Helper()
		checkStrings(t, "entries", entryIDs(t, l, tenant, "", 10), []string{"2", "1"})
		if got := findDocument(t, l, "key", "a"); got.Version != 2 {
			t.Errorf("got %+v", got)
		}
	}
	check(d.Store)
	if d.Crash != nil {
		check(d.Crash(t))
	}
}

func documentsSurviveCrash(t *testing.T, d DocumentsDriver) {
	if d.Crash == nil {
		t.Skip("this driver has nothing that could be lost")
	}
	putDocument(t, d.Store, "key", "a", 0, `{"n":1}`)
	appendEntry(t, d.Store, tenant, "1", `{}`)
	l := d.Crash(t)
	if got := findDocument(t, l, "key", "a"); string(got.Data) != `{"n":1}` || got.Version != 1 {
		t.Errorf("got %+v", got)
	}
	checkStrings(t, "entries", entryIDs(t, l, tenant, "", 10), []string{"1"})
}

func documentTooLarge(t *testing.T, d DocumentsDriver) {
	data := make([]byte, store.MaxDocument+1)
	for i := range data {
		data[i] = '1'
	}
	if _, err := d.Store.PutDocument(t.Context(), "key", store.Document{ID: "a", Data: data}); fault.Of(err) != fault.TooLarge {
		t.Errorf("a document: %v", err)
	}
	if err := d.Store.AppendEntry(t.Context(), tenant, store.AuditEntry{ID: "a", Data: data}); fault.Of(err) != fault.TooLarge {
		t.Errorf("an entry: %v", err)
	}
	putDocument(t, d.Store, "key", "a", 0, string(data[1:]))
}

func auditLogListed(t *testing.T, d DocumentsDriver) {
	for _, n := range []int{3, 1, 4, 0, 2} {
		appendEntry(t, d.Store, tenant, fmt.Sprint("e", n), `{}`)
	}
	checkStrings(t, "all", entryIDs(t, d.Store, tenant, "", 10), []string{"e4", "e3", "e2", "e1", "e0"})
	checkStrings(t, "first page", entryIDs(t, d.Store, tenant, "", 2), []string{"e4", "e3"})
	checkStrings(t, "second page", entryIDs(t, d.Store, tenant, "e3", 2), []string{"e2", "e1"})
	checkStrings(t, "last page", entryIDs(t, d.Store, tenant, "e1", 2), []string{"e0"})
	checkStrings(t, "beyond", entryIDs(t, d.Store, tenant, "e0", 2), nil)
}

func entryKeptOnce(t *testing.T, d DocumentsDriver) {
	appendEntry(t, d.Store, tenant, "e", `{"n":1}`)
	appendEntry(t, d.Store, tenant, "e", `{"n":2}`)
	es, err := d.Store.Entries(t.Context(), tenant, "", 10)
	if err != nil || len(es) != 1 || string(es[0].Data) != `{"n":1}` {
		t.Errorf("%v, %v", es, err)
	}
}

func auditLogsAreSeparate(t *testing.T, d DocumentsDriver) {
	for _, name := range []string{"contoso", "contoso2", "", "a"} {
		appendEntry(t, d.Store, name, "of "+name, `{}`)
	}
	for _, name := range []string{"contoso", "contoso2", "", "a"} {
		checkStrings(t, name, entryIDs(t, d.Store, name, "", 10), []string{"of " + name})
	}
	checkStrings(t, "nobody's", entryIDs(t, d.Store, "nobody", "", 10), nil)
	names, err := d.Store.AuditedTenants(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	checkStrings(t, "tenants with audit logs", names, []string{"", "a", "contoso", "contoso2"})
}

func entriesExpire(t *testing.T, d DocumentsDriver) {
	if d.Later == nil {
		t.Skip("nothing moves this driver's clock")
	}
	for n := range 40 {
		err := d.Store.AppendEntry(t.Context(), tenant, store.AuditEntry{ID: fmt.Sprintf("e%02d", n), Expires: d.Now().Add(time.Hour), Data: []byte(`{}`)})
		if err != nil {
			t.Fatal(err)
		}
	}
	appendEntry(t, d.Store, tenant, "f", `{}`)
	if got := entryIDs(t, d.Store, tenant, "", 100); len(got) != 41 {
		t.Errorf("before: %v", got)
	}
	d.Later(2 * time.Hour)
	checkStrings(t, "after", entryIDs(t, d.Store, tenant, "", 100), []string{"f"})
	appendEntry(t, d.Store, tenant, "g", `{}`)
	checkStrings(t, "after another", entryIDs(t, d.Store, tenant, "", 100), []string{"g", "f"})
}

func oddNames(t *testing.T, d DocumentsDriver) {
	for _, name := range []string{"~odd", "a/b", "ünï", "with space", "a\\b?c#d", "\x01", "😀"} {
		putDocument(t, d.Store, "key", name, 0, `{}`)
		if got := findDocument(t, d.Store, "key", name); got.ID != name {
			t.Errorf("%q: %q", name, got.ID)
		}
		appendEntry(t, d.Store, name, name, `{}`)
		checkStrings(t, name, entryIDs(t, d.Store, name, "", 10), []string{name})
	}
}
