package scc

import (
	"strings"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/entity"
)

// resource is the asset a finding is about, in API v1 (flat), v2 (by cloud) and export spelling.
type resource struct {
	Name               ingest.Text       `json:"name"`
	DisplayName        ingest.Text       `json:"displayName"`
	Type               ingest.Text       `json:"type"`
	CloudProvider      ingest.Text       `json:"cloudProvider"`
	Service            ingest.Text       `json:"service"`
	Location           ingest.Text       `json:"location"`
	Project            ingest.Text       `json:"project"`
	ProjectName        ingest.Text       `json:"projectName"`
	ProjectDisplayName ingest.Text       `json:"projectDisplayName"`
	Organization       ingest.Text       `json:"organization"`
	GCP                loose[gcpScope]   `json:"gcpMetadata"`
	AWS                loose[awsScope]   `json:"awsMetadata"`
	Azure              loose[azureScope] `json:"azureMetadata"`
	Labels             loose[texts]      `json:"labels"` // of a log entry
}

type gcpScope struct {
	Project            ingest.Text `json:"project"`
	ProjectDisplayName ingest.Text `json:"projectDisplayName"`
	Organization       ingest.Text `json:"organization"`
}

type idName struct {
	ID          ingest.Text `json:"id"`
	Name        ingest.Text `json:"name"`
	DisplayName ingest.Text `json:"displayName"`
}

type awsScope struct {
	Organization idName `json:"organization"`
	Account      idName `json:"account"`
}

type azureScope struct {
	Tenant       idName `json:"tenant"`
	Subscription idName `json:"subscription"`
}

// accountOf is where the resource lives. Google names a project by number and by id: ID is the first that is stated,
// Name the other.
func accountOf(rec record) alert.Account {
	f, r := rec.Finding, rec.Resource.V
	switch cloudOf(rec) {
	case entity.Amazon:
		arn := strings.Split(resourceName(rec), ":")
		a := alert.Account{Cloud: entity.Amazon, ID: emptyUnset(r.AWS.V.Account.ID), Name: emptyUnset(r.AWS.V.Account.Name), Organization: emptyUnset(r.AWS.V.Organization.ID), Region: emptyUnset(r.Location)}
		if a.ID == "" && len(arn) > 5 {
			a.ID = arn[4]
		}
		return a
	case entity.Azure:
		a := alert.Account{Cloud: entity.Azure, ID: emptyUnset(r.Azure.V.Subscription.ID), Name: emptyUnset(r.Azure.V.Subscription.DisplayName), Organization: emptyUnset(r.Azure.V.Tenant.ID), Region: emptyUnset(r.Location)}
		if a.ID == "" {
			a.ID = pathSegment(strings.ToLower(resourceName(rec)), "subscriptions")
		}
		return a
	}
	a := alert.Account{Cloud: entity.Google, Region: emptyUnset(r.Location)}
	for _, spelling := range []string{
		projectID(r.GCP.V.Project), projectID(r.Project), projectID(r.ProjectName), pathSegment(string(f.ResourceName), "projects"),
		pathSegment(string(r.Name), "projects"), emptyUnset(r.GCP.V.ProjectDisplayName), emptyUnset(r.ProjectDisplayName), emptyUnset(f.Source.V.ProjectID),
		emptyUnset(r.Labels.V["project_id"]), emptyUnset(f.Source.V.Properties.V.ProjectID()), pathSegment(string(f.CanonicalName), "projects"), pathSegment(string(f.Name), "projects"),
	} {
		switch {
		case spelling == "" || spelling == a.ID:
		case a.ID == "":
			a.ID = spelling
		case a.Name == "":
			a.Name = spelling
		}
	}
	for _, from := range []string{string(f.Name), string(r.GCP.V.Organization), string(r.Organization), string(f.CanonicalName)} {
		if a.Organization == "" {
			a.Organization = pathSegment(from, "organizations")
		}
	}
	return a
}

// cloudOf is where the resource lives: Security Command Center Enterprise also watches Amazon and Azure.
func cloudOf(rec record) entity.Cloud {
	switch strings.ToUpper(string(rec.Resource.V.CloudProvider)) {
	case "AMAZON_WEB_SERVICES", "AWS":
		return entity.Amazon
	case "MICROSOFT_AZURE", "AZURE":
		return entity.Azure
	}
	switch name := strings.ToLower(resourceName(rec)); {
	case strings.HasPrefix(name, "arn:"):
		return entity.Amazon
	case strings.HasPrefix(name, "/subscriptions/"):
		return entity.Azure
	}
	return entity.Google
}

func resourceName(rec record) string {
	for _, n := range []ingest.Text{rec.Finding.ResourceName, rec.Resource.V.Name} {
		if s := emptyUnset(n); s != "" {
			return s
		}
	}
	return ""
}

// projectID is the last segment of a project's full resource name, or the bare id.
func projectID(name ingest.Text) string {
	s := emptyUnset(name)
	if p := pathSegment(s, "projects"); p != "" {
		return p
	}
	if strings.Contains(s, "/") {
		return ""
	}
	return s
}

// pathSegment is what follows "collection/" in a name; "" when it is not there.
func pathSegment(name, collection string) string {
	_, rest, ok := strings.Cut("/"+name, "/"+collection+"/")
	if !ok {
		return ""
	}
	id, _, _ := strings.Cut(rest, "/")
	return id
}
