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
		Use: "explain INCIDENT", Short: "Tell an incident: what, where, how far, and why its alerts belong together", Args: between(1, 1),
		RunE: s.run(func(cmd *cobra.Command, args []string, c *client.Client, asJSON bool) error {
			i, err := c.Incident(cmd.Context(), args[0], client.Query{Tenant: tenant})
			if err != nil {
				return err
			}
			t := teller{w: s.Out, told: map[string]told{}}
			if to := i.Value.RedirectTo; to != "" {
				if i, err = c.Incident(cmd.Context(), to, client.Query{Tenant: i.Value.Tenant}); err != nil {
					return err
				}
				if !asJSON {
					t.say("Incident %s was merged into %s. The story of that one:\n", visible(args[0]), visible(to))
				}
			}
			story := c.Story(cmd.Context(), i.Value.ID, client.Query{Tenant: i.Value.Tenant})
			if asJSON {
				return showJSON(s.Out, story)
			}
			t.opening(i.Value)
			for chapter, err := range story {
				if err != nil {
					return err
				}
				t.chapter(chapter.Value)
			}
			return errors.Join(t.exposures(c.IncidentExposures(cmd.Context(), i.Value.ID, client.Query{Tenant: i.Value.Tenant})), t.err)
		}),
	}
	cmd.Flags().StringVar(&tenant, "tenant", "", "the tenant, when several have an incident of this number")
	return cmd
}

// teller tells an incident as a colleague would.
type teller struct {
	w    io.Writer
	told map[string]told // alerts told so far, by id
	err  error
}

// told is what later alerts refer to.
type told struct {
	number int
	title  string
}

func (t *teller) say(format string, args ...any) {
	if t.err == nil {
		_, t.err = fmt.Fprintf(t.w, format+"\n", args...)
	}
}

// opening says what, where and how far.
func (t *teller) opening(i client.Incident) {
	t.say("%s", headline(i))
	t.say("\nWhat: %s of %s severity, %s, %s.", count(i.More.Alerts, "alert", "alerts"), visible(severity(i)), statusWords(i), seen(i.More.Products))
	t.say("Where: %s.", where(i))
	t.say("How far: %s.", howFar(i))
	t.say("When: %s, from %s to %s UTC.", lasting(i.More.Last.Sub(i.More.First)), when(i.More.First), when(i.More.Last))
	t.say("%s", priority(i))
	t.say("\nIn time order:")
}

// priority says how urgent an incident is, and what makes it so, the weightiest first.
func priority(i client.Incident) string {
	parts := slices.Clone(i.More.Priority)
	slices.SortStableFunc(parts, func(a, b client.Part) int { return b.Points - a.Points })
	var why []string
	for _, p := range parts {
		why = append(why, fmt.Sprintf("%s (%+d)", visible(p.Why), p.Points))
	}
	if len(why) == 0 {
		return fmt.Sprintf("Priority %d of 100.", i.Priority)
	}
	return fmt.Sprintf("Priority %d of 100: %s.", i.Priority, strings.Join(why, "; "))
}

// exposures tells what is open on the assets: no part of the attack, but what it may have used.
func (t *teller) exposures(list iter.Seq2[client.Item[client.Exposure], error]) error {
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
			of[thing] = append(of[thing], fmt.Sprintf("%s (%s)", visible(x.Value.Title), visible(x.Value.Severity)))
		}
	}
	for n, thing := range things {
		if n == 0 {
			t.say("\nNot part of it, but worth knowing:")
		}
		t.say("     %s also has %s: %s.", visible(thing), count(len(of[thing]), "open exposure", "open exposures"), strings.Join(of[thing], "; "))
	}
	return nil
}

func statusWords(i client.Incident) string {
	words := map[string]string{"active": "nobody works on it yet", "inProgress": "being worked on", "resolved": "resolved", "redirected": "merged away"}[i.Status]
	if words == "" {
		words = visible(i.Status)
	}
	if i.AssignedTo != "" {
		words = visible(i.Status) + ", assigned to " + visible(i.AssignedTo)
	}
	return words
}

func seen(products []string) string {
	if len(products) == 0 {
		return "reported by products that name themselves nowhere"
	}
	return "reported by " + visible(and(products))
}

