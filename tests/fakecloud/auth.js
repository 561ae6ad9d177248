// SPDX-License-Identifier: MIT
// Judges a signature with the vendor's own signers (openapi-core and the older openapi-util), after the checks that a gateway
// makes before it.
'use strict';
const crypto = require('crypto');

const judged = !process.argv.includes('--unjudged');
const { OpenApiUtil } = judged ? require('@alicloud/openapi-core') : {};
const { default: OlderUtil } = judged ? require('@alicloud/openapi-util') : {};

const ALGORITHM = 'ACS3-HMAC-SHA256';
const SKEW_MS = 15 * 60 * 1000; // "V3 request structure & signature": valid for 15 minutes

class Refused extends Error {
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

const sha256 = (data) => crypto.createHash('sha256').update(data).digest('hex');

// As it stands on the wire; a header that comes twice is a defect of the client.
function headersOf(raw) {
  const headers = {};
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i].toLowerCase();
    if (name in headers)
      throw new Refused(400, 'InvalidHeader', `header ${name} comes twice`);
    headers[name] = raw[i + 1];
  }
  return headers;
}

function parse(header) {
  const match = /^ACS3-HMAC-SHA256 Credential=([^,]+),SignedHeaders=([^,]+),Signature=([0-9a-f]{64})$/.exec(header || '');
  if (!match)
    throw new Refused(400, 'IncompleteSignature', 'the Authorization header is none of ACS3-HMAC-SHA256');
  return { id: match[1], names: match[2], signature: match[3] };
}

class Auth {
  constructor(keys) {
    this.keys = keys; // id -> { secret, token, expires }
    this.nonces = new Set();
  }

  // Returns the id of the key. query: decoded pairs; body: a Buffer.
  check(request, query, body) {
    const headers = headersOf(request.rawHeaders);
    const given = parse(headers.authorization);
    const key = this.keys[given.id];
    const names = Object.keys(headers).filter((n) => n.startsWith('x-acs-') || n === 'host' || n === 'content-type').sort();

    if (!key)
      throw new Refused(404, 'InvalidAccessKeyId.NotFound', 'Specified access key is not found.');
    for (const name of ['x-acs-action', 'x-acs-version', 'x-acs-date', 'x-acs-signature-nonce', 'x-acs-content-sha256']) {
      if (!headers[name])
        throw new Refused(400, 'MissingParameter', `${name} is missing`);
    }
    if (given.names !== names.join(';'))
      throw new Refused(400, 'IncompleteSignature', `signed headers are ${given.names}, present are ${names.join(';')}`);
    if (headers['x-acs-content-sha256'] !== sha256(body))
      throw new Refused(400, 'SignatureDoesNotMatch', 'x-acs-content-sha256 is not that of the body');
    if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(headers['x-acs-date']) ||
        Math.abs(Date.parse(headers['x-acs-date']) - Date.now()) > SKEW_MS)
      throw new Refused(400, 'InvalidTimeStamp.Expired', 'Specified time stamp or date value is expired.');
    if (this.nonces.has(headers['x-acs-signature-nonce']))
      throw new Refused(400, 'SignatureNonceUsed', 'Specified signature nonce was used already.');
    if ((key.token || '') !== (headers['x-acs-security-token'] || '') || (key.expires && Date.now() > key.expires))
      throw new Refused(400, 'InvalidSecurityToken.Expired', 'Specified SecurityToken is expired.');
    if (judged)
      this.verify(request, headers, query, given, key);
    this.nonces.add(headers['x-acs-signature-nonce']);
    return given.id;
  }

  verify(request, headers, query, given, key) {
    const path = request.url.split('?')[0];
    const own = OpenApiUtil.getAuthorization({ pathname: path, method: request.method, query: query, headers: headers },
      ALGORITHM, headers['x-acs-content-sha256'], given.id, key.secret);
    const older = OlderUtil.getAuthorization({ pathname: path, method: request.method, query: query, headers: headers },
      ALGORITHM, headers['x-acs-content-sha256'], given.id, key.secret);
    if (own !== older)
      throw new Error(`the vendor's two signers differ: ${own} ${older}`);
    const ours = Buffer.from(parse(own).signature);
    if (!crypto.timingSafeEqual(ours, Buffer.from(given.signature)))
      throw new Refused(400, 'SignatureDoesNotMatch',
        `Specified signature is not matched with our calculation. server string to sign is:${stringToSign(request, headers, query, given, key, ours)}`);
  }
}

// What the gateway's message quotes (the words are those that the vendor's Go SDK looks for). The signers do not tell it, so it
// is put together here, and has to have their signature.
function stringToSign(request, headers, query, given, key, signature) {
  const names = given.names.split(';'), enc = OlderUtil.getEncodeParam;
  const pairs = Object.keys(query).sort().map((k) => `${k}=${enc(query[k])}`).join('&');
  const canonical = [request.method, request.url.split('?')[0], pairs, names.map((n) => `${n}:${headers[n].trim()}\n`).join(''), names.join(';'),
    headers['x-acs-content-sha256']].join('\n');
  const text = `${ALGORITHM}\n${sha256(canonical)}`;
  if (crypto.createHmac('sha256', key.secret).update(text).digest('hex') !== String(signature))
    throw new Error('the string to sign is not what the vendor signs');
  return text;
}

// Of the old style.
const rpcSignature = (all, secret) => OpenApiUtil.getRPCSignature(all, 'POST', secret);

module.exports = { Auth, Refused, rpcSignature, judged };
