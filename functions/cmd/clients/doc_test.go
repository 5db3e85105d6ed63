// Package clients proves that clients which others wrote for Microsoft Graph security work on Onepane unchanged: the
// real binary as a process of its own, TLS before it as an ingress ends it, tokens of a local issuer, alerts of three
// clouds.
//
//	Microsoft's SDK for Go (functions/api/graphtest) ─┐
//	Microsoft's client for JavaScript (infra/local) ──┼─ https, Bearer ─▶ front ─▶ onepane serve
//	Elastic's, Wazuh's and Cortex XSOAR's requests ───┘                              ▲ roles, limits
//	                                                            issuer ──────────────┘
//
// `go test` runs the requests, and the JavaScript client where npm can install it. The SDK for Go takes minutes to
// build: `make clients` runs it too.
package clients
