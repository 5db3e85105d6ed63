// Package e2e proves a tenant's whole path in the clouds on one machine: the binaries that are deployed, on the
// protocols that the clouds speak, with identities and no key anywhere, and with everything going wrong that does.
//
//	feeder ─ Runtime API ──▶ ingest-aws ─┐                                             ┌─▶ same incidents as onepane replay
//	       ─ push, signed ─▶ ingest-gcp ─┼─▶ Service Bus ─▶ Functions host ─▶ azure ─▶ Cosmos DB
//	       ─ Event Hubs ───▶ azure ──────┘   (rhea)         (stand-in)  ▲   │          (strict server)
//	                                              analyst, by HTTP ─────┘   └─ by timer ─▶ receiver of exports
//
// ONEPANE_E2E_ALERTS is the number of alerts: `make e2e-cloud` sends 10,000, `go test` some hundred.
package e2e
