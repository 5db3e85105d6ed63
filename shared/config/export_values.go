package config

import (
	"net"
	"net/url"
	"slices"
	"strings"
)

// checkValues checks options whose values have a shape, and settings that the target does not have.
func (e Export) checkValues(wrong func(string, ...any)) {
	for _, o := range []string{"url", "endpoint"} {
		if v := e.Options[o]; v != "" && !isWebAddress(v) { // not shown: it may hold a secret
			wrong("options.%s: that is no address: write https://host or https://host:port, with a path where the receiver has one", o)
		}
	}
	if v := e.Options["address"]; v != "" {
		if host, port, err := net.SplitHostPort(v); err != nil || host == "" || port == "" {
			wrong("options.address: %q is not host:port, as siem.example:6514", v)
		}
	}
	for _, o := range onOffOptions[e.Target] {
		if v, set := e.Options[o]; set && v != "true" && v != "false" {
			wrong("options.%s: %q is neither 'true' nor 'false'", o, v)
		}
	}
	if own := e.Target == "cef" || e.Target == "sentinel"; own && e.Format != "" {
		wrong("format: target %s has a format of its own: leave it out", e.Target)
	}
	if len(e.Subscriptions) > 0 && e.Target != "sentinel" {
		wrong("subscriptions: only target sentinel has them: write filter.accounts")
	}
	if e.OCSF != "" && !slices.Contains([]string{"ocsf", "parquet"}, e.Format) {
		wrong("ocsf: it is the version of format ocsf or parquet: set one of them, or leave it out")
	}
}

// onOffOptions are the options that are true or false, by target.
var onOffOptions = map[string][]string{"splunk": {"acknowledge"}, "cef": {"tls"}, "sentinel": {"incidents"}, "s3": {"overwrite"}}

func isWebAddress(v string) bool {
	u, err := url.Parse(v)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && !strings.ContainsAny(v, " \t\n")
}
