// A queue as Service Bus keeps one: peek-lock, sessions, duplicate detection, time to live, dead letters. It knows no
// AMQP: a consumer is anything with `room()` and `deliver(message)`.
'use strict';

const { randomBytes } = require('node:crypto');
const { withProperties } = require('./wire.js');

// defaults are those of the service (Standard tier), times in milliseconds.
const defaults = {
  requiresSession: false, duplicateWindow: 0, lockDuration: 60000, maxDeliveryCount: 10, timeToLive: 14 * 86400000,
  deadLetterOnExpiry: true, maxMessageSize: 262144, maxMessages: Infinity,
};

class Queue {
  constructor(name, settings, deadLetters = new Queue(`${name}/$DeadLetterQueue`, { timeToLive: Infinity, maxDeliveryCount: Infinity }, null)) {
    Object.assign(this, defaults, settings, { name, deadLetters });
    this.sequence = 0;
    this.messages = new Map(); // by sequence number, oldest first
    this.locked = new Map(); // by lock token in hex
    this.sessions = new Map();
    this.seen = new Map(); // message id to when it was sent, oldest first
    this.consumers = new Set(); // of a queue without sessions
    this.waiting = []; // who wants the next free session
    this.repeatCompleted = 0; // fault: so many completed messages come again
  }

  session(id) {
    let s = this.sessions.get(id);
    if (!s) this.sessions.set(id, (s = { id, state: null, messages: new Map(), owner: null, until: 0 }));
    return s;
  }

  // send stores a message, unless its id is a repeat within the window. It throws {condition, description}.
  send({ id, sessionId, ttl, body, bytes }) {
    if (bytes > this.maxMessageSize) throw refusal('amqp:link:message-size-exceeded', `${bytes} bytes are over ${this.maxMessageSize}`);
    if (this.requiresSession && typeof sessionId !== 'string') throw refusal('amqp:not-allowed', `${this.name} requires a session id`);
    if (sessionId?.length > 128 || id?.length > 128) throw refusal('amqp:not-allowed', 'an id is longer than 128 characters');
    if (this.messages.size >= this.maxMessages) throw refusal('amqp:resource-limit-exceeded', `${this.name} is full`);
    if (this.duplicateWindow > 0 && id !== undefined && this.repeat(id)) return;
    const msg = {
      sequence: ++this.sequence, id, body, bytes, ttl: Math.min(ttl ?? Infinity, this.timeToLive), enqueued: Date.now(), deliveryCount: 0,
      deferred: false, lock: null, session: this.requiresSession ? this.session(sessionId) : null,
    };
    this.store(msg);
  }

  store(msg) {
    this.messages.set(msg.sequence, msg);
    msg.session?.messages.set(msg.sequence, msg);
    this.dispatch(msg.session);
  }

  repeat(id) {
    const since = Date.now() - this.duplicateWindow;
    for (const [old, at] of this.seen) {
      if (at > since) break;
      this.seen.delete(old);
    }
    if (this.seen.has(id)) return true;
    this.seen.set(id, Date.now());
    return false;
  }

  // age makes everything a clock decides, but locks, older.
  age(ms) {
    for (const [id, at] of this.seen) this.seen.set(id, at - ms);
    for (const msg of this.messages.values()) msg.enqueued -= ms;
    this.expire();
  }

  // dispatch gives waiting consumers what is there for them.
  dispatch(session) {
    if (!this.requiresSession) {
      for (const c of this.consumers) this.serve(c, this.messages);
      return;
    }
    if (session?.owner) this.serve(session.owner, session.messages);
    else this.assign();
  }

  serve(consumer, messages) {
    for (const msg of messages.values()) {
      if (consumer.room() <= 0) return;
      if (!msg.lock && !msg.deferred) this.lend(consumer, msg);
    }
  }

  lend(consumer, msg) {
    if (consumer.deletes) {
      consumer.deliver(msg, randomBytes(16), 0);
      this.remove(msg);
      return;
    }
    this.lock(msg, consumer);
    consumer.deliver(msg, msg.lock.token, msg.lock.until);
  }

  lock(msg, consumer) {
    const until = msg.session?.owner ? msg.session.until : Date.now() + this.lockDuration;
    msg.lock = { token: randomBytes(16), until, consumer };
    this.locked.set(msg.lock.token.toString('hex'), msg);
  }

