package odata

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/onepane/onepane/shared/query"
)

// Options are the system query options of one request.
type Options struct {
	Filter query.Expr
	Order  []query.Order
	Top    int // -1 when not given
	Skip   int
	Token  string // of $skiptoken: where the page before ended
	Count  bool
	Select []string // property names in the schema's spelling; nil for all
	Expand []string
}

// MaxSkip bounds $skip: whoever goes further follows the links that each page ends with, which cost the same however
// deep.
const MaxSkip = 50_000

// maxOrder bounds the terms of $orderby: more can change nothing but the work.
const maxOrder = 8

// ListOptions are the options that a listing takes, ItemOptions those of a single item.
var (
	ListOptions = []string{"$filter", "$orderby", "$top", "$skip", "$skiptoken", "$count", "$select", "$expand", "$format"}
	ItemOptions = []string{"$select", "$expand", "$format"}
)

// Parse reads the options in values that the schema and the list of allowed options understand. Anything else that
// starts with "$" is an error, as is an option given twice; other parameters are none of its business. Errors are
// fault.Invalid around *Error.
func Parse(values url.Values, s Schema, allowed []string) (Options, error) {
	o := Options{Top: -1}
	seen := map[string]bool{}
	for _, key := range slices.Sorted(maps.Keys(values)) {
		if !strings.HasPrefix(key, "$") {
			continue
		}
		name, ok := findName(allowed, key)
		if !ok {
			return o, invalidOption(&Error{Option: key, Message: fmt.Sprintf("Query option '%s' is not supported here.", clipText(key))})
		}
		if seen[name] || len(values[key]) > 1 {
			return o, invalidOption(&Error{Option: name, Message: fmt.Sprintf("Query option '%s' was specified more than once.", name)})
		}
		seen[name] = true
		if err := o.parseOption(name, values[key][0], s); err != nil {
			return o, err
		}
	}
	if o.Token != "" && o.Skip > 0 {
		return o, invalidOption(&Error{Option: "$skiptoken", Message: "Query options '$skip' and '$skiptoken' cannot be combined."})
	}
	return o, nil
}

func (o *Options) parseOption(name, value string, s Schema) (err error) {
	switch name {
	case "$filter":
		o.Filter, err = ParseFilter(value, s)
	case "$orderby":
		o.Order, err = parseOrder(value, s)
	case "$top":
		o.Top, err = parseNumber(name, value)
	case "$skip":
		if o.Skip, err = parseNumber(name, value); err == nil && o.Skip > MaxSkip {
			err = invalidOption(&Error{Option: name, Message: fmt.Sprintf("The limit of '%d' for Skip query has been exceeded. The value from the incoming request is '%d'. Follow '@odata.nextLink' instead.", MaxSkip, o.Skip)})
		}
	case "$skiptoken":
		o.Token = value
	case "$count":
		o.Count, err = parseBool(name, value)
	case "$select":
		o.Select, err = parseNames(name, value, s.Type, s.Names)
	case "$expand":
		o.Expand, err = parseNames(name, value, s.Type, s.Navigation)
	case "$format":
		if !strings.EqualFold(value, "json") && !strings.HasPrefix(strings.ToLower(value), "application/json") {
			err = invalidOption(&Error{Option: name, Message: fmt.Sprintf("Format '%s' is not supported; use 'json'.", clipText(value))})
		}
	}
	return err
}

func parseNumber(name, value string) (int, error) {
	n, err := strconv.ParseInt(strings.TrimSpace(value), 10, 32)
	if err != nil || n < 0 {
		return 0, invalidOption(&Error{Option: name, Message: fmt.Sprintf(
			"Invalid value '%s' for %s query option found. The %s query option requires a non-negative integer value.", clipText(value), name, name)})
	}
	return int(n), nil
}

func parseBool(name, value string) (bool, error) {
	switch strings.ToLower(strings.TrimSpace(value)) {
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, invalidOption(&Error{Option: name, Message: fmt.Sprintf("Invalid value '%s' for %s query option found. Use 'true' or 'false'.", clipText(value), name)})
}

func parseNames(option, value, of string, known []string) ([]string, error) {
	var out []string
	for word := range strings.SplitSeq(value, ",") {
		word = strings.TrimSpace(word)
		if word == "" {
			continue
		}
		if word == "*" && option == "$select" {
			return nil, nil
		}
		name, ok := findName(known, word)
		if !ok {
			return nil, invalidOption(&Error{Option: option, Column: columnOf(value, strings.Index(value, word)),
				Message: fmt.Sprintf("Could not find a property named '%s' on type '%s' (%s).", clipText(word), of, option)})
		}
		if !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out, nil
}

func parseOrder(value string, s Schema) ([]query.Order, error) {
	var out []query.Order
	at := 0
	for term := range strings.SplitSeq(value, ",") {
		fail := func(format string, args ...any) ([]query.Order, error) {
			col := columnOf(value, at+len(term)-len(strings.TrimLeft(term, " ")))
			return nil, invalidOption(&Error{Option: "$orderby", Column: col, Message: fmt.Sprintf("$orderby, column %d: ", col) + fmt.Sprintf(format, args...)})
		}
		words := strings.Fields(term)
		if len(words) == 0 || len(words) > 2 {
			return fail("expected 'property [asc|desc]'.")
		}
		p, ok := s.propertyNamed(words[0])
		if !ok {
			return fail("cannot order by '%s'.", clipText(words[0]))
		}
		order := query.Order{Field: p.Field}
		if len(words) == 2 {
			switch strings.ToLower(words[1]) {
			case "asc":
			case "desc":
				order.Desc = true
			default:
				return fail("'%s' is neither 'asc' nor 'desc'.", clipText(words[1]))
			}
		}
		if out = append(out, order); len(out) > maxOrder {
			return fail("more than %d terms.", maxOrder)
		}
		at += len(term) + 1
	}
	return out, nil
}

// clipText keeps a quoted piece of the request readable in a message.
func clipText(s string) string {
	const most = 60
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
