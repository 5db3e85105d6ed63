// Runs @vercel/cosmosdb-server on a free port, for second_test.go. It ends with its standard input, so that it does not
// outlive a test that is killed.
const { createHttpServer } = require("@vercel/cosmosdb-server");

process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
const server = createHttpServer().listen(0, "127.0.0.1", () => {
  console.log(`http://127.0.0.1:${server.address().port}`);
});
