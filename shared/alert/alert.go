// Package alert is a finding in our shape: who reported what, when, how bad, about
// which things. It decides how two reports of the same alert become one, and
// knows no provider, store or incident.
//
//	provider's finding ──normalize──▶ Alert ──Merge(later report)──▶ Alert
package alert

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/shared/attack"
	"github.com/onepane/onepane/shared/entity"
)

// Class is whether an alert is about activity or about posture.
type Class string

// The classes. A posture finding (misconfiguration, vulnerability, compliance) is an exposure of its resource:
// stored and updated like an alert, never part of an incident by itself. EvidenceOnly adds evidence to an alert
// that another record describes, whichever comes first.
const (
	Threat       Class = ""
	Exposure     Class = "exposure"
	EvidenceOnly Class = "evidence"
)

// Alert is one alert or exposure of one tenant, as its reports so far describe it.
type Alert struct {
	ID     string `json:"id"` // MakeID of tenant and Origin; what the API shows
	Tenant string `json:"tenant"`
	Class  Class  `json:"class,omitzero"`

	// Origin is the product that detected it, with its own id for it, whoever forwarded it to us.
	Origin Origin `json:"origin"`
	// Reporter is the product whose record this is; it differs from Origin.Provider when one forwards another's.
	Reporter string `json:"reporter"`
	// ReportID is the reporter's own id; the API shows it as providerAlertId.
	ReportID string `json:"reportId"`
	Product  string `json:"product,omitzero"` // the detecting product's name as people know it ("Amazon GuardDuty")

	// ServiceSource and DetectionSource are the Graph's words for the service and the sensor, where the provider says
	// them itself; GraphService and GraphDetection give the rest.
	ServiceSource   string `json:"serviceSource,omitzero"`
	DetectionSource string `json:"detectionSource,omitzero"`

	Type           string `json:"type,omitzero"` // the provider's word for this kind of alert; the API's detectorId
	Title          string `json:"title"`
	Description    string `json:"description,omitzero"`
	Recommendation string `json:"recommendation,omitzero"`
	URL            string `json:"url,omitzero"` // where the provider shows it

	Severity       Severity `json:"severity"`
	NativeSeverity string   `json:"nativeSeverity,omitzero"`
	Status         Status   `json:"status"`
	NativeStatus   string   `json:"nativeStatus,omitzero"`

	Tactics    []attack.Tactic `json:"tactics,omitempty"` // kill-chain order
	Techniques []string        `json:"techniques,omitempty"`

	First     time.Time `json:"first"`              // earliest activity the provider states; never zero after Normalize
	Last      time.Time `json:"last"`               // latest activity; First when there is only one
	Updated   time.Time `json:"updated"`            // the provider's own update time; orders reports of one alert
	Delivered time.Time `json:"delivered,omitzero"` // when this report reached us
	Count     int64     `json:"count,omitzero"`     // occurrences, where the provider counts them

	Account  Account    `json:"account,omitzero"`
	Evidence []Evidence `json:"evidence,omitempty"`

	// Sightings are the reports folded into this alert, one per product and id; empty while there is only its own.
	Sightings []Sighting `json:"sightings,omitempty"`
	// CarriedIDs are further ids by which this alert is known to other products (an ARN, a vendor's original id).
	CarriedIDs []string `json:"carriedIds,omitempty"`
	// Members are the ids, in the origin's own words, of alerts that this one sums up (an attack sequence, an
	// incident).
	Members []string `json:"members,omitempty"`
	// CorrelationKey is the provider's own statement that alerts belong together; equal keys of one provider link them.
	CorrelationKey string `json:"correlationKey,omitzero"`
	Sample         bool   `json:"sample,omitzero"` // the provider says that it is a made-up example

	Extra map[string]string `json:"extra,omitempty"` // further facts as the provider names them
	// Raw is the provider's record as received, unknown fields and all.
	Raw jsontext.Value `json:"raw,omitempty"`
}

