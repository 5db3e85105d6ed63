package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/spf13/cobra"

	"github.com/onepane/onepane/functions/api/client"
)

// actionFlags are the flags of the commands that change something.
type actionFlags struct {
	tenant, comment, classification, determination, to string
}

func (d *actionFlags) tenantQuery() client.Query { return client.Query{Tenant: d.tenant} }

func (d *actionFlags) addFlags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&d.tenant, "tenant", "", "the tenant, when more than one has such an id")
	cmd.Flags().StringVarP(&d.comment, "comment", "m", "", "a comment to leave")
}

// incidentActions are the commands that change incidents.
func incidentActions(s *session) []*cobra.Command {
	edit := func(ctx context.Context, c *client.Client, id string, e client.Edit, q client.Query) (jsontext.Value, error) {
		i, err := c.EditIncident(ctx, id, e, q)
		return i.JSON, err
	}
	return []*cobra.Command{
		resolveCommand(s, "incident", edit, (*client.Client).CommentIncident), assignCommand(s, "incident", edit, (*client.Client).CommentIncident),
		mergeCommand(s), moveCommand(s), splitCommand(s),
	}
}

// alertActions are the commands that change alerts.
func alertActions(s *session) []*cobra.Command {
	edit := func(ctx context.Context, c *client.Client, id string, e client.Edit, q client.Query) (jsontext.Value, error) {
		a, err := c.EditAlert(ctx, id, e, q)
		return a.JSON, err
	}
	return []*cobra.Command{
		resolveCommand(s, "alert", edit, (*client.Client).CommentAlert), assignCommand(s, "alert", edit, (*client.Client).CommentAlert), unfoldCommand(s),
	}
}

// editor edits one thing, commenter comments on it.
type (
	editor    func(ctx context.Context, c *client.Client, id string, e client.Edit, q client.Query) (jsontext.Value, error)
	commenter func(c *client.Client, ctx context.Context, id, text string, q client.Query) error
)

func resolveCommand(s *session, what string, edit editor, comment commenter) *cobra.Command {
	var d actionFlags
	also := ""
	if what == "incident" {
		also = ", and their alerts"
	}
	cmd := &cobra.Command{
		Use: "resolve ID…", Short: "Resolve " + what + "s" + also, Args: argCount(1, 100),
		Long: "Resolve " + what + "s" + also + ". The classifications and what each may be determined as:\n" +
			"  truePositive: multiStagedAttack, maliciousUserActivity, compromisedAccount, malware, phishing, unwantedSoftware, other\n" +
			"  informationalExpectedActivity: securityTesting, lineOfBusinessApplication, confirmedActivity, other\n" +
			"  falsePositive: notMalicious, notEnoughDataToValidate, other",
		RunE: s.runWithClient(func(cmd *cobra.Command, ids []string, c *client.Client, asJSON bool) error {
			e := client.Edit{"status": "resolved"}
			if d.classification != "" {
				e["classification"] = d.classification
			}
			if d.determination != "" {
				e["determination"] = d.determination
			}
			return editEach(s, cmd.Context(), c, what, "is resolved", ids, d, e, edit, comment, asJSON)
		}),
	}
	d.addFlags(cmd)
	cmd.Flags().StringVar(&d.classification, "classification", "", "true or false positive, or expected activity")
	cmd.Flags().StringVar(&d.determination, "determination", "", "what it really was; needs a classification")
	return cmd
}

func assignCommand(s *session, what string, edit editor, comment commenter) *cobra.Command {
	var d actionFlags
	cmd := &cobra.Command{
		Use: "assign ID… --to NAME", Short: "Assign " + what + "s to somebody, or to nobody with --to ''", Args: argCount(1, 100),
		RunE: s.runWithClient(func(cmd *cobra.Command, ids []string, c *client.Client, asJSON bool) error {
			e, done := client.Edit{"assignedTo": d.to}, "is assigned to "+d.to
			switch {
			case !cmd.Flags().Changed("to"):
				return Usage("say to whom with --to")
			case d.to == "":
				e["assignedTo"], done = nil, "is assigned to nobody"
			}
			return editEach(s, cmd.Context(), c, what, done, ids, d, e, edit, comment, asJSON)
		}),
	}
	d.addFlags(cmd)
	cmd.Flags().StringVar(&d.to, "to", "", "whose it is from now on")
	return cmd
}

