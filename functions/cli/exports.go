package cli

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/onepane/onepane/functions/api/client"
	"github.com/onepane/onepane/shared/backoff"
)

func exportsCommand(s *session) *cobra.Command {
	cmd := &cobra.Command{
		Use: "exports", Short: "List the ways out, with backlog, lag and last error", Args: argCount(0, 0),
		RunE: s.runWithClient(func(cmd *cobra.Command, _ []string, c *client.Client, asJSON bool) error {
			head := []string{"EXPORT", "TENANT", "TARGET", "BACKLOG", "LAG", "SENT", "SET ASIDE", "LAST SENT", "LAST ERROR"}
			return printList(s, asJSON, c.Exports.List(cmd.Context(), client.Query{}), "No exports.", head, func(e client.Export) []string {
				return []string{e.ID, e.Tenant, e.Target, strconv.Itoa(e.Backlog), formatDuration(time.Duration(e.Lag * float64(time.Second))),
					strconv.FormatInt(e.Sent, 10), strconv.FormatInt(e.DeadLettered, 10), formatTime(e.LastSent), e.LastError}
			})
		}),
	}
	cmd.AddCommand(deliveriesCommand(s), replayDeliveryCommand(s))
	return cmd
}

func exportCommand(s *session) *cobra.Command {
	var since, to string
	var detach bool
	cmd := &cobra.Command{
		Use: "export TARGET --since TIME [--to TIME]", Short: "Send what last changed in a range once more, and show how far it is", Args: argCount(1, 1),
		Example: `  onepane export siem --since 2026-03-01T00:00:00Z
  onepane export siem --since 48h --to 24h`,
		RunE: s.runWithClient(func(cmd *cobra.Command, args []string, c *client.Client, asJSON bool) error {
			now := time.Now().UTC()
			from, err := parseTime(since, now)
			if err != nil || from.IsZero() {
				return Usage("--since %q: expected a time as 2026-03-01T00:00:00Z, or how long ago as 48h", since)
			}
			until, err := parseTime(to, now)
			if err != nil {
				return Usage("--to %q: expected a time as 2026-03-01T00:00:00Z, or how long ago as 24h", to)
			}
			run, err := c.Exports.Run(cmd.Context(), args[0], from, until)
			if err != nil {
				return err
			}
			if detach || asJSON {
				return s.printJSON(run.JSON)
			}
			return followBackfill(s, cmd, c, args[0])
		}),
	}
	cmd.Flags().StringVar(&since, "since", "", "the range's begin: a time, or how long ago")
	cmd.Flags().StringVar(&to, "to", "", "the range's end: a time, or how long ago (default now)")
	cmd.Flags().BoolVar(&detach, "detach", false, "do not wait for the end")
	return cmd
}

// parseTime reads a time or how long ago it is; nothing is the zero time.
func parseTime(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if d, err := time.ParseDuration(text); err == nil && d >= 0 {
		return now.Add(-d), nil
	}
	return time.Parse(time.RFC3339, text)
}

// followBackfill shows progress until the range is done.
func followBackfill(s *session, cmd *cobra.Command, c *client.Client, name string) error {
	last := int64(-1)
	for {
		e, err := c.Exports.Find(cmd.Context(), name)
		if err != nil {
			return err
		}
		r := e.Value.Run
		if r == nil {
			return errors.New("the server knows of no range of this export; begin it again")
		}
		if r.Read != last {
			last = r.Read
			if _, err := fmt.Fprintf(s.Out, "%d of %d read, %d sent\n", r.Read, r.Total, r.Sent); err != nil {
				return err
			}
		}
		switch r.State {
		case "done":
			return nil
		case "failed":
			return fmt.Errorf("the export failed: %s", r.LastError)
		}
		if err := backoff.Wait(cmd.Context(), 500*time.Millisecond); err != nil {
			return err
		}
	}
}
