// Package producer puts the functions together that run beside their sources, in AWS and GCP: it gives an ingest route
// the tenant's bus. It is apart from wire because nothing of a cold start may come along that a producer does not use.
//
//	settings, identity ─▶ Open ─▶ Bus ─▶ ConnectFunction, RequestHandler ─▶ host
package producer

import (
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/config/cloud"
	"github.com/onepane/onepane/shared/identity"
)

// Bus is where a producer's functions publish.
type Bus struct {
	settings           cloud.Common
	log                *slog.Logger
	alerts, quarantine ingest.Publisher
}

// NewCredential is the producer's managed identity in Azure, by what its own cloud asserts about it.
func NewCredential(s cloud.Identity, a identity.Asserter) *identity.Credential {
	return &identity.Credential{Tenant: s.Directory, Now: time.Now, Source: identity.Entra{
		Authority: s.Authority, Tenant: s.Directory, Client: s.Client, Asserter: a, Now: time.Now}}
}

// ConnectFunction gives a route its bus and its tenant.
func (b *Bus) ConnectFunction(fn *ingest.Function) *ingest.Function {
	fn.Tenants, fn.ExposuresAsAlerts = ingest.MapAccounts(b.settings.Tenant, nil), b.settings.ExposuresAsAlerts
	fn.Alerts, fn.Quarantine, fn.Log = b.alerts, b.quarantine, b.log
	return fn
}

// RequestHandler serves /api/ingest/{route} for functions whose platform has already made sure who asks.
func RequestHandler(fns ...*ingest.Function) http.Handler {
	byRoute := map[string]*ingest.Function{}
	for _, fn := range fns {
		byRoute[fn.Route] = fn
	}
	mux := http.NewServeMux()
	mux.Handle("/api/ingest/{route}", &ingest.HTTP{Functions: byRoute, Refuse: refuseRequest, Now: time.Now})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		refuseRequest(w, r, http.StatusNotFound, "itemNotFound", fmt.Sprintf("Resource not found for the path '%.100s'.", r.URL.Path))
	})
	return mux
}

// refuseRequest answers in the API's error shape.
func refuseRequest(w http.ResponseWriter, _ *http.Request, status int, code, message string) {
	type failure struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.MarshalWrite(w, map[string]failure{"error": {code, message}}) // the sender is gone if this fails
}
