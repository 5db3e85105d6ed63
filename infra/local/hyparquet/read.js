// Prints each Parquet file as one line of JSON: its rows, and what its footer says. 64-bit integers become numbers where they are exact.
'use strict';

const { readFileSync } = require('fs');

const plain = (_, v) => {
  if (typeof v === 'bigint') return Number.isSafeInteger(Number(v)) ? Number(v) : String(v);
  return v === null ? undefined : v;
};

(async () => {
  const { parquetMetadata, parquetReadObjects } = await import('hyparquet');
  const { compressors } = await import('hyparquet-compressors');
  for (const path of process.argv.slice(2)) {
    const b = readFileSync(path);
    const file = b.buffer.slice(b.byteOffset, b.byteOffset + b.byteLength);
    const { schema, row_groups: groups, created_by: createdBy } = parquetMetadata(file);
    const rows = await parquetReadObjects({ file, compressors });
    process.stdout.write(JSON.stringify({ createdBy, schema, groups, rows }, plain) + '\n');
  }
})().catch((e) => { console.error(e); process.exit(1); });
