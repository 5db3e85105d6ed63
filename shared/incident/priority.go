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
// incident alone, so that the same incident has the same priority everywhere; how old it is does not count, since a
// decision has no clock, and neither does who works on it.
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
// without it: a single alert, however grave, stays within the middle of the scale (15 to 85), and above 85 takes a
// chain.
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
func (i *Incident) Priority() Priority {
	parts := []PriorityPart{
		severityPart(i), progressPart(i), agreementPart(i), criticalPart(i), crowdPart(i), corroborationPart(i), exposurePart(i),
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

func severityPart(i *Incident) PriorityPart {
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

// progressPart is how far the kill chain went, and how many of its stages are seen: one late stage alone may be a false
// alarm.
func progressPart(i *Incident) PriorityPart {
	p := PriorityPart{Name: "progress", Most: mostProgress}
	if len(i.Tactics) == 0 {
		return p
	}
	const half, many = mostProgress / 2, 5
	last := i.Tactics[len(i.Tactics)-1]
	p.Points = pointsOf(half, last.Order(), attack.Impact.Order()) + pointsOf(half, len(i.Tactics)-1, many-1)
	p.Why = "reached " + strings.ToLower(last.Title()) + " over " + countOf(len(i.Tactics), "stage", "stages")
	return p
}

// agreementPart is how many clouds and products tell of it independently.
func agreementPart(i *Incident) PriorityPart {
	p := PriorityPart{Name: "agreement", Most: mostAgreement}
	p.Points = min(3*max(len(i.Clouds)-1, 0)+2*max(len(i.Products)-1, 0), mostAgreement)
	var who []string
	if len(i.Clouds) > 1 {
		who = append(who, countOf(len(i.Clouds), "cloud", "clouds"))
	}
	if len(i.Products) > 1 {
		who = append(who, countOf(len(i.Products), "product", "products"))
	}
	p.Why = strings.Join(who, " and ") + " agree"
	return p
}

func criticalPart(i *Incident) PriorityPart {
	p := PriorityPart{Name: "critical assets", Most: mostCritical}
	first, n := "", 0
	for _, a := range i.Assets {
		if a.isCritical() {
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

// crowdPart grows with the logarithm of the assets touched: 2 are more than 1 by as much as 64 than 32.
func crowdPart(i *Incident) PriorityPart {
	n := max(i.AssetCount, len(i.Assets))
	return PriorityPart{"crowd", logPoints(mostCrowd, n, 64), mostCrowd, "touches " + countOf(n, "asset", "assets")}
}

// corroborationPart is how many kinds of alerts there are: a thousand of one kind are one witness.
func corroborationPart(i *Incident) PriorityPart {
	n := len(i.Kinds)
	return PriorityPart{"corroboration", logPoints(mostCorroboration, n, maxKinds), mostCorroboration, countOf(n, "kind of alert", "kinds of alerts")}
}

// exposurePart is about weaknesses of the things touched that are open: what the attack may use next, or did.
func exposurePart(i *Incident) PriorityPart {
	n := i.Exposures.CountDistinct()
	p := PriorityPart{Name: "exposures", Most: mostExposures}
	if n == 0 {
		return p
	}
	p.Points = min(logPoints(mostExposures/2, n+1, 8)+map[bool]int{true: mostExposures / 2}[i.Exposures[0].Severity.Rank() >= alert.High.Rank()], mostExposures)
	p.Why = countOf(n, "open exposure", "open exposures") + " on what it touches"
	return p
}

// pointsOf is the part of most that n of all is, at most all of it.
func pointsOf(most, n, all int) int {
	return int(math.Round(float64(most) * min(float64(n)/float64(all), 1)))
}

// logPoints is 0 for one and most from full on, by equal steps for equal factors.
func logPoints(most, n, full int) int {
	if n < 2 {
		return 0
	}
	return int(math.Round(float64(most) * min(math.Log(float64(n))/math.Log(float64(full)), 1)))
}

func countOf(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// isCritical reports whether many depend on an asset by what it is: clusters, and what holds secrets, keys or data.
// Which machines matter most to a tenant no alert says.
func (a Asset) isCritical() bool {
	if a.Kind == entity.Cluster {
		return true
	}
	if a.Kind != entity.Resource {
		return false
	}
	v := strings.ToLower(a.Value)
	for _, mark := range criticalMarks {
		if strings.Contains(v, mark) {
			return true
		}
	}
	return false
}

// criticalMarks are parts of resource ids, in lower case, by the clouds' own names of resource types.
var criticalMarks = []string{
	// AWS: the service field of an ARN
	":secretsmanager:", ":kms:", ":rds:", ":dynamodb:", ":redshift:", ":s3:", ":eks:", ":backup:",
	// Azure: the provider and type of a resource id
	"/microsoft.keyvault/", "/microsoft.sql/", "/microsoft.documentdb/", "/microsoft.dbforpostgresql/", "/microsoft.dbformysql/",
	"/microsoft.storage/storageaccounts/", "/microsoft.containerservice/managedclusters/", "/microsoft.recoveryservices/",
	// Google Cloud: the service of a full resource name
	"//bigquery.googleapis.com/", "//storage.googleapis.com/", "//cloudkms.googleapis.com/", "//secretmanager.googleapis.com/",
	"//cloudsql.googleapis.com/", "//sqladmin.googleapis.com/", "//container.googleapis.com/", "//spanner.googleapis.com/",
}
