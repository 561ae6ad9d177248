// SPDX-License-Identifier: MIT
// Judges parameters and replies by the models of the vendor's SDK: names, types, lists, what is required.
'use strict';
const fs = require('fs');
const { Refused, judged } = require('./auth');

const PRODUCTS = {
  '2014-05-26': '@alicloud/ecs20140526',
  '2016-04-28': '@alicloud/vpc20160428',
  '2015-04-01': '@alicloud/sts20150401',
};

// The models lie one in a file, or all in client.js, by the age of the package.
function findModel(version, name) {
  const product = PRODUCTS[version];
  if (!product)
    return null;
  try {
    const file = require.resolve(`${product}/dist/models/${name}.js`);
    return { cls: require(file)[name], text: file.replace(/js$/, 'd.ts') };
  } catch (e) {
    const file = require.resolve(product);
    const cls = require(file)[name];
    return cls && { cls, text: file.replace(/js$/, 'd.ts') };
  }
}

// "This parameter is required." stands in the comment before a property of the class.
const requiredCache = new Map();
function requiredOf(file, cls) {
  const key = `${file}#${cls.name}`;
  if (!requiredCache.has(key)) {
    const text = fs.readFileSync(file, 'utf8');
    const start = text.search(new RegExp(`export declare class ${cls.name} `));
    const end = text.indexOf('\n}', start);
    const found = [];
    const pattern = /\/\*\*((?:[^*]|\*(?!\/))*)\*\/\s*(\w+)\?:/g;
    const part = text.slice(start, end);
    for (let m; (m = pattern.exec(part));) {
      if (m[1].includes('This parameter is required.'))
        found.push(m[2]);
    }
    requiredCache.set(key, found);
  }
  return requiredCache.get(key);
}

function scalar(key, type, value) {
  if (type === 'number' && !/^-?\d+(\.\d+)?$/.test(value))
    throw new Refused(400, 'InvalidParameter', `${key} is not a number: ${value}`);
  if (type === 'boolean' && !/^(true|false)$/i.test(value))
    throw new Refused(400, 'InvalidParameter', `${key} is not true or false: ${value}`);
}

function group(pairs) {
  const groups = new Map();
  for (const [key, rest, value] of pairs) {
    if (!groups.has(key))
      groups.set(key, []);
    groups.get(key).push([rest, value]);
  }
  return groups;
}

function checkList(name, item, pairs, file) {
  const groups = group(pairs.map(([rest, value]) => {
    const m = /^(\d+)(?:\.(.*))?$/.exec(rest);
    if (!m)
      throw new Refused(400, 'InvalidParameter', `${name}.${rest} is no element of a list`);
    return [m[1], m[2] || '', value];
  }));
  for (let i = 1; i <= groups.size; i++) {
    if (!groups.has(String(i)))
      throw new Refused(400, 'InvalidParameter', `the list ${name} has a gap at ${i}`);
  }
  for (const [n, inner] of groups) {
    if (typeof item === 'function')
      checkObject(`${name}.${n}`, item, inner, file);
    else
      scalar(`${name}.${n}`, item, inner[0][1]);
  }
}

// pairs: [key below this object, value].
function checkObject(name, cls, pairs, file) {
  const names = cls.names(), types = cls.types();
  const wires = new Map(Object.entries(names).map(([prop, wire]) => [wire, prop]));
  const where = name ? `${name}.` : '';
  const groups = group(pairs.map(([key, value]) => {
    if (wires.has(key))
      return [key, '', value];
    const head = key.split('.')[0];
    if (!wires.has(head))
      throw new Refused(400, 'UnknownParameter', `${where}${key} is in no model of the SDK`);
    return [head, key.slice(head.length + 1), value];
  }));
  for (const [wire, inner] of groups) {
    const type = types[wires.get(wire)];
    if (type && type.type === 'array')
      checkList(where + wire, type.itemType, inner, file);
    else if (typeof type === 'function')
      checkObject(where + wire, type, inner, file);
    else
      scalar(where + wire, type, inner[0][1]);
  }
  for (const prop of requiredOf(file, cls)) {
    if (!groups.has(names[prop]))
      throw new Refused(400, `Missing${names[prop]}`, `${where}${names[prop]} is mandatory for this action.`);
  }
}

function checkRequest(action, version, params) {
  if (!judged)
    return;
  const model = findModel(version, `${action}Request`);
  if (!model || !model.cls) {
    // An action without parameters has no model of a request.
    if (findModel(version, `${action}ResponseBody`) && Object.keys(params).length === 0)
      return;
    throw new Refused(404, 'InvalidAction.NotFound', `${action} of ${version}`);
  }
  checkObject('', model.cls, Object.entries(params), model.text);
}

// A reply of the double that the SDK would not understand is a defect of the double.
function checkValue(name, type, value) {
  if (value === undefined || value === null)
    return;
  if (type && type.type === 'array') {
    if (!Array.isArray(value))
      throw new Error(`reply: ${name} is no list`);
    value.forEach((v, i) => checkValue(`${name}[${i}]`, type.itemType, v));
  } else if (typeof type === 'function') {
    checkReplyObject(name, type, value);
  } else if (typeof type === 'string' && type !== 'any' && typeof value !== type) {
    throw new Error(`reply: ${name} is a ${typeof value}, not a ${type}`);
  }
}

function checkReplyObject(name, cls, value) {
  const names = cls.names(), types = cls.types();
  const wires = new Map(Object.entries(names).map(([prop, wire]) => [wire, prop]));
  for (const [wire, inner] of Object.entries(value)) {
    if (!wires.has(wire))
      throw new Error(`reply: ${name}.${wire} is in no model of the SDK`);
    checkValue(`${name}.${wire}`, types[wires.get(wire)], inner);
  }
}

function checkReply(action, version, reply) {
  if (!judged)
    return;
  const model = findModel(version, `${action}ResponseBody`);
  checkReplyObject(action, model.cls, reply);
}

module.exports = { checkRequest, checkReply };
