// Package graph maps alerts and incidents to the types of Microsoft Graph security, and to Onepane's own shapes beside
// them. It is pure: it meets no request, store or clock, and what it is given it does not change.
//
//	incident.AlertRecord ──View.Alert──────▶ Alert ──┐
//	  its alert.Evidence ──evidenceMapper──▶ deviceEvidence, ipEvidence, … ; the rest as tags
//	incident.Incident ─────View.Incident───▶ Incident ─┤
//	                                                   └─EncodeSelected──▶ JSON, with the members that $select names
//	links of an incident ──AlertReasonsOf, DrawStory──▶ AlertReasons, StoryGraph
//
// Which of them a request asks for, and what its sender may see, is package api's.
package graph
