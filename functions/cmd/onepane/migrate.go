package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/go-json-experiment/json"
	"github.com/spf13/cobra"

	"github.com/onepane/onepane/functions/cli"
	"github.com/onepane/onepane/shared/config"
	"github.com/onepane/onepane/shared/datadir"
	"github.com/onepane/onepane/shared/fault"
)

func newMigrateCommand() *cobra.Command {
	var data, endpoint, database string
	cmd := &cobra.Command{
		Use:   "migrate",
		Short: "Bring a data directory or a Cosmos DB account to this version's format",
		Long: `Migrate says which format a data directory has, which one this version writes, and what it would take to
get from one to the other. There has been one format so far, so there is nothing to do yet, and nothing is changed.

A directory of a newer version is refused: it cannot be taken back. Make a copy before an upgrade that changes the format.

With --cosmos it brings the tenants of a Cosmos DB account to the form that this version reads. Functions of an older
version are refused from then on, and offer their alerts again: deploy this version before, and migrate at once. It may
be repeated from wherever it stopped. ` + cosmosTokenEnv + ` is the token of somebody who may write the account's data.`,
		Example: `  onepane migrate --data /var/lib/onepane
  onepane migrate --cosmos https://NAME.documents.azure.com:443/`,
		Args: asMisuse(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if cmd.Flags().Changed("cosmos") {
				if cmd.Flags().Changed("data") {
					return cli.Usage("--data and --cosmos: migrate the one or the other")
				}
				s, err := openCosmos(endpoint, database, os.Getenv(cosmosTokenEnv))
				if err != nil {
					return err
				}
				return migrateCosmos(cmd.Context(), cmd.OutOrStdout(), s)
			}
			if cmd.Flags().Changed("database") {
				return cli.Usage("--database names one in an account: give its --cosmos too")
			}
			cfg, err := config.Load(os.Getenv)
			if err != nil {
				return err
			}
			if cmd.Flags().Changed("data") {
				cfg.Data = data
			}
			return printMigration(cmd.OutOrStdout(), cfg.Data)
		},
	}
	cmd.Flags().StringVar(&data, "data", ".onepane", "data directory")
	cmd.Flags().StringVar(&endpoint, "cosmos", "", "endpoint of a Cosmos DB account")
	cmd.Flags().StringVar(&database, "database", "onepane", "database in that account")
	return cmd
}

// printMigration says what there is to do in a data directory. It takes no lock and changes nothing.
func printMigration(out io.Writer, dir string) error {
	have, err := formatOf(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		_, err = fmt.Fprintf(out, "%s holds no data yet; it will begin with format %d.\n", dir, datadir.Format)
	case err != nil:
	case have > datadir.Format:
		err = fault.Errorf(fault.Invalid, "%s has format %d, and this version knows formats up to %d: run the newer version", dir, have, datadir.Format)
	default:
		_, err = fmt.Fprintf(out, "%s has format %d, which this version writes: nothing to do.\n", dir, have)
	}
	return err
}

// formatOf reads a data directory's VERSION; fs.ErrNotExist when there is none.
func formatOf(dir string) (int, error) {
	b, err := os.ReadFile(filepath.Join(dir, "VERSION"))
	if err != nil {
		return 0, err
	}
	var v struct {
		Format int `json:"format"`
	}
	if err := json.Unmarshal(b, &v); err != nil || v.Format < 1 {
		return 0, fault.Errorf(fault.Invalid, "%s is not the VERSION file of a data directory", filepath.Join(dir, "VERSION"))
	}
	return v.Format, nil
}
