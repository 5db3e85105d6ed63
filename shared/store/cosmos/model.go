package cosmos

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/incident"
	"github.com/onepane/onepane/shared/query"
	"github.com/onepane/onepane/shared/store"
	"github.com/onepane/onepane/shared/store/cosmos/cosmosdb"
	"github.com/onepane/onepane/shared/store/cosmos/lsm"
)

// The items of a tenant's partition, by type.
const (
	manifestID = "root"

	manifestType  = "root"
	commitType    = "commit"
	idIndexType   = "names"
	incidentsType = "incidents"
	emptyType     = "empty" // of a page whose incidents are all purged
)

// The forms of a manifest. Tables of forms 0 and 1 were in the tenant's own partition, until volumes came, in form
// 1: see migrate.go.
const (
	migratingForm = 2 // no process works on the tenant until a migration has ended
	currentForm   = 3
)

// manifest is a tenant: what is committed is what it leads to. Whoever writes anything in the partition replaces it
// in the same batch, if it is still the one that was read.
type manifest struct {
	ID     string `json:"id"`
	Tenant string `json:"tenant"`
	Type   string `json:"type"`

	Form     int         `json:"form,omitzero"`
	Version  uint64      `json:"version"`
	Sequence int64       `json:"sequence"`
	Rows     store.Stats `json:"rows"`
	// Sources counts rows by provider.
	Sources map[string]incident.Source `json:"sources,omitempty"`
	// Flushed is the last commit that is in the tables; those after it are the log.
	Flushed  uint64 `json:"folded"`
	LogSince int64  `json:"since,omitzero"` // when the tail's first commit was written, Unix seconds
	// Volumes are the partitions that the tables go on in, in order.
	Volumes []volume `json:"volumes,omitempty"`
	// Trimmed is the last commit that has been deleted from the log, and is only in a volume now.
	Trimmed uint64 `json:"swept,omitzero"`
	lsm.Levels
	// Nonce changes with every write, for two writes that change nothing else to differ.
	Nonce string `json:"turn"`
}

// commitItem is one commit: the rows of its alerts, for good, and what it changed besides, until that is flushed
// into the tables.
type commitItem struct {
	ID     string `json:"id"`
	Tenant string `json:"tenant"`
	Type   string `json:"type"`
	V      uint64 `json:"v"`
	Nonce  string `json:"turn"` // the root's, when it was committed: whose commit this is
	At     int64  `json:"at"`   // Unix seconds
	zoneMap
	IDs     []string `json:"ids,omitempty"`    // of the alerts that are whose origin is this commit, hashed
	Content payload  `json:"content,omitzero"` // content
	Nodes   *lsm.Ref `json:"nodes,omitempty"`  // a layer, but for short-lived ones; of use until they are flushed
	// Unreferenced are blobs that nothing leads to after this commit. The flush of it deletes them.
	Unreferenced []cosmosdb.BlobRef `json:"drop,omitempty"`
}

// content is the rows that a commit wrote. Entries keep their places for ever: the feed's cursors count them.
type content struct {
	// Rows whose origin this commit is are as of the last flush, the others as they were.
	Rows []alertRow `json:"rows,omitempty"`
	// Incidents are as they were. Once they are in the table, it may be that only what the feed tells of them is left.
	Incidents []incidentRow `json:"incidents,omitempty"`
}

// idIndexItem holds nodes that are of use for days only, mostly ids that an alert carries. They are looked up far
// more often than there is one, and are never flushed: they expire.
type idIndexItem struct {
	ID     string   `json:"id"`
	Tenant string   `json:"tenant"`
	Type   string   `json:"type"`
	V      uint64   `json:"v"`
	IDs    []string `json:"ids"`
	Nodes  payload  `json:"nodes"` // []incident.Node
	TTL    int      `json:"ttl"`   // seconds
}

// incidentsItem is a page of the table of incidents: those whose numbers are neighbours.
type incidentsItem struct {
	ID     string `json:"id"`
	Tenant string `json:"tenant"`
	Type   string `json:"type"`
	zoneMap
	Rows payload `json:"rows"` // []incidentRow
}

// alertRow is an alert or exposure without its body: a Member of whose Alert there are ID, Title, Severity,
// ServiceSource, Class, First and Last.
type alertRow struct {
	incident.AlertRecord
	V      uint64  `json:"v"`    // the commit that changed it last
	Origin uint64  `json:"home"` // the commit that brought it, in whose item it stays
	Body   bodyRef `json:"body"`
	Purged bool    `json:"gone,omitzero"` // only the id is left, and after the next flush its place
}

// bodyRef says where an alert is whole: the n-th of those in a blob.
type bodyRef struct {
	Blob   cosmosdb.BlobRef `json:"blob"`
	N      int              `json:"n"`
	Sum    string           `json:"sum"`        // of the encoded alert, hashed
	Commit uint64           `json:"v,omitzero"` // the commit that wrote the blob: its rows are all that may be in it
}

// incidentRow is an incident as of a commit.
type incidentRow struct {
	incident.Incident
	V      uint64 `json:"v"`
	Purged bool   `json:"gone,omitzero"` // the next flush makes it true of the table
}

// headOf is what of an alert is in its row.
func headOf(m incident.AlertRecord) incident.AlertRecord {
	a := m.Alert
	m.Alert = alert.Alert{}
	m = clone(m)
	m.Alert = alert.Alert{ID: a.ID, Title: a.Title, Severity: a.Severity, ServiceSource: a.GraphService(), Class: a.Class, First: a.First, Last: a.Last}
	return m
}

