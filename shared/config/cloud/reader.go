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

// reader reads variables and gathers what is wrong with them.
type reader struct {
	getenv   func(string) string
	mistakes []error
}

func (r *reader) err() error {
	if len(r.mistakes) == 0 {
		return nil
	}
	return fault.Errorf(fault.Invalid, "configuration: %w", errors.Join(r.mistakes...))
}

// wrong notes a mistake. Values are not shown where they could be more than an address.
func (r *reader) wrong(name, format string, args ...any) {
	r.mistakes = append(r.mistakes, fmt.Errorf("%s: %s", name, fmt.Sprintf(format, args...)))
}

func (r *reader) required(name string) string {
	v := strings.TrimSpace(r.getenv(name))
	if v == "" {
		r.wrong(name, "not set")
	}
	return v
}

// host is a bare host name.
func (r *reader) host(name string) string {
	v := r.required(name)
	if strings.ContainsAny(v, "/:@ ") {
		r.wrong(name, "%q is not a host name alone", v)
	}
	return v
}

// resource is the id of an Azure resource, or "".
func (r *reader) resource(name string) string {
	v := strings.TrimSuffix(strings.TrimSpace(r.getenv(name)), "/")
	if v != "" && (!strings.HasPrefix(v, "/subscriptions/") || strings.ContainsAny(v, "?# ")) {
		r.wrong(name, "%q is not a resource id, /subscriptions/…", v)
	}
	return v
}

// address is a URL of a service, or "".
func (r *reader) address(name string) string {
	v := strings.TrimSpace(r.getenv(name))
	if v != "" {
		r.parse(name, v)
	}
	return v
}

func (r *reader) requiredAddress(name string) string {
	r.required(name)
	return r.address(name)
}

// parse refuses what is no https URL; plain http is for this machine only.
func (r *reader) parse(name, v string) *url.URL {
	u, err := url.Parse(v)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		r.wrong(name, "not an https URL")
	case u.User != nil || u.RawQuery != "":
		r.wrong(name, "a URL with credentials or a query, and no secret may be in settings")
	case u.Scheme == "http" && u.Hostname() != "127.0.0.1" && u.Hostname() != "localhost":
		r.wrong(name, "http:// outside this machine; use https://")
	default:
		return u
	}
	return nil
}

// claims takes a container's URL apart: the account's, and the last segment.
func (r *reader) claims(name string) Claims {
	v := r.required(name)
	if v == "" {
		return Claims{}
	}
	u := r.parse(name, v)
	if u == nil {
		return Claims{}
	}
	account, container := "", strings.Trim(u.Path, "/")
	if i := strings.LastIndexByte(container, '/'); i >= 0 {
		account, container = container[:i+1], container[i+1:]
	}
	if container == "" {
		r.wrong(name, "names no container")
	}
	return Claims{Account: u.Scheme + "://" + u.Host + "/" + account, Container: container}
}

func (r *reader) level(name string) (l slog.Level) {
	if v := r.getenv(name); v != "" && l.UnmarshalText([]byte(v)) != nil {
		r.wrong(name, "%q is none of debug, info, warn, error", v)
	}
	return l
}

func (r *reader) truth(name string) bool {
	v := r.getenv(name)
	if v == "" {
		return false
	}
	b, err := strconv.ParseBool(v)
	if err != nil {
		r.wrong(name, "%q is neither true nor false", v)
	}
	return b
}

func (r *reader) list(name string) []string {
	var out []string
	for part := range strings.SplitSeq(r.getenv(name), ",") {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}
