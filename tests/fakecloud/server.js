// SPDX-License-Identifier: MIT
// The double of the cloud: one HTTP server on loopback. It contacts nobody; its judges are the vendor's own packages.
//   node server.js DIRECTORY [--speed N] [--tls CERT KEY] [--unjudged]
// --unjudged: without them, in the emulated guest, which takes two minutes to load them and 5 s without. What is called there is
// judged outside, by tests/cloud.
// Writes DIRECTORY/port when it serves, DIRECTORY/calls (one JSON object a line) for every call it has judged (DIRECTORY/actions also
// keeps those before the last reset), and DIRECTORY/ways for every request by which a client came to an access key.
'use strict';
const crypto = require('crypto');
const fs = require('fs');
const { Auth, Refused, rpcSignature } = require('./auth');
const { checkRequest, checkReply } = require('./shape');
const { Cloud } = require('./cloud');
const { actions } = require('./actions');
const { checkHost } = require('./hosts');

const directory = process.argv[2];
const option = (name, n = 1) => {
  const at = process.argv.indexOf(name);
  return at < 0 ? undefined : process.argv.slice(at + 1, at + 1 + n);
};
const speed = Number((option('--speed') || ['1'])[0]);
const MUTATING = /^(Run|Stop|Delete|Create|Attach|Detach|Authorize|Revoke|Allocate|Associate|Unassociate|Release|Modify|Tag)/;
const KEYS = {
  testid: { secret: 'testsecret' },
  other: { secret: 'othersecret' },
  'STS.role': { secret: 'rolesecret', token: 'role/token+==' },
  'STS.meta': { secret: 'metasecret', token: 'meta/token+==' },
};

let cloud = new Cloud({ speed });
let auth = new Auth(KEYS);
let faults = [];
let violations = []; // what no client that is right would send, and defects of the double
let denied = null;

const requestId = () => crypto.randomUUID().toUpperCase();
const record = (entry) => {
  fs.appendFileSync(`${directory}/calls`, JSON.stringify(entry) + '\n');
  fs.appendFileSync(`${directory}/actions`, `${entry.version} ${entry.action}\n`); // of all worlds
};
const sorted = (o) => Object.fromEntries(Object.entries(o).sort());
const recordWay = (entry) => fs.appendFileSync(`${directory}/ways`, JSON.stringify(entry) + '\n');

function decode(text) {
  const query = {};
  for (const [key, value] of new URLSearchParams(text)) {
    if (key in query)
      throw new Refused(400, 'InvalidParameter', `${key} comes twice`);
    query[key] = value;
  }
  return query;
}

function send(response, status, body, headers = {}) {
  if (cloud.clockOff)
    response.setHeader('Date', new Date(Date.now() + cloud.clockOff * 1e3).toUTCString());
  response.writeHead(status, Object.assign({ 'Content-Type': 'application/json' }, headers));
  response.end(typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body));
}

function refuse(response, error, id, headers = {}) {
  send(response, error.status, { RequestId: id, HostId: 'fakecloud', Code: error.code, Message: error.message, Recommend: '' },
    Object.assign({ 'x-acs-request-id': id }, headers));
}

// A fault applies to calls of its action from the nth on, so many times, or for so many seconds; its kind is how it is answered, "first"
// what somebody else does before. "metadata PATH" is none of "*".
function faultFor(action) {
  for (const f of faults) {
    if (f.action !== action && (f.action !== '*' || action.startsWith('metadata ')))
      continue;
    f.seen = (f.seen || 0) + 1;
    if (f.seen < (f.nth || 1))
      continue;
    if (f.seconds !== undefined) {
      f.until = f.until === undefined ? cloud.now() + f.seconds : f.until;
      if (cloud.now() >= f.until)
        continue;
    } else if ((f.done = (f.done || 0) + 1) > (f.times || 1)) {
      continue;
    }
    return f;
  }
  return null;
}

