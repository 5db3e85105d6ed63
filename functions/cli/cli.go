// Package cli is the operator's commands, spoken through the API's client: what Onepane knows, in tables that fit a
// terminal or as JSON. It reads nothing but the API.
//
//	onepane incidents --severity high ──client──▶ API ──▶ table │ json
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/onepane/onepane/functions/api/client"
)

// Options are what the binary gives its commands.
type Options struct {
	Version  string
	Commands []*cobra.Command // further commands: serve, replay
	Out, Err io.Writer        // os.Stdout and os.Stderr when nil
	Getenv   func(string) string
}

// The exit codes.
const (
	OK        = 0
	Failed    = 1
	Misused   = 2
	Different = 3 // a comparison found differences
)

// ErrDifferent ends a command that compared with exit code Different; what differs was printed.
var ErrDifferent = errors.New("there are differences")

// Usage marks an error as a misuse of the command line: exit code 2.
func Usage(format string, args ...any) error { return &usageError{fmt.Errorf(format, args...)} }

type usageError struct{ error }

func (u *usageError) Unwrap() error { return u.error }

// Run executes the command line and returns the exit code. Errors are told on Options.Err.
func Run(ctx context.Context, o Options, args []string) int {
	o = o.withDefaults()
	root := New(o)
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	var misuse *usageError
	switch {
	case err == nil:
		return OK
	case errors.Is(err, ErrDifferent):
		return Different
	case errors.As(err, &misuse):
		fmt.Fprintf(o.Err, "onepane: %s\nTry '%s --help'.\n", escapeHidden(err.Error()), cmd.CommandPath())
		return Misused
	}
	fmt.Fprintf(o.Err, "onepane: %s\n", escapeHidden(err.Error()))
	if hint := hintOf(err); hint != "" {
		fmt.Fprintln(o.Err, hint)
	}
	return Failed
}

// hintOf is what to do about an error, "" when that is plain.
func hintOf(err error) string {
	var gone *client.Unreachable
	var refused *client.Error
	switch {
	case errors.As(err, &gone):
		return "Is 'onepane serve' running? Set --url or ONEPANE_URL when it listens elsewhere."
	case errors.As(err, &refused) && refused.Status == 401:
		return "Set ONEPANE_TOKEN to a token that the server accepts."
	case errors.As(err, &refused) && refused.Status >= 500:
		return "The server's log says more, under request-id " + escapeHidden(refused.RequestID) + "."
	}
	return ""
}

func (o Options) withDefaults() Options {
	if o.Out == nil {
		o.Out = os.Stdout
	}
	if o.Err == nil {
		o.Err = os.Stderr
	}
	if o.Getenv == nil {
		o.Getenv = os.Getenv
	}
	return o
}

// New makes the root command with all commands below it.
func New(o Options) *cobra.Command {
	o = o.withDefaults()
	s := &session{Options: o}
	root := &cobra.Command{
		Use: "onepane", Short: "Security alerts of all clouds, as incidents",
		Long: "Onepane takes in the security alerts of Azure, AWS, Google Cloud and anyone else, and shows the attacks behind\n" +
			"them as incidents. These commands speak to a running server (see 'onepane serve').",
		SilenceErrors: true, SilenceUsage: true, Args: noCommand, RunE: showHelp,
	}
	root.SetOut(o.Out)
	root.SetErr(o.Err)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &usageError{err} })
	f := root.PersistentFlags()
	f.StringVar(&s.url, "url", "", "the server's address (default $ONEPANE_URL, else "+client.DefaultURL+")")
	f.StringVarP(&s.output, "output", "o", "table", "table or json")
	root.AddCommand(incidentsCommand(s), alertsCommand(s), explainCommand(s), exposuresCommand(s), quarantineCommand(s),
		exportsCommand(s), exportCommand(s), searchCommand(s), sourcesCommand(s), keysCommand(s), auditCommand(s), statusCommand(s), versionCommand(s))
	root.AddCommand(o.Commands...)
	return root
}

// noCommand refuses a word that is no command, with what may have been meant.
func noCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	message := fmt.Sprintf("unknown command %q for %q", args[0], cmd.CommandPath())
	cmd.SuggestionsMinimumDistance = 2
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		message += "; did you mean " + strings.Join(near, " or ") + "?"
	}
	return Usage("%s", message)
}

func showHelp(cmd *cobra.Command, _ []string) error { return cmd.Help() }

// session is one run of a command: where the server is and how to print.
type session struct {
	Options
	url    string
	output string
}

// newClient makes the client once flags are read.
func (s *session) newClient() (*client.Client, error) {
	base := s.url
	if base == "" {
		base = s.Getenv("ONEPANE_URL")
	}
	c, err := client.New(base, s.Getenv("ONEPANE_TOKEN"))
	if err != nil {
		return nil, &usageError{err}
	}
	return c, nil
}

// wantsJSON reports whether answers are to be JSON; any output but the two is a misuse.
func (s *session) wantsJSON() (bool, error) {
	switch s.output {
	case "table":
		return false, nil
	case "json":
		return true, nil
	}
	return false, Usage("--output %q: expected table or json", s.output)
}

// runWithClient makes a command's body: with a client, and the output checked before anything is asked.
func (s *session) runWithClient(do func(cmd *cobra.Command, args []string, c *client.Client, asJSON bool) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		asJSON, err := s.wantsJSON()
		if err != nil {
			return err
		}
		c, err := s.newClient()
		if err != nil {
			return err
		}
		return do(cmd, args, c, asJSON)
	}
}

// argCount limits the number of arguments; another number is a misuse.
func argCount(least, most int) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		switch n := len(args); {
		case n < least:
			return Usage("expected %s, got %d", countNoun(least, "argument", "arguments"), n)
		case n > most && most == 0:
			return Usage("expected no arguments, got %d", n)
		case n > most:
			return Usage("expected at most %s, got %d", countNoun(most, "argument", "arguments"), n)
		}
		return nil
	}
}
