// Package odata reads the part of OData that the API offers: system query options and a small typed filter language.
// It knows no route and no resource beyond the Schema it is given.
//
//	?$filter=…&$top=…  ──Parse(schema)──▶ Options ──▶ query.Query
//	severity eq 'high' and not (status eq 'resolved')  ──▶ query.Expr
package odata

import (
	"slices"
	"strings"

	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/query"
)

// Schema is what may be asked about one kind of resource.
type Schema struct {
	Type       string     // for messages: "microsoft.graph.security.alert"
	Properties []Property // what $filter and $orderby understand
	Names      []string   // what $select understands
	Navigation []string   // what $expand understands
}

// Property is something that can be compared and ordered by.
type Property struct {
	Field query.Field
	Enum  *Enum // nil for free text and times
}

// Enum is a list of words in their order. Members after "unknownFutureValue" came later: clients see them only when
// they ask for it.
type Enum struct {
	Name    string
	Members []string
	Aliases map[string]string // other spellings that are understood, lower case
}

// futureMember stands for every member that a client does not know yet.
const futureMember = "unknownFutureValue"

// Parse finds the member that word spells in any case, "" when there is none.
func (e *Enum) Parse(word string) string {
	if m, ok := e.Aliases[strings.ToLower(word)]; ok {
		return m
	}
	for _, m := range e.Members {
		if strings.EqualFold(m, word) {
			return m
		}
	}
	return ""
}

// Show is word as a client may see it: late members become "unknownFutureValue" unless it asked for all, and a word
// that is no member becomes the first member.
func (e *Enum) Show(word string, all bool) string {
	m := e.Parse(word)
	if m == "" {
		return e.Members[0]
	}
	if !all && slices.Contains(e.lateMembers(), m) {
		return futureMember
	}
	return m
}

// lateMembers lists the members that came after the first version.
func (e *Enum) lateMembers() []string {
	if i := slices.Index(e.Members, futureMember); i >= 0 {
		return e.Members[i+1:]
	}
	return nil
}

// propertyNamed finds a property by name, whatever its case.
func (s Schema) propertyNamed(name string) (Property, bool) {
	for _, p := range s.Properties {
		if strings.EqualFold(string(p.Field), name) {
			return p, true
		}
	}
	return Property{}, false
}

// findName finds name in list, whatever its case, and gives the list's spelling.
func findName(list []string, name string) (string, bool) {
	i := slices.IndexFunc(list, func(s string) bool { return strings.EqualFold(s, name) })
	if i < 0 {
		return "", false
	}
	return list[i], true
}

// Error says which option cannot be understood, and where.
type Error struct {
	Option  string // "$filter"
	Column  int    // in characters from 1; 0 when the whole option is meant
	Message string
}

// Error reads as one sentence.
func (e *Error) Error() string { return e.Message }

func invalidOption(e *Error) error { return fault.Errorf(fault.Invalid, "%w", e) }
