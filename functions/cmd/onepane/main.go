// Command onepane is the standalone server and the operator's tool.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"
)

// version is set when the binary is linked.
var version = "dev"

func main() {
	root := &cobra.Command{Use: "onepane", SilenceUsage: true, SilenceErrors: true}
	root.AddCommand(newServeCommand(), newReplayCommand())
	if err := root.ExecuteContext(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
