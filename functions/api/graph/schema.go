package graph

import (
	"reflect"
	"strings"

	"github.com/onepane/onepane/functions/api/odata"
	"github.com/onepane/onepane/shared/query"
)

// AlertSchema and IncidentSchema are what may be asked. The Graph documents fewer properties; id, titles, the
// incident and the activity times are ours.
var (
	AlertSchema = odata.Schema{
		Type: "microsoft.graph.security.alert",
		Properties: append(commonProperties(AlertStatusEnum),
			odata.Property{Field: query.ServiceSource, Enum: serviceSourceEnum},
			odata.Property{Field: query.IncidentID}, odata.Property{Field: query.Title}),
		Names: MemberNames[Alert](),
	}
	IncidentSchema = odata.Schema{
		Type: "microsoft.graph.security.incident",
		Properties: append(commonProperties(IncidentStatusEnum), odata.Property{Field: query.DisplayName}, odata.Property{Field: query.Title},
			odata.Property{Field: query.Priority}),
		Names:      MemberNames[Incident](),
		Navigation: []string{"alerts"},
	}
)

func commonProperties(status *odata.Enum) []odata.Property {
	return []odata.Property{
		{Field: query.ID}, {Field: query.Created}, {Field: query.Updated}, {Field: query.FirstActivity}, {Field: query.LastActivity},
		{Field: query.AssignedTo}, {Field: query.Severity, Enum: SeverityEnum}, {Field: query.Status, Enum: status},
		{Field: query.Classification, Enum: ClassificationEnum}, {Field: query.Determination, Enum: DeterminationEnum},
	}
}

// MemberNames lists the JSON members of T, annotations and nested structs left out.
func MemberNames[T any]() []string {
	var out []string
	for f := range reflect.TypeFor[T]().Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name != "" && !strings.Contains(name, "@") {
			out = append(out, name)
		}
	}
	return out
}
