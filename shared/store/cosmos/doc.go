// Package cosmos is the store on Azure Cosmos DB (NoSQL): any number of processes, and for each tenant one logical partition
// that decides, and more as it grows. It knows azcosmos and leaves deciding to package incident.
//
// # Model
//
// A tenant is one small document, the manifest, and what it leads to. Everything bulky is written first, under names made of
// its content, and seen by nobody; then one transactional batch of two or three operations replaces the manifest, if it is
// still the one that was read, and adds the commit. So a commit is whole or not there whatever its size and wherever the
// process dies, and of two writers one wins.
//
//	container "state", partition /tenant
//	  manifest           version, counts, how far the tables go, runs of nodes      ◀─ If-Match: every write of the partition
//	  c-<version>    one commit: rows of its alerts, here for good, and incidents; zone maps and ids indexed; a reference to its
//	                 nodes. All of them are the log, the last 96 the log
//	  k-<version>-n  names: nodes that live two days, found by the index, expire by TTL
//	  i-<page>       table of incidents, 32 neighbours an item, zone maps indexed
//	  outbox entry-…         what the audit log says of a commit, on its way there: see outbox.go
//	container "state", partitions ~!volume-<n>/<tenant>: where the tables go on when they are large, see volume.go
//	container "state", partitions ~!mentions/<tenant>, ~!mentions-<n>/<tenant>
//	  x-<version>-…  names in the evidence of a commit's new bodies, indexed: search. Written before the commit
//	container "blobs", partition /tenant/id, every item a partition of its own, nothing indexed
//	  bodies of a commit's alerts, for ever  ·  nodes of a commit, a run or the bottom level: TTL 45 days  ·  large contents
//
//	            ┌──────────── log: read once, kept in memory ───────────┐
//	Commit ──▶ c-101 c-102 … c-196 ──flush, every 96──▶ c-<home>  updated rows
//	                                                   i-<page>  incidents
//	                                                   run       nodes ──merge, every 16──▶ base, by segments
//	Load, reads ──▶ manifest ─▶ log over tables (what the log says of a row is newer than what a table says)
//
// A flush is repeated from the beginning when it fails, to the same effect: each of its batches replaces the manifest that it
// read, so that nobody flushes out of an old view, and only the last one moves the end of the tables. Alert bodies, rows and
// the feed's entries keep their places for ever; cursors count them.
//
// Purging is a commit whose rows say that alerts and incidents are gone: see purge.go. Their rows leave empty places in
// the commits that brought them, their bodies go when nothing else is in the blob. What stays: the title, status and comments of
// an alert in later commits that changed it, which nothing leads to, and a body that a later one replaced.
//
// Zone maps are the least and greatest created, updated and first-activity times of an item's rows, and the values of their
// status, severity, service, assignee, classification and incident. A listing asks the index for items whose zone maps can
// match, in the order of one zone, and stops when no later item can come before what it has. Orders that no zone serves
// look at every item that can match; so does a count with a condition.
//
// # Why so
//
// A commit of 50 alerts touches some 170 nodes, 50 of them new ids that are almost never found again, the others a few
// kilobytes each that are touched over and over; 45 incidents, for background joins old ones; and two or three alerts of
// earlier commits. As items of their own that is 60 units an alert, packed by shard still dozens, since every shard is
// touched. Written as a log, compressed, it is four fifths of one blob, and what is in place is written once for
// thousands of alerts. Replacing costs the old size and the new one, expiry nothing: nodes are never replaced. And nine of
// ten nodes of a commit are in the log already: of these only what changed is written, a quarter of their bytes, which does not
// grow with what a node has gathered.
//
// # Request units
//
// As infra/local/cosmos counts them, the dearer of two published tables, in batches of 100 (TestCost, BenchmarkCommit
// print them), flushes and merges included, in a tenant of much noise: 3.3 an alert at 10,000 alerts stored, 3.4 at 100,000
// and 3.4 at a million; 1.8 more with a new process every 1,000 alerts. What finds alerts by
// name is 0.6 more where TestCost counts it.
//
//	commit of 50     manifest 11 · commit 33 · names 17 · nodes 14 · bodies 12 · lookups 7 · mentions 30
//	flush of 4,800    incidents and updated rows 2,000 to 5,600 · run of nodes, and its part of a compaction, 800
//	first question   of a reader 160, of a correlator up to 1,800: the log, nodes, incidents; then 1 while nothing changes
//	reads            alert by id 4 to 9 · 100 newest alerts 20 · 50 newest incidents 7 · 100 changes 7
//	each volume      0.035 an alert, for its id is looked for there, 3 a lookup and 8 a listing; the first 0.07 besides
//
// # Growth
//
// A logical partition serves 10,000 units a second: 2,900 alerts a second, 25 times 10 million a day. It holds 20 GB: see
// volume.go for how a tenant goes on beyond that. TestGrowth counts, for each alert: 320 bytes of rows, incidents and index terms,
// in the tenant's own partition until commits have taken VolumeAt there, then in volumes; 95 of what finds it by name, in
// partitions that change with the volumes; and 60 of names for three days, always in the tenant's own. So that one is never larger
// than some 13 GB, at 10 million alerts a day, and a volume than 9 GB. Should one become full all the same, it answers 403/1014,
// commits are fault.Exhausted, the bus keeps its messages and nothing is lost; the alarm to set is on the size of partitions.
//
//	alerts a day     100,000   1 million   10 million
//	first volume     a year    34 days     3 days
//	a volume lasts   9 months  26 days     3 days
//
// A volume whose alerts are all purged is not asked any more, so that with retention what an alert costs stops growing. Its
// items stay, for the feed's cursors count them. Deleting them is the next step.
package cosmos