// where names the clouds and the first assets.
func where(i client.Incident) string {
	var clouds []string
	for _, c := range i.More.Clouds {
		clouds = append(clouds, cloudName(c))
	}
	out := "no cloud is stated"
	if len(clouds) > 0 {
		out = "in " + visible(and(clouds))
	}
	const shown = 5
	var names []string
	for _, a := range i.More.Assets[:min(shown, len(i.More.Assets))] {
		names = append(names, visible(called(a))+" ("+visible(strings.ReplaceAll(a.Kind, "_", " "))+")")
	}
	if len(names) == 0 {
		return out + ", on no asset of yours that is named"
	}
	if rest := max(i.More.AssetCount, len(i.More.Assets)) - len(names); rest > 0 {
		names = append(names, fmt.Sprintf("%d more", rest))
	}
	return out + ", on " + and(names)
}

// called is an asset's name as people know it.
func called(a client.Asset) string {
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
		return visible(t[0]) + ", and nothing beyond it so far"
	default:
		return visible(strings.Join(t, " → "))
	}
}

// lasting is how long it went on.
func lasting(d time.Duration) string {
	if d < time.Second {
		return "in one moment"
	}
	return "over " + span(d)
}

// chapter tells one alert and why it belongs.
func (t *teller) chapter(c client.Chapter) {
	n := len(t.told) + 1
	by := []string{}
	for _, word := range []string{c.Product, cloudName(c.Cloud), c.Category} {
		if word != "" {
			by = append(by, visible(word))
		}
	}
	t.say("\n%3d. %s  %s  [%s]", n, when(c.Time), visible(c.Title), visible(c.Severity))
	t.say("     %s", strings.Join(by, ", "))
	switch {
	case len(c.Reasons) > 0:
		for _, r := range c.Reasons {
			t.say("     Belongs here: %s", t.because(r))
		}
	case c.Merged != nil:
		t.say("     %s", t.merged(c))
	case n == 1:
		t.say("     The first alert; the others joined it.")
	default:
		t.say("     It opened an incident of its own, which was merged into this one.")
	}
	for _, copied := range c.Sightings {
		how := ""
		if copied.Rule != "" {
			how = ", recognized by " + visible(copied.Rule)
		}
		t.say("     Also reported by %s%s.", visible(copied.Product), how)
	}
	t.told[c.AlertID] = told{n, c.Title}
}

// merged tells how the incident that an alert had opened came to be part of this one. The alert that tied both is often later.
func (t *teller) merged(c client.Chapter) string {
	opened := "It opened incident " + visible(c.Merged.Incident) + ", which was merged into this one"
	if c.Merged.AlertID == "" {
		return opened + " by hand."
	}
	by := "a later alert"
	if earlier, ok := t.told[c.Merged.AlertID]; ok {
		by = fmt.Sprintf("%d. “%s”", earlier.number, visible(earlier.title))
	}
	because := c.Merged.Because
	what := visible(cmp.Or(because.Name, because.Entity))
	return fmt.Sprintf("%s because %s tied both: %s; %s evidence (%.2f).", opened, by, strings.TrimSpace(visible(because.Rule)+" "+what), strength(because.Weight), because.Weight)
}

// because is one reason as a sentence.
func (t *teller) because(r client.Reason) string {
	what := visible(r.Rule)
	name := r.Name
	if name == "" {
		name = r.Entity
	}
	if name != "" {
		what += " " + visible(name)
	}
	if earlier, ok := t.told[r.AlertID]; ok {
		what += fmt.Sprintf(" with %d. %q", earlier.number, visible(earlier.title))
	} else if r.AlertID != "" {
		what += " with alert " + visible(r.AlertID)
	}
	if gap := time.Duration(r.Gap * float64(time.Second)); gap != 0 {
		what += ", " + span(gap) + " apart"
	} else {
		what += ", at the same time"
	}
	return fmt.Sprintf("%s; %s evidence (%.2f).", what, strength(r.Weight), r.Weight)
}

// strength is a weight in words.
func strength(w float64) string {
	words := []string{"weak", "fair", "strong", "conclusive"}
	return words[min(int(math.Max(w, 0)*4), len(words)-1)]
}