// Origin names an alert in the words of the product that detected it.
type Origin struct {
	Provider string `json:"provider"` // the provider's room ("guardduty", "defender-for-cloud") or the sender's source
	ID       string `json:"id"`
}

// Sighting is one product's report of an alert.
type Sighting struct {
	AlertID  string    `json:"alertId"` // the id it would have had alone; the alert's own id for another product's copy of it
	Reporter string    `json:"reporter"`
	ReportID string    `json:"reportId"`
	Title    string    `json:"title,omitzero"`
	Type     string    `json:"type,omitzero"`
	Updated  time.Time `json:"updated"`
	Rule     string    `json:"rule,omitzero"` // why it was folded: "same id", "carried id", "same thing, kind and moment"
}

// Account is the cloud account an alert is about.
type Account struct {
	Cloud        entity.Cloud `json:"cloud,omitzero"`
	ID           string       `json:"id,omitzero"`           // AWS account, Azure subscription, GCP project
	Name         string       `json:"name,omitzero"`         // display name or the project's other spelling
	Organization string       `json:"organization,omitzero"` // AWS or GCP organisation, Entra directory
	Region       string       `json:"region,omitzero"`
}

// Evidence is an entity as an alert saw it.
type Evidence struct {
	entity.Entity
	Role    Role    `json:"role,omitzero"`
	Verdict Verdict `json:"verdict,omitzero"`
}

// Role is the part an entity plays in an alert.
type Role string

// The roles of the generic alert. Unstated is "".
const (
	Attacker Role = "attacker"
	Victim   Role = "victim"
	Context  Role = "context"
)

// Verdict is what the provider thinks of an entity, in the Graph's words. Unstated is "".
type Verdict string

// The verdicts the Graph knows.
const (
	Suspicious     Verdict = "suspicious"
	Malicious      Verdict = "malicious"
	NoThreatsFound Verdict = "noThreatsFound"
)

// prefixes give an id two letters that tell a person where an alert came from (unified-api reference, 4.7:
// the product's own prefixes where it has one, ours elsewhere).
var prefixes = map[string]string{
	"defender-for-cloud": "dc", "sentinel": "sn", "defender-xdr": "ra", "defender-for-endpoint": "da",
	"guardduty": "gd", "securityhub": "sh", "inspector": "in", "macie": "mc", "scc": "sc",
}

// MakeID derives an alert's id: the same tenant and origin always give the same id, on any path.
// It is two letters and 32 hexadecimal digits, safe in a URL.
func MakeID(tenant string, o Origin) string {
	h := sha256.New()
	for _, s := range []string{tenant, o.Provider, o.ID} {
		h.Write([]byte(s))
		h.Write([]byte{0})
	}
	prefix := prefixes[o.Provider]
	if prefix == "" {
		prefix = "cu"
	}
	return prefix + hex.EncodeToString(h.Sum(nil)[:16])
}

// Encode gives a's JSON, and the revision: it names one report of an alert and changes whenever anything in the report
// does, and only then. With the id it makes the message id by which a bus drops repeats. Delivery times do not count.
func (a Alert) Encode() (data jsontext.Value, revision string, err error) {
	delivered := a.Delivered
	a.Delivered = time.Time{}
	if data, err = json.Marshal(a, json.Deterministic(true)); err != nil {
		return nil, "", err
	}
	sum := sha256.Sum256(data)
	if !delivered.IsZero() {
		at, err := json.Marshal(delivered)
		if err != nil {
			return nil, "", err
		}
		data = slices.Concat(data[:len(data)-1], []byte(`,"delivered":`), at, []byte("}"))
	}
	return data, hex.EncodeToString(sum[:8]), nil
}

// Revision is Encode's.
func (a Alert) Revision() string {
	_, revision, _ := a.Encode() // an Alert holds nothing that cannot be encoded; Raw was checked when it was decoded
	return revision
}
