package api

import (
	"cmp"
	"regexp"
	"strconv"
	"strings"

	"github.com/onepane/onepane/shared/entity"
)

type azureResource struct {
	base
	ResourceID   nullable `json:"resourceId"`
	ResourceName nullable `json:"resourceName"`
	ResourceType nullable `json:"resourceType"`
}

type amazonResource struct {
	base
	AmazonAccountID  nullable `json:"amazonAccountId"`
	AmazonResourceID nullable `json:"amazonResourceId"`
	ResourceName     nullable `json:"resourceName"`
	ResourceType     nullable `json:"resourceType"`
}

type googleResource struct {
	base
	FullResourceName nullable `json:"fullResourceName"`
	Location         nullable `json:"location"`
	LocationType     string   `json:"locationType"`
	ProjectID        nullable `json:"projectId"`
	ProjectNumber    *int64   `json:"projectNumber"`
	ResourceName     nullable `json:"resourceName"`
	ResourceType     nullable `json:"resourceType"`
}

type blobContainer struct {
	base
	Name            string         `json:"name"`
	URL             string         `json:"url"`
	StorageResource *azureResource `json:"storageResource"`
}

// resource shows a cloud resource by its cloud; one of no known cloud has no Graph type.
func (w *witness) resource() any {
	switch w.cloud() {
	case entity.Azure:
		if c, ok := w.blobContainer(); ok {
			return c
		}
		return w.azure()
	case entity.Amazon:
		return w.amazon()
	case entity.Google:
		return w.google()
	}
	return w.other()
}

// cloud is where the resource lives: by its name's shape, else as stated.
func (w *witness) cloud() entity.Cloud {
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

func (w *witness) azure() azureResource {
	r := azureResource{
		ResourceID: w.tell(w.Value), ResourceName: w.tell(cmp.Or(w.Name, lastPart(w.Value))),
		ResourceType: w.tell(cmp.Or(w.Attr(entity.AttrType), armType(w.Value))),
	}
	r.base = w.as("azureResourceEvidence")
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

// blobContainer shows what is a container of a storage account by its id or address.
func (w *witness) blobContainer() (blobContainer, bool) {
	account, name, ok := cutFold(w.Value, "/blobServices/default/containers/")
	c := blobContainer{Name: name}
	switch {
	case ok:
		c.URL = "https://" + lastPart(account) + ".blob.core.windows.net/" + name
		c.StorageResource = &azureResource{
			ResourceID: nullable(account), ResourceName: nullable(lastPart(account)), ResourceType: nullable(armType(account)),
			base: w.inner("azureResourceEvidence"),
		}
	case strings.Contains(strings.ToLower(w.Attr(entity.AttrType)), "blobservices/containers"), strings.Contains(w.Value, ".blob.core.windows.net/"):
		c.Name, c.URL = cmp.Or(w.Name, lastPart(w.Value)), w.Value
		w.tell(w.Value)
	default:
		return c, false
	}
	w.tell(c.Name)
	c.base = w.as("blobContainerEvidence")
	return c, true
}

func cutFold(s, sep string) (before, after string, ok bool) {
	if i := strings.Index(strings.ToLower(s), strings.ToLower(sep)); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

// amazon prefers an ARN among the resource's names as its id.
func (w *witness) amazon() amazonResource {
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
	r := amazonResource{
		AmazonAccountID:  w.tell(cmp.Or(account, w.Attr(entity.AttrAccount), w.account.ID)),
		AmazonResourceID: w.tell(id),
		ResourceName:     w.tell(cmp.Or(w.Name, lastPart(id))),
		ResourceType:     w.tell(cmp.Or(w.Attr(entity.AttrType), kind)),
	}
	r.base = w.as("amazonResourceEvidence")
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

func (w *witness) google() googleResource {
	r := googleResource{FullResourceName: w.tell(w.Value), LocationType: "unknown"}
	place := cmp.Or(submatch(googlePlace, w.Value), w.Attr(entity.AttrRegion))
	switch {
	case googleZone.MatchString(place):
		r.LocationType = "zonal"
	case googleRegion.MatchString(place):
		r.LocationType = "regional"
	case place == "global":
		r.LocationType = "global"
	}
	r.Location = w.tell(place)
	for _, project := range []string{submatch(googleProject, w.Value), w.Attr(entity.AttrAccount), w.account.ID, w.account.Name} {
		if n, err := strconv.ParseInt(project, 10, 64); err == nil && r.ProjectNumber == nil {
			r.ProjectNumber = &n
			w.tell(project)
		} else if err != nil && r.ProjectID == "" {
			r.ProjectID = w.tell(project)
		}
	}
	r.ResourceName = w.tell(cmp.Or(w.Name, lastPart(w.Value)))
	r.ResourceType = w.attr(entity.AttrType)
	r.base = w.as("googleCloudResourceEvidence")
	return r
}

func submatch(re *regexp.Regexp, s string) string {
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
