package ocsf

import (
	"cmp"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/functions/ingest"
)

// event is what normalizing needs of an OCSF finding. Names compare without underscores, so SeverityID is severity_id.
type event struct {
	ClassUID, SeverityID, StatusID, StateID, ActivityID, Count ingest.Number
	ClassName, Severity, Status, State, StatusCode             ingest.Text
	Message, RiskLevel, Confidence                             ingest.Text
	Time, StartTime, EndTime                                   ingest.Time
	TimeDT                                                     ingest.Time `json:"time_dt"`
	StartTimeDT                                                ingest.Time `json:"start_time_dt"`
	EndTimeDT                                                  ingest.Time `json:"end_time_dt"`

	FindingInfo     *finding
	Finding         *finding
	FindingInfoList ingest.List[struct{ UID ingest.Text }]
	Analytic        struct{ Name ingest.Text }
	Metadata        metadata
	Cloud           cloud
	Compliance      compliance
	Remediation     struct {
		Desc       ingest.Text
		References ingest.List[ingest.Text]
	}
	Vulnerabilities ingest.List[loose[vulnerability]]
	Attacks         ingest.List[attackObject]
	Resource        *resource
	Resources       ingest.List[resource]
	Evidences       ingest.List[loose[evidence]]
	Evidence        jsontext.Value // free-form in class 2001
	Observables     ingest.List[loose[observable]]
	Malware         ingest.List[loose[malware]]
	Actor           loose[actor]
	Device          loose[endpoint]
	SrcEndpoint     loose[endpoint]
	DstEndpoint     loose[endpoint]
	Process         loose[process]
	File            loose[file]
}

// loose is a part of a finding that senders outside AWS shape in their own ways. What does not fit the schema is left
// out; the finding is read without it.
type loose[T any] struct{ value T }

// UnmarshalJSON reads as much as fits.
func (l *loose[T]) UnmarshalJSON(b []byte) error {
	_ = ingest.Decode(b, &l.value) // left out on purpose, see loose
	return nil
}

// finding is finding_info, in class 2001 finding.
type finding struct {
	UID, Title, Desc, SrcURL, ProductUID                   ingest.Text
	Types                                                  ingest.List[ingest.Text]
	Analytic                                               struct{ Name ingest.Text }
	Attacks                                                ingest.List[attackObject]
	RelatedEvents                                          ingest.List[struct{ UID ingest.Text }]
	Remediation                                            struct{ Desc ingest.Text }
	CreatedTime, FirstSeenTime, LastSeenTime, ModifiedTime ingest.Time
	CreatedTimeDT                                          ingest.Time `json:"created_time_dt"`
	FirstSeenTimeDT                                        ingest.Time `json:"first_seen_time_dt"`
	LastSeenTimeDT                                         ingest.Time `json:"last_seen_time_dt"`
	ModifiedTimeDT                                         ingest.Time `json:"modified_time_dt"`
}

func (f *finding) createdTime() ingest.Time   { return preferText(f.CreatedTimeDT, f.CreatedTime) }
func (f *finding) firstSeenTime() ingest.Time { return preferText(f.FirstSeenTimeDT, f.FirstSeenTime) }
func (f *finding) lastSeenTime() ingest.Time  { return preferText(f.LastSeenTimeDT, f.LastSeenTime) }
func (f *finding) modifiedTime() ingest.Time  { return preferText(f.ModifiedTimeDT, f.ModifiedTime) }

// preferText prefers the text of a time to its number.
func preferText(text, number ingest.Time) ingest.Time {
	return ingest.Time{Time: ingest.FirstSet(text, number)}
}

// findingInfo is finding_info, in class 2001 finding; never nil. Its UID may be the metadata's. It moves resource into
// resources.
func (f *event) findingInfo() *finding {
	info := f.FindingInfo
	if info == nil || info.UID == "" && f.Finding != nil {
		info = f.Finding
	}
	if info == nil {
		info = &finding{}
	}
	if info.UID == "" {
		info.UID = f.Metadata.UID
	}
	if f.Resource != nil {
		f.Resources = append(f.Resources, *f.Resource)
		f.Resource = nil
	}
	return info
}

type metadata struct {
	UID            ingest.Text
	ModifiedTime   ingest.Time
	ModifiedTimeDT ingest.Time `json:"modified_time_dt"`
	EventCode      ingest.Text
	TenantUID      ingest.Text
	Product        struct{ UID, Name, VendorName ingest.Text }
}

type cloud struct {
	Provider, Region, ProjectUID ingest.Text
	Account                      struct{ UID, Name ingest.Text }
	Org                          struct{ UID, Name ingest.Text }
}

type compliance struct {
	Control, Status ingest.Text
	StatusID        ingest.Number
	Standards       ingest.List[ingest.Text]
	Requirements    ingest.List[ingest.Text]
}

func (c compliance) isSet() bool {
	return c.Status != "" || c.StatusID.Set || c.Control != "" || len(c.Standards) > 0
}

func (c compliance) hasPassed() bool {
	return c.StatusID.Value == 1 || strings.HasPrefix(strings.ToUpper(string(c.Status)), "PASS")
}

type vulnerability struct {
	Title ingest.Text
	Cve   struct {
		UID  ingest.Text
		Epss struct{ Score ingest.Text }
	}
	IsExploitAvailable, IsFixAvailable ingest.Text
}

type attackObject struct {
	Tactic                  named
	Tactics                 ingest.List[named]
	Technique, SubTechnique named
}

type named struct{ UID, Name ingest.Text }

type resource struct {
	UID, UIDAlt, Name, Hostname, IP, Type, Region ingest.Text
	CloudPartition, Role, AccountUID              ingest.Text
	Owner                                         jsontext.Value // an object, in old versions a name
	Data                                          jsontext.Value // as the product has it, sometimes inside a string
}

// ownerAccount is the account that owns the resource, where it says so.
func (r *resource) ownerAccount() string {
	var owner struct{ Account struct{ UID ingest.Text } }
	if r.Owner.Kind() == '{' && ingest.Decode(r.Owner, &owner) == nil {
		return string(cmp.Or(owner.Account.UID, r.AccountUID))
	}
	return string(r.AccountUID)
}
