package azure

import (
	"context"
	"errors"
	"net/http"
	"os"
	"time"

	"github.com/onepane/onepane/functions/api"
	"github.com/onepane/onepane/functions/cmd/internal/wire/doors"
	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/config"
	"github.com/onepane/onepane/shared/config/cloud"
	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/store"
)

// publicAuthority is where tokens come from unless settings say otherwise.
const publicAuthority = "https://login.microsoftonline.com"

// withDirectory lets the deployment's own directory vouch for people, where an application for the API exists.
func withDirectory(general config.Config, s cloud.Azure) config.Config {
	if s.APIAudience == "" {
		return general
	}
	authority := s.Identity.Authority
	if authority == "" {
		authority = publicAuthority
	}
	own := config.Issuer{URL: authority + "/" + s.Identity.Directory + "/v2.0", Audiences: []string{s.APIAudience}, Tenants: []string{s.Tenant}}
	general.Auth.Issuers = append(general.Auth.Issuers[:len(general.Auth.Issuers):len(general.Auth.Issuers)], own)
	return general
}

// requests is everything that comes by HTTP. The Functions host lets every request through, so where nothing says who is to
// be believed, nobody is: ingest and API answer 401.
func requests(cfg config.Config, functions map[string]*ingest.Function, server *api.Server) (http.Handler, error) {
	sender := func(*http.Request, string) (ingest.Sender, error) { return ingest.Sender{}, errNobody }
	if server.Authenticate = nobody; cfg.Auth.Configured() {
		in, err := doors.New(cfg, doors.Options{Ledger: noLedger{}, Getenv: os.Getenv, Now: time.Now, Log: server.Log})
		if err != nil {
			return nil, err
		}
		in.Admit(server)
		sender = in.Sender
	}
	mux := http.NewServeMux()
	mux.Handle("/api/ingest/{route}", &ingest.HTTP{Functions: functions, Sender: sender, Refuse: server.Refuse, Now: time.Now})
	mux.Handle("/", server.Handler())
	return mux, nil
}

var errNobody = errors.New("no authentication is configured")

// nobody is an app without authentication, which must not be open: it is reachable from everywhere.
func nobody(*http.Request) (api.Principal, error) { return api.Principal{}, errNobody }

// noLedger stands where the store will keep API keys and the audit log. Until then no key is known, and whatever must be
// recorded is refused.
type noLedger struct{}

var _ store.Ledger = noLedger{}

func (noLedger) Document(context.Context, string, string) (store.Document, error) {
	return store.Document{}, fault.Errorf(fault.NotFound, "this deployment keeps no such documents")
}

func (noLedger) Documents(context.Context, string, string, int) ([]store.Document, error) {
	return nil, nil
}

func (noLedger) PutDocument(context.Context, string, store.Document) (uint64, error) {
	return 0, fault.Errorf(fault.Denied, "this deployment keeps no such documents")
}

func (noLedger) Append(context.Context, string, store.Entry) error {
	return fault.Errorf(fault.Denied, "this deployment keeps no audit log")
}

func (noLedger) Entries(context.Context, string, string, int) ([]store.Entry, error) { return nil, nil }

func (noLedger) Journals(context.Context) ([]string, error) { return nil, nil }
