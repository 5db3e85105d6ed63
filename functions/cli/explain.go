package cli

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/onepane/onepane/functions/api/client"
)

func explainCommand(s *session) *cobra.Command {
	var tenant string
	cmd := &cobra.Command{
		Use: "explain INCIDENT", Short: "Tell an incident: what, where, how far, and why its alerts belong together", Args: argCount(1, 1),
		RunE: s.runWithClient(func(cmd *cobra.Command, args []string, c *client.Client, asJSON bool) error {
			i, err := c.Incident(cmd.Context(), args[0], client.Query{Tenant: tenant})
			if err != nil {
				return err
			}
			t := storyWriter{w: s.Out, printed: map[string]printedAlert{}}
			if to := i.Value.RedirectTo; to != "" {
				if i, err = c.Incident(cmd.Context(), to, client.Query{Tenant: i.Value.Tenant}); err != nil {
					return err
				}
				if !asJSON {
					t.printLine("Incident %s was merged into %s. The story of that one:\n", escapeHidden(args[0]), escapeHidden(to))
				}
			}
			story := c.Story(cmd.Context(), i.Value.ID, client.Query{Tenant: i.Value.Tenant})
			if asJSON {
				return printJSONList(s.Out, story)
			}
			t.printOpening(i.Value)
			for chapter, err := range story {
				if err != nil {
					return err
				}
				t.printChapter(chapter.Value)
			}
			return errors.Join(t.printExposures(c.IncidentExposures(cmd.Context(), i.Value.ID, client.Query{Tenant: i.Value.Tenant})), t.err)
		}),
	}
	cmd.Flags().StringVar(&tenant, "tenant", "", "the tenant, when several have an incident of this number")
	return cmd
}

// storyWriter prints an incident as a story in time order. The first write error is kept, and ends the output.
type storyWriter struct {
	w       io.Writer
	printed map[string]printedAlert // alerts told so far, by id
	err     error
}

// printedAlert is an alert already printed, as later ones refer to it.
type printedAlert struct {
	number int
	title  string
}

func (t *storyWriter) printLine(format string, args ...any) {
	if t.err == nil {
		_, t.err = fmt.Fprintf(t.w, format+"\n", args...)
	}
}

// printOpening says what, where and how far.
func (t *storyWriter) printOpening(i client.Incident) {
	t.printLine("%s", headlineOf(i))
	t.printLine("\nWhat: %s of %s severity, %s, %s.", countNoun(i.More.Alerts, "alert", "alerts"), escapeHidden(severityOf(i)), statusWords(i), reportedBy(i.More.Products))
	t.printLine("Where: %s.", placesOf(i))
	t.printLine("How far: %s.", howFar(i))
	t.printLine("When: %s, from %s to %s UTC.", durationPhrase(i.More.Last.Sub(i.More.First)), formatTime(i.More.First), formatTime(i.More.Last))
	t.printLine("%s", prioritySentence(i))
	t.printLine("\nIn time order:")
}

// prioritySentence says how urgent an incident is, and what makes it so, the weightiest first.
func prioritySentence(i client.Incident) string {
	parts := slices.Clone(i.More.Priority)
	slices.SortStableFunc(parts, func(a, b client.PriorityPart) int { return b.Points - a.Points })
	var why []string
	for _, p := range parts {
		why = append(why, fmt.Sprintf("%s (%+d)", escapeHidden(p.Why), p.Points))
	}
	if len(why) == 0 {
		return fmt.Sprintf("Priority %d of 100.", i.Priority)
	}
	return fmt.Sprintf("Priority %d of 100: %s.", i.Priority, strings.Join(why, "; "))
}

// printExposures lists the open exposures of the incident's assets: no part of the attack, but what it may have used.
func (t *storyWriter) printExposures(list iter.Seq2[client.Item[client.Exposure], error]) error {
	var things []string
	of := map[string][]string{}
	for x, err := range list {
		if err != nil {
			return err
		}
		for _, thing := range x.Value.Assets {
			if of[thing] == nil {
				things = append(things, thing)
			}
			of[thing] = append(of[thing], fmt.Sprintf("%s (%s)", escapeHidden(x.Value.Title), escapeHidden(x.Value.Severity)))
		}
	}
	for n, thing := range things {
		if n == 0 {
			t.printLine("\nNot part of it, but worth knowing:")
		}
		t.printLine("     %s also has %s: %s.", escapeHidden(thing), countNoun(len(of[thing]), "open exposure", "open exposures"), strings.Join(of[thing], "; "))
	}
	return nil
}

func statusWords(i client.Incident) string {
	words := map[string]string{"active": "nobody works on it yet", "inProgress": "being worked on", "resolved": "resolved", "redirected": "merged away"}[i.Status]
	if words == "" {
		words = escapeHidden(i.Status)
	}
	if i.AssignedTo != "" {
		words = escapeHidden(i.Status) + ", assigned to " + escapeHidden(i.AssignedTo)
	}
	return words
}