// True if the fault has answered, or will never.
function faultBefore(f, request, response) {
  switch (f.kind) {
  case 'throttle':
    refuse(response, new Refused(400, 'Throttling.User', 'Request was denied due to user flow control.'), requestId(),
      f.retryAfter === undefined ? {} : { 'x-acs-retry-after': String(f.retryAfter) });
    return true;
  // A service that repeats what it was sent, in each field that a client may print.
  case 'quote': {
    const { secret, token = '' } = auth.keys[request.key] || { secret: 'oidc-token' };
    const all = `${request.key} ${secret} ${token} ${encodeURIComponent(token)}`;
    send(response, 400, { RequestId: `R ${secret}`, Code: `Odd.${secret}`, Message: `${'.'.repeat(f.before || 0)}${all}` }, { 'x-acs-request-id': secret });
    return true;
  }
  case 'error':
    refuse(response, new Refused(f.status || 400, f.code, f.message || 'as the test wants it'), requestId());
    return true;
  // The token of the instance's role has run out; the metadata service has the next one.
  case 'expire':
    auth.keys['STS.meta'].token = `meta/token${f.done}+==`;
    refuse(response, new Refused(400, 'InvalidSecurityToken.Expired', 'Specified SecurityToken is expired.'), requestId());
    return true;
  case 'html': send(response, 503, '<html>busy</html>', { 'Content-Type': 'text/html' }); return true;
  case 'empty': send(response, f.status || 500, ''); return true;
  case 'reset': request.socket.destroy(); return true;
  case 'hang': return true;
  case 'redirect': send(response, 302, '', { Location: f.location }); return true;
  case 'huge': send(response, 200, Buffer.alloc(9 << 20, 0x20)); return true;
  default: return false;
  }
}

function faultAfter(f, request, response, reply, id) {
  const text = JSON.stringify(reply);
  switch (f && f.kind) {
  case 'reset-after': request.socket.destroy(); return true;
  case 'hang-after': return true;
  case 'truncated': send(response, 200, text.slice(0, text.length / 2), { 'x-acs-request-id': id }); return true;
  case 'invalid-utf8': send(response, 200, Buffer.concat([Buffer.from('{"RequestId":"'), Buffer.from([0xff, 0xfe]), Buffer.from('"')])); return true;
  // A byte now and then, for longer than anybody waits.
  case 'drip': {
    response.writeHead(200, { 'Content-Type': 'application/json' });
    let at = 0;
    const timer = setInterval(() => response.write(text[at++] || ' '), 100);
    response.on('close', () => clearInterval(timer));
    return true;
  }
  case 'late': setTimeout(() => send(response, 200, reply, { 'x-acs-request-id': id }), f.after * 1e3); return true;
  case '500-after': send(response, 500, ''); return true;
  default: return false;
  }
}

// The same token with the same parameters is the same call; with others it is a mistake of the client.
function idempotent(action, params, run) {
  const token = params.ClientToken;
  if (token === undefined)
    return run();
  if (!/^[\x21-\x7e]{1,64}$/.test(token))
    throw new Refused(400, 'InvalidClientToken', 'at most 64 characters of ASCII');
  const key = `${action} ${token}`, hash = JSON.stringify(Object.entries(params).sort());
  const known = cloud.tokens.get(key);
  if (known && known.hash !== hash)
    throw new Refused(400, 'IdempotentParameterMismatch', 'The request uses a client token of an earlier, different one.');
  if (known)
    return known.reply;
  const reply = run();
  cloud.tokens.set(key, { hash, reply });
  return reply;
}

function rpc(request, response, body) {
  const id = requestId();
  const headers = request.headers;
  const query = decode(request.url.split('?')[1] || '');
  const action = headers['x-acs-action'], version = headers['x-acs-version'];
  const entry = { action, version, params: query, at: cloud.now() };
  try {
    if (!action) {
      checkHost(headers.host, query.Version);
      const fault = faultFor(query.Action);
      if (fault && faultBefore(fault, request, response))
        return undefined;
      return send(response, 200, signedOnce(request, query, decode(body.toString()), id));
    }
    request.key = entry.key = auth.check(request, query, body);
    if (!request.url.startsWith('/?') && request.url !== '/')
      throw new Refused(404, 'InvalidAction.NotFound', 'the path is "/"');
    checkHost(headers.host, version, query.RegionId);
    entry.host = headers.host;
    checkRequest(action, version, query);
    const fault = faultFor(action);
    if (fault) {
      entry.fault = fault.kind || fault.first;
      record(entry);
      if (faultBefore(fault, request, response))
        return undefined;
    } else {
      record(entry);
    }
    if (denied && new RegExp(denied).test(action))
      throw new Refused(403, 'Forbidden.RAM', 'User not authorized to operate on the specified resource.');
    if (fault && fault.first === 'forestall') { // somebody else adds the rule first
      const q = (name) => query[`Permissions.1.${name}`];
      cloud.groups[query.SecurityGroupId].rules.push({ id: `sgr-old-${cloud.next++}`, protocol: q('IpProtocol'), ports: q('PortRange'), cidr: q('SourceCidrIp'),
        group: q('SourceGroupId'), priority: 1 });
    }
    if (fault && fault.first === 'vanish') // somebody else removes the rules first
      Object.values(cloud.groups).forEach((g) => { g.rules = g.rules.filter((r) => r.id !== query['SecurityGroupRuleId.1']); });
    cloud.settle();
    if (action === 'AssumeRole') {
      recordWay({ action, version, key: entry.key, params: sorted(query) });
      return send(response, 200, sts(query, id));
    }
    if (!actions[action])
      throw new Refused(404, 'InvalidAction.NotFound', action);
    const reply = Object.assign({ RequestId: id }, idempotent(action, query, () => actions[action](cloud, query, entry.key)));
    // [D] "If NetworkInterfaceId is empty in the response, try again."
    if (action === 'CreateNetworkInterface' && cloud.emptyReply-- > 0)
      reply.NetworkInterfaceId = '';
    checkReply(action, version, reply);
    if (fault && faultAfter(fault, request, response, reply, id))
      return undefined;
    return send(response, 200, reply, { 'x-acs-request-id': id });
  } catch (error) {
    if (!(error instanceof Refused)) {
      violations.push(`double: ${error.stack}`);
      return send(response, 500, { Code: 'InternalError', Message: String(error), RequestId: id });
    }
    // Codes that stand for a mistake of the client and not for a state of the world.
    if (/^(IncompleteSignature|SignatureDoesNotMatch|SignatureNonceUsed|InvalidHeader|UnknownParameter|InvalidParameter$|Missing|InvalidTimeStamp|IdempotentParameter|InvalidAction|WrongHost)/.test(error.code))
      violations.push(`${action}: ${error.code}: ${error.message}`);
    return refuse(response, error, id);
  }
}

