package graph

import (
	"cmp"
	"strings"

	"github.com/onepane/onepane/shared/entity"
)

type ipEvidence struct {
	AlertEvidence
	IPAddress         string       `json:"ipAddress"`
	CountryLetterCode Nullable     `json:"countryLetterCode"`
	Location          *geoLocation `json:"location"`
}

type geoLocation struct {
	City        Nullable `json:"city"`
	CountryName Nullable `json:"countryName"`
	State       Nullable `json:"state"`
}

func mapIP(ev *evidenceMapper) ipEvidence {
	i := ipEvidence{IPAddress: string(ev.showText(ev.Value))}
	city, country := ev.showAttr(entity.AttrCity), ev.showAttr(entity.AttrCountry)
	if len(country) == 2 {
		i.CountryLetterCode, country = country, ""
	}
	if city != "" || country != "" {
		i.Location = &geoLocation{City: city, CountryName: country}
	}
	i.AlertEvidence = ev.finishBase("ipEvidence")
	return i
}

type urlEvidence struct {
	AlertEvidence
	URL string `json:"url"`
}

func mapURL(ev *evidenceMapper) urlEvidence {
	u := urlEvidence{URL: string(ev.showText(ev.Value))}
	u.AlertEvidence = ev.finishBase("urlEvidence")
	return u
}

type dnsEvidence struct {
	AlertEvidence
	DomainName  string       `json:"domainName"`
	IPAddresses []ipEvidence `json:"ipAddresses"`
}

func mapDomain(ev *evidenceMapper) dnsEvidence {
	d := dnsEvidence{DomainName: string(ev.showText(ev.Value)), IPAddresses: []ipEvidence{}}
	for _, a := range ev.showAliases(entity.IP) {
		d.IPAddresses = append(d.IPAddresses, ipEvidence{AlertEvidence: ev.nestedBase("ipEvidence"), IPAddress: a})
	}
	d.AlertEvidence = ev.finishBase("dnsEvidence")
	return d
}

type fileEvidence struct {
	AlertEvidence
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
	AlertEvidence
	Algorithm string `json:"algorithm"`
	Value     string `json:"value"`
}

// mapFile shows a file, or a lone hash of which nothing else is known.
func mapFile(ev *evidenceMapper) any {
	if ev.Kind == entity.FileHash && ev.Name == "" && ev.Attr(entity.AttrPath) == "" && !hasOtherHashes(ev) {
		h := fileHashEvidence{Algorithm: hashAlgorithm(ev.Value), Value: string(ev.showText(ev.Value))}
		h.AlertEvidence = ev.finishBase("fileHashEvidence")
		return h
	}
	f := fileEvidence{FileDetails: fileDetailsOf(ev), MdeDeviceID: ev.showAttr(entity.AttrDeviceID)}
	f.AlertEvidence = ev.finishBase("fileEvidence")
	return f
}

// hasOtherHashes reports whether a hash has others beside it, so that they must be those of one file.
func hasOtherHashes(ev *evidenceMapper) bool {
	for _, n := range []string{entity.AttrMD5, entity.AttrSHA1, entity.AttrSHA256} {
		if v := ev.Attr(n); v != "" && !strings.EqualFold(v, ev.Value) {
			return true
		}
	}
	return len(ev.showAliases(entity.FileHash)) > 0
}

func fileDetailsOf(ev *evidenceMapper) fileDetails {
	d := fileDetails{MD5: ev.showAttr(entity.AttrMD5), SHA1: ev.showAttr(entity.AttrSHA1), SHA256: ev.showAttr(entity.AttrSHA256), FileSize: ev.showNumber(entity.AttrSize)}
	hashes := ev.showAliases(entity.FileHash)
	path := ev.Attr(entity.AttrPath)
	if ev.Kind == entity.FileHash {
		hashes = append(hashes, ev.Value)
	} else {
		path = cmp.Or(path, ev.Value)
	}
	for _, h := range hashes {
		switch hashAlgorithm(h) {
		case "md5":
			d.MD5 = cmp.Or(d.MD5, ev.showText(h))
		case "sha1":
			d.SHA1 = cmp.Or(d.SHA1, ev.showText(h))
		case "sha256":
			d.SHA256 = cmp.Or(d.SHA256, ev.showText(h))
		}
	}
	d.FilePath, d.FileName = ev.showText(path), ev.showText(cmp.Or(ev.Name, baseName(path)))
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
	AlertEvidence
	ProcessID              *int64       `json:"processId"`
	ProcessCommandLine     Nullable     `json:"processCommandLine"`
	ImageFile              *fileDetails `json:"imageFile"`
	ParentProcessID        *int64       `json:"parentProcessId"`
	ParentProcessImageFile *fileDetails `json:"parentProcessImageFile"`
	DetectionStatus        Nullable     `json:"detectionStatus"`
	MdeDeviceID            Nullable     `json:"mdeDeviceId"`
}

func mapProcess(ev *evidenceMapper) processEvidence {
	p := processEvidence{
		ProcessID: ev.showNumber(entity.AttrPID), ParentProcessID: ev.showNumber(entity.AttrParentPID),
		ProcessCommandLine: ev.showAttr(entity.AttrCommandLine), MdeDeviceID: ev.showAttr(entity.AttrDeviceID),
	}
	image := fileDetailsOf(ev)
	p.ImageFile = &image
	if p.ProcessCommandLine == "" && strings.Contains(ev.Value, " ") && !strings.HasSuffix(strings.ToLower(ev.Value), ".exe") {
		p.ProcessCommandLine = ev.showText(ev.Value)
	}
	if parent := ev.showAttr(entity.AttrParentName); parent != "" {
		p.ParentProcessImageFile = &fileDetails{FileName: Nullable(baseName(string(parent))), FilePath: parent}
	}
	p.AlertEvidence = ev.finishBase("processEvidence")
	return p
}

type registryKeyEvidence struct {
	AlertEvidence
	RegistryHive Nullable `json:"registryHive"`
	RegistryKey  Nullable `json:"registryKey"`
}

// mapRegistryKey splits the hive from the key; together they are the value.
func mapRegistryKey(ev *evidenceMapper) registryKeyEvidence {
	r := registryKeyEvidence{RegistryKey: ev.showText(ev.Value)}
	if hive, key, ok := strings.Cut(ev.Value, `\`); ok && strings.HasPrefix(strings.ToUpper(hive), "HK") {
		r.RegistryHive, r.RegistryKey = Nullable(hive), Nullable(key)
		delete(ev.shown, ev.Value) // its full spelling stays a tag
	}
	r.AlertEvidence = ev.finishBase("registryKeyEvidence")
	return r
}
