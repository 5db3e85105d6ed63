package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Export sends a tenant's alerts and incidents to one target.
type Export struct {
	Name   string   `yaml:"name"` // small letters, digits and "-"; the export's progress is kept under it
	Tenant string   `yaml:"tenant"`
	Target string   `yaml:"target"` // sentinel, splunk, cef, webhook, file, blob or s3
	What   []string `yaml:"what"`   // alerts, incidents, exposures; default alerts and incidents
	// When is "change", the default except of s3, or a cron expression, in UTC unless CRON_TZ=Europe/Berlin stands
	// before it.
	When string `yaml:"when"`
	// Format is json, ocsf, where the target has no format of its own, or parquet (of OCSF), for file, blob and s3.
	Format string `yaml:"format"`
	// OCSF is the version of formats ocsf and parquet: 1.5.0, 1.6.0 or 1.8.0.
	OCSF    string            `yaml:"ocsf"`
	Filter  ExportFilter      `yaml:"filter"`
	Options map[string]string `yaml:"options"` // of the target; see its own list in package wire
	// Secrets are a webhook's whsec_… (several while one replaces another), an HEC token, or a storage account's
	// connection string where no identity may write to it.
	Secrets []Reference `yaml:"secrets"`
	// Subscriptions are the only ones whose alerts sentinel gets; empty is all.
	Subscriptions []string `yaml:"subscriptions"`
}

// ExportFilter says which alerts and incidents are sent. An empty list lets all through.
type ExportFilter struct {
	Severity  string   `yaml:"severity"` // this one or higher
	Statuses  []string `yaml:"statuses"`
	Clouds    []string `yaml:"clouds"`
	Accounts  []string `yaml:"accounts"`
	Providers []string `yaml:"providers"`
}

// Targets maps each target to the options that it takes: before the bar those that it needs.
var Targets = map[string]string{
	"file": "directory|", "webhook": "url|", "splunk": "url channel|index acknowledge", "cef": "address|tls host",
	"blob":     "container|prefix endpoint",
	"s3":       "bucket region|prefix endpoint kmsKey owner overwrite detections incidents accountId",
	"sentinel": "endpoint rule|alertStream incidentStream incidents",
}

var exportName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,39}$`)

// exportMistakes returns what is wrong with Exports, as far as no target must be asked.
func (c Config) exportMistakes() (mistakes []error) {
	names := map[string]bool{}
	for n, e := range c.Exports {
		wrong := func(format string, args ...any) {
			mistakes = append(mistakes, fmt.Errorf("exports: %d (%s): %w", n+1, e.Name, fmt.Errorf(format, args...)))
		}
		if !exportName.MatchString(e.Name) || names[e.Name] {
			wrong("name: %q must be small letters, digits and -, begin with one of the first two, and be no other export's", e.Name)
		}
		names[e.Name] = true
		if strings.TrimSpace(e.Tenant) == "" {
			wrong("tenant: say whose alerts these are, as in tenants; without any it is %q", c.Tenant)
		}
		options, known := Targets[e.Target]
		if !known {
			wrong("target: %q is none of blob, cef, file, s3, sentinel, splunk, webhook", e.Target)
			continue
		}
		needed, more, _ := strings.Cut(options, "|")
		for _, o := range strings.Fields(needed) {
			if e.Options[o] == "" {
				wrong("options.%s: target %s needs it", o, e.Target)
			}
		}
		for o := range e.Options {
			if !slices.Contains(strings.Fields(needed+" "+more), o) {
				wrong("options.%s: target %s knows only %s", o, e.Target, strings.Join(strings.Fields(needed+" "+more), ", "))
			}
		}
		e.checkWords(wrong)
	}
	return mistakes
}

// checkWords checks settings that must be one of a few words.
func (e Export) checkWords(wrong func(string, ...any)) {
	for _, list := range []struct {
		name  string
		words []string
		of    []string
	}{
		{"what", e.What, []string{"alerts", "incidents", "exposures"}},
		{"format", []string{e.Format}, []string{"", "json", "ocsf", "parquet"}},
		{"ocsf", []string{e.OCSF}, []string{"", "1.5.0", "1.6.0", "1.8.0"}},
		{"filter.statuses", e.Filter.Statuses, []string{"new", "active", "inProgress", "resolved", "redirected"}},
		{"filter.clouds", e.Filter.Clouds, []string{"azure", "aws", "gcp"}},
		{"filter.severity", []string{e.Filter.Severity}, []string{"", "informational", "low", "medium", "high", "critical"}},
	} {
		for _, w := range list.words {
			if !slices.Contains(list.of, w) {
				wrong("%s: %q is none of %s", list.name, w, strings.TrimPrefix(strings.Join(list.of, ", "), ", "))
			}
		}
	}
	e.checkSecrets(wrong)
	e.checkValues(wrong)
	if e.Format == "parquet" && !slices.Contains([]string{"blob", "file", "s3"}, e.Target) {
		wrong("format: parquet is for blob, file and s3, not for %s", e.Target)
	}
}

// checkSecrets checks that secrets are given where a target needs them, and only there.
func (e Export) checkSecrets(wrong func(string, ...any)) {
	if e.Target == "blob" {
		if identity := e.Options["endpoint"] != ""; identity == (len(e.Secrets) > 0) {
			wrong("secrets: target blob takes either a connection string here, or the account's address as options.endpoint for the app's identity")
		}
		return
	}
	if needs := e.Target == "splunk" || e.Target == "webhook"; needs != (len(e.Secrets) > 0) {
		wrong("secrets: blob, splunk and webhook need one, as env:NAME; target %s: %d given", e.Target, len(e.Secrets))
	}
}
