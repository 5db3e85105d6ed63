// Package localstore is the store inside one process, kept in a data directory that it shares with the bus.
//
//	Commit ─▶ commit: one pebble batch ─▶ heads · groups · mentions · incidents · nodes · feed · audit · state
//	             └ indexer                  │
//	                                        └─position─▶ the bus's log, where the body already is
//	Load, reads ─▶ view: one moment ─▶ rowTable: heads by creation ─▶ listing: plan, walk, page ─▶ bodies of that page
//
// Listings walk heads, which are narrow and lie in the order of the default listing, and read bodies only of the rows
// that they return. An alert that changed after it was published has its body beside the log.
//
// The keys of all tables stand in the package comment of datadir, which also keeps the disk. What a change means is
// decided in package correlation; comparing and paging rows is package query's.
package localstore
