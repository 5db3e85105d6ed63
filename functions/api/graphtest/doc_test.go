// Package graphtest walks Onepane with Microsoft's SDK for Go, as a program written for Microsoft Graph does. It is a
// module of its own because of what the SDK takes to build: five minutes of a core and 5 GB, which nothing else here
// should pay.
//
//	functions/cmd/clients ── server, issuer, alerts ──▶ CLIENT_… ──▶ SDK ── https ──▶ what came back, typed
//
// `make clients` runs it.
package graphtest
