package falco

import "github.com/onepane/onepane/functions/ingest"

// event is the part of an alert that Normalize reads.
type event struct {
	UUID         ingest.Text              `json:"uuid"`
	Rule         ingest.Text              `json:"rule"`
	Priority     ingest.Text              `json:"priority"`
	Output       ingest.Text              `json:"output"`
	Time         ingest.Time              `json:"time"`
	Hostname     ingest.Text              `json:"hostname"`
	Source       ingest.Text              `json:"source"`
	Tags         ingest.List[ingest.Text] `json:"tags"`
	OutputFields map[string]ingest.Text   `json:"output_fields"` // free keys, values of any type
}
