package api

import (
	"cmp"
	"strings"

	"github.com/onepane/onepane/shared/entity"
)

type ipEvidence struct {
	base
	IPAddress         string       `json:"ipAddress"`
	CountryLetterCode nullable     `json:"countryLetterCode"`
	Location          *geoLocation `json:"location"`
}

type geoLocation struct {
	City        nullable `json:"city"`
	CountryName nullable `json:"countryName"`
	State       nullable `json:"state"`
}

func (w *witness) ip() ipEvidence {
	i := ipEvidence{IPAddress: string(w.tell(w.Value))}
	city, country := w.attr(entity.AttrCity), w.attr(entity.AttrCountry)
	if len(country) == 2 {
		i.CountryLetterCode, country = country, ""
	}
	if city != "" || country != "" {
		i.Location = &geoLocation{City: city, CountryName: country}
	}
	i.base = w.as("ipEvidence")
	return i
}

type urlEvidence struct {
	base
	URL string `json:"url"`
}

func (w *witness) url() urlEvidence {
	u := urlEvidence{URL: string(w.tell(w.Value))}
	u.base = w.as("urlEvidence")
	return u
}

type dnsEvidence struct {
	base
	DomainName  string       `json:"domainName"`
	IPAddresses []ipEvidence `json:"ipAddresses"`
}

func (w *witness) domain() dnsEvidence {
	d := dnsEvidence{DomainName: string(w.tell(w.Value)), IPAddresses: []ipEvidence{}}
	for _, a := range w.aliases(entity.IP) {
		d.IPAddresses = append(d.IPAddresses, ipEvidence{base: w.inner("ipEvidence"), IPAddress: a})
	}
	d.base = w.as("dnsEvidence")
	return d
}

type fileEvidence struct {
	base
	DetectionStatus nullable    `json:"detectionStatus"`
	FileDetails     fileDetails `json:"fileDetails"`
	MdeDeviceID     nullable    `json:"mdeDeviceId"`
}

type fileDetails struct {
	FileName nullable `json:"fileName"`
	FilePath nullable `json:"filePath"`
	FileSize *int64   `json:"fileSize"`
	MD5      nullable `json:"md5"`
	SHA1     nullable `json:"sha1"`
	SHA256   nullable `json:"sha256"`
}

type fileHashEvidence struct {
	base
	Algorithm string `json:"algorithm"`
	Value     string `json:"value"`
}

// file shows a file, or a lone hash of which nothing else is known.
func (w *witness) file() any {
	if w.Kind == entity.FileHash && w.Name == "" && w.Attr(entity.AttrPath) == "" && !w.manyHashes() {
		h := fileHashEvidence{Algorithm: algorithm(w.Value), Value: string(w.tell(w.Value))}
		h.base = w.as("fileHashEvidence")
		return h
	}
	f := fileEvidence{FileDetails: w.fileDetails(), MdeDeviceID: w.attr(entity.AttrDeviceID)}
	f.base = w.as("fileEvidence")
	return f
}

// manyHashes reports whether a hash has others beside it, so that they must be those of one file.
func (w *witness) manyHashes() bool {
	for _, n := range []string{entity.AttrMD5, entity.AttrSHA1, entity.AttrSHA256} {
		if v := w.Attr(n); v != "" && !strings.EqualFold(v, w.Value) {
			return true
		}
	}
	return len(w.aliases(entity.FileHash)) > 0
}

func (w *witness) fileDetails() fileDetails {
	d := fileDetails{MD5: w.attr(entity.AttrMD5), SHA1: w.attr(entity.AttrSHA1), SHA256: w.attr(entity.AttrSHA256), FileSize: w.number(entity.AttrSize)}
	hashes := w.aliases(entity.FileHash)
	path := w.Attr(entity.AttrPath)
	if w.Kind == entity.FileHash {
		hashes = append(hashes, w.Value)
	} else {
		path = cmp.Or(path, w.Value)
	}
	for _, h := range hashes {
		switch algorithm(h) {
		case "md5":
			d.MD5 = cmp.Or(d.MD5, w.tell(h))
		case "sha1":
			d.SHA1 = cmp.Or(d.SHA1, w.tell(h))
		case "sha256":
			d.SHA256 = cmp.Or(d.SHA256, w.tell(h))
		}
	}
	d.FilePath, d.FileName = w.tell(path), w.tell(cmp.Or(w.Name, baseName(path)))
	return d
}

// algorithm tells a hash by its length.
func algorithm(hash string) string {
	switch len(hash) {
	case 32:
		return "md5"
	case 40:
		return "sha1"
	case 64:
		return "sha256"
	}
	return "unknown"
}

// baseName is the last part of a path of either system.
func baseName(path string) string { return path[strings.LastIndexAny(path, `/\`)+1:] }

type processEvidence struct {
	base
	ProcessID              *int64       `json:"processId"`
	ProcessCommandLine     nullable     `json:"processCommandLine"`
	ImageFile              *fileDetails `json:"imageFile"`
	ParentProcessID        *int64       `json:"parentProcessId"`
	ParentProcessImageFile *fileDetails `json:"parentProcessImageFile"`
	DetectionStatus        nullable     `json:"detectionStatus"`
	MdeDeviceID            nullable     `json:"mdeDeviceId"`
}

func (w *witness) process() processEvidence {
	p := processEvidence{
		ProcessID: w.number(entity.AttrPID), ParentProcessID: w.number(entity.AttrParentPID),
		ProcessCommandLine: w.attr(entity.AttrCommandLine), MdeDeviceID: w.attr(entity.AttrDeviceID),
	}
	image := w.fileDetails()
	p.ImageFile = &image
	if p.ProcessCommandLine == "" && strings.Contains(w.Value, " ") && !strings.HasSuffix(strings.ToLower(w.Value), ".exe") {
		p.ProcessCommandLine = w.tell(w.Value)
	}
	if parent := w.attr(entity.AttrParentName); parent != "" {
		p.ParentProcessImageFile = &fileDetails{FileName: nullable(baseName(string(parent))), FilePath: parent}
	}
	p.base = w.as("processEvidence")
	return p
}

type registryKey struct {
	base
	RegistryHive nullable `json:"registryHive"`
	RegistryKey  nullable `json:"registryKey"`
}

// registryKey splits the hive from the key; together they are the value.
func (w *witness) registryKey() registryKey {
	r := registryKey{RegistryKey: w.tell(w.Value)}
	if hive, key, ok := strings.Cut(w.Value, `\`); ok && strings.HasPrefix(strings.ToUpper(hive), "HK") {
		r.RegistryHive, r.RegistryKey = nullable(hive), nullable(key)
		delete(w.told, w.Value) // its full spelling stays a tag
	}
	r.base = w.as("registryKeyEvidence")
	return r
}
