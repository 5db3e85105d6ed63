package cli

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/onepane/onepane/functions/api/client"
)

func quarantineCommand(s *session) *cobra.Command {
	cmd := &cobra.Command{
		Use: "quarantine", Short: "Look at records that were set aside, and take them in again", Args: noCommand, RunE: showHelp,
	}
	cmd.AddCommand(quarantineList(s), quarantineShow(s), quarantineReplay(s))
	return cmd
}

func quarantineList(s *session) *cobra.Command {
	var f selection
	cmd := &cobra.Command{
		Use: "list", Short: "List what was set aside, oldest first", Args: argCount(0, 0),
		RunE: s.runWithClient(func(cmd *cobra.Command, _ []string, c *client.Client, asJSON bool) error {
			q, err := f.queryOf()
			if err != nil {
				return err
			}
			head := []string{"ID", "RECEIVED", "ROUTE", "PROVIDER", "TENANT", "KIND", "BYTES", "REASON"}
			return printList(s, asJSON, c.Quarantine(cmd.Context(), q), "Nothing is in quarantine.", head, func(r client.Quarantined) []string {
				return []string{r.ID, formatTime(r.Received), r.Route, r.Provider, r.Tenant, r.Kind, strconv.Itoa(r.Size), r.Reason}
			})
		}),
	}
	f.addFlags(cmd)
	return cmd
}

func quarantineShow(s *session) *cobra.Command {
	return &cobra.Command{
		Use: "show ID", Short: "Show one record with its body", Args: argCount(1, 1),
		RunE: s.runWithClient(func(cmd *cobra.Command, args []string, c *client.Client, asJSON bool) error {
			r, err := c.Quarantined(cmd.Context(), args[0], client.Query{})
			if err != nil {
				return err
			}
			if asJSON {
				return s.printJSON(r.JSON)
			}
			return showQuarantined(s, r.Value)
		}),
	}
}

func showQuarantined(s *session, r client.Quarantined) error {
	body := r.Body
	if r.Binary != nil {
		body = string(r.Binary)
	}
	lines := strings.Split(body, "\n")
	for i := range lines {
		lines[i] = escapeHidden(strings.TrimSuffix(lines[i], "\r"))
	}
	cut := ""
	if r.Cut {
		cut = ", of which only the first part was kept"
	}
	_, err := fmt.Fprintf(s.Out, "%s: %s\n%s by route %s at %s UTC, %s%s\n\n%s\n", escapeHidden(r.ID), escapeHidden(r.Reason), escapeHidden(r.Kind),
		escapeHidden(r.Route), formatTime(r.Received), countNoun(r.Size, "byte", "bytes"), cut, strings.Join(lines, "\n"))
	return err
}

func quarantineReplay(s *session) *cobra.Command {
	var all bool
	var tenant string
	cmd := &cobra.Command{
		Use: "replay {ID… | --all}", Short: "Take records in again; those that are taken leave quarantine",
		Args: func(cmd *cobra.Command, args []string) error {
			if all == (len(args) > 0) {
				return Usage("name the records' ids, or --all")
			}
			return nil
		},
		RunE: s.runWithClient(func(cmd *cobra.Command, args []string, c *client.Client, asJSON bool) error {
			results := c.Replay(cmd.Context(), args, client.Query{Tenant: tenant})
			kept := 0
			counted := func(yield func(client.Item[client.Replayed], error) bool) {
				for r, err := range results {
					if err == nil && !r.Value.Taken {
						kept++
					}
					if !yield(r, err) {
						return
					}
				}
			}
			if err := printList(s, asJSON, counted, "Nothing is in quarantine.", []string{"ID", "TAKEN", "RESULT"}, replayRow); err != nil {
				return err
			}
			if kept > 0 {
				return errors.New(countNoun(kept, "record was not taken and stays", "records were not taken and stay") + " in quarantine")
			}
			return nil
		}),
	}
	cmd.Flags().BoolVar(&all, "all", false, "all records")
	cmd.Flags().StringVar(&tenant, "tenant", "", "only those of this tenant")
	return cmd
}

func replayRow(r client.Replayed) []string {
	switch made := append(r.AlertIDs, r.ExposureIDs...); {
	case !r.Taken:
		return []string{r.ID, "no", r.Reason}
	case r.Ignored != "":
		return []string{r.ID, "yes", "ignored: " + r.Ignored}
	default:
		return []string{r.ID, "yes", strings.Join(made, ", ")}
	}
}
