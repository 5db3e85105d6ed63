// Package correlation decides which alerts belong together. An alert comes in with the tenant's memory; out come the
// incident it belongs to and the reasons. The decision is pure: no clock, no I/O, no randomness.
//
//	              ┌ alerts, incidents, nodes ┐
//	alert ──▶ Engine.Missing ─▶ load ─▶ Engine.Apply ──▶ Outcome
//	                                        └─▶ Engine.Take: Changes for the store, to be committed whole
//
// Read apply.go downward: a report is resolved (arrival.go, resolve/), folded if it is another product's copy
// (duplicate.go), ranked against open incidents (rank.go, score/), assigned by four rules, and counted (history.go).
// What a person decides (action.go, edit.go, merge.go, move.go, unfold.go) is as pure. params.go has the constants.
//
// The same reports in the same order give the same records, whatever the batches, restarts, repeats and stores. Another
// order of delivery is another input: gaps, spans and windows are of event time, so that a late alert lands where it
// belongs, but how rare an entity is, and whether a kind recurs, is judged by what came before, and a resolved incident
// takes nothing more. Of attacks, nearly all pairs of alerts that order joins stay joined, and nearly nothing more
// joins (functions/correlate, TestLateAlertsFindTheirPlace, has the figures).
package correlation
