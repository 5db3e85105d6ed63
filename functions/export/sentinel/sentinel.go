// Package sentinel exports to Microsoft Sentinel: SecurityAlert and SecurityIncident rows through the Logs Ingestion
// API of Azure Monitor (api-version 2023-01-01). A data collection rule declares both streams and says which tables
// they fill.
//
//	alert ────▶ SecurityAlert row ──┐
//	incident ─▶ SecurityIncident ───┴─POST …/dataCollectionRules/ID/streams/NAME─▶ 204: taken
//
// Tables only grow: the latest row of an id is what it is now. Repeats have the same OnepaneRowId.
package sentinel

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/functions/export"
	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/store"
)

// Scope is what Token's tokens are for.
const Scope = "https://monitor.azure.com/.default"

// Target sends rows to one data collection rule.
type Target struct {
	Endpoint string // of the rule or a data collection endpoint: "https://NAME.REGION.ingest.monitor.azure.com"
	Rule     string // its immutable id, "dcr-…"
	// AlertStream and IncidentStream are those the rule declares; defaults Custom-SecurityAlert and
	// Custom-SecurityIncident.
	AlertStream, IncidentStream string
	// NoIncidents leaves incidents out: for who lets Sentinel make its own.
	NoIncidents bool
	// Subscriptions are those whose alerts are sent, by cloud account; empty sends all.
	Subscriptions []string
	PortalURL     string // where links lead; rows have none when it is empty
	Token         func(ctx context.Context) (string, error)
	HTTP          *http.Client
	Now           func() time.Time
}

const (
	apiVersion = "2023-01-01"
	// maxCall bounds one call. The others of a rule, 2 GB and 12,000 calls a minute, are far from what one export
	// sends, a call at a time; were they met, 429 says when to come again.
	maxCall = 1 << 20  // compressed or not
	maxRow  = 64 << 10 // Azure Monitor cuts a field off at 64 KB; rows here stay below it as a whole
	// maxAlerts is how many alerts Sentinel holds in an incident.
	maxAlerts = 150
)

// Limits implements export.Target.
func (t *Target) Limits() export.Limits {
	return export.Limits{Bytes: maxCall - 2, Overhead: 1, RecordBytes: maxRow, Alerts: maxAlerts}
}

// Encode implements export.Target.
func (t *Target) Encode(r export.Row) ([]byte, error) {
	var row any
	switch {
	case r.Incident != nil && t.NoIncidents, r.Kind == store.ExposureChanged:
		return nil, nil
	case r.Incident != nil:
		row = t.incidentRowOf(r)
	case !t.isSubscribed(r.Alert.Alert.Account.ID):
		return nil, nil
	default:
		row = t.alertRowOf(r)
	}
	data, err := json.Marshal(row, json.Deterministic(true))
	if err != nil {
		return nil, fault.Errorf(fault.Invalid, "encode row of %s: %w", r.Thing, err)
	}
	return data, nil
}

// isSubscribed reports whether alerts of a subscription are sent. Azure writes the same id in either case.
func (t *Target) isSubscribed(account string) bool {
	return len(t.Subscriptions) == 0 || slices.ContainsFunc(t.Subscriptions, func(s string) bool { return strings.EqualFold(s, account) })
}

// Send implements export.Target. Alerts go before incidents; where the second call fails, the first is repeated.
func (t *Target) Send(ctx context.Context, records []export.Record) (int, error) {
	for _, stream := range []struct {
		name      string
		incidents bool
	}{{streamName(t.AlertStream, "Custom-SecurityAlert"), false}, {streamName(t.IncidentStream, "Custom-SecurityIncident"), true}} {
		body := []byte("[")
		for _, r := range records {
			if (r.Kind == store.IncidentChanged) != stream.incidents {
				continue
			}
			if len(body) > 1 {
				body = append(body, ',')
			}
			body = append(body, r.Data...)
		}
		if len(body) == 1 {
			continue
		}
		if err := t.postRows(ctx, stream.name, append(body, ']')); err != nil {
			return 0, fmt.Errorf("stream %s: %w", stream.name, err)
		}
	}
	return len(records), nil
}

func streamName(set, standard string) string {
	if set != "" {
		return set
	}
	return standard
}

func (t *Target) postRows(ctx context.Context, stream string, body []byte) error {
	token, err := t.Token(ctx)
	if err != nil {
		return fmt.Errorf("get token: %w", err)
	}
	h := http.Header{}
	h.Set("Authorization", "Bearer "+token)
	h.Set("Content-Type", "application/json")
	address := strings.TrimSuffix(t.Endpoint, "/") + "/dataCollectionRules/" + url.PathEscape(t.Rule) + "/streams/" + url.PathEscape(stream) + "?api-version=" + apiVersion
	answer, err := export.PostRequest(ctx, t.HTTP, address, h, body, t.Now)
	return t.classifyAnswer(stream, answer, err)
}

// classifyAnswer says what to do about the service's answer, whose codes are those of "Logs Ingestion API in Azure
// Monitor": most refusals are the rule's and not a row's, and rows must not be set aside for them.
func (t *Target) classifyAnswer(stream string, answer []byte, err error) error {
	if err == nil {
		return nil
	}
	var a struct {
		Error struct {
			Code string `json:"code"`
		} `json:"error"`
	}
	_ = json.Unmarshal(answer, &a) // a proxy's answer has no code
	switch code := a.Error.Code; {
	case fault.Of(err) == fault.Denied:
		return fmt.Errorf("the identity needs the role Monitoring Metrics Publisher on the data collection rule, and up to 30 minutes until it counts: %w", err)
	case strings.HasPrefix(code, "InvalidStream"):
		return fault.Errorf(fault.Denied, "data collection rule %s declares no such stream: %w", t.Rule, err)
	case strings.HasPrefix(code, "NotFound"), strings.HasPrefix(code, "InvalidDcr"):
		return fault.Errorf(fault.Denied, "no data collection rule %s at this endpoint: %w", t.Rule, err)
	}
	return err
}
