package cli

import (
	"fmt"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/spf13/cobra"

	"github.com/onepane/onepane/functions/api/client"
)

// printOneIncident shows an incident and, below it, its alerts in time order.
func printOneIncident(s *session, cmd *cobra.Command, c *client.Client, id string, q client.Query, asJSON bool) error {
	one := client.Query{Tenant: q.Tenant}
	i, err := c.Incident(cmd.Context(), id, one)
	if err != nil {
		return err
	}
	of := client.Query{Tenant: i.Value.Tenant, Top: q.Top, Filter: q.Filter}
	alerts := c.IncidentAlerts(cmd.Context(), survivorID(i.Value), of)
	if asJSON {
		all := []jsontext.Value{}
		for a, err := range alerts {
			if err != nil {
				return err
			}
			all = append(all, a.JSON)
		}
		return printIncident(s, i.JSON, all)
	}
	fmt.Fprintln(s.Out, headlineOf(i.Value))
	for _, line := range factLines(i.Value) {
		fmt.Fprintf(s.Out, "  %-11s%s\n", line[0], line[1])
	}
	fmt.Fprintln(s.Out)
	return printList(s, false, alerts, "No alerts.", alertHead, alertRow)
}

// survivorID is the incident that has i's alerts: the survivor when i was merged away.
func survivorID(i client.Incident) string {
	if i.RedirectTo != "" {
		return i.RedirectTo
	}
	return i.ID
}

func headlineOf(i client.Incident) string {
	return fmt.Sprintf("Incident %s: %s", escapeHidden(i.ID), escapeHidden(i.Name))
}

// factLines are what is known of an incident, one line each; what is not known is left out.
func factLines(i client.Incident) [][2]string {
	merged := ""
	if i.RedirectTo != "" {
		merged = "into incident " + i.RedirectTo
	}
	all := [][2]string{
		{"tenant", i.Tenant}, {"severity", severityOf(i)}, {"priority", fmt.Sprintf("%d of 100", i.Priority)}, {"status", i.Status}, {"merged", merged}, {"assigned", i.AssignedTo},
		{"activity", formatTime(i.More.First) + " to " + formatTime(i.More.Last) + " UTC"},
		{"tactics", strings.Join(i.More.Tactics, ", ")}, {"clouds", cloudList(i.More.Clouds)},
		{"products", strings.Join(i.More.Products, ", ")}, {"assets", assetNames(i)}, {"portal", i.URL},
	}
	var out [][2]string
	for _, f := range all {
		if f[1] != "" {
			out = append(out, [2]string{f[0], escapeHidden(f[1])})
		}
	}
	return out
}

// printIncident prints an incident with its alerts as one more member.
func printIncident(s *session, incident jsontext.Value, alerts []jsontext.Value) error {
	var members map[string]jsontext.Value
	if err := json.Unmarshal(incident, &members); err != nil {
		return err
	}
	list, err := json.Marshal(alerts)
	if err != nil {
		return err
	}
	members["alerts"] = list
	b, err := json.Marshal(members, json.Deterministic(true))
	if err != nil {
		return err
	}
	return s.printJSON(b)
}
