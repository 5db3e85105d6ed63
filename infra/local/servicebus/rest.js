// The HTTPS side of the broker: "Send Message" of Service Bus' REST API (POST /<queue>/messages), as strict as its
// documentation. Status codes are those of that page; the body of a refusal names the code as the service's XML does.
'use strict';

const http = require('node:http');
const https = require('node:https');
const { message, types } = require('rhea');
const { body, units } = require('./wire.js');
const { check } = require('./claims.js');

// statuses are what a queue's refusals are over HTTP.
const statuses = {
  'amqp:unauthorized-access': 401, 'amqp:link:message-size-exceeded': 403, 'amqp:resource-limit-exceeded': 403,
  'amqp:not-found': 410, 'amqp:not-allowed': 400,
};

const maxHeaders = 64 * 1024; // of all properties of a message

// own are headers that are no custom property of the message.
const own = new Set(['authorization', 'brokerproperties', 'content-type', 'content-length', 'host', 'connection', 'user-agent', 'accept-encoding', 'expect', 'x-ms-retrypolicy', 'transfer-encoding']);

function rest(broker) {
  const answer = (req, res) => receive(broker, req, res).catch((e) => refuse(res, e.http ?? 500, e.message));
  const options = { ...broker.settings.tls, maxHeaderSize: 4 * maxHeaders };
  const server = broker.settings.tls ? https.createServer(options, answer) : http.createServer(options, answer);
  server.on(broker.settings.tls ? 'secureConnection' : 'connection', (socket) => {
    broker.sockets.add(socket);
    socket.on('close', () => broker.sockets.delete(socket));
  });
  return server;
}

async function receive(broker, req, res) {
  const parts = [];
  for await (const part of req) parts.push(part);
  if (broker.faults.delay) await new Promise((done) => setTimeout(done, broker.faults.delay));
  const [, name] = /^\/([^/?]+)\/messages(?:\?.*)?$/.exec(req.url) ?? [];
  if (!name || req.method !== 'POST') throw failure(404, 'there is nothing but POST /<queue>/messages');
  authorize(broker, req, name);
  const queue = broker.queues.get(decodeURIComponent(name));
  if (!queue) throw failure(410, `the messaging entity '${name}' does not exist`);
  if (broker.faults.throttle > 0) {
    broker.faults.throttle--;
    throw failure(429, 'the request was terminated because the entity is being throttled');
  }
  store(broker, queue, req, Buffer.concat(parts));
  // Dropped here, the sender cannot know that its message was taken.
  if (broker.faults.dropAfterReceived > 0 && --broker.faults.dropAfterReceived === 0) return broker.drop();
  res.writeHead(201, { 'content-type': req.headers['content-type'] ?? 'application/xml; charset=utf-8' }).end();
}

function authorize(broker, req, name) {
  const token = req.headers.authorization ?? '';
  try {
    if (token.startsWith('Bearer ')) check('jwt', token.slice(7), '', broker.settings);
    else check('servicebus.windows.net:sastoken', token, `${req.headers.host}/${name}`, broker.settings);
  } catch (e) {
    throw failure(401, e.message);
  }
}

// store puts the message on the queue in the form in which a receiver over AMQP gets it.
function store(broker, queue, req, data) {
  const { MessageId: id, SessionId: sessionId, TimeToLive: seconds } = properties(req);
  const bytes = message.encode({
    message_id: id, group_id: sessionId, content_type: req.headers['content-type'],
    application_properties: custom(req), body: message.data_section(data),
  });
  try {
    queue.send({ id, sessionId, ttl: seconds && seconds * 1000, body: body(bytes), bytes: bytes.length });
  } catch (e) {
    if (!e.condition) throw e;
    throw failure(statuses[e.condition] ?? 500, e.description);
  }
  broker.operations.send += units(bytes.length);
}

// properties reads BrokerProperties: a JSON object in a header, which is ASCII.
function properties(req) {
  const text = req.headers.brokerproperties ?? '{}';
  if (/[^\x20-\x7e]/.test(text)) throw failure(400, 'BrokerProperties is not ASCII');
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    throw failure(400, 'BrokerProperties is not JSON');
  }
  if (value === null || typeof value !== 'object' || Array.isArray(value)) throw failure(400, 'BrokerProperties is no object');
  for (const name of ['MessageId', 'SessionId', 'PartitionKey']) {
    if (value[name] !== undefined && typeof value[name] !== 'string') throw failure(400, `${name} is no string`);
  }
  if (value.PartitionKey !== undefined && value.SessionId !== undefined && value.PartitionKey !== value.SessionId) {
    throw failure(400, 'SessionId and PartitionKey differ');
  }
  return value;
}

// custom reads all other headers: a quoted value is a string, what looks like one a number.
function custom(req) {
  const out = {};
  let size = 0;
  for (let i = 0; i < req.rawHeaders.length; i += 2) {
    const [name, value] = req.rawHeaders.slice(i, i + 2);
    size += name.length + value.length;
    if (own.has(name.toLowerCase())) continue;
    if (/^".*"$/.test(value)) out[name] = JSON.parse(value);
    else out[name] = /^-?\d+(\.\d+)?$/.test(value) ? types.wrap_double(Number(value)) : value;
  }
  if (size > maxHeaders) throw failure(403, 'the properties are over 64 KB');
  return out;
}

const failure = (status, text) => Object.assign(new Error(text), { http: status });

// refuse writes the error as the service does; text may quote the sender.
function refuse(res, status, text) {
  if (res.headersSent) return;
  const escaped = text.replace(/[<&]/g, (c) => ({ '<': '&lt;', '&': '&amp;' })[c]);
  res.writeHead(status, { 'content-type': 'application/xml; charset=utf-8' }).end(`<Error><Code>${status}</Code><Detail>${escaped}. SubCode=${status}00</Detail></Error>`);
}

module.exports = { rest };