// The old style, which the vendor's credentials package still speaks to STS: parameters in query and form together, signed
// with HMAC-SHA1; AssumeRoleWithOIDC is not signed at all, as the token proves who asks.
function signedOnce(request, query, form, id) {
  const { Action: action, Version: version, Format, Timestamp, AccessKeyId, Signature, SignatureMethod, SignatureVersion, SignatureNonce, SecurityToken, ...rest } = query;
  if (request.method !== 'POST' || !request.url.startsWith('/?'))
    throw new Refused(404, 'InvalidAction.NotFound', 'POST to "/"');
  if (request.headers['content-type'] !== 'application/x-www-form-urlencoded')
    throw new Refused(400, 'InvalidHeader', 'a form comes as application/x-www-form-urlencoded');
  if (Format !== 'JSON' || !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(Timestamp) || Math.abs(Date.parse(Timestamp) - Date.now()) > 15 * 60e3)
    throw new Refused(400, 'InvalidTimeStamp.Expired', 'Specified time stamp or date value is expired.');
  if (Object.keys(rest).length)
    throw new Refused(400, 'UnknownParameter', `in the query: ${Object.keys(rest)}`);
  if (!['AssumeRole', 'AssumeRoleWithOIDC'].includes(action))
    throw new Refused(404, 'InvalidAction.NotFound', action);
  checkRequest(action, version, form);
  if (action === 'AssumeRoleWithOIDC') {
    recordWay({ action, version, query: Object.keys(query).sort(), params: sorted(form) });
    return sts(form, id);
  }
  const key = auth.keys[AccessKeyId];
  if (!key || key.token !== SecurityToken)
    throw new Refused(404, 'InvalidAccessKeyId.NotFound', 'Specified access key is not found.');
  const all = Object.assign({}, query, form);
  delete all.Signature;
  if (SignatureMethod !== 'HMAC-SHA1' || SignatureVersion !== '1.0' || !SignatureNonce ||
      Signature !== rpcSignature(all, key.secret))
    throw new Refused(400, 'SignatureDoesNotMatch', 'Specified signature is not matched with our calculation.');
  recordWay({ action, version, key: AccessKeyId, params: sorted(form) });
  return sts(form, id);
}

function sts(p, id) {
  if (!p.RoleArn || !p.RoleSessionName || (p.OIDCProviderArn && p.OIDCToken !== cloud.oidcToken))
    throw new Refused(400, 'MissingParameter', 'RoleArn, RoleSessionName, OIDCToken');
  // [D] 900 seconds at least.
  if (p.DurationSeconds && Number(p.DurationSeconds) < 900)
    throw new Refused(400, 'InvalidParameter.DurationSeconds', 'The Min/Max value of DurationSeconds is 15min/1hr.');
  return { RequestId: id, AssumedRoleUser: { Arn: p.RoleArn, AssumedRoleId: '1' }, Credentials: { AccessKeyId: 'STS.role', AccessKeySecret: 'rolesecret',
    SecurityToken: 'role/token+==', Expiration: expiration() } };
}

