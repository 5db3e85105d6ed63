package ocsf

import (
	"path"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/functions/export"
	"github.com/onepane/onepane/shared/fault"
)

// Lake is where a data lake keeps events: as Amazon Security Lake wants them of a custom source (its user guide,
// "Collecting data from custom sources"), which knows one class only.
//
//	ext/onepane-alerts/1.0/region=eu-west-1/accountId=111122223333/eventDay=20260303/
type Lake struct {
	// Detections and Incidents are the locations of the sources of class 2004 and 2005 in the bucket, as Security Lake
	// gave them.
	Detections, Incidents string
	// Region and Account are those of what is from no region or account of AWS. Without Account that is "external_" and
	// the account elsewhere, of incidents the tenant.
	Region, Account string
}

// The locations of sources called onepane-alerts and onepane-incidents. Names have at most 20 characters (API
// reference, CreateCustomLogSource).
const (
	DefaultDetections = "ext/onepane-alerts"
	DefaultIncidents  = "ext/onepane-incidents"
	noRegion          = "global"
)

// EventPlace is the directory of an event.
func (l Lake) EventPlace(v Event) string {
	source, byDefault := l.Detections, DefaultDetections
	if v.ClassUID == Incident {
		source, byDefault = l.Incidents, DefaultIncidents
	}
	if source == "" {
		source = byDefault
	}
	region, account := l.Region, l.Account
	if region == "" {
		region = noRegion
	}
	if account == "" {
		account = "external_" + v.Metadata.TenantUID
	}
	if c := v.Cloud; c != nil {
		if c.Provider == "AWS" && c.Region != "" {
			region = c.Region
		}
		switch {
		case c.Account == nil:
		case c.Provider == "AWS":
			account = c.Account.UID
		case l.Account == "":
			account = "external_" + c.Account.UID
		}
	}
	day := time.UnixMilli(v.Time).UTC().Format("20060102")
	return path.Join(source, "region="+keyPart(region), "accountId="+keyPart(account), "eventDay="+day)
}

// keyPart is a value as part of a key: providers' words could hold a slash, and Hive's readers take = and % for their
// own.
func keyPart(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '_', r == '.':
			return r
		}
		return '_'
	}, s)
}

// LinePacker packs events as JSON lines in the directories of l.
func (l Lake) LinePacker(e Encoder) export.Lines {
	return export.Lines{Write: e.Encode, Alerts: MaxAlerts, Place: func(r export.Record) (string, error) {
		v, err := ReadEvent(r)
		return l.EventPlace(v), err
	}}
}

// ReadEvent is the event of a record that an Encoder wrote.
func ReadEvent(r export.Record) (Event, error) {
	var v Event
	if err := json.Unmarshal(r.Data, &v); err != nil {
		return v, fault.Errorf(fault.Invalid, "read %s %s: %w", r.Kind, r.Thing, err)
	}
	return v, nil
}
