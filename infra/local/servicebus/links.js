// The AMQP side of the broker: who may attach to what, what comes in, what goes out and how it is settled.
'use strict';

const { types, message } = require('rhea');
const { body, encode, ticks, units } = require('./wire.js');
const { refusal } = require('./queue.js');
const { check } = require('./claims.js');
const { manage } = require('./management.js');

const BATCH = 0x80013700; // message format: every data section is a whole encoded message
const SESSION_FILTER = 'com.microsoft:session-filter';
const SESSION_FILTER_CODE = 0x137000000c;

// Consumer is a link that receives from a queue. Its credit goes down only when frames are written, so what is queued
// but not yet written is subtracted here.
class Consumer {
  constructor(broker, link, queue) {
    Object.assign(this, { broker, link, queue, deletes: link.snd_settle_mode === 1, session: null, sent: 0 });
  }

  room() {
    return this.link.is_open() ? this.link.credit - (this.sent - this.link.delivery_count) : 0;
  }

  deliver(msg, token, lockedUntil) {
    this.sent++;
    this.broker.operations.receive += units(msg.bytes);
    this.link.send(encode(msg, { lockedUntil }), token, 0);
    if (this.broker.faults.dropAfterSent > 0 && --this.broker.faults.dropAfterSent === 0) setImmediate(() => this.broker.drop());
  }

  lost() {
    this.session = null;
    this.link.close(refusal('com.microsoft:session-lock-lost', 'the session lock has expired or was lost'));
  }

  // closed is an orderly end; after a lost connection the session stays locked until its time is up.
  closed(orderly) {
    this.queue.consumers.delete(this);
    this.giveUp?.();
    if (this.session && orderly) this.queue.free(this.session, false);
    if (orderly) this.session = null;
  }
}

function listen(container, broker) {
  const later = (f) => (broker.faults.delay ? setTimeout(f, broker.faults.delay) : f());
  container.on('connection_open', ({ connection }) => Object.assign(connection, { claims: new Map(), replies: new Map(), consumers: new Set() }));
  container.on('receiver_open', ({ receiver }) => openIncoming(broker, receiver));
  container.on('sender_open', ({ sender }) => openOutgoing(broker, sender));
  container.on('message', (context) => later(() => incoming(broker, context)));
  container.on('sender_flow', ({ sender }) => flow(sender));
  for (const outcome of ['accepted', 'released', 'rejected', 'modified']) {
    container.on(outcome, ({ delivery }) => later(() => settle(broker, delivery, outcome)));
  }
  container.on('sender_close', ({ sender }) => close(sender.connection, (c) => c.link === sender, true));
  container.on('session_close', ({ session }) => close(session.connection, (c) => c.link.session === session, true));
  container.on('connection_close', ({ connection }) => close(connection, () => true, true));
  container.on('disconnected', ({ connection }) => close(connection, () => true, false));
  for (const trouble of ['error', 'protocol_error', 'connection_error', 'session_error', 'sender_error', 'receiver_error']) container.on(trouble, () => {});
}

function close(connection, which, orderly) {
  for (const c of connection.consumers ?? []) {
    if (!which(c)) continue;
    connection.consumers.delete(c);
    c.closed(orderly);
  }
}

// find gives the queue of an address and what of it is meant, or why it may not be had.
function find(broker, connection, address) {
  const [, name, rest] = /^([^$]*?)(?:\/(\$.*))?$/.exec(address ?? '') ?? [];
  const queue = broker.queues.get(name);
  if (!queue) throw refusal('amqp:not-found', `The messaging entity '${address}' could not be found.`);
  const claimed = [...connection.claims].some(([path, until]) => until > Date.now() && (path === '' || `${address}/`.startsWith(`${path}/`)));
  if (!claimed) throw refusal('amqp:unauthorized-access', `no valid claim for ${address}`);
  if (rest?.toLowerCase() === '$deadletterqueue') return { queue: queue.deadLetters };
  if (rest?.toLowerCase() === '$deadletterqueue/$management') return { queue: queue.deadLetters, management: true };
  return { queue, management: rest === '$management' };
}

// A peer that sends attaches its target; it is refused with a null target and a detach.
function openIncoming(broker, link) {
  const address = link.target?.address;
  Object.assign(link.local.attach, { snd_settle_mode: link.snd_settle_mode, rcv_settle_mode: link.rcv_settle_mode });
  try {
    if (address === '$cbs') link.serve = (m) => claim(broker, link.connection, m);
    else {
      const { queue, management } = find(broker, link.connection, address);
      if (management) link.serve = (m) => request(broker, link.connection, queue, m);
      else {
        link.queue = queue;
        link.local.attach.max_message_size = queue.maxMessageSize;
      }
    }
    link.set_source({ address: link.source?.address });
    link.set_target({ address });
  } catch (e) {
    link.close(e);
  }
}

function openOutgoing(broker, link) {
  const address = link.source?.address;
  Object.assign(link.local.attach, { snd_settle_mode: link.snd_settle_mode, rcv_settle_mode: link.rcv_settle_mode });
  try {
    const { queue, management } = address === '$cbs' ? { management: true } : find(broker, link.connection, address);
    if (management) {
      link.connection.replies.set(link.target.address, link);
      return established(link, {});
    }
    const consumer = new Consumer(broker, link, queue);
    link.consumer = consumer;
    link.connection.consumers.add(consumer);
    const filter = link.source.filter?.[SESSION_FILTER];
    if (queue.requiresSession !== (filter !== undefined)) {
      throw refusal('amqp:not-allowed', `${queue.name} ${queue.requiresSession ? 'requires' : 'has no'} sessions`);
    }
    if (filter === undefined) {
      queue.consumers.add(consumer);
      return established(link, {});
    }
    broker.operations.accept++;
    const id = filter.value ?? undefined;
    const session = queue.accept(consumer, id);
    if (session) sessionOpen(consumer, session);
    else awaitSession(broker, consumer);
  } catch (e) {
    link.connection.consumers.delete(link.consumer);
    link.close(e);
  }
}

