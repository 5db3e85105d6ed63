// Microsoft's client for JavaScript against a running Onepane: functions/cmd/clients starts both and says by CLIENT_… where
// the servers are and who asks.
'use strict';

const assert = require('node:assert/strict');
const test = require('node:test');
const { BatchRequestContent, Client, GraphError, PageIterator } = require('@microsoft/microsoft-graph-client');

// answers are the statuses of all answers, those that the client tried again after among them.
const answers = [];
const plain = globalThis.fetch;
globalThis.fetch = async (...request) => {
  const answer = await plain(...request);
  answers.push(answer.status);
  return answer;
};

// The client sends its token only to hosts that it is told of, and only by https.
const as = (token, url = process.env.CLIENT_URL) => Client.init({
  baseUrl: `${url}/`, defaultVersion: 'v1.0', customHosts: new Set([new URL(url).hostname]), authProvider: (done) => done(null, token),
});
const reader = as(process.env.CLIENT_READER);
const writer = as(process.env.CLIENT_WRITER);
const alerts = '/security/alerts_v2';
const incidents = '/security/incidents';
const everyMember = ['Prefer', 'include-unknown-enum-members'];

// iterate reads a listing to its end by the client's own iterator.
async function iterate(first, options) {
  const all = [];
  await new PageIterator(reader, first, (item) => { all.push(item); return true; }, options).iterate();
  return all;
}

// refused awaits an error as the Graph words it.
async function refused(promise, status, code) {
  const e = await promise.then(() => assert.fail(`not refused with ${status}`), (err) => err);
  assert.ok(e instanceof GraphError, `${e}`);
  assert.deepEqual([e.statusCode, e.code], [status, code]);
  assert.ok(e.requestId && e.date instanceof Date && JSON.parse(e.body).message === e.message, JSON.stringify(e));
  return e;
}

// An incident of several alerts, to write to.
const story = async () => (await reader.api(incidents).expand('alerts').get()).value.find((i) => i.alerts.length > 1);

test('alerts of three clouds are listed, by page', async () => {
  const first = await reader.api(alerts).top(5).count(true).orderby('createdDateTime asc').header(...everyMember).get();
  assert.equal(first.value.length, 5);
  const all = await iterate(first, { headers: { Prefer: everyMember[1] } });
  assert.equal(all.length, first['@odata.count']);
  assert.equal(new Set(all.map((a) => a.id)).size, all.length);
  assert.deepEqual(all.map((a) => a.createdDateTime), all.map((a) => a.createdDateTime).sort());
  const kinds = new Set(all.flatMap((a) => a.evidence.map((e) => e['@odata.type'])));
  for (const kind of ['azureResource', 'amazonResource', 'googleCloudResource', 'device', 'user', 'ip', 'url', 'file', 'process', 'kubernetesCluster', 'kubernetesPod']) {
    assert.ok(kinds.has(`#microsoft.graph.security.${kind}Evidence`), kind);
  }
  assert.ok(all.every((a) => a.serviceSource === 'microsoftDefenderForCloud')); // on every page: the iterator keeps the header
});

test('members of enums that came later are asked for', async () => {
  const { value } = await reader.api(alerts).filter("serviceSource eq 'microsoftDefenderForCloud'").get();
  assert.ok(value.length > 0 && value.every((a) => a.serviceSource === 'unknownFutureValue'));
});

test('filter, select, skip and count', async () => {
  const high = await reader.api(alerts).filter("severity eq 'high' and status ne 'resolved'").select(['id', 'severity', 'title']).count(true).get();
  assert.ok(high.value.length > 1 && high.value.every((a) => a.severity === 'high'));
  assert.deepEqual(Object.keys(high.value[0]).filter((k) => !k.startsWith('@')).sort(), ['id', 'severity', 'title']);
  const rest = await reader.api(alerts).filter("severity eq 'high' and status ne 'resolved'").skip(1).get();
  assert.deepEqual(rest.value.map((a) => a.id), high.value.slice(1).map((a) => a.id));
  assert.equal(Number(await reader.api(`${alerts}/$count`).filter("severity eq 'high' and status ne 'resolved'").get()), high['@odata.count']);
});

