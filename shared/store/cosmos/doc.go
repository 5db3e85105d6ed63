// Package cosmos is the store on Azure Cosmos DB (NoSQL): a log-structured merge tree over its documents. Any
// number of processes work on one account. It leaves deciding to the correlation engine, and requests to package
// cosmosdb.
//
// # Why a merge tree
//
// Cosmos DB charges request units for each document written, replaced and indexed, by its size. A commit of 50
// alerts touches some 170 nodes, 50 of them new ids that are almost never found again, the others a few kilobytes
// each that are touched over and over; 45 incidents, of which background joins old ones; and two or three alerts of
// earlier commits. With a document for each of them an alert costs 63 request units, at $0.25 a million units
// $15.75 a million alerts; packed by shard still dozens, since every shard is touched. Written as a log, compressed,
// and put in place once for thousands of alerts, it costs 3.4, $0.85 a million, and 0.6 more for search by name.
//
// What that costs in code is this package: a manifest, a log, flushes, tables in volumes, compaction, caches and
// housekeeping, where a document a thing would need reads and writes alone; and tests that kill a process at every
// request.
//
// # Flow
//
// A tenant is one small document, the manifest, and what it leads to. Everything bulky is written first, under
// names made of its content, and seen by nobody; then one transactional batch replaces the manifest, if it is still
// the one that was read, and adds the commit. So a commit is whole or not there whatever its size and wherever the
// process dies, and of two writers one wins.
//
//	            ┌─────────────── log: read once, in memory the memtable ───────────────┐
//	Commit ──▶ c-101 c-102 … c-196 ──flush, every 96──▶ volume: c-<version>  rows as they are now
//	                                                            i-<page>     incidents
//	                                                    blobs:  sorted run   nodes ─compaction, each 16─▶ bottom level
//	Load, reads ──▶ manifest ─▶ log over tables (what the log says of a row is newer than what a table says)
//
//	container "state", partition /tenant
//	  <tenant>               root          the manifest: version, counts, end of tables, levels of nodes  ◀─ If-Match
//	                         c-<version>   one commit of the log
//	                         k-<version>-n id index: nodes that live two days, found by the index, expire by TTL
//	                         note-…        outbox: audit entries of a commit, on their way (outbox.go)
//	  ~!volume-<n>/<tenant>  c-<version>   the rows that came with a commit, here for good; zone maps and ids indexed
//	                         i-<page>      32 neighbouring incidents, zone maps indexed
//	  ~!mentions…/<tenant>   x-<version>-… names in the evidence of new bodies, indexed: search (mentions.go)
//	  ~!documents/<kind>     ~!journal/<tenant>                                    documents and audit logs
//	container "blobs", partition /tenant/id, every item a partition of its own, nothing indexed
//	  bodies of a commit's alerts, for ever · nodes of a commit, a run, the bottom level: 45 days · large contents
//
// A flush is repeated from the beginning when it fails, to the same effect: it claims the manifest before it writes
// (volume.go), and only its last batch moves the end of the tables. Alert bodies, rows and the feed's entries keep
// their places for ever; cursors count them. Purging is a commit whose rows say that alerts and incidents are gone
// (purge.go). What stays: the title, status and comments of an alert in later commits that changed it, which
// nothing leads to, and a body that a later one replaced.
//
// A zone map is the least and greatest created, updated and first-activity times of an item's rows, and the values
// of their status, severity, service, assignee, classification and incident. A listing asks the index for items
// whose zone map can match, in the order of one of its times, and stops when no later item can come before what it
// has. Orders that no zone map serves look at every item that can match; so does a count with a condition.
//
// # Files
//
//	store.go tenant.go view.go     Store; what is remembered of a tenant; a tenant as of one manifest
//	model.go volume.go             the items; the partitions of tables
//	commit.go flush.go purge.go    committer, flusher, purger
//	lookup.go tables.go load.go    rows and short-lived nodes by id; incidents by page; what a correlator loads
//	read.go listing.go conditions.go mentions.go feed.go   what readers ask
//	documents.go auditlog.go outbox.go                     what people set and did
//	migrate.go connect.go clone.go                         older forms; clients and containers; copies
//	lsm/ frame/ cosmosdb/          the tree of nodes over blobs; packing; requests to the service
//
// # Request units
//
// As infra/local/cosmos counts them, the dearer of two published tables, in batches of 100, flushes, compactions and
// search by name included: 3.1 an alert in TestCost, and 5.4 with a new process every 1,000 alerts; 4.0 in a tenant of
// much noise with 10,000 alerts stored (BenchmarkCommit), which must not grow.
//
//	commit of 50     manifest 11 · commit 33 · id index 17 · nodes 14 · bodies 12 · lookups 7 · mentions 30
//	flush of 4,800   incidents and updated rows 2,000 to 5,600 · run of nodes, and its part of a compaction, 800
//	first question   of a reader 160, of a correlator up to 1,800: log, nodes, incidents; then 1 until a change
//	reads            alert by id 4 to 9 · 100 newest alerts 20 · 50 newest incidents 7 · 100 changes 7
//	each volume      0.035 an alert, for its id is looked for there, 3 a lookup and 8 a listing; copying the log 0.07
//
// # Growth
//
// A logical partition serves 10,000 units a second: 2,900 alerts a second, 25 times 10 million a day. It holds 20
// GB: see volume.go for how tables go on beyond that. TestGrowth counts, for each alert: 320 bytes of rows,
// incidents and index terms in volumes; 95 of what finds it by name, in partitions that change with the volumes;
// and 60 of the id index for three days, in the tenant's own. So that one has a few GB at most, at 10 million
// alerts a day, and a volume 9 GB. Should one become full all the same, it answers 403/1014, commits are
// fault.Exhausted, the bus keeps its messages and nothing is lost; the alarm to set is on the size of partitions.
//
//	alerts a day     100,000   1 million   10 million
//	a volume lasts   9 months  26 days     3 days
//
// A volume whose alerts are all purged is not asked any more, so that with retention what an alert costs stops
// growing. Its items stay, for the feed's cursors count them. Deleting them is the next step.
package cosmos
