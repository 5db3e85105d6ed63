package main

import (
	"context"
	"fmt"
	"io"

	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/store/cosmos"
)

// cosmosTokenEnv names the variable with a token for Cosmos DB, as az account get-access-token gives it.
const cosmosTokenEnv = "ONEPANE_COSMOS_TOKEN"

// openCosmos opens the store of an account by its endpoint, as the one whose token it is.
func openCosmos(endpoint, database, token string) (*cosmos.Store, error) {
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
		return err
	}
	for _, tenant := range tenants {
		if err := s.Migrate(ctx, tenant); err != nil {
			return err
		}
		if _, err := fmt.Fprintf(out, "%s has the form that this version reads.\n", tenant); err != nil {
			return err
		}
	}
	return nil
}