// The kinds of row.
const (
	alertKind    = "alert"
	exposureKind = "exposure"
	foldedKind   = "folded"
	incidentKind = "incident"
)

func kindOf(m incident.AlertRecord) string {
	switch {
	case m.FoldedInto != "":
		return foldedKind
	case m.Alert.Class == alert.Exposure:
		return exposureKind
	}
	return alertKind
}

func countRow(rows *store.Stats, kind string, n int64) {
	switch kind {
	case alertKind:
		rows.Alerts += n
	case exposureKind:
		rows.Exposures += n
	case incidentKind:
		rows.Incidents += n
	}
}

func commitID(v uint64) string         { return "c-" + strconv.FormatUint(v, 10) }
func idIndexID(v uint64, n int) string { return fmt.Sprintf("k-%d-%d", v, n) }
func incidentsID(page string) string   { return "i-" + page }
func alertTerm(id string) string       { return hashName("a" + id) }
func idTerm(key string) string         { return hashName("n" + key) }
func isShortLived(key string) bool     { return incident.LifetimeOf(key) < incident.NodeLifetime }
func unixMicro(t time.Time) int64      { return max(-maxExact, min(maxExact, t.UnixMicro())) }

// maxExact is the largest number that survives as JSON.
const maxExact = 1<<53 - 1

// hashName is a name as the index keeps it: 72 bits, which are checked against the whole name when it is read.
func hashName(name string) string {
	sum := sha256.Sum256([]byte(name))
	return base64.RawURLEncoding.EncodeToString(sum[:9])
}

// pageSpan is how many neighbouring incidents share an item.
const pageSpan = 32

// pageOf says which item of the table an incident is in. Numbers rise by suffixes (see incident.MakeID); ids that
// are no numbers go by their hash.
func pageOf(id string) string {
	const suffixes = 10_000
	if n, err := strconv.ParseUint(id, 10, 63); err == nil && strconv.FormatUint(n, 10) == id {
		return strconv.FormatUint(n/suffixes/pageSpan, 10)
	}
	h := fnv.New32a()
	h.Write([]byte(id)) // never fails
	return "x" + strconv.FormatUint(uint64(h.Sum32()%256), 10)
}

// zoneMap are what an index can tell of an item's rows without reading them: the spans of their times, in
// microseconds since 1970, and terms, "property:value" in lower case.
type zoneMap struct {
	CMin  *int64   `json:"cmin,omitempty"` // created
	CMax  *int64   `json:"cmax,omitempty"`
	UMin  *int64   `json:"umin,omitempty"` // updated
	UMax  *int64   `json:"umax,omitempty"`
	FMin  *int64   `json:"fmin,omitempty"` // first activity
	FMax  *int64   `json:"fmax,omitempty"`
	Terms []string `json:"terms,omitempty"`
}

// indexedFields are the text fields that are among the terms.
var indexedFields = []query.Field{query.Status, query.Severity, query.ServiceSource, query.AssignedTo, query.Classification}

func fieldTerm(f query.Field, value string) string { return string(f) + ":" + strings.ToLower(value) }

func kindTerm(kind string) string { return "rows:" + kind }

// addRow takes a row of that kind into account.
func (z *zoneMap) addRow(kind string, r query.Row) {
	extendSpan(&z.CMin, &z.CMax, unixMicro(r.Time(query.Created)))
	extendSpan(&z.UMin, &z.UMax, unixMicro(r.Time(query.Updated)))
	extendSpan(&z.FMin, &z.FMax, unixMicro(r.Time(query.FirstActivity)))
	z.addTerm(kindTerm(kind))
	for _, f := range indexedFields {
		if kind == incidentKind && f == query.ServiceSource {
			continue
		}
		z.addTerm(fieldTerm(f, r.Text(f)))
	}
	if kind == alertKind {
		z.addTerm(fieldTerm(query.IncidentID, r.Text(query.IncidentID)))
	}
	if folded, ok := r.(alertRow); ok && kind == foldedKind {
		z.addTerm(foldedTerm(folded.FoldedInto))
	}
}

// foldedTerm finds the rows that were folded into an alert.
func foldedTerm(into string) string { return "folded:" + strings.ToLower(into) }

func (z *zoneMap) addTerm(t string) {
	for _, has := range z.Terms {
		if has == t {
			return
		}
	}
	z.Terms = append(z.Terms, t)
}

func extendSpan(from, to **int64, v int64) {
	if *from == nil || v < **from {
		*from = &v
	}
	if *to == nil || v > **to {
		*to = &v
	}
}

func decodeManifest(data []byte) (m manifest, err error) {
	if err = json.Unmarshal(data, &m); err != nil {
		err = fmt.Errorf("damaged item: %w", err)
	}
	return m, err
}

// requireForm refuses what this version does not read: fault.Unavailable, for no alert is to blame.
func (m *manifest) requireForm() error {
	switch {
	case m.Form > currentForm:
		return fault.Errorf(fault.Unavailable, "a newer version has written it, in form %d; this one knows %d", m.Form, currentForm)
	case m.Form < currentForm:
		return fault.Errorf(fault.Unavailable, "it is in form %d, which \"onepane migrate --cosmos ENDPOINT\" brings to form %d", m.Form, currentForm)
	}
	return nil
}

func decodeIncidents(data []byte) (it incidentsItem, err error) {
	if err = json.Unmarshal(data, &it); err != nil {
		err = fmt.Errorf("damaged item: %w", err)
	}
	return it, err
}
