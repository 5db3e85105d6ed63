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

func (t *table) addRow(row ...string) {
	for i := range row {
		row[i] = escapeHidden(row[i])
	}
	t.rows = append(t.rows, row)
}

// minColumnWidth is the width in columns below which no column is cut.
const minColumnWidth = 8

// writeTo writes the table in at most wide columns; 0 is no limit.
func (t *table) writeTo(w io.Writer, wide int) error {
	widths := make([]int, len(t.head))
	for _, row := range append([][]string{t.head}, t.rows...) {
		for i, v := range row {
			widths[i] = max(widths[i], widthOf(v))
		}
	}
	for wide > 0 && totalWidth(widths) > wide {
		i := widestColumn(widths)
		if widths[i] <= minColumnWidth {
			break
		}
		widths[i]--
	}
	var b strings.Builder
	for _, row := range append([][]string{t.head}, t.rows...) {
		line := ""
		for i, v := range row {
			v = truncateText(v, widths[i])
			line += v + strings.Repeat(" ", widths[i]-widthOf(v)+gap)
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

const gap = 2 // between columns

func totalWidth(widths []int) int {
	n := -gap
	for _, w := range widths {
		n += w + gap
	}
	return n
}

func widestColumn(widths []int) int {
	best := 0
	for i, w := range widths {
		if w > widths[best] {
			best = i
		}
	}
	return best
}

// terminalColumns is how many columns there are to print on; 0, no limit, when the output is no terminal, so that what
// is piped on is whole.
func (s *session) terminalColumns() int {
	if n, err := strconv.Atoi(s.Getenv("COLUMNS")); err == nil && n > 0 {
		return n
	}
	if f, ok := s.Out.(*os.File); ok {
		return terminalWidth(f)
	}
	return 0
}

// printList prints a listing: as a table, or as one JSON array written while it is read.
func printList[T any](s *session, asJSON bool, items iter.Seq2[client.Item[T], error], none string, head []string, row func(T) []string) error {
	if asJSON {
		return printJSONList(s.Out, items)
	}
	t := table{head: head}
	for item, err := range items {
		if err != nil {
			return err
		}
		t.addRow(row(item.Value)...)
	}
	if len(t.rows) == 0 {
		_, err := fmt.Fprintln(s.Out, none)
		return err
	}
	return t.writeTo(s.Out, s.terminalColumns())
}

func printJSONList[T any](w io.Writer, items iter.Seq2[client.Item[T], error]) error {
	sep := "[\n"
	for item, err := range items {
		if err != nil {
			return err
		}
		b, err := indentJSON(item.JSON)
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
	b, err := indentJSON(v)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.Out, "%s\n", b)
	return err
}

// indentJSON indents JSON and escapes what a terminal could take as a command.
func indentJSON(v jsontext.Value) (string, error) {
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
		case r == '\n' || !isHidden(r):
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
