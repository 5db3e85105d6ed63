package cli

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/onepane/onepane/functions/api/client"
)

// roleWords are short for the roles that people give together.
var roleWords = map[string][]string{
	"read":    {"SecurityAlert.Read.All", "SecurityIncident.Read.All"},
	"write":   {"SecurityAlert.ReadWrite.All", "SecurityIncident.ReadWrite.All"},
	"ingest":  {"Onepane.Ingest.All"},
	"operate": {"Onepane.Operate.All"},
}

func keysCommand(s *session) *cobra.Command {
	cmd := &cobra.Command{Use: "keys", Short: "Make, list and revoke API keys for machines", Args: noCommand, RunE: showHelp}
	cmd.AddCommand(keysCreate(s), keysList(s), keysRevoke(s))
	return cmd
}

func keysCreate(s *session) *cobra.Command {
	var tenants, roles []string
	var all bool
	var days int
	cmd := &cobra.Command{
		Use: "create NAME", Short: "Make a key and show its secret, this one time", Args: argCount(1, 1),
		Example: `  onepane keys create siem --tenant contoso --role read
  onepane keys create acme-edr --tenant contoso --role ingest --days 90`,
		RunE: s.runWithClient(func(cmd *cobra.Command, args []string, c *client.Client, asJSON bool) error {
			if days < 1 {
				return Usage("--days %d: expected 1 or more", days)
			}
			k := client.NewKey{Name: args[0], AllTenants: all, Tenants: tenants, Expires: time.Now().UTC().AddDate(0, 0, days).Truncate(time.Second)}
			for _, r := range roles {
				if words, ok := roleWords[r]; ok {
					k.Roles = append(k.Roles, words...)
				} else {
					k.Roles = append(k.Roles, r)
				}
			}
			made, err := c.Keys.Create(cmd.Context(), k)
			if err != nil {
				return err
			}
			if asJSON {
				return s.printJSON(made.JSON)
			}
			_, err = fmt.Fprintf(s.Out, "%s\n\nKeep it now: it cannot be shown again. Send it as \"Authorization: Bearer …\".\nKey %s expires %s UTC; 'onepane keys revoke %[2]s' ends it.\n",
				escapeHidden(made.Value.Secret), escapeHidden(made.Value.ID), formatTime(made.Value.Expires))
			return err
		}),
	}
	cmd.Flags().StringSliceVar(&tenants, "tenant", nil, "tenants that it sees; several with commas")
	cmd.Flags().BoolVar(&all, "all-tenants", false, "it sees all tenants")
	cmd.Flags().StringSliceVar(&roles, "role", []string{"read"}, "what it may do: read, write, ingest, operate, or a role by its full name; several with commas")
	cmd.Flags().IntVar(&days, "days", 365, "days until it expires")
	return cmd
}

func keysList(s *session) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List keys, newest first", Args: argCount(0, 0),
		RunE: s.runWithClient(func(cmd *cobra.Command, _ []string, c *client.Client, asJSON bool) error {
			head := []string{"ID", "NAME", "TENANTS", "ROLES", "CREATED", "LAST USED", "EXPIRES", "REVOKED"}
			return printList(s, asJSON, c.Keys.List(cmd.Context()), "No keys.", head, func(k client.Key) []string {
				tenants := strings.Join(k.Tenants, ", ")
				if k.AllTenants {
					tenants = "all"
				}
				return []string{k.ID, k.Name, tenants, shortRoles(k.Roles), formatTime(k.Created), formatTime(k.LastUsed), formatTime(k.Expires), formatTime(k.Revoked)}
			})
		}),
	}
}

// shortRoles says roles in the words that create takes, where words say them all.
func shortRoles(roles []string) string {
	left := slices.Clone(roles)
	var out []string
	for _, word := range []string{"read", "write", "ingest", "operate"} {
		meant := roleWords[word]
		if slices.ContainsFunc(meant, func(r string) bool { return !slices.Contains(roles, r) }) {
			continue
		}
		out = append(out, word)
		left = slices.DeleteFunc(left, func(r string) bool { return slices.Contains(meant, r) })
	}
	return strings.Join(append(out, left...), ", ")
}

func keysRevoke(s *session) *cobra.Command {
	return &cobra.Command{
		Use: "revoke ID", Short: "End a key for good", Args: argCount(1, 1),
		RunE: s.runWithClient(func(cmd *cobra.Command, args []string, c *client.Client, asJSON bool) error {
			k, err := c.Keys.Revoke(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			if asJSON {
				return s.printJSON(k.JSON)
			}
			_, err = fmt.Fprintf(s.Out, "Key %s (%s) is revoked since %s UTC.\n", escapeHidden(k.Value.ID), escapeHidden(k.Value.Name), formatTime(k.Value.Revoked))
			return err
		}),
	}
}
