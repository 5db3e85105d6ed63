package graph

import (
	"cmp"
	"regexp"
	"strconv"
	"strings"

	"github.com/onepane/onepane/shared/entity"
)

type azureResourceEvidence struct {
	AlertEvidence
	ResourceID   Nullable `json:"resourceId"`
	ResourceName Nullable `json:"resourceName"`
	ResourceType Nullable `json:"resourceType"`
}

type amazonResourceEvidence struct {
	AlertEvidence
	AmazonAccountID  Nullable `json:"amazonAccountId"`
	AmazonResourceID Nullable `json:"amazonResourceId"`
	ResourceName     Nullable `json:"resourceName"`
	ResourceType     Nullable `json:"resourceType"`
}

type googleCloudResourceEvidence struct {
	AlertEvidence
	FullResourceName Nullable `json:"fullResourceName"`
	Location         Nullable `json:"location"`
	LocationType     string   `json:"locationType"`
	ProjectID        Nullable `json:"projectId"`
	ProjectNumber    *int64   `json:"projectNumber"`
	ResourceName     Nullable `json:"resourceName"`
	ResourceType     Nullable `json:"resourceType"`
}

type blobContainerEvidence struct {
	AlertEvidence
	Name            string                 `json:"name"`
	URL             string                 `json:"url"`
	StorageResource *azureResourceEvidence `json:"storageResource"`
}

// mapResource shows a cloud resource by its cloud; one of no known cloud has no Graph type.
func mapResource(ev *evidenceMapper) any {
	switch resourceCloud(ev) {
	case entity.Azure:
		if c, ok := mapBlobContainer(ev); ok {
			return c
		}
		return mapAzure(ev)
	case entity.Amazon:
		return mapAmazon(ev)
	case entity.Google:
		return mapGoogle(ev)
	}
	return mapOther(ev)
}

// resourceCloud is where the resource lives: by its name's shape, else as stated.
func resourceCloud(ev *evidenceMapper) entity.Cloud {
	v := strings.ToLower(ev.Value)
	switch {
	case strings.HasPrefix(v, "arn:"):
		return entity.Amazon
	case strings.HasPrefix(v, "/subscriptions/"), strings.HasPrefix(v, "/providers/microsoft."):
		return entity.Azure
	case strings.HasPrefix(v, "//") && strings.Contains(v, ".googleapis.com/"):
		return entity.Google
	}
	return cmp.Or(entity.Cloud(strings.ToLower(ev.Attr(entity.AttrCloud))), ev.account.Cloud)
}

func mapAzure(ev *evidenceMapper) azureResourceEvidence {
	r := azureResourceEvidence{
		ResourceID: ev.showText(ev.Value), ResourceName: ev.showText(cmp.Or(ev.Name, lastPart(ev.Value))),
		ResourceType: ev.showText(cmp.Or(ev.Attr(entity.AttrType), armType(ev.Value))),
	}
	r.AlertEvidence = ev.finishBase("azureResourceEvidence")
	return r
}

// armType is the type in an Azure resource id: the provider's namespace and every second segment after it.
func armType(id string) string {
	i := strings.LastIndex(strings.ToLower(id), "/providers/")
	if i < 0 {
		return ""
	}
	parts := strings.Split(strings.Trim(id[i+len("/providers/"):], "/"), "/")
	out := parts[0]
	for n := 1; n < len(parts); n += 2 {
		out += "/" + parts[n]
	}
	return out
}

// mapBlobContainer shows what is a container of a storage account by its id or address.
func mapBlobContainer(ev *evidenceMapper) (blobContainerEvidence, bool) {
	account, name, ok := cutFold(ev.Value, "/blobServices/default/containers/")
	c := blobContainerEvidence{Name: name}
	switch {
	case ok:
		c.URL = "https://" + lastPart(account) + ".blob.core.windows.net/" + name
		c.StorageResource = &azureResourceEvidence{
			ResourceID: Nullable(account), ResourceName: Nullable(lastPart(account)), ResourceType: Nullable(armType(account)),
			AlertEvidence: ev.nestedBase("azureResourceEvidence"),
		}
	case strings.Contains(strings.ToLower(ev.Attr(entity.AttrType)), "blobservices/containers"), strings.Contains(ev.Value, ".blob.core.windows.net/"):
		c.Name, c.URL = cmp.Or(ev.Name, lastPart(ev.Value)), ev.Value
		ev.showText(ev.Value)
	default:
		return c, false
	}
	ev.showText(c.Name)
	c.AlertEvidence = ev.finishBase("blobContainerEvidence")
	return c, true
}

