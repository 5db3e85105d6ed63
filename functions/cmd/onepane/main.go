// Command onepane is the standalone server and the operator's tool.
package main

import (
	"context"
	"os"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/onepane/onepane/functions/cli"
)

// version is set when the binary is linked.
var version = "dev"

func main() {
	// Correlation and decoding make much short-lived garbage over a large, steady heap: collect less often, within
	// bounds.
	debug.SetGCPercent(200)
	os.Exit(cli.Run(context.Background(), cli.Options{
		Version: version, Commands: []*cobra.Command{newServeCommand(), newReplayCommand(), newMigrateCommand()},
	}, os.Args[1:]))
}

// asMisuse makes wrong arguments a misuse of the command line.
func asMisuse(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return cli.Usage("%w", err)
		}
		return nil
	}
}
