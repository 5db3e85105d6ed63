package api

import (
	"cmp"
	"regexp"
	"strconv"
	"strings"

	"github.com/onepane/onepane/shared/entity"
)

type azureResourceEvidence struct {
	alertEvidence
	ResourceID   Nullable `json:"resourceId"`
	ResourceName Nullable `json:"resourceName"`
	ResourceType Nullable `json:"resourceType"`
}

type amazonResourceEvidence struct {
	alertEvidence
	AmazonAccountID  Nullable `json:"amazonAccountId"`
	AmazonResourceID Nullable `json:"amazonResourceId"`
	ResourceName     Nullable `json:"resourceName"`
	ResourceType     Nullable `json:"resourceType"`
}

type googleCloudResourceEvidence struct {
	alertEvidence
	FullResourceName Nullable `json:"fullResourceName"`
	Location         Nullable `json:"location"`
	LocationType     string   `json:"locationType"`
	ProjectID        Nullable `json:"projectId"`
	ProjectNumber    *int64   `json:"projectNumber"`
	ResourceName     Nullable `json:"resourceName"`
	ResourceType     Nullable `json:"resourceType"`
}

type blobContainerEvidence struct {
	alertEvidence
	Name            string                 `json:"name"`
	URL             string                 `json:"url"`
	StorageResource *azureResourceEvidence `json:"storageResource"`
}

// mapResource shows a cloud resource by its cloud; one of no known cloud has no Graph type.
func (w *evidenceMapper) mapResource() any {
	switch w.resourceCloud() {
	case entity.Azure:
		if c, ok := w.mapBlobContainer(); ok {
			return c
		}
		return w.mapAzure()
	case entity.Amazon:
		return w.mapAmazon()
	case entity.Google:
		return w.mapGoogle()
	}
	return w.mapOther()
}

// resourceCloud is where the resource lives: by its name's shape, else as stated.
func (w *evidenceMapper) resourceCloud() entity.Cloud {
	v := strings.ToLower(w.Value)
	switch {
	case strings.HasPrefix(v, "arn:"):
		return entity.Amazon
	case strings.HasPrefix(v, "/subscriptions/"), strings.HasPrefix(v, "/providers/microsoft."):
		return entity.Azure
	case strings.HasPrefix(v, "//") && strings.Contains(v, ".googleapis.com/"):
		return entity.Google
	}
	return cmp.Or(entity.Cloud(strings.ToLower(w.Attr(entity.AttrCloud))), w.account.Cloud)
}

func (w *evidenceMapper) mapAzure() azureResourceEvidence {
	r := azureResourceEvidence{
		ResourceID: w.showText(w.Value), ResourceName: w.showText(cmp.Or(w.Name, lastPart(w.Value))),
		ResourceType: w.showText(cmp.Or(w.Attr(entity.AttrType), armType(w.Value))),
	}
	r.alertEvidence = w.finishBase("azureResourceEvidence")
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
func (w *evidenceMapper) mapBlobContainer() (blobContainerEvidence, bool) {
	account, name, ok := cutFold(w.Value, "/blobServices/default/containers/")
	c := blobContainerEvidence{Name: name}
	switch {
	case ok:
		c.URL = "https://" + lastPart(account) + ".blob.core.windows.net/" + name
		c.StorageResource = &azureResourceEvidence{
			ResourceID: Nullable(account), ResourceName: Nullable(lastPart(account)), ResourceType: Nullable(armType(account)),
			alertEvidence: w.nestedBase("azureResourceEvidence"),
		}
	case strings.Contains(strings.ToLower(w.Attr(entity.AttrType)), "blobservices/containers"), strings.Contains(w.Value, ".blob.core.windows.net/"):
		c.Name, c.URL = cmp.Or(w.Name, lastPart(w.Value)), w.Value
		w.showText(w.Value)
	default:
		return c, false
	}
	w.showText(c.Name)
	c.alertEvidence = w.finishBase("blobContainerEvidence")
	return c, true
}

func cutFold(s, sep string) (before, after string, ok bool) {
	if i := strings.Index(strings.ToLower(s), strings.ToLower(sep)); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

// mapAmazon prefers an ARN among the resource's names as its id.
func (w *evidenceMapper) mapAmazon() amazonResourceEvidence {
	id := w.Value
	for _, a := range w.Aliases {
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
		AmazonAccountID:  w.showText(cmp.Or(account, w.Attr(entity.AttrAccount), w.account.ID)),
		AmazonResourceID: w.showText(id),
		ResourceName:     w.showText(cmp.Or(w.Name, lastPart(id))),
		ResourceType:     w.showText(cmp.Or(w.Attr(entity.AttrType), kind)),
	}
	r.alertEvidence = w.finishBase("amazonResourceEvidence")
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

func (w *evidenceMapper) mapGoogle() googleCloudResourceEvidence {
	r := googleCloudResourceEvidence{FullResourceName: w.showText(w.Value), LocationType: "unknown"}
	place := cmp.Or(firstSubmatch(googlePlace, w.Value), w.Attr(entity.AttrRegion))
	switch {
	case googleZone.MatchString(place):
		r.LocationType = "zonal"
	case googleRegion.MatchString(place):
		r.LocationType = "regional"
	case place == "global":
		r.LocationType = "global"
	}
	r.Location = w.showText(place)
	for _, project := range []string{firstSubmatch(googleProject, w.Value), w.Attr(entity.AttrAccount), w.account.ID, w.account.Name} {
		if n, err := strconv.ParseInt(project, 10, 64); err == nil && r.ProjectNumber == nil {
			r.ProjectNumber = &n
			w.showText(project)
		} else if err != nil && r.ProjectID == "" {
			r.ProjectID = w.showText(project)
		}
	}
	r.ResourceName = w.showText(cmp.Or(w.Name, lastPart(w.Value)))
	r.ResourceType = w.showAttr(entity.AttrType)
	r.alertEvidence = w.finishBase("googleCloudResourceEvidence")
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
