package wazuh

import (
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/functions/ingest"
)

// native is the part of an alert that Normalize reads.
type native struct {
	ID        ingest.Text `json:"id"`
	Timestamp ingest.Time `json:"timestamp"`
	Rule      struct {
		ID          ingest.Text              `json:"id"`
		Level       ingest.Number            `json:"level"`
		Description ingest.Text              `json:"description"`
		FiredTimes  ingest.Number            `json:"firedtimes"`
		Groups      ingest.List[ingest.Text] `json:"groups"`
		Mitre       struct {
			ID        ingest.List[ingest.Text] `json:"id"`
			Tactic    ingest.List[ingest.Text] `json:"tactic"`
			Technique ingest.List[ingest.Text] `json:"technique"`
		} `json:"mitre"`
	} `json:"rule"`
	Agent struct {
		ID   ingest.Text `json:"id"`
		Name ingest.Text `json:"name"`
		IP   ingest.Text `json:"ip"`
	} `json:"agent"`
	Manager    struct{ Name ingest.Text }       `json:"manager"`
	Cluster    struct{ Name, Node ingest.Text } `json:"cluster"`
	Predecoder struct{ Hostname ingest.Text }   `json:"predecoder"`
	Location   ingest.Text                      `json:"location"`
	FullLog    ingest.Text                      `json:"full_log"`
	Data       facts                            `json:"data"`
	Syscheck   facts                            `json:"syscheck"`
}

// facts is a free-form object flattened to "win.eventdata.targetUserName": what decoders put into data differs by log.
type facts map[string]string

// UnmarshalJSON walks the object once. What is no object has no facts.
func (f *facts) UnmarshalJSON(b []byte) error {
	*f = facts{}
	dec := jsontext.NewDecoder(strings.NewReader(string(b)))
	for {
		kind := dec.PeekKind()
		holder, length := dec.StackIndex(dec.StackDepth())
		tok, err := dec.ReadToken()
		if err != nil {
			return nil // the end: b is well formed
		}
		if holder == '{' && length%2 == 0 || kind != '"' && kind != '0' && kind != 't' && kind != 'f' {
			continue
		}
		name := strings.ReplaceAll(strings.TrimPrefix(string(dec.StackPointer()), "/"), "/", ".")
		if v := tok.String(); !ingest.IsPlaceholder(v) {
			(*f)[name] = v
		}
	}
}

// firstOf is the value of the first of the names that has one, "" when none has.
func (f facts) firstOf(names ...string) string {
	for _, n := range names {
		if f[n] != "" {
			return f[n]
		}
	}
	return ""
}
