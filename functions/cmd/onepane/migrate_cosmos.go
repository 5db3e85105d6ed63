package main

import (
	"context"
	"fmt"
	"io"
	"net/url"

	"github.com/onepane/onepane/functions/cli"
	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/store/cosmos"
)

// cosmosTokenEnv names the variable with a token for Cosmos DB, as az account get-access-token gives it.
const cosmosTokenEnv = "ONEPANE_COSMOS_TOKEN"

// openCosmos opens the store of an account by its endpoint, as the one whose token it is.
func openCosmos(endpoint, database, token string) (*cosmos.Store, error) {
	u, err := url.Parse(endpoint)
	if err != nil || u.Scheme != "https" || u.Host == "" {
		return nil, cli.Usage("--cosmos %q: the endpoint of an account is like https://NAME.documents.azure.com:443/", endpoint)
	}
	if token == "" {
		return nil, fault.Errorf(fault.Invalid, "%s is empty: set it to what "+
			"\"az account get-access-token --resource %s --query accessToken --output tsv\" prints", cosmosTokenEnv, endpoint)
	}
	return cosmos.Open(cosmos.Options{Connect: cosmos.ConnectWithToken(endpoint, token, nil), Database: database})
}

// migrateCosmos brings every tenant to the form that this version reads. It is safe to repeat.
func migrateCosmos(ctx context.Context, out io.Writer, s *cosmos.Store) error {
	tenants, err := s.Tenants(ctx)
	if err != nil {
		return fmt.Errorf("%w (the token of %s must be of somebody who may write the account's data)", err, cosmosTokenEnv)
	}
	if len(tenants) == 0 {
		_, err = fmt.Fprintln(out, "The database holds no tenants: nothing to do.")
	}
	for _, tenant := range tenants {
		if err := s.Migrate(ctx, tenant); err != nil {
			return err
		}
		if _, err := fmt.Fprintf(out, "%s has the form that this version reads.\n", tenant); err != nil {
			return err
		}
	}
	return err
}
