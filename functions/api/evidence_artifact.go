package api

import (
	"cmp"
	"strings"

	"github.com/onepane/onepane/shared/entity"
)

type ipEvidence struct {
	alertEvidence
	IPAddress         string       `json:"ipAddress"`
	CountryLetterCode Nullable     `json:"countryLetterCode"`
	Location          *geoLocation `json:"location"`
}

type geoLocation struct {
	City        Nullable `json:"city"`
	CountryName Nullable `json:"countryName"`
	State       Nullable `json:"state"`
}

func (w *evidenceMapper) mapIP() ipEvidence {
	i := ipEvidence{IPAddress: string(w.showText(w.Value))}
	city, country := w.showAttr(entity.AttrCity), w.showAttr(entity.AttrCountry)
	if len(country) == 2 {
		i.CountryLetterCode, country = country, ""
	}
	if city != "" || country != "" {
		i.Location = &geoLocation{City: city, CountryName: country}
	}
	i.alertEvidence = w.finishBase("ipEvidence")
	return i
}

type urlEvidence struct {
	alertEvidence
	URL string `json:"url"`
}

func (w *evidenceMapper) mapURL() urlEvidence {
	u := urlEvidence{URL: string(w.showText(w.Value))}
	u.alertEvidence = w.finishBase("urlEvidence")
	return u
}

type dnsEvidence struct {
	alertEvidence
	DomainName  string       `json:"domainName"`
	IPAddresses []ipEvidence `json:"ipAddresses"`
}

func (w *evidenceMapper) mapDomain() dnsEvidence {
	d := dnsEvidence{DomainName: string(w.showText(w.Value)), IPAddresses: []ipEvidence{}}
	for _, a := range w.showAliases(entity.IP) {
		d.IPAddresses = append(d.IPAddresses, ipEvidence{alertEvidence: w.nestedBase("ipEvidence"), IPAddress: a})
	}
	d.alertEvidence = w.finishBase("dnsEvidence")
	return d
}

type fileEvidence struct {
	alertEvidence
	DetectionStatus Nullable    `json:"detectionStatus"`
	FileDetails     fileDetails `json:"fileDetails"`
	MdeDeviceID     Nullable    `json:"mdeDeviceId"`
}

type fileDetails struct {
	FileName Nullable `json:"fileName"`
	FilePath Nullable `json:"filePath"`
	FileSize *int64   `json:"fileSize"`
	MD5      Nullable `json:"md5"`
	SHA1     Nullable `json:"sha1"`
	SHA256   Nullable `json:"sha256"`
}

type fileHashEvidence struct {
	alertEvidence
	Algorithm string `json:"algorithm"`
	Value     string `json:"value"`
}

// mapFile shows a file, or a lone hash of which nothing else is known.
func (w *evidenceMapper) mapFile() any {
	if w.Kind == entity.FileHash && w.Name == "" && w.Attr(entity.AttrPath) == "" && !w.manyHashes() {
		h := fileHashEvidence{Algorithm: hashAlgorithm(w.Value), Value: string(w.showText(w.Value))}
		h.alertEvidence = w.finishBase("fileHashEvidence")
		return h
	}
	f := fileEvidence{FileDetails: w.fileDetails(), MdeDeviceID: w.showAttr(entity.AttrDeviceID)}
	f.alertEvidence = w.finishBase("fileEvidence")
	return f
}

// manyHashes reports whether a hash has others beside it, so that they must be those of one file.
func (w *evidenceMapper) manyHashes() bool {
	for _, n := range []string{entity.AttrMD5, entity.AttrSHA1, entity.AttrSHA256} {
		if v := w.Attr(n); v != "" && !strings.EqualFold(v, w.Value) {
			return true
		}
	}
	return len(w.showAliases(entity.FileHash)) > 0
}

func (w *evidenceMapper) fileDetails() fileDetails {
	d := fileDetails{MD5: w.showAttr(entity.AttrMD5), SHA1: w.showAttr(entity.AttrSHA1), SHA256: w.showAttr(entity.AttrSHA256), FileSize: w.showNumber(entity.AttrSize)}
	hashes := w.showAliases(entity.FileHash)
	path := w.Attr(entity.AttrPath)
	if w.Kind == entity.FileHash {
		hashes = append(hashes, w.Value)
	} else {
		path = cmp.Or(path, w.Value)
	}
	for _, h := range hashes {
		switch hashAlgorithm(h) {
		case "md5":
			d.MD5 = cmp.Or(d.MD5, w.showText(h))
		case "sha1":
			d.SHA1 = cmp.Or(d.SHA1, w.showText(h))
		case "sha256":
			d.SHA256 = cmp.Or(d.SHA256, w.showText(h))
		}
	}
	d.FilePath, d.FileName = w.showText(path), w.showText(cmp.Or(w.Name, baseName(path)))
	return d
}

// hashAlgorithm tells a hash by its length.
func hashAlgorithm(hash string) string {
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
	alertEvidence
	ProcessID              *int64       `json:"processId"`
	ProcessCommandLine     Nullable     `json:"processCommandLine"`
	ImageFile              *fileDetails `json:"imageFile"`
	ParentProcessID        *int64       `json:"parentProcessId"`
	ParentProcessImageFile *fileDetails `json:"parentProcessImageFile"`
	DetectionStatus        Nullable     `json:"detectionStatus"`
	MdeDeviceID            Nullable     `json:"mdeDeviceId"`
}

func (w *evidenceMapper) mapProcess() processEvidence {
	p := processEvidence{
		ProcessID: w.showNumber(entity.AttrPID), ParentProcessID: w.showNumber(entity.AttrParentPID),
		ProcessCommandLine: w.showAttr(entity.AttrCommandLine), MdeDeviceID: w.showAttr(entity.AttrDeviceID),
	}
	image := w.fileDetails()
	p.ImageFile = &image
	if p.ProcessCommandLine == "" && strings.Contains(w.Value, " ") && !strings.HasSuffix(strings.ToLower(w.Value), ".exe") {
		p.ProcessCommandLine = w.showText(w.Value)
	}
	if parent := w.showAttr(entity.AttrParentName); parent != "" {
		p.ParentProcessImageFile = &fileDetails{FileName: Nullable(baseName(string(parent))), FilePath: parent}
	}
	p.alertEvidence = w.finishBase("processEvidence")
	return p
}

type registryKeyEvidence struct {
	alertEvidence
	RegistryHive Nullable `json:"registryHive"`
	RegistryKey  Nullable `json:"registryKey"`
}

// mapRegistryKey splits the hive from the key; together they are the value.
func (w *evidenceMapper) mapRegistryKey() registryKeyEvidence {
	r := registryKeyEvidence{RegistryKey: w.showText(w.Value)}
	if hive, key, ok := strings.Cut(w.Value, `\`); ok && strings.HasPrefix(strings.ToUpper(hive), "HK") {
		r.RegistryHive, r.RegistryKey = Nullable(hive), Nullable(key)
		delete(w.shown, w.Value) // its full spelling stays a tag
	}
	r.alertEvidence = w.finishBase("registryKeyEvidence")
	return r
}
