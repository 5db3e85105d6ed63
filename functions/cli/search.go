package cli

import (
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/onepane/onepane/functions/api/client"
)

func searchCommand(s *session) *cobra.Command {
	var f selection
	cmd := &cobra.Command{
		Use: "search TEXT", Short: "Find entities, incidents and alerts by any spelling of a thing", Args: argCount(1, 1),
		Long: "Find entities, incidents and alerts by any spelling of a thing: an ARN, a resource id in any case, an instance id, a\n" +
			"host name short or long, an address, a user, a hash, a domain, or the id of an alert or incident.",
		Example: `  onepane search web-03
  onepane search arn:aws:ec2:eu-west-1:111122223333:instance/i-0abc1234def567890`,
		RunE: s.runWithClient(func(cmd *cobra.Command, args []string, c *client.Client, asJSON bool) error {
			results, err := c.Search(cmd.Context(), args[0], client.Query{Tenant: f.tenant})
			if err != nil {
				return err
			}
			if asJSON {
				return s.printJSON(results.JSON)
			}
			return printResults(s, results.Value)
		}),
	}
	cmd.Flags().StringVar(&f.tenant, "tenant", "", "only this tenant")
	return cmd
}

// printResults prints what was found in one table, the things first.
func printResults(s *session, h client.Hits) error {
	t := table{head: []string{"WHAT", "ID", "NAME", "SEVERITY", "WHY"}}
	for _, e := range h.Entities {
		t.addRow(e.Kind, e.ID, e.Name, "", matchReason(e.Match))
	}
	for _, i := range h.Incidents {
		t.addRow("incident", i.ID, i.Name, i.Severity, matchReason(i.Match))
	}
	for _, a := range h.Alerts {
		t.addRow(a.Class, a.ID, a.Title, a.Severity, matchReason(a.Match))
	}
	if len(t.rows) == 0 {
		_, err := fmt.Fprintln(s.Out, "Nothing found.")
		return err
	}
	if err := t.writeTo(s.Out, s.terminalColumns()); err != nil {
		return err
	}
	if !h.Complete {
		fmt.Fprintln(s.Out, "There is more: these are the newest.")
	}
	return nil
}

func matchReason(m client.Match) string {
	switch {
	case m.Name == "":
		return m.Reason
	case m.Certain:
		return "named " + m.Name
	}
	return "perhaps: named " + m.Name
}

func sourcesCommand(s *session) *cobra.Command {
	var f selection
	cmd := &cobra.Command{
		Use: "sources", Short: "List what each provider brought, and what of it waits in quarantine", Args: argCount(0, 0),
		RunE: s.runWithClient(func(cmd *cobra.Command, _ []string, c *client.Client, asJSON bool) error {
			head := []string{"SOURCE", "TENANT", "ALERTS", "EXPOSURES", "LAST DELIVERY", "QUARANTINED", "LAST ERROR"}
			return printList(s, asJSON, c.Sources(cmd.Context(), client.Query{Tenant: f.tenant}), "No sources.", head, func(v client.Source) []string {
				reason := ""
				if v.LastError != nil {
					reason = v.LastError.Reason
				}
				return []string{v.ID, v.Tenant, strconv.FormatInt(v.Alerts, 10), strconv.FormatInt(v.Exposures, 10), formatTime(v.Last), strconv.Itoa(v.Quarantined), reason}
			})
		}),
	}
	cmd.Flags().StringVar(&f.tenant, "tenant", "", "only this tenant")
	return cmd
}
