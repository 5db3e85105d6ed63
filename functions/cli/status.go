package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/onepane/onepane/functions/api/client"
)

func statusCommand(s *session) *cobra.Command {
	return &cobra.Command{
		Use: "status", Short: "Tell how far the server has come", Args: argCount(0, 0),
		RunE: s.runWithClient(func(cmd *cobra.Command, _ []string, c *client.Client, asJSON bool) error {
			st, err := c.Status(cmd.Context())
			if err != nil {
				return err
			}
			if asJSON {
				return s.printJSON(st.JSON)
			}
			v := st.Value
			_, err = fmt.Fprintf(s.Out, "version      %s\nincidents    %d\nalerts       %d\nexposures    %d\nwaiting      %d\nquarantined  %d\n",
				escapeHidden(v.Version), v.Store.Incidents, v.Store.Alerts, v.Store.Exposures, v.Bus.Pending, v.Bus.DeadLettered)
			return err
		}),
	}
}

func versionCommand(s *session) *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Tell this program's version", Args: argCount(0, 0),
		RunE: func(*cobra.Command, []string) error {
			asJSON, err := s.wantsJSON()
			if err != nil {
				return err
			}
			if asJSON {
				_, err = fmt.Fprintf(s.Out, "{\"version\": %q}\n", s.Version)
				return err
			}
			_, err = fmt.Fprintln(s.Out, "onepane "+s.Version)
			return err
		},
	}
}
