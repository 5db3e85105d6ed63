package cloud

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strconv"
	"strings"

	"github.com/onepane/onepane/shared/fault"
)

// reader reads variables, each by a method for its type, and collects their mistakes.
type reader struct {
	getenv   func(string) string
	mistakes []error
}

// mistakesError returns all mistakes as one fault.Invalid; nil when there are none.
func (r *reader) mistakesError() error {
	if len(r.mistakes) == 0 {
		return nil
	}
	return fault.Errorf(fault.Invalid, "configuration: %w", errors.Join(r.mistakes...))
}

// addMistake notes a mistake of a variable. Do not show a value that may hold a secret.
func (r *reader) addMistake(name, format string, args ...any) {
	r.mistakes = append(r.mistakes, fmt.Errorf("%s: %s", name, fmt.Sprintf(format, args...)))
}

// requiredText is a text that must be set.
func (r *reader) requiredText(name string) string {
	v := strings.TrimSpace(r.getenv(name))
	if v == "" {
		r.addMistake(name, "not set")
	}
	return v
}

// hostName is a host name without scheme, port or path, which must be set.
func (r *reader) hostName(name string) string {
	v := r.requiredText(name)
	if strings.ContainsAny(v, "/:@ ") {
		r.addMistake(name, "%q is not a host name alone", v)
	}
	return v
}

// resourceID is the id of an Azure resource, or "".
func (r *reader) resourceID(name string) string {
	v := strings.TrimSuffix(strings.TrimSpace(r.getenv(name)), "/")
	if v != "" && (!strings.HasPrefix(v, "/subscriptions/") || strings.ContainsAny(v, "?# ")) {
		r.addMistake(name, "%q is not a resource id, /subscriptions/…", v)
	}
	return v
}

// serviceURL is the URL of a service, or "".
func (r *reader) serviceURL(name string) string {
	v := strings.TrimSpace(r.getenv(name))
	if v != "" {
		r.parseURL(name, v)
	}
	return v
}

// requiredURL is the URL of a service, which must be set.
func (r *reader) requiredURL(name string) string {
	r.requiredText(name)
	return r.serviceURL(name)
}

// parseURL returns a URL, nil and a mistake when it is not https; plain http is for this machine only.
func (r *reader) parseURL(name, v string) *url.URL {
	u, err := url.Parse(v)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		r.addMistake(name, "not an https URL")
	case u.User != nil || u.RawQuery != "":
		r.addMistake(name, "a URL with credentials or a query, and no secret may be in settings")
	case u.Scheme == "http" && u.Hostname() != "127.0.0.1" && u.Hostname() != "localhost":
		r.addMistake(name, "http:// outside this machine; use https://")
	default:
		return u
	}
	return nil
}

// claimContainer is the URL of a blob container, which must be set, split into the account's URL and the last segment.
func (r *reader) claimContainer(name string) Claims {
	v := r.requiredText(name)
	if v == "" {
		return Claims{}
	}
	u := r.parseURL(name, v)
	if u == nil {
		return Claims{}
	}
	account, container := "", strings.Trim(u.Path, "/")
	if i := strings.LastIndexByte(container, '/'); i >= 0 {
		account, container = container[:i+1], container[i+1:]
	}
	if container == "" {
		r.addMistake(name, "names no container")
	}
	return Claims{Account: u.Scheme + "://" + u.Host + "/" + account, Container: container}
}

// logLevel is a level, info when it is not set.
func (r *reader) logLevel(name string) (l slog.Level) {
	if v := r.getenv(name); v != "" && l.UnmarshalText([]byte(v)) != nil {
		r.addMistake(name, "%q is none of debug, info, warn, error", v)
	}
	return l
}

// boolValue is true or false, false when it is not set.
func (r *reader) boolValue(name string) bool {
	v := r.getenv(name)
	if v == "" {
		return false
	}
	b, err := strconv.ParseBool(v)
	if err != nil {
		r.addMistake(name, "%q is neither true nor false", v)
	}
	return b
}

// listValue is a list, separated by commas.
func (r *reader) listValue(name string) []string {
	var out []string
	for part := range strings.SplitSeq(r.getenv(name), ",") {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}