func cutFold(s, sep string) (before, after string, ok bool) {
	if i := strings.Index(strings.ToLower(s), strings.ToLower(sep)); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

// mapAmazon prefers an ARN among the resource's names as its id.
func mapAmazon(ev *evidenceMapper) amazonResourceEvidence {
	id := ev.Value
	for _, a := range ev.Aliases {
		if !strings.HasPrefix(id, "arn:") && a.Kind == entity.Resource && strings.HasPrefix(a.Value, "arn:") {
			id = a.Value
		}
	}
	part := strings.SplitN(id, ":", 6)
	account, kind := "", ""
	if len(part) == 6 && part[0] == "arn" {
		account, kind = part[4], arnType(part[2], part[5])
	}
	r := amazonResourceEvidence{
		AmazonAccountID:  ev.showText(cmp.Or(account, ev.Attr(entity.AttrAccount), ev.account.ID)),
		AmazonResourceID: ev.showText(id),
		ResourceName:     ev.showText(cmp.Or(ev.Name, lastPart(id))),
		ResourceType:     ev.showText(cmp.Or(ev.Attr(entity.AttrType), kind)),
	}
	r.AlertEvidence = ev.finishBase("amazonResourceEvidence")
	return r
}

// arnType names the kind of an ARN's resource: "ec2:instance", "s3".
func arnType(service, resource string) string {
	if i := strings.IndexAny(resource, "/:"); i > 0 {
		return service + ":" + resource[:i]
	}
	return service
}

var (
	googleProject = regexp.MustCompile(`/projects/([^/]+)`)
	googleZone    = regexp.MustCompile(`^[a-z]+-[a-z]+\d+-[a-z]$`)
	googleRegion  = regexp.MustCompile(`^[a-z]+-[a-z]+\d+$`)
	googlePlace   = regexp.MustCompile(`/(?:zones|regions|locations)/([^/]+)`)
)

func mapGoogle(ev *evidenceMapper) googleCloudResourceEvidence {
	r := googleCloudResourceEvidence{FullResourceName: ev.showText(ev.Value), LocationType: "unknown"}
	place := cmp.Or(firstSubmatch(googlePlace, ev.Value), ev.Attr(entity.AttrRegion))
	switch {
	case googleZone.MatchString(place):
		r.LocationType = "zonal"
	case googleRegion.MatchString(place):
		r.LocationType = "regional"
	case place == "global":
		r.LocationType = "global"
	}
	r.Location = ev.showText(place)
	for _, project := range []string{firstSubmatch(googleProject, ev.Value), ev.Attr(entity.AttrAccount), ev.account.ID, ev.account.Name} {
		if n, err := strconv.ParseInt(project, 10, 64); err == nil && r.ProjectNumber == nil {
			r.ProjectNumber = &n
			ev.showText(project)
		} else if err != nil && r.ProjectID == "" {
			r.ProjectID = ev.showText(project)
		}
	}
	r.ResourceName = ev.showText(cmp.Or(ev.Name, lastPart(ev.Value)))
	r.ResourceType = ev.showAttr(entity.AttrType)
	r.AlertEvidence = ev.finishBase("googleCloudResourceEvidence")
	return r
}

func firstSubmatch(re *regexp.Regexp, s string) string {
	if m := re.FindStringSubmatch(s); m != nil {
		return m[1]
	}
	return ""
}

// lastPart is the name at the end of a path or an ARN.
func lastPart(s string) string {
	s = strings.TrimRight(s, "/")
	return s[strings.LastIndexAny(s, "/:")+1:]
}
