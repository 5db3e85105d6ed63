package scc

import (
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/functions/ingest"
)

// record is a notification or export row. Names match without case and underscores, so snake_case exports read alike.
type record struct {
	Finding  *finding             `json:"finding"`
	Findings *finding             `json:"findings"`
	Resource loose[resource]      `json:"resource"`
	Source   loose[sourceDetails] `json:"sourceProperties"` // exports move it up
	Log      *logPayload          `json:"jsonPayload"`
	LogName  ingest.Text          `json:"logName"`
	InsertID ingest.Text          `json:"insertId"`
}

// finding is what we read of a finding. What matters for identity, time and state is strict; the rest is loose,
// because one odd attribute must not cost the finding.
type finding struct {
	Name              ingest.Text          `json:"name"`
	CanonicalName     ingest.Text          `json:"canonicalName"`
	ParentDisplayName ingest.Text          `json:"parentDisplayName"`
	ResourceName      ingest.Text          `json:"resourceName"`
	State             ingest.Text          `json:"state"`
	Category          ingest.Text          `json:"category"`
	ExternalURI       ingest.Text          `json:"externalUri"`
	Description       ingest.Text          `json:"description"`
	NextSteps         ingest.Text          `json:"nextSteps"`
	Severity          ingest.Text          `json:"severity"`
	FindingClass      ingest.Text          `json:"findingClass"`
	Mute              ingest.Text          `json:"mute"`
	ModuleName        ingest.Text          `json:"moduleName"`
	FindingProviderID ingest.Text          `json:"findingProviderId"`
	EventTime         ingest.Time          `json:"eventTime"`
	CreateTime        ingest.Time          `json:"createTime"`
	MuteUpdateTime    ingest.Time          `json:"muteUpdateTime"`
	Source            loose[sourceDetails] `json:"sourceProperties"`
	Resource          loose[resource]      `json:"resource"`

	Mitre            loose[mitre]                        `json:"mitreAttack"`
	Access           loose[access]                       `json:"access"`
	Indicator        loose[indicator]                    `json:"indicator"`
	Connections      loose[ingest.List[connection]]      `json:"connections"`
	Processes        loose[ingest.List[process]]         `json:"processes"`
	Files            loose[ingest.List[file]]            `json:"files"`
	Containers       loose[ingest.List[container]]       `json:"containers"`
	Kubernetes       loose[kubernetes]                   `json:"kubernetes"`
	IAMBindings      loose[ingest.List[iamBinding]]      `json:"iamBindings"`
	DataAccess       loose[ingest.List[dataAccess]]      `json:"dataAccessEvents"`
	Exfiltration     loose[exfiltration]                 `json:"exfiltration"`
	Database         loose[database]                     `json:"database"`
	LoadBalancers    loose[ingest.List[named]]           `json:"loadBalancers"`
	Disk             loose[named]                        `json:"disk"`
	Application      loose[application]                  `json:"application"`
	Vulnerability    loose[vulnerability]                `json:"vulnerability"`
	Compliances      loose[ingest.List[compliance]]      `json:"compliances"`
	AttackExposure   loose[attackExposure]               `json:"attackExposure"`
	ToxicCombination loose[combination]                  `json:"toxicCombination"`
	Chokepoint       loose[combination]                  `json:"chokepoint"`
	Marks            loose[struct{ Marks loose[texts] }] `json:"securityMarks"`
}

type named struct{ Name ingest.Text }

type mitre struct {
	PrimaryTactic        ingest.Text              `json:"primaryTactic"`
	PrimaryTechniques    ingest.List[ingest.Text] `json:"primaryTechniques"`
	AdditionalTactics    ingest.List[ingest.Text] `json:"additionalTactics"`
	AdditionalTechniques ingest.List[ingest.Text] `json:"additionalTechniques"`
}

type access struct {
	PrincipalEmail   ingest.Text                 `json:"principalEmail"`
	PrincipalSubject ingest.Text                 `json:"principalSubject"`
	UserName         ingest.Text                 `json:"userName"`
	CallerIP         ingest.Text                 `json:"callerIp"`
	CallerGeo        loose[geo]                  `json:"callerIpGeo"`
	UserAgent        ingest.Text                 `json:"userAgent"`
	ServiceName      ingest.Text                 `json:"serviceName"`
	MethodName       ingest.Text                 `json:"methodName"`
	KeyName          ingest.Text                 `json:"serviceAccountKeyName"`
	Delegation       loose[ingest.List[delegee]] `json:"serviceAccountDelegationInfo"`
}

type geo struct {
	RegionCode ingest.Text `json:"regionCode"`
}

type delegee struct {
	PrincipalEmail   ingest.Text `json:"principalEmail"`
	PrincipalSubject ingest.Text `json:"principalSubject"`
}

type indicator struct {
	IPs        ingest.List[ingest.Text]      `json:"ipAddresses"`
	Domains    ingest.List[ingest.Text]      `json:"domains"`
	URIs       ingest.List[ingest.Text]      `json:"uris"`
	Signatures loose[ingest.List[signature]] `json:"signatures"`
}

type signature struct {
	Memory struct {
		BinaryFamily ingest.Text `json:"binaryFamily"`
	} `json:"memoryHashSignature"`
	Yara struct {
		Rule ingest.Text `json:"yaraRule"`
	} `json:"yaraRuleSignature"`
}