// A refused link keeps its null source: with any other the client takes the refusal for an answer.
function established(link, { filter, properties }) {
  link.set_source({ address: link.source.address, filter });
  link.set_target({ address: link.target?.address });
  if (properties) link.local.attach.properties = properties;
}

function sessionOpen(consumer, session) {
  consumer.session = session;
  established(consumer.link, {
    filter: { [SESSION_FILTER]: types.wrap_described(session.id, SESSION_FILTER_CODE) },
    properties: { 'com.microsoft:locked-until-utc': ticks(session.until) },
  });
}

// awaitSession holds the answer to an attach back until a session is free or the peer's patience ends.
function awaitSession(broker, consumer) {
  const { link, queue } = consumer;
  Object.assign(link.state, { local_open: false, open_requests: 0 }); // rhea has answered already, in its mind
  const patience = Number(link.properties?.['com.microsoft:timeout'] ?? broker.settings.acceptTimeout ?? 60000);
  const give = () => {
    done();
    sessionOpen(consumer, queue.accept(consumer));
    link.open();
  };
  const timer = setTimeout(() => {
    done();
    link.open();
    link.close(refusal('com.microsoft:timeout', 'no session was free in time'));
  }, patience);
  const done = () => {
    clearTimeout(timer);
    queue.waiting = queue.waiting.filter((w) => w !== give);
    consumer.giveUp = null;
  };
  consumer.giveUp = done;
  queue.waiting.push(give);
}

function flow(link) {
  const c = link.consumer;
  if (!c) return;
  if (c.session) c.queue.serve(c, c.session.messages);
  else if (!c.queue.requiresSession) c.queue.serve(c, c.queue.messages);
}

function incoming(broker, { receiver, message: msg, delivery, format }) {
  if (receiver.serve) {
    delivery.accept();
    return receiver.serve(msg);
  }
  try {
    if (broker.faults.throttle > 0) {
      broker.faults.throttle--;
      throw refusal('com.microsoft:server-busy', 'The request was terminated because the entity is being throttled.');
    }
    const all = format === BATCH ? unpack(msg) : [msg];
    const bytes = format === BATCH ? msg.length : msg.bytes.length;
    if (bytes > receiver.queue.maxMessageSize) throw refusal('amqp:link:message-size-exceeded', `${bytes} bytes`);
    for (const m of all) {
      receiver.queue.send({ id: m.message_id, sessionId: m.group_id, ttl: m.ttl, body: body(m.bytes), bytes: m.bytes.length });
    }
    broker.operations.send += units(bytes);
  } catch (e) {
    if (!e.condition) throw e;
    return delivery.reject({ condition: e.condition, description: e.description });
  }
  // Dropped here, the sender cannot know that its message was taken.
  if (broker.faults.dropAfterReceived > 0 && --broker.faults.dropAfterReceived === 0) return broker.drop();
  delivery.accept();
}

function unpack(bytes) {
  const reader = new types.Reader(bytes);
  const out = [];
  while (reader.remaining()) {
    const section = reader.read();
    if (Number(section.descriptor.value) === 0x75) out.push(message.decode(section.value));
  }
  return out;
}

function settle(broker, delivery, outcome) {
  const consumer = delivery.link.consumer;
  if (!consumer || delivery.settled) return;
  broker.operations.settle++;
  const state = delivery.remote_state;
  let means = { accepted: 'completed', released: 'released', modified: 'abandoned', rejected: 'dead-lettered' }[outcome];
  if (outcome === 'modified' && state.undeliverable_here) means = 'deferred';
  const info = state.error?.info ?? {};
  const kept = consumer.queue.settle(delivery.tag, means, { reason: info.DeadLetterReason, description: info.DeadLetterErrorDescription });
  const answer = kept ? message.accepted() : message.rejected({ error: { condition: 'com.microsoft:message-lock-lost', description: 'The lock supplied is invalid.' } });
  delivery.update(true, answer.described());
  delivery.remote_settled = true; // or the session's buffer of deliveries fills up
}

function claim(broker, connection, msg) {
  const { type, name } = msg.application_properties;
  try {
    const until = check(type, msg.body, name, broker.settings);
    connection.claims.set(name.replace(/^[a-z]+:\/\/[^/]*\/?/i, '').replace(/\/$/, ''), until);
    reply(connection, msg, { 'status-code': types.wrap_int(202), 'status-description': 'Accepted' }, null);
  } catch (e) {
    reply(connection, msg, { 'status-code': types.wrap_int(e.status ?? 400), 'status-description': e.message }, null);
  }
}

function request(broker, connection, queue, msg) {
  try {
    const { status, value, operations = 1 } = manage(queue, msg.application_properties, msg.body);
    broker.operations.manage += operations;
    reply(connection, msg, { statusCode: types.wrap_int(status), statusDescription: 'OK' }, value);
  } catch (e) {
    if (!e.status) throw e;
    const properties = { statusCode: types.wrap_int(e.status), statusDescription: e.message };
    if (e.condition) properties.errorCondition = types.wrap_symbol(e.condition);
    reply(connection, msg, properties, null);
  }
}

function reply(connection, msg, properties, value) {
  const link = connection.replies.get(msg.reply_to);
  if (link?.is_open()) link.send({ correlation_id: msg.message_id, application_properties: properties, body: value });
}

module.exports = { listen };
