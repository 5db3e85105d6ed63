package cli

import (
	"github.com/spf13/cobra"

	"github.com/onepane/onepane/functions/api/client"
)

func auditCommand(s *session) *cobra.Command {
	var f selection
	cmd := &cobra.Command{
		Use: "audit", Short: "List who changed what, newest first", Args: argCount(0, 0),
		Long: "Audit lists every change that people and machines made through the API. With -o json each says what was before and after.",
		RunE: s.runWithClient(func(cmd *cobra.Command, _ []string, c *client.Client, asJSON bool) error {
			q, err := f.queryOf()
			if err != nil {
				return err
			}
			head := []string{"TIME", "TENANT", "WHO", "ACTION", "TARGET", "OUTCOME"}
			return printList(s, asJSON, c.Audit(cmd.Context(), q), "Nothing was changed.", head, func(e client.AuditEntry) []string {
				return []string{formatTime(e.Time), e.Tenant, e.ByName, e.Action, e.Target, e.Outcome}
			})
		}),
	}
	f.addFlags(cmd)
	return cmd
}
