package cli_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/onepane/onepane/functions/api"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/entity"
	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/incident"
)

// finder is a store whose newest alert names a machine.
type finder struct{ *store }

func (f finder) Alert(ctx context.Context, tenant, id string) (incident.AlertRecord, error) {
	for _, m := range f.alerts {
		if m.Alert.ID == id {
			m.Alert.Evidence = []alert.Evidence{{Entity: entity.Entity{Kind: entity.Host, Value: "web-03.contoso.example"}}}
			return m, nil
		}
	}
	return incident.AlertRecord{}, fault.Errorf(fault.NotFound, "no alert %s", id)
}

func (f finder) Mentions(_ context.Context, _ string, q incident.MentionQuery) ([]incident.Mention, error) {
	if !slices.Contains(q.Names, "host:web-03") {
		return nil, nil
	}
	m := f.alerts[2]
	return []incident.Mention{{ID: m.Alert.ID, Incident: m.Incident, Severity: m.Alert.Severity, Title: m.Alert.Title, Created: m.Created, Last: m.Alert.Last}}, nil
}

func (f finder) Identity(_ context.Context, _, name string) (incident.Identity, error) {
	return incident.Identity{Key: name}, nil
}

func (f finder) Sources(context.Context, string) ([]incident.Source, error) {
	return []incident.Source{{Provider: "guardduty", Alerts: 3, Last: day}}, nil
}

func TestSearchAndSources(t *testing.T) {
	d := open(t, func(s *store) api.Reader { return finder{s} })
	for line, want := range map[string][]string{
		"search web-03":         {"host", "web-03.contoso.example", "10001", "Alert 2", "perhaps: named host:web-03"},
		"search nobody":         {"Nothing found."},
		"search web-03 -o json": {`"certain":false`},
		"sources":               {"guardduty", "contoso", "3", "2026-03-03", "aws", "title: missing"},
	} {
		code, out, errs := d.run(line)
		for _, w := range want {
			if code != 0 || !strings.Contains(strings.ReplaceAll(out, `": `, `":`), w) {
				t.Errorf("%s: %d lacks %q\n%s%s", line, code, w, out, errs)
			}
		}
	}
	if code, _, _ := d.run("search"); code != 2 {
		t.Errorf("search for nothing: %d", code)
	}
}
