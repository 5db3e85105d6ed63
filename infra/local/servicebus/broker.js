// A Service Bus namespace for tests, on an independent AMQP 1.0 engine (rhea): what azservicebus needs, as strict as the
// service about it. Everything is in memory, on loopback, and gone with the process.
//
//	AMQP ──▶ links.js (attach, transfer, disposition) ──▶ queue.js (locks, sessions, repeats, dead letters)
//	            ├─ $cbs ──▶ claims.js                         ▲
//	            └─ $management ──▶ management.js ─────────────┘
//	HTTP(S) ──▶ rest.js (POST /<queue>/messages) ─────────────┘
//	HTTP ──▶ control.js (faults on demand, counters)
//
//	node broker.js SETTINGS.json     prints {"amqp":PORT,"rest":PORT,"control":PORT}, ends when its standard input does
'use strict';

const fs = require('node:fs');
const net = require('node:net');
const tls = require('node:tls');
const rhea = require('rhea');
const { Queue } = require('./queue.js');
const { listen } = require('./links.js');
const { rest } = require('./rest.js');
const { control } = require('./control.js');

const settings = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'));
const broker = {
  settings,
  queues: new Map(),
  sockets: new Set(),
  operations: { send: 0, receive: 0, settle: 0, accept: 0, manage: 0 },
  faults: { delay: 0, throttle: 0, dropAfterSent: 0, dropAfterReceived: 0 },
  drop() {
    for (const s of this.sockets) s.destroy();
  },
};
for (const [name, q] of Object.entries(settings.queues)) broker.queues.set(name, new Queue(name, q));

const container = rhea.create_container({ id: 'servicebus' });
container.sasl_server_mechanisms.enable_anonymous();
listen(container, broker);

function accept(socket) {
  socket.setNoDelay(true); // or every settlement waits for the peer's delayed acknowledgement
  broker.sockets.add(socket);
  socket.on('close', () => broker.sockets.delete(socket));
  container.create_connection({ require_sasl: true, autoaccept: false, treat_modified_as_released: false, max_frame_size: 65536, channel_max: 4999, reconnect: false }).accept(socket);
}

const server = settings.tls ? tls.createServer(settings.tls, accept) : net.createServer(accept);
setInterval(() => broker.queues.forEach((q) => q.expire()), 20);
process.stdin.resume().on('end', () => process.exit(0));

// open gives the port a server listens on.
const open = (server, port = 0) => new Promise((done) => server.listen(port, '127.0.0.1', () => done(server.address().port)));

(async () => {
  const ports = { amqp: await open(server, settings.port), rest: await open(rest(broker), settings.restPort), control: await open(control(broker), settings.controlPort) };
  console.log(JSON.stringify(ports));
})();
