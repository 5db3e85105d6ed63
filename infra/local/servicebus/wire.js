// What Service Bus adds to AMQP 1.0 messages: sections, lock tokens, .NET time. Bodies and properties are relayed as
// the bytes received: decoding and encoding them again would turn an int64 into an int32.
'use strict';

const { types, message } = require('rhea');

const HEADER = 0x70, DELIVERY_ANNOTATIONS = 0x71, ANNOTATIONS = 0x72;

// rhea hands out decoded messages only; this keeps the bytes beside them.
const decode = message.decode;
message.decode = (bytes) => Object.assign(decode(bytes), { bytes });

// body gives what follows the sections that a broker writes itself.
function body(bytes) {
  const reader = new types.Reader(bytes);
  while (reader.remaining()) {
    const start = reader.position;
    const code = Number(reader.read().descriptor.value);
    if (code !== HEADER && code !== DELIVERY_ANNOTATIONS && code !== ANNOTATIONS) return bytes.subarray(start);
  }
  return Buffer.alloc(0);
}

function section(code, value) {
  const w = new types.Writer();
  w.write(types.described(types.wrap_ulong(code), value));
  return Buffer.from(w.toBuffer());
}

// encode writes a stored message as a receiver sees it. The header is always there: without one a client cannot count
// deliveries.
function encode(msg, { lockToken, lockedUntil } = {}) {
  const header = [types.True(), types.wrap_ubyte(4), types.wrap_uint(Math.min(msg.ttl, 0xffffffff)), types.False(), types.wrap_uint(msg.deliveryCount)];
  const annotations = {
    'x-opt-enqueued-time': types.wrap_timestamp(msg.enqueued),
    'x-opt-sequence-number': types.Long(msg.sequence),
    'x-opt-enqueue-sequence-number': types.Long(msg.sequence),
    'x-opt-message-state': types.wrap_int(msg.deferred ? 1 : 0),
  };
  if (lockedUntil) annotations['x-opt-locked-until'] = types.wrap_timestamp(lockedUntil);
  if (msg.deadLetterSource) annotations['x-opt-deadletter-source'] = types.wrap_string(msg.deadLetterSource);
  const parts = [section(HEADER, types.List32(header))];
  if (lockToken) parts.push(section(DELIVERY_ANNOTATIONS, types.wrap_symbolic_map({ 'x-opt-lock-token': types.wrap_uuid(guid(lockToken)) })));
  parts.push(section(ANNOTATIONS, types.wrap_symbolic_map(annotations)), msg.body);
  return Buffer.concat(parts);
}

// withProperties is a body with application properties added, as a dead-lettered message carries its reason.
function withProperties(bytes, properties) {
  const reader = new types.Reader(bytes);
  const parts = [];
  let placed = false;
  const place = (old) => {
    placed = true;
    parts.push(section(0x74, types.wrap_map({ ...old, ...properties })));
  };
  while (reader.remaining()) {
    const start = reader.position;
    const value = reader.read();
    const code = Number(value.descriptor.value);
    if (code === 0x74) {
      place(types.unwrap_map_simple(value));
      continue;
    }
    if (code > 0x74 && !placed) place({});
    parts.push(bytes.subarray(start, reader.position));
  }
  return Buffer.concat(parts);
}

// A delivery tag is the lock token in .NET's order of bytes; requests name it in the order of RFC 4122.
function guid(tag) {
  const b = Buffer.from(tag);
  return Buffer.from([b[3], b[2], b[1], b[0], b[5], b[4], b[7], b[6], ...b.subarray(8)]);
}

// ticks is a time as .NET writes it: 100 ns since the year 1.
function ticks(ms) {
  const b = Buffer.alloc(8);
  b.writeBigInt64BE(621355968000000000n + BigInt(Math.round(ms)) * 10000n);
  return types.wrap_long(b);
}

// units is what Azure bills for so many bytes: one operation per 64 KB begun.
const units = (bytes) => Math.max(1, Math.ceil(bytes / 65536));

module.exports = { body, encode, withProperties, guid, ticks, units };
