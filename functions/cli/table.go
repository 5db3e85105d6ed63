package cli

import (
	"fmt"
	"io"
	"iter"
	"os"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/functions/api/client"
)

// table prints rows in columns. What is too wide for the terminal is cut where it says most: in the widest column.
type table struct {
	head []string
	rows [][]string
}

func (t *table) add(row ...string) {
	for i := range row {
		row[i] = visible(row[i])
	}
	t.rows = append(t.rows, row)
}

// least is the width in columns below which no column is cut.
const least = 8

// print writes the table in at most wide columns; 0 is no limit.
func (t *table) print(w io.Writer, wide int) error {
	widths := make([]int, len(t.head))
	for _, row := range append([][]string{t.head}, t.rows...) {
		for i, v := range row {
			widths[i] = max(widths[i], cells(v))
		}
	}
	for wide > 0 && total(widths) > wide {
		i := widest(widths)
		if widths[i] <= least {
			break
		}
		widths[i]--
	}
	var b strings.Builder
	for _, row := range append([][]string{t.head}, t.rows...) {
		line := ""
		for i, v := range row {
			v = cut(v, widths[i])
			line += v + strings.Repeat(" ", widths[i]-cells(v)+gap)
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

const gap = 2 // between columns

func total(widths []int) int {
	n := -gap
	for _, w := range widths {
		n += w + gap
	}
	return n
}

func widest(widths []int) int {
	best := 0
	for i, w := range widths {
		if w > widths[best] {
			best = i
		}
	}
	return best
}

// wide is how many columns there are to print on; 0, no limit, when the output is no terminal, so that what is piped on is whole.
func (s *session) wide() int {
	if n, err := strconv.Atoi(s.Getenv("COLUMNS")); err == nil && n > 0 {
		return n
	}
	if f, ok := s.Out.(*os.File); ok {
		return terminalWidth(f)
	}
	return 0
}

// show prints a listing: as a table, or as one JSON array written while it is read.
func show[T any](s *session, asJSON bool, items iter.Seq2[client.Item[T], error], none string, head []string, row func(T) []string) error {
	if asJSON {
		return showJSON(s.Out, items)
	}
	t := table{head: head}
	for item, err := range items {
		if err != nil {
			return err
		}
		t.add(row(item.Value)...)
	}
	if len(t.rows) == 0 {
		_, err := fmt.Fprintln(s.Out, none)
		return err
	}
	return t.print(s.Out, s.wide())
}

func showJSON[T any](w io.Writer, items iter.Seq2[client.Item[T], error]) error {
	sep := "[\n"
	for item, err := range items {
		if err != nil {
			return err
		}
		b, err := pretty(item.JSON)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(w, "%s%s", sep, b); err != nil {
			return err
		}
		sep = ",\n"
	}
	end := "\n]\n"
	if sep == "[\n" {
		end = "[]\n"
	}
	_, err := io.WriteString(w, end)
	return err
}

// printJSON prints one thing as the server told it.
func (s *session) printJSON(v jsontext.Value) error {
	b, err := pretty(v)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.Out, "%s\n", b)
	return err
}

// pretty indents JSON and escapes what a terminal could take as a command.
func pretty(v jsontext.Value) (string, error) {
	v = v.Clone()
	if err := v.Format(jsontext.WithIndent("  ")); err != nil {
		return "", fmt.Errorf("read the server's answer: %w", err)
	}
	return escapeJSON(string(v)), nil
}

// escapeJSON writes hidden characters as JSON escapes. Outside strings JSON has none but spaces and line breaks.
func escapeJSON(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '\n' || !hidden(r):
			b.WriteRune(r)
		case r > 0xffff:
			hi, lo := (r-0x10000)>>10+0xd800, (r-0x10000)&0x3ff+0xdc00
			fmt.Fprintf(&b, `\u%04x\u%04x`, hi, lo)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}
