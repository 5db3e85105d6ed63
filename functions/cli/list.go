package cli

import (
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/onepane/onepane/functions/api/client"
)

// selection are the flags by which lists are narrowed.
type selection struct {
	tenant, status, severity, incident, resource string
	top                                          int
}

const standardTop = 50

func (f *selection) addFlags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.tenant, "tenant", "", "only this tenant")
	cmd.Flags().IntVar(&f.top, "top", standardTop, "at most this many; 0 for all")
}

func (f *selection) addStatusFlags(cmd *cobra.Command, statuses string) {
	cmd.Flags().StringVar(&f.status, "status", "", "only with this status: "+statuses+"; several with commas")
	cmd.Flags().StringVar(&f.severity, "severity", "", "only with this severity: informational, low, medium, high; several with commas")
}

// queryOf is what the flags ask of the API.
func (f *selection) queryOf() (client.Query, error) {
	if f.top < 0 {
		return client.Query{}, Usage("--top %d: expected 0 or more", f.top)
	}
	var terms []string
	for _, t := range []struct{ property, values string }{{"status", f.status}, {"severity", f.severity}} {
		if t.values != "" {
			terms = append(terms, t.property+" in ("+quotedList(t.values)+")")
		}
	}
	return client.Query{Filter: strings.Join(terms, " and "), Tenant: f.tenant, Top: f.top}, nil
}

// quotedList writes "a,b" as 'a','b'.
func quotedList(values string) string {
	words := strings.Split(values, ",")
	for i, w := range words {
		words[i] = "'" + strings.ReplaceAll(strings.TrimSpace(w), "'", "''") + "'"
	}
	return strings.Join(words, ",")
}

func incidentsCommand(s *session) *cobra.Command {
	var f selection
	var sort string
	cmd := &cobra.Command{
		Use: "incidents [ID]", Short: "List incidents, or show one with its alerts", Args: argCount(0, 1),
		RunE: s.runWithClient(func(cmd *cobra.Command, args []string, c *client.Client, asJSON bool) error {
			q, err := f.queryOf()
			if err != nil {
				return err
			}
			if len(args) == 1 {
				return printOneIncident(s, cmd, c, args[0], q, asJSON)
			}
			if q.Order, err = orderOf(sort); err != nil {
				return err
			}
			head := []string{"ID", "NAME", "PRIO", "SEVERITY", "STATUS", "ALERTS", "ASSETS", "CLOUDS", "LAST ACTIVITY"}
			return printList(s, asJSON, c.Incidents(cmd.Context(), q), "No incidents.", head, func(i client.Incident) []string {
				return []string{i.ID, i.Name, strconv.Itoa(i.Priority), severityOf(i), i.Status, strconv.Itoa(i.More.Alerts), assetNames(i), cloudList(i.More.Clouds), formatTime(i.More.Last)}
			})
		}),
	}
	f.addFlags(cmd)
	f.addStatusFlags(cmd, "active, inProgress, resolved, redirected")
	cmd.AddCommand(incidentActions(s)...)
	cmd.Flags().StringVar(&sort, "sort", "created", "created, updated, severity or priority; the newest or gravest first")
	return cmd
}

// orderOf is a sort order as the API spells it.
func orderOf(sort string) (string, error) {
	by := map[string]string{"created": "", "updated": "lastUpdateDateTime desc", "severity": "severity desc", "priority": "priorityScore desc"}
	order, ok := by[sort]
	if !ok {
		return "", Usage("--sort %q: expected created, updated, severity or priority", sort)
	}
	return order, nil
}

// severityOf is an incident's, critical kept apart.
func severityOf(i client.Incident) string {
	if i.More.Severity != "" {
		return i.More.Severity
	}
	return i.Severity
}

// assetNames names the first assets and counts the others.
func assetNames(i client.Incident) string {
	const shown = 2
	var names []string
	for _, a := range i.More.Assets[:min(shown, len(i.More.Assets))] {
		names = append(names, assetName(a))
	}
	out := strings.Join(names, ", ")
	if rest := max(i.More.AssetCount, len(i.More.Assets)) - len(names); rest > 0 {
		out += " +" + strconv.Itoa(rest)
	}
	return out
}

func cloudList(clouds []string) string {
	names := make([]string, len(clouds))
	for i, c := range clouds {
		names[i] = cloudName(c)
	}
	return strings.Join(names, ", ")
}

var alertHead = []string{"ID", "TITLE", "SEVERITY", "STATUS", "INCIDENT", "PRODUCT", "FIRST ACTIVITY"}

func alertRow(a client.Alert) []string {
	severity := a.Severity
	if own := a.More["severity"]; own == "critical" {
		severity = own
	}
	return []string{a.ID, a.Title, severity, a.Status, a.Incident, a.Product, formatTime(a.First)}
}

func alertsCommand(s *session) *cobra.Command {
	var f selection
	cmd := &cobra.Command{
		Use: "alerts [ID]", Short: "List alerts, or show one as JSON", Args: argCount(0, 1),
		RunE: s.runWithClient(func(cmd *cobra.Command, args []string, c *client.Client, asJSON bool) error {
			q, err := f.queryOf()
			if err != nil {
				return err
			}
			if len(args) == 1 {
				a, err := c.Alert(cmd.Context(), args[0], q)
				if err != nil {
					return err
				}
				return s.printJSON(a.JSON)
			}
			list := c.Alerts(cmd.Context(), q)
			if f.incident != "" {
				list = c.IncidentAlerts(cmd.Context(), f.incident, q)
			}
			return printList(s, asJSON, list, "No alerts.", alertHead, alertRow)
		}),
	}
	f.addFlags(cmd)
	f.addStatusFlags(cmd, "new, inProgress, resolved")
	cmd.Flags().StringVar(&f.incident, "incident", "", "only those of this incident")
	cmd.AddCommand(alertActions(s)...)
	return cmd
}

func exposuresCommand(s *session) *cobra.Command {
	var f selection
	cmd := &cobra.Command{
		Use: "exposures", Short: "List posture findings: misconfigurations and vulnerabilities", Args: argCount(0, 0),
		RunE: s.runWithClient(func(cmd *cobra.Command, _ []string, c *client.Client, asJSON bool) error {
			q, err := f.queryOf()
			if err != nil {
				return err
			}
			head := []string{"ID", "TITLE", "SEVERITY", "STATUS", "RESOURCES", "ACCOUNT", "SOURCE", "LAST SEEN"}
			return printList(s, asJSON, c.Exposures(cmd.Context(), f.resource, q), "No exposures.", head, func(x client.Exposure) []string {
				return []string{x.ID, x.Title, x.Severity, x.Status, strings.Join(x.Resources, ", "), x.Account, x.Source, formatTime(x.LastSeen)}
			})
		}),
	}
	f.addFlags(cmd)
	f.addStatusFlags(cmd, "new, inProgress, resolved")
	cmd.Flags().StringVar(&f.resource, "resource", "", "only those of this resource: its id, an alias, or the name at the end of its id")
	return cmd
}
