package api

import (
	"bytes"
	"compress/gzip"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/functions/api/odata"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/correlation"
	"github.com/onepane/onepane/shared/fault"
)

// readDocument reads a request's JSON body of at most maxRequest bytes, unpacked if it is packed. Whether it is, its first bytes
// say: after a 429 the Graph's SDKs send the header of a packed body with a plain one.
func (c *request) readDocument() ([]byte, error) {
	if e := c.Header.Get("Content-Encoding"); e != "" && !strings.EqualFold(e, "gzip") && !strings.EqualFold(e, "identity") {
		return nil, newFailure(http.StatusUnsupportedMediaType, "invalidRequest", "Content-Encoding '"+clipText(e)+"' is not supported; send gzip or none.")
	}
	b, err := c.readBody(maxRequest)
	if err != nil || !bytes.HasPrefix(b, []byte{0x1f, 0x8b}) {
		return b, err
	}
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err == nil {
		b, err = io.ReadAll(io.LimitReader(z, maxRequest+1))
	}
	switch {
	case err != nil:
		return nil, fault.Errorf(fault.Invalid, "The packed body cannot be read: %w.", err)
	case len(b) > maxRequest:
		return nil, fault.Errorf(fault.TooLarge, "The body is larger than %d bytes.", maxRequest)
	}
	return b, nil
}

// parseMembers reads a body that is one JSON object. Annotations are left out.
func parseMembers(body []byte) (map[string]jsontext.Value, error) {
	var m map[string]jsontext.Value
	if err := json.Unmarshal(body, &m); err != nil || m == nil {
		return nil, fault.Errorf(fault.Invalid, "The body must be one JSON object: %w.", errorOrNull(err))
	}
	maps.DeleteFunc(m, func(name string, _ jsontext.Value) bool { return strings.Contains(name, "@odata.") })
	return m, nil
}

func errorOrNull(err error) error {
	if err == nil {
		return fault.Errorf(fault.Invalid, "it is null")
	}
	return err
}

// editableProperty is one that a PATCH may set.
type editableProperty struct {
	name string
	enum *odata.Enum // nil for free text
	set  func(*correlation.Edit, *string)
}

// What of an alert and of an incident may be set (unified-api reference, 3.1).
var (
	workProperties = []editableProperty{
		{"assignedTo", nil, func(e *correlation.Edit, v *string) { e.AssignedTo = v }},
		{"classification", ClassificationEnum, func(e *correlation.Edit, v *string) { e.Classification = v }},
		{"determination", DeterminationEnum, func(e *correlation.Edit, v *string) { e.Determination = v }},
	}
	alertProperties    = append(slices.Clip(workProperties), editableProperty{"status", AlertStatusEnum, func(e *correlation.Edit, v *string) { e.Status = v }})
	incidentProperties = append(slices.Clip(workProperties),
		editableProperty{"status", IncidentStatusEnum, func(e *correlation.Edit, v *string) { e.Status = v }},
		editableProperty{"severity", SeverityEnum, func(e *correlation.Edit, v *string) { e.Severity = v }},
		editableProperty{"displayName", nil, func(e *correlation.Edit, v *string) { e.Name = v }},
		editableProperty{"description", nil, func(e *correlation.Edit, v *string) { e.Description = v }},
		editableProperty{"summary", nil, func(e *correlation.Edit, v *string) { e.Summary = v }},
		editableProperty{"resolvingComment", nil, func(e *correlation.Edit, v *string) { e.ResolvingComment = v }},
	)
)

// parseEdit reads a PATCH: what is not named stays, null clears, and what cannot be set is refused by name.
func parseEdit(m map[string]jsontext.Value, known []editableProperty, s odata.Schema) (correlation.Edit, error) {
	var e correlation.Edit
	for _, name := range slices.Sorted(maps.Keys(m)) { // of several mistakes always the same one is told
		if name == "customTags" && slices.ContainsFunc(known, func(p editableProperty) bool { return p.name == "displayName" }) {
			tags := []string{}
			if err := json.Unmarshal(m[name], &tags); err != nil {
				return e, badProperty("invalidProperty", name, "is a list of texts")
			}
			e.Tags = &tags
			continue
		}
		i := slices.IndexFunc(known, func(p editableProperty) bool { return p.name == name })
		if i < 0 {
			if slices.Contains(s.Names, name) {
				return e, badProperty("propertyNotUpdateable", name, "cannot be changed")
			}
			return e, badProperty("invalidProperty", name, "does not exist on type '"+s.Type+"'")
		}
		v, err := known[i].parseValue(m[name])
		if err != nil {
			return e, err
		}
		known[i].set(&e, &v)
	}
	return e, nil
}

// parseValue gives a property's value in the Graph's spelling, "" for null.
func (p editableProperty) parseValue(raw jsontext.Value) (string, error) {
	var v *string
	if err := json.Unmarshal(raw, &v); err != nil {
		return "", badProperty("invalidProperty", p.name, "is a text or null")
	}
	switch {
	case v == nil && p.name == "status":
		return "", badProperty("invalidProperty", p.name, "cannot be null")
	case v == nil, *v == "" && p.enum != nil:
		return "", nil
	case p.enum == nil:
		return *v, nil
	case p.enum == SeverityEnum && strings.EqualFold(*v, string(alert.Critical)): // not the Graph's word, but ours
		return string(alert.Critical), nil
	}
	if word := p.enum.Parse(*v); word != "" {
		return word, nil
	}
	return "", badProperty("invalidProperty", p.name, "cannot be '"+clipText(*v)+"'")
}

// badProperty is a 400 that names the property.
func badProperty(code, name, why string) *failure {
	f := newFailure(http.StatusBadRequest, "invalidRequest", "Property '"+clipText(name)+"' "+why+".")
	f.Target = clipText(name)
	f.Details = &[]errorDetail{{Code: code, Message: f.Message, Target: f.Target}}
	return f
}