func reportedBy(products []string) string {
	if len(products) == 0 {
		return "reported by products that name themselves nowhere"
	}
	return "reported by " + escapeHidden(joinWords(products))
}

// placesOf names the clouds and the first assets.
func placesOf(i client.Incident) string {
	var clouds []string
	for _, c := range i.More.Clouds {
		clouds = append(clouds, cloudName(c))
	}
	out := "no cloud is stated"
	if len(clouds) > 0 {
		out = "in " + escapeHidden(joinWords(clouds))
	}
	const shown = 5
	var names []string
	for _, a := range i.More.Assets[:min(shown, len(i.More.Assets))] {
		names = append(names, escapeHidden(assetName(a))+" ("+escapeHidden(strings.ReplaceAll(a.Kind, "_", " "))+")")
	}
	if len(names) == 0 {
		return out + ", on no asset of yours that is named"
	}
	if rest := max(i.More.AssetCount, len(i.More.Assets)) - len(names); rest > 0 {
		names = append(names, fmt.Sprintf("%d more", rest))
	}
	return out + ", on " + joinWords(names)
}

// assetName is an asset's name as people know it.
func assetName(a client.Asset) string {
	if a.Name != "" {
		return a.Name
	}
	return a.Value
}

// howFar follows the kill chain.
func howFar(i client.Incident) string {
	switch t := i.More.Tactics; len(t) {
	case 0:
		return "no tactic is known"
	case 1:
		return escapeHidden(t[0]) + ", and nothing beyond it so far"
	default:
		return escapeHidden(strings.Join(t, " → "))
	}
}

// durationPhrase is how long it went on.
func durationPhrase(d time.Duration) string {
	if d < time.Second {
		return "in one moment"
	}
	return "over " + formatDuration(d)
}

// printChapter prints one alert and why it belongs to the incident.
func (t *storyWriter) printChapter(c client.AlertReasons) {
	n := len(t.printed) + 1
	by := []string{}
	for _, word := range []string{c.Product, cloudName(c.Cloud), c.Category} {
		if word != "" {
			by = append(by, escapeHidden(word))
		}
	}
	t.printLine("\n%3d. %s  %s  [%s]", n, formatTime(c.Time), escapeHidden(c.Title), escapeHidden(c.Severity))
	t.printLine("     %s", strings.Join(by, ", "))
	switch {
	case len(c.Reasons) > 0:
		for _, r := range c.Reasons {
			t.printLine("     Belongs here: %s", t.reasonSentence(r))
		}
	case c.Merged != nil:
		t.printLine("     %s", t.mergeSentence(c))
	case n == 1:
		t.printLine("     The first alert; the others joined it.")
	default:
		t.printLine("     It opened an incident of its own, which was merged into this one.")
	}
	for _, copied := range c.Sightings {
		how := ""
		if copied.Rule != "" {
			how = ", recognized by " + escapeHidden(copied.Rule)
		}
		t.printLine("     Also reported by %s%s.", escapeHidden(copied.Product), how)
	}
	t.printed[c.AlertID] = printedAlert{n, c.Title}
}

// mergeSentence says how the incident that an alert had opened came to be part of this one. The alert that linked both
// is often later.
func (t *storyWriter) mergeSentence(c client.AlertReasons) string {
	opened := "It opened incident " + escapeHidden(c.Merged.Incident) + ", which was merged into this one"
	if c.Merged.AlertID == "" {
		return opened + " by hand."
	}
	by := "a later alert"
	if earlier, ok := t.printed[c.Merged.AlertID]; ok {
		by = fmt.Sprintf("%d. “%s”", earlier.number, escapeHidden(earlier.title))
	}
	because := c.Merged.Because
	what := escapeHidden(cmp.Or(because.Name, because.Entity))
	return fmt.Sprintf("%s because %s tied both: %s; %s evidence (%.2f).", opened, by, strings.TrimSpace(escapeHidden(because.Rule)+" "+what), strengthWord(because.Weight), because.Weight)
}

// reasonSentence is one reason as a sentence.
func (t *storyWriter) reasonSentence(r client.Reason) string {
	what := escapeHidden(r.Rule)
	name := r.Name
	if name == "" {
		name = r.Entity
	}
	if name != "" {
		what += " " + escapeHidden(name)
	}
	if earlier, ok := t.printed[r.AlertID]; ok {
		what += fmt.Sprintf(" with %d. %q", earlier.number, escapeHidden(earlier.title))
	} else if r.AlertID != "" {
		what += " with alert " + escapeHidden(r.AlertID)
	}
	if gap := time.Duration(r.Gap * float64(time.Second)); gap != 0 {
		what += ", " + formatDuration(gap) + " apart"
	} else {
		what += ", at the same time"
	}
	return fmt.Sprintf("%s; %s evidence (%.2f).", what, strengthWord(r.Weight), r.Weight)
}

// strengthWord is a weight in words.
func strengthWord(w float64) string {
	words := []string{"weak", "fair", "strong", "conclusive"}
	return words[min(int(math.Max(w, 0)*4), len(words)-1)]
}