  // settle ends a lock; false when it was lost before.
  settle(token, outcome, info) {
    const msg = this.locked.get(token.toString('hex'));
    if (!msg) return false;
    this.unlock(msg);
    switch (outcome) {
      case 'completed':
        if (this.repeatCompleted > 0) {
          this.repeatCompleted--;
          this.failed(msg);
        } else this.remove(msg);
        break;
      case 'abandoned': this.failed(msg); break;
      case 'released': break;
      case 'deferred': msg.deferred = true; break;
      case 'dead-lettered': this.bury(msg, info.reason, info.description); break;
    }
    this.dispatch(msg.session);
    return true;
  }

  unlock(msg) {
    this.locked.delete(msg.lock.token.toString('hex'));
    msg.lock = null;
  }

  failed(msg) {
    if (++msg.deliveryCount >= this.maxDeliveryCount) this.bury(msg, 'MaxDeliveryCountExceeded', `delivered ${msg.deliveryCount} times`);
  }

  remove(msg) {
    this.messages.delete(msg.sequence);
    msg.session?.messages.delete(msg.sequence);
  }

  bury(msg, reason = '', description = '') {
    this.remove(msg);
    if (!this.deadLetters) return;
    this.deadLetters.store({
      ...msg, sequence: ++this.deadLetters.sequence, session: null, deferred: false, deliveryCount: 0, deadLetterSource: this.name, ttl: Infinity,
      body: withProperties(msg.body, { DeadLetterReason: reason, DeadLetterErrorDescription: description }),
    });
  }

  // accept gives a session to a consumer: the named one, or with no id the next that has messages and no owner.
  accept(consumer, id) {
    const s = id === undefined ? this.next() : this.session(id);
    if (!s) return null;
    if (s.owner) throw refusal('com.microsoft:session-cannot-be-locked', `session ${id} is in use`);
    s.owner = consumer;
    s.until = Date.now() + this.lockDuration;
    return s;
  }

  next() {
    for (const s of this.sessions.values()) if (!s.owner && [...s.messages.values()].some((m) => !m.deferred)) return s;
    return null;
  }

  assign() {
    while (this.waiting.length) {
      const s = this.next();
      if (!s) return;
      this.waiting.shift()(s);
    }
  }

  renew(session) {
    session.until = Date.now() + this.lockDuration;
    for (const msg of session.messages.values()) if (msg.lock) msg.lock.until = session.until;
    return session.until;
  }

  // free takes a session from its owner. Deliveries count only when the lock was lost, not when its owner let it go.
  free(session, lost) {
    session.owner = null;
    for (const msg of [...session.messages.values()]) {
      if (!msg.lock) continue;
      this.unlock(msg);
      if (lost) this.failed(msg);
    }
    this.assign();
  }

  // expire ends what has run out of time: locks, sessions, messages.
  expire() {
    const now = Date.now();
    for (const s of this.sessions.values()) {
      if (!s.owner || s.until > now) continue;
      const owner = s.owner;
      this.free(s, true);
      owner.lost();
    }
    for (const msg of [...this.locked.values()]) {
      if (msg.lock.until > now || msg.session?.owner) continue;
      this.unlock(msg);
      this.failed(msg);
      this.dispatch(msg.session);
    }
    for (const msg of [...this.messages.values()]) {
      if (msg.enqueued + msg.ttl > now) break;
      if (msg.lock) continue;
      if (this.deadLetterOnExpiry) this.bury(msg, 'TTLExpiredException', 'the message outlived its time');
      else this.remove(msg);
    }
    this.deadLetters?.expire();
  }

  peek(from, count, sessionId) {
    const out = [];
    for (const msg of this.messages.values()) {
      if (out.length >= count) break;
      if (msg.sequence >= from && (sessionId === undefined || msg.session?.id === sessionId)) out.push(msg);
    }
    return out;
  }

  counts() {
    let deferred = 0;
    for (const m of this.messages.values()) if (m.deferred) deferred++;
    return {
      active: this.messages.size - deferred, deferred, locked: this.locked.size, deadLettered: this.deadLetters?.messages.size ?? 0,
      sessions: Object.fromEntries([...this.sessions].filter(([, s]) => s.messages.size).map(([id, s]) => [id, s.messages.size])),
    };
  }
}

const refusal = (condition, description) => ({ condition, description });

module.exports = { Queue, refusal };
