package graph

import (
	"strings"

	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/entity"
	"github.com/onepane/onepane/shared/incident"
)

// Exposure is a posture finding on the wire (design contract, section 5).
type Exposure struct {
	ID                string         `json:"id"`
	TenantID          string         `json:"tenantId"`
	ProviderFindingID string         `json:"providerFindingId"`
	Title             string         `json:"title"`
	Description       Nullable       `json:"description"`
	Recommendation    Nullable       `json:"recommendedActions"`
	Type              Nullable       `json:"type"`
	Severity          alert.Severity `json:"severity"`
	NativeSeverity    Nullable       `json:"nativeSeverity"`
	Status            alert.Status   `json:"status"`
	NativeStatus      Nullable       `json:"nativeStatus"`
	Resources         []string       `json:"resources"`
	Account           Nullable       `json:"account"`
	Cloud             Nullable       `json:"cloud"`
	Region            Nullable       `json:"region"`
	FirstSeen         Timestamp      `json:"firstSeen"`
	LastSeen          Timestamp      `json:"lastSeen"`
	LastUpdate        Timestamp      `json:"lastUpdateDateTime"`
	Resolved          Timestamp      `json:"resolvedDateTime"`
	Source            string         `json:"source"`
	URL               Nullable       `json:"url"`
}

func ExposureOf(m incident.AlertRecord) Exposure {
	a := m.Alert
	return Exposure{
		ID: a.ID, TenantID: a.Tenant, ProviderFindingID: a.ReportID, Title: a.Title, Description: Nullable(a.Description),
		Recommendation: Nullable(a.Recommendation), Type: Nullable(a.Type), Severity: a.Severity,
		NativeSeverity: Nullable(a.NativeSeverity), Status: StatusOf(m), NativeStatus: Nullable(a.NativeStatus),
		Resources: exposedResources(a), Account: Nullable(a.Account.ID), Cloud: Nullable(a.Account.Cloud), Region: Nullable(a.Account.Region),
		FirstSeen: Timestamp(a.First), LastSeen: Timestamp(a.Last), LastUpdate: Timestamp(m.Updated), Resolved: Timestamp(m.Resolved),
		Source: a.Origin.Provider, URL: Nullable(a.URL),
	}
}

// exposedResources are the things that the finding is about.
func exposedResources(a alert.Alert) []string {
	out := []string{}
	for _, e := range a.Evidence {
		switch e.Kind {
		case entity.Resource, entity.Host, entity.Image, entity.Container, entity.Pod, entity.Cluster, entity.Other:
			out = append(out, e.Value)
		}
	}
	return out
}

// NamesResource reports whether the evidence names the resource.
func NamesResource(a alert.Alert, resource string) bool {
	for _, e := range a.Evidence {
		if strings.EqualFold(e.Value, resource) || strings.EqualFold(e.Name, resource) || strings.EqualFold(lastPart(e.Value), resource) {
			return true
		}
		for _, alias := range e.Aliases {
			if strings.EqualFold(alias.Value, resource) {
				return true
			}
		}
	}
	return false
}
