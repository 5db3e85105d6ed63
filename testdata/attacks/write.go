package attacks

import (
	"bufio"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/go-json-experiment/json"
)

// Write puts the scenario into dir as alerts.ndjson (what a replay reads) and truth.tsv (what a score reads).
func (s Scenario) Write(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return errors.Join(
		toFile(filepath.Join(dir, "alerts.ndjson"), s.WriteAlerts),
		toFile(filepath.Join(dir, "truth.tsv"), s.WriteTruth))
}

func toFile(name string, write func(io.Writer) error) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	return errors.Join(write(f), f.Close())
}

// WriteAlerts writes one alert a line, in delivery order.
func (s Scenario) WriteAlerts(w io.Writer) error {
	b := bufio.NewWriter(w)
	for _, a := range s.Alerts {
		if err := json.MarshalWrite(b, a.Alert); err != nil {
			return err
		}
		b.WriteByte('\n') // Flush tells of the error
	}
	return b.Flush()
}

// WriteTruth writes one line an alert id, whatever the number of its deliveries.
func (s Scenario) WriteTruth(w io.Writer) error {
	b := bufio.NewWriter(w)
	b.WriteString("alert_id\ttenant\tincident\tstage\tdup_of\n")
	known := registry{}
	for _, a := range s.Alerts {
		if !known[a.Alert.ID] {
			known[a.Alert.ID] = true
			b.WriteString(strings.Join([]string{a.Alert.ID, a.Alert.Tenant, a.Label.Incident, a.Label.Stage, a.Label.DupOf}, "\t") + "\n")
		}
	}
	return b.Flush()
}
