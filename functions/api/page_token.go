package api

import (
	"context"
	"encoding/base64"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/functions/api/graph"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/incident"
	"github.com/onepane/onepane/shared/query"
)

// pageToken is a row of a listing, by what the listing is ordered by: the next page begins after it. A deep page so
// costs what the first one does, and what arrives between two pages moves nothing. On the wire it is $skiptoken,
// which clients replay and do not read.
type pageToken struct {
	Order  string   `json:"o"` // of the listing that the page token is from
	Values []string `json:"v"` // of the row, one for each term of the order
	ID     string   `json:"i"`
	Tenant string   `json:"t"`
}

// maxTokenBytes bounds a token, in bytes: the longest title that a listing is ordered by and some more.
const maxTokenBytes = 8 << 10

// effectiveOrder is the order that q has, said or not.
func effectiveOrder(q query.Query, standard []query.Order) []query.Order {
	if len(q.Order) > 0 {
		return q.Order
	}
	return standard
}

func formatOrder(order []query.Order) string {
	var b strings.Builder
	for _, o := range order {
		b.WriteString(string(o.Field))
		if o.Desc {
			b.WriteByte('-')
		}
		b.WriteByte(' ')
	}
	return b.String()
}

// encodePageToken is the token after a row.
func encodePageToken(row query.Row, tenant string, order []query.Order) (string, error) {
	m := pageToken{Order: formatOrder(order), ID: row.Text(query.ID), Tenant: tenant}
	for _, o := range order {
		if o.Field.IsTime() {
			m.Values = append(m.Values, row.Time(o.Field).UTC().Format(time.RFC3339Nano))
		} else {
			m.Values = append(m.Values, row.Text(o.Field))
		}
	}
	b, err := json.Marshal(m, graph.Encoding)
	return base64.RawURLEncoding.EncodeToString(b), err
}

// parsePageToken reads a token that encodePageToken made for that order.
func parsePageToken(token string, order []query.Order) (*pageToken, error) {
	if token == "" {
		return nil, nil
	}
	var m pageToken
	b, err := base64.RawURLEncoding.DecodeString(token)
	if err == nil && len(token) <= maxTokenBytes {
		err = json.Unmarshal(b, &m, json.RejectUnknownMembers(true))
	}
	if err != nil || m.Order != formatOrder(order) || len(m.Values) != len(order) {
		return nil, fault.Errorf(fault.Invalid, "Query option '$skiptoken' is not one of this listing: follow '@odata.nextLink' as it is, or begin anew without it.")
	}
	for i, o := range order {
		if _, err := time.Parse(time.RFC3339Nano, m.Values[i]); o.Field.IsTime() && err != nil {
			return nil, fault.Errorf(fault.Invalid, "Query option '$skiptoken' is damaged.")
		}
	}
	return &m, nil
}

// rowsAfter holds for the rows of a tenant that come after the page token. Its first condition alone bounds the first
// term of the order, for stores to begin at.
func (m *pageToken) rowsAfter(tenant string, order []query.Order) query.Expr {
	last := query.Compare{Field: query.ID, Op: query.Gt, Text: m.ID}
	if tenant > m.Tenant { // rows alike but for the tenant come in the tenants' order
		last.Op = query.Ge
	}
	var after query.Expr = last
	for i, o := range slices.Backward(order) {
		after = query.Or{Left: compareWithToken(o, m.Values[i], false), Right: query.And{Left: compareWithToken(query.Order{Field: o.Field}, m.Values[i], true), Right: after}}
	}
	if o := order[0]; o.Field.IsTime() {
		bound := compareWithToken(o, m.Values[0], false).(query.Compare)
		bound.Op = map[query.Op]query.Op{query.Gt: query.Ge, query.Lt: query.Le}[bound.Op]
		after = query.And{Left: bound, Right: after}
	}
	return after
}

// compareWithToken holds for rows whose field is equal to the value, or comes after it in the order.
func compareWithToken(o query.Order, value string, equal bool) query.Expr {
	op := query.Gt
	if o.Desc {
		op = query.Lt
	}
	if equal {
		op = query.Eq
	}
	if o.Field.IsTime() {
		t, _ := time.Parse(time.RFC3339Nano, value) // parsePageToken has checked
		return query.Compare{Field: o.Field, Op: op, Time: t}
	}
	if o.Field == query.Severity && !equal {
		return compareSeverity(op, alert.Severity(value).Rank())
	}
	return query.Compare{Field: o.Field, Op: op, Text: value}
}

// compareSeverity holds for severities above or below a rank: they are ordered by rank and compared as text.
func compareSeverity(op query.Op, rank int) query.Expr {
	var e query.Expr = query.And{Left: query.Compare{Field: query.ID, Op: query.Eq, Null: true}, Right: query.Compare{Field: query.ID, Op: query.Ne, Null: true}}
	for _, s := range []alert.Severity{alert.Unknown, alert.Informational, alert.Low, alert.Medium, alert.High} {
		if op == query.Gt && s.Rank() > rank || op == query.Lt && s.Rank() < rank {
			e = query.Or{Left: e, Right: query.Compare{Field: query.Severity, Op: query.Eq, Text: string(s.Graph())}}
		}
	}
	return e
}

// listAfter lists what comes after the page token; all when there is none.
func listAfter[T query.Row](m *pageToken, order []query.Order, list tenantLister[T]) tenantLister[T] {
	if m == nil {
		return list
	}
	return func(ctx context.Context, tenant string, q query.Query) (query.Page[T], error) {
		q.Where = query.And{Left: m.rowsAfter(tenant, order), Right: q.Where}
		return list(ctx, tenant, q)
	}
}

// tenantOfRow is whose an alert or incident is.
func tenantOfRow(row query.Row) string {
	switch row := row.(type) {
	case incident.AlertRecord:
		return row.Alert.Tenant
	case incident.Incident:
		return row.Tenant
	}
	return ""
}
