package azure

import (
	"context"
	"errors"
	"net/http"
	"os"
	"time"

	"github.com/onepane/onepane/functions/api"
	"github.com/onepane/onepane/functions/cmd/internal/wire/auth"
	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/functions/ingest/settle"
	"github.com/onepane/onepane/shared/backoff"
	"github.com/onepane/onepane/shared/bus/servicebus"
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
	if len(general.Tenants) == 0 {
		own.Tenants = []string{"*"} // the deployment is one tenant's, whatever its senders call it
	}
	general.Auth.Issuers = append(general.Auth.Issuers[:len(general.Auth.Issuers):len(general.Auth.Issuers)], own)
	return general
}

// newHandler is everything that comes by HTTP. The Functions host lets every request through, so where nothing says who
// is to be believed, nobody is: ingest and API answer 401.
func newHandler(cfg config.Config, s cloud.Azure, d drivers, functions map[string]*ingest.Function, server *api.Server) (http.Handler, error) {
	sender := func(*http.Request, string) (ingest.Sender, error) { return ingest.Sender{}, errNoAuthentication }
	if server.Authenticate = refuseEveryone; cfg.Auth.IsConfigured() {
		in, err := auth.New(cfg, auth.Options{Documents: d.store, AuditLog: d.store, CacheKeysFor: keyMemory, Getenv: os.Getenv, Now: time.Now, Log: server.Log})
		if err != nil {
			return nil, err
		}
		in.SetUpServer(server)
		sender = in.IdentifySender
	}
	if s.Backlog.Namespace != "" {
		counter := servicebus.QueueCounter{
			Namespace: s.Backlog.Namespace, Manager: s.Backlog.Manager, Queue: s.Bus.Queue, Quarantine: s.Bus.Quarantine, Credential: d.credential,
		}
		server.Bus = func(ctx context.Context) (b api.Bus, err error) {
			b.Pending, b.DeadLettered, err = counter.Count(ctx)
			return b, err
		}
	}
	server.Ready = func(ctx context.Context) error { return checkStore(ctx, d.store) }
	mux := http.NewServeMux()
	mux.Handle("/api/ingest/{route}", &ingest.HTTP{
		Functions: functions, Sender: sender, Settle: settle.Polling{Store: d.store, Wait: backoff.Wait}.Settle, Refuse: server.Refuse, Now: time.Now,
	})
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, r *http.Request) {
		server.Refuse(w, r, http.StatusNotImplemented, "notSupported", "An instance of a function app knows only its own figures: Azure Monitor and Application Insights have those of all.")
	})
	mux.Handle("/", server.Handler())
	return mux, nil
}

// keyMemory is how long an instance believes a key without asking the store, and so how long a revoked one may go on.
const keyMemory = 30 * time.Second

// checkStore asks the store for a document that nobody writes: it takes the identity, its role, the network and the
// container.
func checkStore(ctx context.Context, documents store.Documents) error {
	if _, err := documents.Document(ctx, "ready", "ready"); err != nil && fault.Of(err) != fault.NotFound {
		return fault.Errorf(fault.Unavailable, "the store does not answer: %w", err)
	}
	return nil
}

var errNoAuthentication = errors.New("no authentication is configured")

// refuseEveryone is an app without authentication, which must not be open: it is reachable from everywhere.
func refuseEveryone(*http.Request) (api.Principal, error) {
	return api.Principal{}, errNoAuthentication
}
