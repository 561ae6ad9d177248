// SPDX-License-Identifier: MIT
// The objects of the double and how their states change, on a virtual clock. Where the real service's behaviour is not
// documented, a comment says "assumed", and smcctl may not depend on it. [D]: the vendor's API page of the action.
'use strict';
const { Refused } = require('./auth');

// Seconds that a change of state takes (assumed).
const TAKES = { eni: 4, eip: 3, instance: 8, gone: 5 };

const TYPES = {
  'ecs.g8ise.2xlarge': { EniQuantity: 4, EriQuantity: 2, QueuePairNumber: 20, JumboFrameSupport: true },
  'ecs.g7.large': { EniQuantity: 3, EriQuantity: 0, QueuePairNumber: 0, JumboFrameSupport: false },
};

class Cloud {
  constructor(options) {
    this.speed = options.speed || 1;
    this.started = Date.now();
    this.extra = 0;
    this.next = 1;
    this.tokens = new Map(); // "action token" -> { hash, reply }
    this.created = []; // ledger: every object that was ever made by a call
    this.objects = new Map();
    this.vswitches = { 'vsw-a': 'zone-a', 'vsw-b': 'zone-b', 'vsw-c': 'zone-a' };
    this.vpcs = { 'vsw-c': 'vpc-2' }; // of a vSwitch; all others are in vpc-1
    this.groups = {
      'sg-1': { type: 'normal', rules: [] },
      'sg-2': { type: 'normal', rules: [] },
      'sg-advanced': { type: 'enterprise', rules: [] },
    };
    this.addInstance('i-1', 'ecs.g8ise.2xlarge');
    this.addInstance('i-2', 'ecs.g8ise.2xlarge');
    this.addInstance('i-plain', 'ecs.g7.large');
    this.clockOff = 0; // what the header Date says is that many seconds ahead
    this.oidcToken = 'oidc-token';
    this.failStart = 0;
    this.self = 'i-1'; // whom the metadata service serves
    this.lifetime = 3600; // of what STS and the metadata service hand out, in real seconds
    this.failAttach = 0;
    this.stickDetach = 0;
    this.stickDelete = 0;
    this.late = 0; // Seconds after its creation in which an object is not listed (eventual consistency; assumed).
    this.hideFor = 0; // Likewise, for all that a call has made, from the first list on that would have had it;
    this.hideKind = null; // or all of this kind.
    this.hideUntil = null;
    this.emptyReply = 0;
    this.noTrafficConfig = false;
    this.staleModify = 0;
  }

  now() {
    return (Date.now() - this.started) / 1000 * this.speed + this.extra;
  }

  addInstance(id, type) {
    const instance = { kind: 'instance', id, type, vswitch: 'vsw-a', status: 'Running', tags: [], groups: ['sg-1'], since: 0 };
    this.objects.set(id, instance);
    this.addEni(`eni-primary-${id}`, { type: 'Primary', instance: id, status: 'InUse', vswitch: 'vsw-a' });
    return instance;
  }

  addEni(id, fields) {
    const n = this.next++;
    const eni = Object.assign({ kind: 'eni', id, type: 'Secondary', tags: [], groups: ['sg-1'], ip: `10.0.0.${n + 10}`,
      mac: `00:16:3e:00:00:${n.toString(16).padStart(2, '0')}`, mode: 'Standard', qp: 0, status: 'Available', since: this.now() }, fields);
    this.objects.set(id, eni);
    return eni;
  }

  // Everything that was due by now has happened.
  settle() {
    for (const o of [...this.objects.values()]) {
      while (o.then && this.now() >= o.at) {
        const then = o.then;
        o.then = null;
        then();
      }
    }
  }

  after(o, seconds, then) {
    o.at = this.now() + seconds;
    o.then = then;
  }

  make(prefix, fields) {
    const id = `${prefix}-${String(this.next++).padStart(4, '0')}`;
    this.created.push(id);
    return Object.assign({ id }, fields);
  }

  get(id, kind, code) {
    const o = this.objects.get(id);
    if (!o || o.kind !== kind)
      throw new Refused(404, code, `The specified ${kind} ${id} does not exist.`);
    return o;
  }

  all(kind) {
    return [...this.objects.values()].filter((o) => o.kind === kind);
  }

  // What a list has of them by now.
  seen(kind) {
    const all = this.all(kind), made = all.filter((o) => this.created.includes(o.id));
    const hidden = this.hideFor > 0 && [null, kind].includes(this.hideKind);
    if (hidden && made.length && this.hideUntil === null)
      this.hideUntil = this.now() + this.hideFor;
    if (hidden && this.hideUntil !== null && this.now() < this.hideUntil)
      return all.filter((o) => !made.includes(o));
    return all.filter((o) => !made.includes(o) || this.now() >= o.since + this.late);
  }

  vpcOf(vswitch) {
    return this.vpcs[vswitch] || 'vpc-1';
  }

  typeOf(instance) {
    return TYPES[instance.type];
  }

  attached(id) {
    return this.all('eni').filter((e) => e.instance === id);
  }

  checkRoom(instance, eni) {
    const there = this.attached(instance.id).filter((e) => e.id !== eni.id), type = this.typeOf(instance);
    const eris = there.filter((e) => e.mode === 'HighPerformance');
    if (there.length >= type.EniQuantity)
      throw new Refused(403, 'EniPerInstanceLimitExceeded', 'The maximum number of interfaces is exceeded.');
    if (eni.mode !== 'HighPerformance')
      return;
    // [D] CreateNetworkInterface, QueuePairNumber: without one an ERI takes what the type has.
    const used = eris.reduce((sum, e) => sum + e.qp, 0);
    if (eris.length >= type.EriQuantity || used + (eni.qp || type.QueuePairNumber) > type.QueuePairNumber)
      throw new Refused(403, 'InvalidOperation.InvalidEniType', 'No room for another eRDMA interface.');
  }

  gone(o) {
    this.objects.delete(o.id);
  }

  // Objects that cost money, or that somebody would have to remove by hand.
  ledger() {
    this.settle();
    const live = this.created.filter((id) => this.objects.has(id));
    const rules = Object.values(this.groups).flatMap((g) => g.rules.filter((r) => r.made).map((r) => r.id));
    return { live, rules, created: this.created.length };
  }
}

module.exports = { Cloud, TAKES, TYPES };
