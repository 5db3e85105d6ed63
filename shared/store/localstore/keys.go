package localstore

import (
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/datadir"
	"github.com/onepane/onepane/shared/incident"
)

// Tables of the data directory, as package datadir lists them.
const (
	tenantTable = 't'
	alertTable  = 'a'
	bodyTable   = 'b'
	nodeTable   = 'n'
	feedTable   = 'f'

	alertRows    = 'A'
	exposureRows = 'E'
	foldedRows   = 'D'
	incidentRows = 'I'

	alertsUpdated    = 'u'
	exposuresUpdated = 'v'
	incidentsUpdated = 'w'

	incidentTable  = 'i'
	incidentAlerts = 'm'
)

// rowTableOf says which row table an alert belongs in.
func rowTableOf(m incident.AlertRecord) byte {
	switch {
	case m.FoldedInto != "":
		return foldedRows
	case m.Alert.Class == alert.Exposure:
		return exposureRows
	}
	return alertRows
}

// updateIndexOf is the index by update time beside a row table; 0 when there is none.
func updateIndexOf(rows byte) byte {
	switch rows {
	case alertRows:
		return alertsUpdated
	case exposureRows:
		return exposuresUpdated
	case incidentRows:
		return incidentsUpdated
	}
	return 0
}

// idKey is the key of a table that is ordered by ids.
func idKey(table byte, tenant, id string) []byte {
	return append(datadir.Key(table, tenant), id...)
}

// timeKey is the key of a table that is ordered newest first; at is a datadir.TimeKey. Rows of one moment lie in the
// order of their ids.
func timeKey(table byte, tenant string, at uint64, id string) []byte {
	return append(datadir.AppendUint(datadir.Key(table, tenant), ^at), id...)
}

// incidentAlertKey is the key of the index by incident, ordered by first activity.
func incidentAlertKey(tenant, incident string, first uint64, id string) []byte {
	return append(datadir.AppendUint(datadir.Key(incidentAlerts, tenant, incident), first), id...)
}