// editEach edits one thing after the other and tells of each; one that is refused does not keep the others.
func editEach(s *session, ctx context.Context, c *client.Client, what, done string, ids []string, d actionFlags, e client.Edit, edit editor, comment commenter, asJSON bool) error {
	var failed error
	for _, id := range ids {
		answer, err := edit(ctx, c, id, e, d.tenantQuery())
		if err == nil && d.comment != "" {
			err = comment(c, ctx, id, d.comment, d.tenantQuery())
		}
		switch {
		case err != nil:
			failed = errors.Join(failed, fmt.Errorf("%s %s: %w", what, id, err))
		case asJSON:
			if err := s.printJSON(answer); err != nil {
				return err
			}
		default:
			fmt.Fprintf(s.Out, "%s %s %s.\n", capitalized(what), escapeHidden(id), escapeHidden(done))
		}
	}
	return failed
}

func capitalized(what string) string {
	if what == "alert" {
		return "Alert"
	}
	return "Incident"
}

func mergeCommand(s *session) *cobra.Command {
	var d actionFlags
	cmd := &cobra.Command{
		Use: "merge ID ID…", Short: "Merge up to five incidents; the one with the most alerts goes on", Args: argCount(2, 5),
		RunE: s.runWithClient(func(cmd *cobra.Command, ids []string, c *client.Client, asJSON bool) error {
			return printRegrouped(s, asJSON, "The incidents are one now,")(c.Merge(cmd.Context(), ids[0], ids[1:], d.comment, d.tenantQuery()))
		}),
	}
	d.addFlags(cmd)
	return cmd
}

func moveCommand(s *session) *cobra.Command {
	var d actionFlags
	cmd := &cobra.Command{
		Use: "move ALERT… --to INCIDENT", Short: "Move alerts into another incident", Args: argCount(1, 100),
		Long: "Move alerts into another incident. Correlation respects it: it never merges the incidents they leave with that one, and\n" +
			"what comes later of their like goes where they went. An incident that is left without alerts becomes redirected.",
		RunE: s.runWithClient(func(cmd *cobra.Command, ids []string, c *client.Client, asJSON bool) error {
			if d.to == "" {
				return Usage("say into which incident with --to")
			}
			return printRegrouped(s, asJSON, "The alerts are")(c.Move(cmd.Context(), ids, d.to, d.comment, d.tenantQuery()))
		}),
	}
	d.addFlags(cmd)
	cmd.Flags().StringVar(&d.to, "to", "", "the incident that takes them")
	return cmd
}

func splitCommand(s *session) *cobra.Command {
	var d actionFlags
	cmd := &cobra.Command{
		Use: "split INCIDENT ALERT…", Short: "Move alerts of an incident into a new one", Args: argCount(2, 101),
		Long: "Move alerts of an incident into a new one. Correlation never merges the two again, and what comes later of the alerts'\n" +
			"like goes where they went. 'onepane incidents merge' takes it back.",
		RunE: s.runWithClient(func(cmd *cobra.Command, args []string, c *client.Client, asJSON bool) error {
			return printRegrouped(s, asJSON, "The alerts are")(c.Split(cmd.Context(), args[0], args[1:], d.comment, d.tenantQuery()))
		}),
	}
	d.addFlags(cmd)
	return cmd
}

func unfoldCommand(s *session) *cobra.Command {
	var tenant string
	cmd := &cobra.Command{
		Use: "unfold ID", Short: "Make a report that was taken for a copy of another alert an alert of its own again", Args: argCount(1, 1),
		Long: "Make a report that was taken for another product's copy of an alert an alert of its own again. Its id is among the\n" +
			"alert's sightings: see 'onepane alerts ID'.",
		RunE: s.runWithClient(func(cmd *cobra.Command, args []string, c *client.Client, asJSON bool) error {
			return printRegrouped(s, asJSON, "The alert is")(c.Unfold(cmd.Context(), args[0], client.Query{Tenant: tenant}))
		}),
	}
	cmd.Flags().StringVar(&tenant, "tenant", "", "the tenant, when more than one has such an id")
	return cmd
}

// printRegrouped says which incident holds the alerts after a merge, move, split or unfold.
func printRegrouped(s *session, asJSON bool, what string) func(client.Item[client.Regrouped], error) error {
	return func(r client.Item[client.Regrouped], err error) error {
		if err != nil {
			return err
		}
		if asJSON {
			return s.printJSON(r.JSON)
		}
		already := ""
		if !r.Value.Changed {
			already = " already"
		}
		fmt.Fprintf(s.Out, "%s%s in incident %s: %s\n", what, already, escapeHidden(r.Value.IncidentID), escapeHidden(r.Value.Incident.Name))
		for _, note := range r.Value.Notes {
			fmt.Fprintln(s.Out, escapeHidden(note))
		}
		return nil
	}
}
