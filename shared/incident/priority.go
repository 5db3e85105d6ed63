package incident

import (
	"fmt"
	"math"
	"strings"

	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/attack"
	"github.com/onepane/onepane/shared/entity"
)

// Priority says how much an incident wants a person's time, 0 to 100, and what makes it so. It is worked out from the
// incident alone, so that the same incident has the same priority everywhere; how old it is does not count, since a decision
// has no clock, and neither does who works on it.
//
//	Incident ─▶ severity + progress + agreement + critical assets + crowd + corroboration + exposures ─▶ Score
type Priority struct {
	Score int
	Parts []PriorityPart // those that count for something, in the order of the drawing; Points add up to Score
}

// PriorityPart is one thing that speaks for an incident.
type PriorityPart struct {
	Name   string
	Points int
	Most   int    // what the part can be at most
	Why    string // as a person says it: "gravest alert is high"
}

// What the parts can be at most: 100 together. Severity alone makes no incident urgent, and nothing makes one urgent
// without it: a single alert, however grave, stays within the middle of the scale (15 to 85), and above 85 takes a chain.
const (
	mostSeverity      = 40
	mostProgress      = 22
	mostAgreement     = 10
	mostCritical      = 8
	mostCrowd         = 6
	mostCorroboration = 8
	mostExposures     = 6
	// mostBackground is what an incident can reach that only gathers what fires all the time.
	mostBackground = 10
)

// Priority of the incident as it stands.
func (i Incident) Priority() Priority {
	parts := []PriorityPart{
		i.gravity(), i.progress(), i.agreement(), i.critical(), i.crowd(), i.corroboration(), i.exposures(),
	}
	var p Priority
	for _, part := range parts {
		if part.Points > 0 {
			p.Score += part.Points
			p.Parts = append(p.Parts, part)
		}
	}
	if i.Noise && p.Score > mostBackground {
		p.Parts = append(p.Parts, PriorityPart{Name: "background", Points: mostBackground - p.Score, Why: "gathers only what fires here all the time"})
		p.Score = mostBackground
	}
	return p
}

func (i Incident) gravity() PriorityPart {
	points := map[alert.Severity]int{
		alert.Informational: 2, alert.Low: 8, alert.Medium: 18, alert.High: 30, alert.Critical: mostSeverity,
	}[i.Severity]
	if i.Severity.Rank() == 0 {
		const unknown = 8 // no milder than low
		return PriorityPart{"severity", unknown, mostSeverity, "severity is not known"}
	}
	if i.SeveritySet {
		return PriorityPart{"severity", points, mostSeverity, "a person set it to " + string(i.Severity)}
	}
	return PriorityPart{"severity", points, mostSeverity, "gravest alert is " + string(i.Severity)}
}

// progress is how far the kill chain went, and how many of its stages are seen: one late stage alone may be a false alarm.
func (i Incident) progress() PriorityPart {
	p := PriorityPart{Name: "progress", Most: mostProgress}
	if len(i.Tactics) == 0 {
		return p
	}
	const half, many = mostProgress / 2, 5
	last := i.Tactics[len(i.Tactics)-1]
	p.Points = share(half, last.Order(), attack.Impact.Order()) + share(half, len(i.Tactics)-1, many-1)
	p.Why = "reached " + strings.ToLower(last.Title()) + " over " + counted(len(i.Tactics), "stage", "stages")
	return p
}

// agreement is how many clouds and products tell of it independently.
func (i Incident) agreement() PriorityPart {
	p := PriorityPart{Name: "agreement", Most: mostAgreement}
	p.Points = min(3*max(len(i.Clouds)-1, 0)+2*max(len(i.Products)-1, 0), mostAgreement)
	var who []string
	if len(i.Clouds) > 1 {
		who = append(who, counted(len(i.Clouds), "cloud", "clouds"))
	}
	if len(i.Products) > 1 {
		who = append(who, counted(len(i.Products), "product", "products"))
	}
	p.Why = strings.Join(who, " and ") + " agree"
	return p
}

func (i Incident) critical() PriorityPart {
	p := PriorityPart{Name: "critical assets", Most: mostCritical}
	first, n := "", 0
	for _, a := range i.Assets {
		if a.critical() {
			if n++; first == "" {
				first = a.Name
			}
		}
	}
	switch n {
	case 0:
	case 1:
		p.Points, p.Why = 5, "touches "+first
	default:
		p.Points, p.Why = mostCritical, fmt.Sprintf("touches %s and %d more that many depend on", first, n-1)
	}
	return p
}

// crowd grows with the logarithm of the assets touched: 2 are more than 1 by as much as 64 than 32.
func (i Incident) crowd() PriorityPart {
	n := max(i.AssetCount, len(i.Assets))
	return PriorityPart{"crowd", logarithmic(mostCrowd, n, 64), mostCrowd, "touches " + counted(n, "asset", "assets")}
}

// corroboration is how many kinds of alerts there are: a thousand of one kind are one witness.
func (i Incident) corroboration() PriorityPart {
	n := len(i.Kinds)
	return PriorityPart{"corroboration", logarithmic(mostCorroboration, n, maxKinds), mostCorroboration, counted(n, "kind of alert", "kinds of alerts")}
}

// exposures are weaknesses of the things touched that are open: what the attack may use next, or did.
func (i Incident) exposures() PriorityPart {
	n, gravest := i.openExposures()
	p := PriorityPart{Name: "exposures", Most: mostExposures}
	if n == 0 {
		return p
	}
	p.Points = min(logarithmic(mostExposures/2, n+1, 8)+map[bool]int{true: mostExposures / 2}[gravest.Rank() >= alert.High.Rank()], mostExposures)
	p.Why = counted(n, "open exposure", "open exposures") + " on what it touches"
	return p
}

// share is the part of most that n of all is, at most all of it.
func share(most, n, all int) int {
	return int(math.Round(float64(most) * min(float64(n)/float64(all), 1)))
}

// logarithmic is 0 for one and most from full on, by equal steps for equal factors.
func logarithmic(most, n, full int) int {
	if n < 2 {
		return 0
	}
	return int(math.Round(float64(most) * min(math.Log(float64(n))/math.Log(float64(full)), 1)))
}

func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// critical reports whether many depend on a thing by what it is: clusters, and what holds secrets, keys or data. Which machines
// matter most to a tenant no alert says.
func (a Asset) critical() bool {
	if a.Kind == entity.Cluster {
		return true
	}
	if a.Kind != entity.Resource {
		return false
	}
	v := strings.ToLower(a.Value)
	for _, mark := range crucial {
		if strings.Contains(v, mark) {
			return true
		}
	}
	return false
}

// crucial are parts of resource ids, in lower case, by the clouds' own names of resource types.
var crucial = []string{
	// AWS: the service field of an ARN
	":secretsmanager:", ":kms:", ":rds:", ":dynamodb:", ":redshift:", ":s3:", ":eks:", ":backup:",
	// Azure: the provider and type of a resource id
	"/microsoft.keyvault/", "/microsoft.sql/", "/microsoft.documentdb/", "/microsoft.dbforpostgresql/", "/microsoft.dbformysql/",
	"/microsoft.storage/storageaccounts/", "/microsoft.containerservice/managedclusters/", "/microsoft.recoveryservices/",
	// Google Cloud: the service of a full resource name
	"//bigquery.googleapis.com/", "//storage.googleapis.com/", "//cloudkms.googleapis.com/", "//secretmanager.googleapis.com/",
	"//cloudsql.googleapis.com/", "//sqladmin.googleapis.com/", "//container.googleapis.com/", "//spanner.googleapis.com/",
}
