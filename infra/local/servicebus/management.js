// Requests on <queue>/$management, by operation. Each gives {status, value}; 4xx by throwing {status}.
'use strict';

const { types } = require('rhea');
const { encode, guid, units } = require('./wire.js');

const gone = (what) => Object.assign(new Error(`${what} is lost`), { status: 410, condition: 'com.microsoft:message-lock-lost' });
const token = (b) => guid(b).toString('hex'); // back to the order of a delivery tag

const operations = {
  'com.microsoft:peek-message'(queue, body) {
    return messages(queue.peek(Number(body['from-sequence-number']), Number(body['message-count']), body['session-id'] ?? undefined).map((m) => ({ message: encode(m) })));
  },

  'com.microsoft:renew-lock'(queue, body) {
    const until = body['lock-tokens'].map((t) => {
      const msg = queue.locked.get(token(t));
      if (!msg) throw gone('the message lock');
      return (msg.lock.until = Date.now() + queue.lockDuration);
    });
    return { status: 200, value: { expirations: types.wrap_array(until, 0x83) } };
  },

  'com.microsoft:renew-session-lock'(queue, body, link) {
    return { status: 200, value: { expiration: types.wrap_timestamp(queue.renew(owned(queue, body, link))) } };
  },

  'com.microsoft:get-session-state'(queue, body, link) {
    return { status: 200, value: { 'session-state': owned(queue, body, link).state } };
  },

  'com.microsoft:set-session-state'(queue, body, link) {
    owned(queue, body, link).state = body['session-state'] ?? null;
    return { status: 200, value: {} };
  },

  'com.microsoft:get-message-sessions'(queue, body) {
    const all = [...queue.sessions.values()].filter((s) => s.state || [...s.messages.values()].some((m) => !m.deferred)).map((s) => s.id);
    const page = all.slice(Number(body.skip), Number(body.skip) + Number(body.top));
    if (!page.length) return { status: 204, value: {} };
    return { status: 200, value: { skip: types.wrap_int(Number(body.skip) + page.length), 'sessions-ids': page } };
  },

  'com.microsoft:receive-by-sequence-number'(queue, body) {
    const found = body['sequence-numbers'].map((n) => queue.messages.get(Number(n)));
    if (!found.every((m) => m?.deferred && !m.lock)) throw Object.assign(new Error('no such deferred message'), { status: 404, condition: 'com.microsoft:message-not-found' });
    return messages(found.map((msg) => {
      if (Number(body['receiver-settle-mode']) === 0) {
        queue.remove(msg);
        return { message: encode(msg) };
      }
      queue.lock(msg, null);
      return { message: encode(msg, { lockToken: msg.lock.token, lockedUntil: msg.lock.until }) };
    }));
  },

  'com.microsoft:update-disposition'(queue, body) {
    const outcome = { completed: 'completed', abandoned: 'abandoned', defered: 'deferred', suspended: 'dead-lettered' }[body['disposition-status']];
    const info = { reason: body['deadletter-reason'], description: body['deadletter-description'] };
    for (const t of body['lock-tokens']) if (!queue.settle(Buffer.from(token(t), 'hex'), outcome, info)) throw gone('the message lock');
    return { status: 200, value: {} };
  },
};

function messages(list) {
  if (!list.length) return { status: 204, value: {} };
  const bytes = list.reduce((n, m) => n + m.message.length, 0);
  return { status: 200, value: { messages: list }, operations: units(bytes) };
}

// owned is the session of a request, which only the link that holds it may speak for.
function owned(queue, body, link) {
  const s = queue.sessions.get(body['session-id']);
  if (!s?.owner || s.owner.link.name !== link) throw gone('the session lock');
  return s;
}

function manage(queue, { operation, 'associated-link-name': link }, body) {
  const f = operations[operation];
  if (!f) throw Object.assign(new Error(`unknown operation ${operation}`), { status: 501 });
  return f(queue, body, link);
}

module.exports = { manage };
