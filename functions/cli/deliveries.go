package cli

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/spf13/cobra"

	"github.com/onepane/onepane/functions/api/client"
)

func deliveriesCommand(s *session) *cobra.Command {
	var deadLettered bool
	cmd := &cobra.Command{
		Use: "deliveries EXPORT", Short: "List what an export sent last and what it set aside, the newest first", Args: argCount(1, 1),
		RunE: s.runWithClient(func(cmd *cobra.Command, args []string, c *client.Client, asJSON bool) error {
			all := c.Exports.Deliveries(cmd.Context(), args[0])
			if deadLettered {
				all = unsentDeadLetters(all)
			}
			head := []string{"ID", "TIME", "KIND", "THING", "SET ASIDE", "REASON"}
			return printList(s, asJSON, all, "No deliveries.", head, func(d client.Delivery) []string {
				set := "no"
				if d.DeadLettered {
					set = "yes"
				}
				return []string{d.ID, formatTime(d.Time), d.Kind, d.Thing, set, d.Reason}
			})
		}),
	}
	cmd.Flags().BoolVar(&deadLettered, "set-aside", false, "only what was set aside and did not arrive since")
	return cmd
}

func replayDeliveryCommand(s *session) *cobra.Command {
	var deadLettered bool
	cmd := &cobra.Command{
		Use: "replay EXPORT {ID… | --set-aside}", Short: "Send what deliveries were about again, as it is now",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 || deadLettered == (len(args) > 1) {
				return Usage("name an export, and the deliveries' ids or --set-aside")
			}
			return nil
		},
		RunE: s.runWithClient(func(cmd *cobra.Command, args []string, c *client.Client, asJSON bool) error {
			export, ids := args[0], args[1:]
			if deadLettered {
				for d, err := range unsentDeadLetters(c.Exports.Deliveries(cmd.Context(), export)) {
					if err != nil {
						return err
					}
					ids = append(ids, d.Value.ID)
				}
			}
			return replayDeliveries(s, cmd.Context(), c, export, ids, asJSON)
		}),
	}
	cmd.Flags().BoolVar(&deadLettered, "set-aside", false, "all that was set aside and did not arrive since")
	return cmd
}

// unsentDeadLetters are the deliveries that were set aside, each thing once and none that was taken later.
func unsentDeadLetters(newest iter.Seq2[client.Item[client.Delivery], error]) iter.Seq2[client.Item[client.Delivery], error] {
	return func(yield func(client.Item[client.Delivery], error) bool) {
		met := map[[2]string]bool{}
		for d, err := range newest {
			thing := [2]string{d.Value.Kind, d.Value.Thing}
			newer := met[thing]
			met[thing] = true
			if err == nil && (newer || !d.Value.DeadLettered) {
				continue
			}
			if !yield(d, err) {
				return
			}
		}
	}
}

// replayDeliveries sends one after the other and tells of each; what is not taken does not keep the others.
func replayDeliveries(s *session, ctx context.Context, c *client.Client, export string, ids []string, asJSON bool) error {
	if len(ids) == 0 && !asJSON {
		_, err := fmt.Fprintln(s.Out, "Nothing is set aside.")
		return err
	}
	var failed error
	for _, id := range ids {
		answer, err := c.Exports.ReplayDelivery(ctx, export, id)
		var refused *client.Error
		switch {
		case errors.As(err, &refused):
			failed = errors.Join(failed, fmt.Errorf("delivery %s: %w", id, err))
		case err != nil:
			return errors.Join(failed, err) // no server: none of the others would fare better
		case asJSON:
			if err := s.printJSON(answer); err != nil {
				return err
			}
		default:
			fmt.Fprintf(s.Out, "Delivery %s was sent again.\n", escapeHidden(id))
		}
	}
	return failed
}