test('incidents with their alerts, one by one and to the end', async () => {
  const all = await iterate(await reader.api(incidents).expand('alerts').top(1).orderby('lastUpdateDateTime asc').get());
  assert.equal(all.length, Number(await reader.api(`${incidents}/$count`).get()));
  for (const i of all) {
    assert.ok(i.alerts.length > 0 && i.alerts.every((a) => a.incidentId === i.id), i.displayName);
    assert.equal((await reader.api(`${incidents}/${i.id}`).get()).displayName, i.displayName);
  }
});

test('work on an alert', async () => {
  const { id } = (await story()).alerts[0];
  const changed = await writer.api(`${alerts}/${id}`).patch({
    '@odata.type': '#microsoft.graph.security.alert', status: 'inProgress', classification: 'truePositive', determination: 'malware', assignedTo: 'dora@contoso.example',
  });
  assert.deepEqual([changed.status, changed.classification, changed.determination, changed.assignedTo], ['inProgress', 'truePositive', 'malware', 'dora@contoso.example']);
  const comments = await writer.api(`${alerts}/${id}/comments`).post({ '@odata.type': 'microsoft.graph.security.alertComment', comment: 'Looked at it.' });
  assert.equal(comments.value.at(-1).comment, 'Looked at it.');
  assert.equal((await reader.api(`${alerts}/${id}`).get()).comments.at(-1).createdByDisplayName, 'writer@contoso.example');
});

test('work on an incident', async () => {
  const { id } = await story();
  const changed = await writer.api(`${incidents}/${id}`).patch({ status: 'resolved', classification: 'informationalExpectedActivity', determination: 'securityTesting', customTags: ['drill'], resolvingComment: 'A drill.' });
  assert.deepEqual([changed.status, changed.determination, changed.customTags], ['resolved', 'securityTesting', ['drill']]);
  const { value } = await reader.api(`${incidents}/${id}/alerts`).get();
  assert.ok(value.length > 1 && value.every((a) => a.status === 'resolved' && a.resolvedDateTime));
  await writer.api(`${incidents}/${id}`).patch({ status: 'active', classification: null, determination: null, assignedTo: null });
});

test('errors', async () => {
  await refused(reader.api(`${alerts}/nothing`).get(), 404, 'itemNotFound');
  assert.match((await refused(reader.api(alerts).filter("severity is 'high'").get(), 400, 'invalidRequest')).message, /column/);
  await refused(reader.api(incidents).top(51).get(), 400, '');
  await refused(reader.api(`${incidents}/1`).patch({ status: 'resolved' }), 403, 'accessDenied');
  await refused(as('nonsense').api(alerts).get(), 401, 'unauthenticated');
  await refused(writer.api(`${alerts}/${(await story()).alerts[0].id}`).patch({ severity: 'low' }), 400, 'invalidRequest');
});

test('a batch is refused in words', async () => {
  const url = `${process.env.CLIENT_URL}${alerts}`;
  const batch = new BatchRequestContent([{ id: '1', request: new Request(url) }]);
  await refused(reader.api('/$batch').post(await batch.getContent()), 404, 'itemNotFound');
});

test('429 is waited for', async () => {
  const hasty = as(process.env.CLIENT_TIGHT_WRITER, process.env.CLIENT_TIGHT_URL);
  const [{ id }] = (await hasty.api(alerts).get()).value;
  answers.length = 0;
  while (!answers.includes(429)) await hasty.api(`${alerts}/${id}`).get();
  answers.length = 0;
  for (let n = 0; !answers.includes(429); n++) {
    assert.equal((await hasty.api(`${alerts}/${id}`).patch({ assignedTo: `dora-${n}` })).assignedTo, `dora-${n}`);
  }
});