type connection struct {
	SourceIP        ingest.Text `json:"sourceIp"`
	SourcePort      ingest.Text `json:"sourcePort"`
	DestinationIP   ingest.Text `json:"destinationIp"`
	DestinationPort ingest.Text `json:"destinationPort"`
	Protocol        ingest.Text `json:"protocol"`
}

type process struct {
	Name      ingest.Text              `json:"name"`
	Binary    loose[file]              `json:"binary"`
	Script    loose[file]              `json:"script"`
	Libraries loose[ingest.List[file]] `json:"libraries"`
	Args      ingest.List[ingest.Text] `json:"args"`
	PID       ingest.Text              `json:"pid"`
	ParentPID ingest.Text              `json:"parentPid"`
}

type file struct {
	Path   ingest.Text `json:"path"`
	Size   ingest.Text `json:"size"`
	SHA256 ingest.Text `json:"sha256"`
}

type container struct {
	Name    ingest.Text `json:"name"`
	URI     ingest.Text `json:"uri"`
	ImageID ingest.Text `json:"imageId"`
}

type kubernetes struct {
	Pods     loose[ingest.List[pod]]     `json:"pods"`
	Nodes    loose[ingest.List[named]]   `json:"nodes"`
	Bindings loose[ingest.List[binding]] `json:"bindings"`
	Objects  loose[ingest.List[object]]  `json:"objects"`
}

type pod struct {
	Namespace  ingest.Text                   `json:"ns"`
	Name       ingest.Text                   `json:"name"`
	Containers loose[ingest.List[container]] `json:"containers"`
}

type binding struct {
	Name     ingest.Text                `json:"name"`
	Subjects loose[ingest.List[object]] `json:"subjects"`
}

type object struct {
	Kind       ingest.Text                   `json:"kind"`
	Namespace  ingest.Text                   `json:"ns"`
	Name       ingest.Text                   `json:"name"`
	Containers loose[ingest.List[container]] `json:"containers"`
}

type iamBinding struct {
	Action ingest.Text `json:"action"`
	Role   ingest.Text `json:"role"`
	Member ingest.Text `json:"member"`
}

type dataAccess struct {
	PrincipalEmail ingest.Text `json:"principalEmail"`
}

type exfiltration struct {
	Sources loose[ingest.List[named]] `json:"sources"`
	Targets loose[ingest.List[named]] `json:"targets"`
	Bytes   ingest.Text               `json:"totalExfiltratedBytes"`
}

type database struct {
	Name     ingest.Text              `json:"name"`
	UserName ingest.Text              `json:"userName"`
	Query    ingest.Text              `json:"query"`
	Grantees ingest.List[ingest.Text] `json:"grantees"`
}

type application struct {
	FullURI ingest.Text `json:"fullUri"`
	BaseURI ingest.Text `json:"baseUri"`
}

type vulnerability struct {
	CVE struct {
		ID ingest.Text `json:"id"`
	} `json:"cve"`
}

type compliance struct {
	Standard ingest.Text              `json:"standard"`
	Version  ingest.Text              `json:"version"`
	IDs      ingest.List[ingest.Text] `json:"ids"`
}

type attackExposure struct {
	Score ingest.Text `json:"score"`
}

type combination struct {
	RelatedFindings loose[ingest.List[loose[related]]] `json:"relatedFindings"`
	Score           ingest.Text                        `json:"attackExposureScore"`
}

type related struct {
	CanonicalName ingest.Text `json:"canonicalName"`
	Name          ingest.Text `json:"name"`
}

// texts is a free object of values, or an array of {key, value}.
type texts map[string]ingest.Text

// loose reads a T where there is one. Anything else leaves the zero value and OK false: the record is kept raw
// anyway, and nothing that matters for identity, time or state is read through it.
type loose[T any] struct {
	V  T
	OK bool
}

// UnmarshalJSON never fails.
func (l *loose[T]) UnmarshalJSON(b []byte) error {
	var v T
	if err := json.Unmarshal(b, &v, json.MatchCaseInsensitiveNames(true)); err == nil && jsontext.Value(b).Kind() != 'n' {
		*l = loose[T]{v, true}
	}
	return nil
}

// emptyUnset empties the words that expanded payloads write for "not set".
func emptyUnset[T ~string](v T) string {
	s := strings.TrimSpace(string(v))
	if ingest.IsPlaceholder(s) || strings.HasSuffix(s, "_UNSPECIFIED") {
		return ""
	}
	return s
}

// decodeRecord reads a record in any of its four shapes.
func decodeRecord(raw jsontext.Value) (record, error) {
	var rec record
	if err := ingest.Decode(raw, &rec); err != nil {
		return rec, err
	}
	switch {
	case rec.Log != nil:
		rec.Finding = rec.fromLog()
	case rec.Finding != nil:
	case rec.Findings != nil:
		rec.Finding = rec.Findings
	default:
		rec.Finding = new(finding)
		rec.Resource = loose[resource]{} // a bare finding has its own, and the top level is the finding's
		if err := ingest.Decode(raw, rec.Finding); err != nil {
			return rec, err
		}
	}
	if !rec.Resource.OK {
		rec.Resource = rec.Finding.Resource
	}
	if !rec.Finding.Source.OK {
		rec.Finding.Source = rec.Source
	}
	return rec, nil
}
