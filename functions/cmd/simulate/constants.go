package main

import "time"

// Counted on the stand-ins of infra/local: TestCost, TestGrowth and BenchmarkCommit of shared/store/cosmos (3.4 at its
// dearest), and TestCost of shared/bus/servicebus.
const (
	unitsPerAlert      = 3.4
	unitsInVolumes     = 0.07  // more, once a tenant's tables go on in volumes
	unitsPerVolume     = 0.035 // more for each of them: all are asked for ids
	operationsPerAlert = 0.03
	alertsPerMessage   = 100
	tableBytes         = 330      // of an alert and its incident in a table, index terms included
	ownBytes           = 10 << 30 // of tables in a tenant's own partition, when a volume takes over
	volumeBytes        = 8 << 30  // of tables in a volume, when the next does
	nameBytes          = 60       // of an alert's names, for nameDays, in the own partition
	nameDays           = 3        // days
	alertsPerCommit    = 50       // one after the other within a tenant
	requestsPerCommit  = 8        // to Cosmos DB, waited for one by one
)

// What the services document (Service Bus quotas and throttling; Cosmos DB service quotas), and infra/azure sets.
const (
	partitionUnits = 10_000   // RU/s of a logical partition
	partitionBytes = 20 << 30 // of a logical partition
	messageLimit   = 500      // messages a second through a Standard namespace: 1,000 credits, one to send and one to receive
	instances      = 40       // maximum_instances of infra/azure
	sessionsEach   = 8        // maxConcurrentSessions of host.json
	queueBytes     = 5 << 30  // maxSizeInMegabytes of the queue
	messageBytes   = 60 << 10 // a packed message of 100 alerts
)

// Assumed, for nobody can count them here: how long one request to Cosmos DB takes within a region, deciding on 50
// alerts on one core, and moving a session between hosts.
const (
	requestTime = 8 * time.Millisecond
	decideTime  = 40 * time.Millisecond
	handover    = 300 * time.Millisecond
)

// sessionRate is how many alerts a second one session can take: commits of a tenant follow each other.
func sessionRate() float64 {
	return alertsPerCommit / (requestsPerCommit*requestTime + decideTime).Seconds()
}
