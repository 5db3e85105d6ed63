// s3rver with the bucket of the first argument, in the directory of the second, ended with its parent.
'use strict';

const S3rver = require('s3rver');

const [bucket, directory] = process.argv.slice(2);
process.stdin.resume().on('end', () => process.exit(0));
new S3rver({ address: '127.0.0.1', port: 0, silent: true, directory, configureBuckets: [{ name: bucket }] })
  .run()
  .then(({ port }) => console.log(`listens on http://127.0.0.1:${port}`));
