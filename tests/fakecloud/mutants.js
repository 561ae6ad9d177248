// SPDX-License-Identifier: MIT
// Clients with one defect each: the double must refuse every one with the code of it, and take the one without. Independent of the SDK. TAP.
'use strict';
const crypto = require('crypto');
const http = require('http');

const port = Number(process.argv[2]);
const sha256 = (t) => crypto.createHash('sha256').update(t).digest('hex');
const hmac = (k, t) => crypto.createHmac('sha256', k).update(t).digest('hex');
const encode = (t) => encodeURIComponent(t).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

const PARAMS = { RegionId: 'cn-hangzhou', VSwitchId: 'vsw-a', Description: 'a b~c/', 'SecurityGroupIds.1': 'sg-1', 'SecurityGroupIds.2': 'sg-1',
  'SecurityGroupIds.10': 'sg-1', 'SecurityGroupIds.3': 'sg-1', 'SecurityGroupIds.4': 'sg-1', 'SecurityGroupIds.5': 'sg-1', 'SecurityGroupIds.6': 'sg-1',
  'SecurityGroupIds.7': 'sg-1', 'SecurityGroupIds.8': 'sg-1', 'SecurityGroupIds.9': 'sg-1' };

// Returns the code of the reply, "" for success.
function call(d, params = PARAMS, token = undefined) {
  const enc = d.encode || encode;
  const keys = Object.keys(params).sort(d.sort);
  const query = keys.map((k) => `${enc(k)}=${enc(params[k])}`).join('&');
  const date = d.date || new Date().toISOString().replace(/\.\d+/, '');
  const headers = { host: d.host || `127.0.0.1:${port}`, 'x-acs-action': d.action || 'CreateNetworkInterface', 'x-acs-content-sha256': sha256(d.hashed || ''), 'x-acs-date': date,
    'x-acs-signature-nonce': d.nonce || crypto.randomUUID(), 'x-acs-version': '2014-05-26' };
  if (token)
    headers['x-acs-security-token'] = token;
  const signed = Object.assign({}, headers, d.signedHeaders ? d.signedHeaders(headers) : {});
  const names = Object.keys(signed).filter((n) => !(d.unsigned || []).includes(n)).sort();
  const canonical = ['POST', '/', query, names.map((n) => `${n}:${signed[n]}\n`).join('') + (d.noEmptyLine ? '' : '\n') + names.join(';'),
    headers['x-acs-content-sha256']].join('\n');
  const key = token ? 'rolesecret' : 'testsecret';
  const signature = hmac(d.key ? d.key(key) : key, `ACS3-HMAC-SHA256\n${sha256(canonical)}`);
  headers.Authorization = `ACS3-HMAC-SHA256 Credential=${token ? 'STS.role' : 'testid'},SignedHeaders=${names.join(';')},Signature=${signature}`;
  Object.assign(headers, d.added || {});
  return new Promise((resolve, reject) => {
    const request = http.request({ host: '127.0.0.1', port, method: 'POST', path: `/?${(d.wire || ((q) => q))(query)}`, headers }, (r) => {
      let text = '';
      r.on('data', (x) => { text += x; });
      r.on('end', () => resolve(r.statusCode === 200 ? '' : JSON.parse(text).Code));
    });
    request.on('error', reject);
    request.end(d.body || '');
  });
}

const lower = (t) => encode(t).replace(/%[0-9A-F]{2}/g, (x) => x.toLowerCase());

const control = (what, given) => new Promise((resolve) => {
  const request = http.request({ host: '127.0.0.1', port, method: 'POST', path: `/__ctl/${what}` }, (r) => {
    let text = '';
    r.on('data', (x) => { text += x; });
    r.on('end', () => resolve(JSON.parse(text)));
  });
  request.end(given ? JSON.stringify(given) : '');
});

// An interface is made with one token, the reply is lost, and it is made again with another.
async function lost(first, second) {
  const before = (await control('state')).ledger.live.length;
  await control('fault', { action: 'CreateNetworkInterface', kind: 'reset-after' });
  await call({}, Object.assign({ ClientToken: first }, PARAMS)).catch(() => '');
  await call({}, Object.assign({ ClientToken: second }, PARAMS));
  return (await control('state')).ledger.live.length - before === 2 ? 'two are left' : 'one is left';
}

