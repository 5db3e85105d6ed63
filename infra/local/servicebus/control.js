// The control port: faults on demand and what was counted. Requests are POST with a JSON object, GET /stats reads.
'use strict';

const { createServer } = require('node:http');

const commands = {
  // drop destroys every connection.
  drop: (broker) => broker.drop(),
  // drop-after destroys every connection once so many messages more were sent to consumers, or received (stored, not answered).
  'drop-after': (broker, { sent = 0, received = 0 }) => Object.assign(broker.faults, { dropAfterSent: sent, dropAfterReceived: received }),
  // lose takes a session from its owner, as a failover of the service does.
  lose(broker, { queue, session }) {
    const q = broker.queues.get(queue);
    const s = q.sessions.get(session);
    if (!s?.owner) return { lost: false };
    const owner = s.owner;
    q.free(s, true);
    owner.lost();
    return { lost: true };
  },
  // repeat offers the next n completed messages again, though their completion is acknowledged.
  repeat: (broker, { queue, n }) => void (broker.queues.get(queue).repeatCompleted = n),
  throttle: (broker, { n }) => void (broker.faults.throttle = n),
  delay: (broker, { ms }) => void (broker.faults.delay = ms),
  limit: (broker, { queue, messages }) => void (broker.queues.get(queue).maxMessages = messages ?? Infinity),
  age: (broker, { ms }) => broker.queues.forEach((q) => q.age(ms)),
};

function stats(broker) {
  return { operations: broker.operations, queues: Object.fromEntries([...broker.queues].map(([name, q]) => [name, q.counts()])), faults: broker.faults };
}

function control(broker) {
  return createServer(async (req, res) => {
    let text = '';
    for await (const part of req) text += part;
    const answer = (status, value) => res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value ?? {}));
    if (req.method === 'GET' && req.url === '/stats') return answer(200, stats(broker));
    const command = commands[req.url.slice(1)];
    if (req.method !== 'POST' || !command) return answer(404, { error: 'unknown command' });
    try {
      answer(200, command(broker, JSON.parse(text || '{}')));
    } catch (e) {
      answer(400, { error: String(e) });
    }
  });
}

module.exports = { control };
