package incident

import (
	"time"

	"github.com/onepane/onepane/shared/alert"
)

// Mention is what an index tells of an alert or exposure that names a thing.
type Mention struct {
	ID       string
	Class    alert.Class
	Incident string // as a reader sees it: the survivor of merges. Empty for exposures
	Severity alert.Severity
	Status   alert.Status
	Title    string
	Created  time.Time
	First    time.Time // its activity
	Last     time.Time
}

// MentionQuery asks which alerts and exposures name a thing by one of its names.
type MentionQuery struct {
	Names  []string     // as entity.Entity.Names gives them
	Oldest bool         // the oldest first, by creation; otherwise the newest
	After  ListPosition // only what comes after it in that order; the zero mark is the beginning
	Limit  int          // at most so many; must be positive
}

// ListPosition is a place in the order of creation. Rows of one moment lie in the order of their ids.
type ListPosition struct {
	Created time.Time
	ID      string
}

// Source is what a tenant has from one provider.
type Source struct {
	Provider  string    `json:"provider"`
	Alerts    int64     `json:"alerts"` // folded ones, which another report tells of, not counted
	Exposures int64     `json:"exposures"`
	Last      time.Time `json:"last"` // when something of it was new or changed last
}

// maxMentioned bounds the names that one alert is found by: a report can list thousands of things.
const maxMentioned = 64

// MentionedNames are the names that an alert is found by: those of its evidence, in its order, at most 64.
func MentionedNames(a alert.Alert) []string {
	out := make([]string, 0, 16)
	seen := make(map[string]bool, 16)
	for _, e := range a.Evidence {
		for _, n := range e.Names() {
			if len(out) == maxMentioned {
				return out
			}
			if !seen[n] {
				seen[n] = true
				out = append(out, n)
			}
		}
	}
	return out
}

// Identity is what correlation remembers of a name.
type Identity struct {
	Key     string   // the name that the thing goes by; the name itself when nothing is remembered
	Aliases []string // other names that lead to the thing
	Targets []string // the things that a weak name stood for, newest last
}
