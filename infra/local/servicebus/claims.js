// Tokens put on $cbs: shared access signatures checked against the key, JWTs against a public key.
'use strict';

const { createHmac, createVerify, timingSafeEqual } = require('node:crypto');

const denied = (why) => Object.assign(new Error(why), { status: 401 });

// check gives when a token runs out, in milliseconds, or throws with status 401.
function check(type, token, audience, { keyName, key, jwt }) {
  if (type === 'jwt') return checkJWT(token, jwt);
  if (type !== 'servicebus.windows.net:sastoken') throw denied(`unknown token type ${type}`);
  return checkSAS(token, audience, keyName, key);
}

function checkSAS(token, audience, keyName, key) {
  const [scheme, rest] = String(token).split(' ', 2);
  const fields = Object.fromEntries((rest ?? '').split('&').map((f) => [f.slice(0, f.indexOf('=')), f.slice(f.indexOf('=') + 1)]));
  if (scheme !== 'SharedAccessSignature' || fields.skn !== keyName) throw denied('unknown key');
  const want = createHmac('sha256', key).update(`${fields.sr}\n${fields.se}`).digest();
  const got = Buffer.from(decodeURIComponent(fields.sig ?? ''), 'base64');
  if (got.length !== want.length || !timingSafeEqual(got, want)) throw denied('wrong signature');
  const path = (uri) => uri.replace(/^[a-z]+:\/\//i, '').toLowerCase();
  if (!path(audience).startsWith(path(decodeURIComponent(fields.sr)))) throw denied(`the token is for ${decodeURIComponent(fields.sr)}`);
  return notPast(Number(fields.se));
}

function checkJWT(token, settings) {
  if (!settings) throw denied('no JWT is accepted here');
  const parts = String(token).split('.');
  if (parts.length !== 3) throw denied('malformed JWT');
  const [header, claims] = parts.slice(0, 2).map((p) => JSON.parse(Buffer.from(p, 'base64url')));
  if (header.alg !== 'RS256') throw denied(`algorithm ${header.alg}`);
  if (!createVerify('RSA-SHA256').update(`${parts[0]}.${parts[1]}`).verify(settings.publicKey, parts[2], 'base64url')) throw denied('wrong signature');
  const audience = (settings.audience ?? 'https://servicebus.azure.net').replace(/\/$/, '');
  if (String(claims.aud).replace(/\/$/, '') !== audience) throw denied(`audience ${claims.aud}`);
  if (settings.subjects && !settings.subjects.includes(claims.sub)) throw denied(`${claims.sub} has no role here`);
  return notPast(Number(claims.exp));
}

function notPast(seconds) {
  if (!(seconds * 1000 > Date.now())) throw denied('the token has expired');
  return seconds * 1000;
}

module.exports = { check };
