// Package sql reads and evaluates the queries of Azure Cosmos DB for NoSQL that the stand-in server understands. It
// knows neither the server nor its items: a row is whatever gives a value at a path. Indexes, orders, pages and what
// they cost are the server's.
//
//	text, parameters ─Parse─▶ Query ─Matches(row)─▶ true for the rows of the answer
//	       lex, parse           │
//	                            └Narrow, IDBounds─▶ rows among which those are, for an index to find
//
// What it does not understand is refused with its column, although the service may know it: a query that the project
// issues belongs here, with its meaning tested.
//
//	query      = SELECT [TOP n] columns FROM name [[AS] alias] [WHERE or]
//	             [ORDER BY path [ASC|DESC] {, …}] [OFFSET n LIMIT n]
//	columns    = * | VALUE COUNT(1) | VALUE path | path [AS name] {, path [AS name]}
//	or         = and {OR and}            and = not {AND not}          not = [NOT] test
//	test       = ( or ) | function | operand (= | != | <> | < | <= | > | >=) operand
//	           | operand [NOT] IN ( operand {, operand} ) | operand [NOT] BETWEEN operand AND operand
//	function   = IS_DEFINED(path) | IS_NULL(path) | STARTSWITH(operand, operand) | CONTAINS(operand, operand)
//	           | ARRAY_CONTAINS(operand, operand)
//	operand    = path | @parameter | 'text' | "text" | number | true | false
//	path       = alias {.name | ["name"]}
//
// n is a number or a parameter. Comparing with null is refused: IS_NULL says what is meant.
package sql