const defects = [
  ['lower-case %xx', 'SignatureDoesNotMatch', () => call({ encode: lower })],
  ['+ for a blank', 'SignatureDoesNotMatch', () => call({ encode: (t) => encode(t).replace(/%20/g, '+') })],
  ['~ encoded', 'SignatureDoesNotMatch', () => call({ encode: (t) => encode(t).replace(/~/g, '%7E') })],
  ['lists in the order of numbers', 'SignatureDoesNotMatch', () => call({ sort: (a, b) => a.localeCompare(b, 'en', { numeric: true }) })],
  ['parameters unsorted', 'SignatureDoesNotMatch', () => call({ sort: () => 0 }, Object.fromEntries(Object.entries(PARAMS).reverse()))],
  ['the host signed without its port', 'SignatureDoesNotMatch', () => call({ signedHeaders: () => ({ host: '127.0.0.1' }) })],
  ['the host of another product', 'WrongHost', () => call({ host: 'vpc.aliyuncs.com' })],
  ['the host of another region', 'WrongHost', () => call({ host: 'ecs.cn-shanghai.aliyuncs.com' })],
  ['a nonce used twice', 'SignatureNonceUsed', async () => { const nonce = crypto.randomUUID(); await call({ nonce }); return call({ nonce }); }],
  ['local time', 'InvalidTimeStamp.Expired', () => call({ date: new Date(Date.now() + 8 * 3600e3).toISOString().replace(/\.\d+/, '') })],
  ['no empty line behind the headers', 'SignatureDoesNotMatch', () => call({ noEmptyLine: true })],
  ['the key of the old signature, secret&', 'SignatureDoesNotMatch', () => call({ key: (k) => `${k}&` })],
  ['the token unsigned', 'IncompleteSignature', () => call({ unsigned: ['x-acs-security-token'] }, PARAMS, 'role/token+==')],
  ['a stale x-acs-content-sha256', 'SignatureDoesNotMatch', () => call({ body: 'a=b', added: {} })],
  ['content-type unsigned', 'IncompleteSignature', () => call({ added: { 'content-type': 'application/x-www-form-urlencoded' } })],
  ['a wrong secret', 'SignatureDoesNotMatch', () => call({ key: () => 'x' })],
  ['a token used again for other parameters', 'IdempotentParameterMismatch', async () => {
    await call({}, Object.assign({ ClientToken: 'm1' }, PARAMS));
    return call({}, Object.assign({}, PARAMS, { ClientToken: 'm1', Description: 'other' }));
  }],
  ['a gap in a list', 'InvalidParameter', () => call({}, { RegionId: 'cn-hangzhou', VSwitchId: 'vsw-a', 'SecurityGroupIds.2': 'sg-1' })],
  ['a parameter that nobody knows', 'UnknownParameter', () => call({}, Object.assign({ Bogus: '1' }, PARAMS))],
  ['a parameter that is missing', 'MissingVSwitchId', () => call({}, { RegionId: 'cn-hangzhou', 'SecurityGroupIds.1': 'sg-1' })],
  ['text for a number', 'InvalidParameter', () => call({}, Object.assign({ QueuePairNumber: 'many' }, PARAMS))],
  // Refused it is not: only what is left over tells. The same token makes one, the right client below says.
  ['a token made anew when the reply is lost', 'two are left', () => lost('m2', 'm3')],
];

async function main() {
  let count = 4, failures = 0;
  const say = (good, n, name) => { failures += good ? 0 : 1; console.log(`${good ? '' : 'not '}ok ${n} - ${name}`); };
  say(await call({}) === '', 1, 'a client without a defect is taken');
  say(await call({}, PARAMS, 'role/token+==') === '', 2, 'and with a security token');
  say(await lost('m4', 'm4') === 'one is left', 3, 'and with one token for a call whose reply was lost');
  say(await call({ host: 'ecs-cn-hangzhou.aliyuncs.com' }) === '', 4, "and at the product's host");
  for (const [name, expected, attempt] of defects) {
    const code = await attempt();
    say(code === expected, ++count, `defect caught: ${name} (${code}${code === expected ? '' : ` instead of ${expected}`})`);
  }
  console.log(`1..${count}`);
  process.exit(failures ? 1 : 0);
}
main();
