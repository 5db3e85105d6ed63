// Azurite's blob service with the account of the first argument, ended with its parent: by itself it looks at neither.
'use strict';

[process.env.AZURITE_ACCOUNTS] = process.argv.splice(2, 1);
process.stdin.resume().on('end', () => process.exit(0));
require('azurite/dist/src/blob/main.js');
