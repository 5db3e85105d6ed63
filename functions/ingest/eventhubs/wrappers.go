package eventhubs

import (
	"bytes"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/functions/ingest/microsoft"
	"github.com/onepane/onepane/shared/fault"
)

// table is one table of a Log Analytics query result, with the column names of the current and of the older API.
type table struct {
	Columns []struct {
		Name       ingest.Text `json:"name"`
		ColumnName ingest.Text `json:"columnName"`
	} `json:"columns"`
	Rows []jsontext.Value `json:"rows"`
}

// openTables makes an object of every row of a query result.
func (o *opener) openTables(r ingest.Record, wrappers int) {
	var tables []table
	if err := json.Unmarshal(r.Field("tables"), &tables, json.MatchCaseInsensitiveNames(true)); err != nil {
		r.Err = fault.Errorf(fault.Invalid, "tables: %s", ingest.DescribeJSONError(err))
		o.addRecord(r)
		return
	}
	rows := 0
	for _, t := range tables {
		for _, v := range t.Rows {
			rows++
			row, err := t.rowObject(v)
			if err != nil {
				o.addRecord(ingest.Record{Raw: v, Err: err})
				continue
			}
			o.openRecord(ingest.NewRecord(row, r.Context), wrappers+1)
		}
	}
	if rows == 0 {
		o.addIgnored(r, "a query result without rows holds no finding")
	}
}

// rowObject joins column names and cells. Columns without a name, and the second of two of one name, are left out.
func (t table) rowObject(row jsontext.Value) (jsontext.Value, error) {
	cells, err := ingest.Elements(row)
	if err != nil {
		return nil, fault.Errorf(fault.Invalid, "rows: %w", err)
	}
	var b bytes.Buffer
	b.WriteByte('{')
	seen := make(map[string]bool, len(cells))
	for i, cell := range cells {
		if i >= len(t.Columns) {
			break
		}
		name := string(t.Columns[i].Name) + string(t.Columns[i].ColumnName)
		if name == "" || seen[name] {
			continue
		}
		if len(seen) > 0 {
			b.WriteByte(',')
		}
		seen[name] = true
		quoted, err := jsontext.AppendQuote(nil, name)
		if err != nil {
			return nil, fault.Errorf(fault.Invalid, "columns: %w", err)
		}
		b.Write(quoted)
		b.WriteByte(':')
		b.Write(cell)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// openMonitorAlert opens the search results of an Azure Monitor alert that was made of security alerts; its own fired
// condition is no finding of a security product.
func (o *opener) openMonitorAlert(r ingest.Record, wrappers int) {
	var m struct {
		Data struct {
			AlertContext struct {
				SearchResults jsontext.Value `json:"searchResults"`
				Properties    jsontext.Value `json:"properties"`
			} `json:"alertContext"`
		} `json:"data"`
	}
	const reason = "an Azure Monitor alert carries no security finding"
	if err := json.Unmarshal(r.Raw, &m, json.MatchCaseInsensitiveNames(true)); err != nil {
		o.addIgnored(r, reason)
		return
	}
	c := m.Data.AlertContext
	if results := ingest.NewRecord(c.SearchResults, r.Context); memberKind(results, "tables") == '[' {
		o.openRecord(results, wrappers+1)
		return
	}
	if p := ingest.NewRecord(c.Properties, r.Context); p.Has("systemAlertId") {
		o.openRecord(p, wrappers+1)
		return
	}
	o.addIgnored(r, reason)
}

// openEvent opens an Event Grid event or a CloudEvent.
func (o *opener) openEvent(r ingest.Record, wrappers int) {
	if strings.HasPrefix(r.Text("eventType"), "Microsoft.EventGrid.Subscription") {
		o.addIgnored(r, "an Event Grid subscription event is no finding")
		return
	}
	o.openRecord(ingest.NewRecord(r.Field("data"), r.Context), wrappers+1)
}

// isNotification reports a Graph change notification: it names a resource that changed and shows little of it.
func isNotification(r ingest.Record) bool { return r.Has("subscriptionId", "changeType", "resource") }

// openNotification opens the content that a rich notification carries; a plain one only says where to look.
func (o *opener) openNotification(r ingest.Record, wrappers int) {
	data := ingest.NewRecord(r.Field("resourceData"), r.Context)
	if data.Has("id") && (data.Has("title") || data.Has("displayName")) {
		o.openRecord(data, wrappers+1)
		return
	}
	o.addIgnored(r, "a Graph change notification holds no alert: read "+microsoft.ClipText(r.Text("resource"), 200)+" from Microsoft Graph and deliver what it answers")
}
