// Package cosmosdb speaks to Azure Cosmos DB (NoSQL) for the driver above it: requests that are tried again when
// that is harmless, errors with their kinds of fault, and no more of the SDK than that. It knows two containers and
// nothing of what is in them.
//
//	Client      one item, one transactional batch, one query at a time ─▶ container of state, partition key /tenant
//	Blobs       bytes named by their content, cached                 ─▶ container of blobs, partition key /tenant/id
//	Partition   a logical partition, and how far this process has seen it (session token)
package cosmosdb