const expiration = () => new Date(Date.now() + cloud.lifetime * 1e3).toISOString().replace(/\.\d+/, '');

const META_TOKEN = 'metadata-session';
function metadata(request, response) {
  const path = request.url.replace('/latest/', '');
  const plain = (text) => send(response, 200, text, { 'Content-Type': 'text/plain' });
  const ttl = request.headers['x-aliyun-ecs-metadata-token-ttl-seconds'], session = request.headers['x-aliyun-ecs-metadata-token'];
  recordWay({ method: request.method, path, ttl, session });
  const fault = faultFor(`metadata ${path}`);
  if (fault && faultBefore(fault, request, response))
    return undefined;
  // [D] 1 to 21600 seconds.
  if (path === 'api/token')
    return request.method === 'PUT' && ttl >= 1 && ttl <= 21600 ? plain(META_TOKEN) : send(response, 400, '');
  if (request.method !== 'GET' || session !== META_TOKEN)
    return send(response, 403, '');
  switch (path) {
  case 'meta-data/instance-id': return cloud.self ? plain(cloud.self) : send(response, 404, '');
  case 'meta-data/region-id': return plain('cn-hangzhou');
  case 'meta-data/ram/security-credentials/': return plain('the-role');
  case 'meta-data/ram/security-credentials/the-role':
    return send(response, 200, { Code: 'Success', AccessKeyId: 'STS.meta', AccessKeySecret: 'metasecret', SecurityToken: auth.keys['STS.meta'].token,
      Expiration: expiration() });
  default: return send(response, 404, '');
  }
}

// For the tests: what to do wrong, and what has happened. Object.assign(cloud, ...) turns the knobs of the world.
function control(request, response, body) {
  const what = request.url.slice('/__ctl/'.length);
  const given = body.length ? JSON.parse(body.toString()) : {};
  switch (what) {
  case 'reset':
    cloud = new Cloud({ speed });
    auth = new Auth(structuredClone(KEYS));
    faults = [];
    violations = [];
    denied = null;
    fs.writeFileSync(`${directory}/calls`, '');
    fs.writeFileSync(`${directory}/ways`, '');
    break;
  case 'fault': faults.push(given); break;
  case 'faults-off': faults = []; break;
  case 'deny': denied = given.actions; break;
  case 'set': Object.assign(cloud, given); break;
  case 'object': Object.assign(cloud.objects.get(given.id), given); break;
  case 'remove': cloud.objects.delete(given.id); break;
  case 'rule': cloud.groups[given.group].rules[given.first ? 'unshift' : 'push'](Object.assign({ id: `sgr-old-${cloud.next++}`, priority: 1 }, given.rule)); break;
  case 'advance': cloud.extra += given.seconds; break;
  case 'state': break;
  default: return send(response, 404, {});
  }
  cloud.settle();
  return send(response, 200, { ledger: cloud.ledger(), violations, tokens: cloud.tokens.size,
    objects: [...cloud.objects.values()].map((o) => Object.assign({}, o, { then: undefined })), rules: Object.fromEntries(Object.entries(cloud.groups).map(([k, g]) => [k, g.rules])) });
}

function serve(request, response) {
  const parts = [];
  request.on('error', () => {});
  response.on('error', () => {});
  request.on('data', (d) => parts.push(d));
  request.on('end', () => {
    const body = Buffer.concat(parts);
    try {
      if (request.url.startsWith('/__ctl/'))
        control(request, response, body);
      else if (request.url.startsWith('/latest/'))
        metadata(request, response);
      else
        rpc(request, response, body);
    } catch (error) {
      if (error instanceof Refused)
        refuse(response, error, requestId());
      else
        send(response, 500, { Code: 'InternalError', Message: String(error.stack) });
    }
  });
}

const tls = option('--tls', 2);
const server = tls
  ? require('https').createServer({ cert: fs.readFileSync(tls[0]), key: fs.readFileSync(tls[1]) }, serve)
  : require('http').createServer(serve);
fs.writeFileSync(`${directory}/calls`, '');
fs.writeFileSync(`${directory}/ways`, '');
// The actions' models are loaded before the first call, which would otherwise wait for them.
for (const [action] of Object.entries(actions)) {
  for (const version of ['2014-05-26', '2016-04-28', '2015-04-01']) {
    try { checkReply(action, version, {}); } catch (e) { /* another product's */ }
  }
}
server.listen(0, '127.0.0.1', () => {
  fs.writeFileSync(`${directory}/port.new`, String(server.address().port));
  fs.renameSync(`${directory}/port.new`, `${directory}/port`);
});
