package guardduty

import (
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/functions/ingest"
)

// finding is what normalizing needs of one. Names match without case, so one struct reads both spellings.
type finding struct {
	ID, ARN, AccountID, Region, Partition ingest.Text
	Type, Title, Description              ingest.Text
	Severity                              jsontext.Value
	CreatedAt, UpdatedAt                  ingest.Time
	Resource                              resource
	Service                               service

	AssociatedAttackSequenceArn ingest.Text
}

type service struct {
	Action               action
	Archived             ingest.Bool
	Count                ingest.Number
	EventFirstSeen       ingest.Time
	EventLastSeen        ingest.Time
	ResourceRole         ingest.Text
	FeatureName          ingest.Text
	UserFeedback         ingest.Text
	AdditionalInfo       jsontext.Value // free-form, and written differently by each detection
	Evidence             evidence
	Detection            detection
	RuntimeDetails       runtimeDetails
	EbsVolumeScanDetails scanDetails
	MalwareScanDetails   malwareScan
}

// additional is the part of additionalInfo that some detections write in it, and the rest in the string Value.
type additional struct {
	Sample         ingest.Bool
	Value          jsontext.Value
	ThreatListName ingest.Text
	ThreatName     ingest.Text
	UserAgent      struct{ FullUserAgent ingest.Text }
}

// additionalInfo reads additionalInfo and the JSON in its Value. What cannot be read in it is left out: it never
// decides anything.
func (s *service) additionalInfo() additional {
	var in, inner additional
	if s.AdditionalInfo.Kind() != '{' || ingest.Decode(s.AdditionalInfo, &in) != nil {
		return additional{}
	}
	var text string
	if json.Unmarshal(in.Value, &text) == nil && ingest.Decode(jsontext.Value(text), &inner) == nil {
		in.Sample = in.Sample || inner.Sample
		if in.ThreatListName == "" {
			in.ThreatListName, in.ThreatName = inner.ThreatListName, inner.ThreatName
		}
		if in.UserAgent.FullUserAgent == "" {
			in.UserAgent = inner.UserAgent
		}
	}
	return in
}

type evidence struct {
	ThreatIntelligenceDetails ingest.List[struct {
		ThreatListName   ingest.Text
		ThreatNames      ingest.List[ingest.Text]
		ThreatFileSha256 ingest.Text
	}]
}

type detection struct {
	Anomaly struct {
		Unusual struct{ Behavior jsontext.Value }
	}
	Sequence sequence
}
