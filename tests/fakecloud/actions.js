// SPDX-License-Identifier: MIT
// The actions, each as its page in the vendor's documentation has it ([D]); replies go through the SDK's models.
'use strict';
const { Refused } = require('./auth');
const { TAKES, TYPES } = require('./cloud');

// Tag.1.Key, Tag.1.Value, ...
function tagsOf(p) {
  const tags = [];
  for (let i = 1; `Tag.${i}.Key` in p; i++)
    tags.push([p[`Tag.${i}.Key`], p[`Tag.${i}.Value`] || '']);
  return tags;
}

const hasTags = (o, wanted) => wanted.every(([k, v]) => o.tags.some(([a, b]) => a === k && b === v));

function listOf(p, name) {
  const list = [];
  for (let i = 1; `${name}.${i}` in p; i++)
    list.push(p[`${name}.${i}`]);
  return list;
}

// The one that is named, or the list.
const groupsOf = (p) => ('SecurityGroupId' in p ? [p.SecurityGroupId] : listOf(p, 'SecurityGroupIds'));

// NextToken paging of ECS; faults may force one object a page or repeat a token.
function page(cloud, p, all) {
  const size = cloud.onePerPage ? 1 : Number(p.MaxResults || 10);
  const start = Number((p.NextToken || 't0').slice(1));
  const end = start + size;
  let next = end < all.length ? `t${end}` : '';
  if (cloud.repeatToken && p.NextToken)
    next = p.NextToken;
  return { items: all.slice(start, end), next };
}

const ecsTags = (o) => ({ Tag: o.tags.map(([TagKey, TagValue]) => ({ TagKey, TagValue })) });

const A = {};

A.GetCallerIdentity = (c, p, id) => ({ AccountId: id === 'other' ? '5678' : '1234', Arn: 'acs:ram::1234:user/tester', IdentityType: 'RAMUser', PrincipalId: 'p', UserId: '5' });

A.DescribeInstanceTypes = (c, p) => ({
  InstanceTypes: {
    InstanceType: Object.entries(TYPES).filter(([name]) => listOf(p, 'InstanceTypes').includes(name))
      .map(([InstanceTypeId, t]) => Object.assign({ InstanceTypeId }, t)),
  },
});

A.DescribePrice = () => ({ PriceInfo: { Price: { TradePrice: 1.5, OriginalPrice: 1.5, Currency: 'CNY' } } });

A.DescribeVSwitches = (c, p) => ({
  VSwitches: {
    VSwitch: Object.entries(c.vswitches).filter(([id]) => id === p.VSwitchId)
      .map(([VSwitchId, ZoneId]) => ({ VSwitchId, ZoneId, VpcId: c.vpcOf(VSwitchId) })),
  },
  TotalCount: 1, PageNumber: 1, PageSize: 10,
});

A.DescribeSecurityGroups = (c, p) => ({
  SecurityGroups: {
    SecurityGroup: JSON.parse(p.SecurityGroupIds).filter((id) => c.groups[id])
      .map((id) => ({ SecurityGroupId: id, VpcId: 'vpc-1', SecurityGroupType: c.groups[id].type })),
  },
});

function groupOf(c, p) {
  const group = c.groups[p.SecurityGroupId];
  if (!group)
    throw new Refused(404, 'InvalidSecurityGroupId.NotFound', 'The specified SecurityGroupId does not exist.');
  return group;
}

A.DescribeSecurityGroupAttribute = (c, p) => {
  const { items, next } = page(c, p, groupOf(c, p).rules);
  return {
    SecurityGroupId: p.SecurityGroupId, VpcId: 'vpc-1', NextToken: next,
    Permissions: {
      // [D] The case of words is not that of the request.
      Permission: items.map((r) => ({ SecurityGroupRuleId: r.id, IpProtocol: r.protocol.toUpperCase(), PortRange: r.ports,
        SourceCidrIp: r.cidr || '', SourceGroupId: r.group || '', Policy: 'Accept', Priority: String(r.priority),
        Direction: 'ingress', Description: r.description || '' })),
    },
  };
};

A.AuthorizeSecurityGroup = (c, p) => {
  const group = groupOf(c, p);
  // [D] Flat parameters are deprecated; Permissions.N is the form.
  if ('IpProtocol' in p || 'PortRange' in p)
    throw new Refused(400, 'InvalidParameter', 'flat parameters are deprecated');
  for (let i = 1; `Permissions.${i}.IpProtocol` in p || `Permissions.${i}.PortRange` in p; i++) {
    const q = (name) => p[`Permissions.${i}.${name}`];
    const rule = { protocol: q('IpProtocol'), ports: q('PortRange'), cidr: q('SourceCidrIp'), group: q('SourceGroupId'),
      priority: Number(q('Priority') || 1), description: q('Description') };
    if (!rule.cidr === !rule.group)
      throw new Refused(400, 'MissingParameter.Source', 'One of the sources is mandatory.');
    if (!/^(TCP|UDP|ICMP|GRE|ALL)$/i.test(rule.protocol) || !/^-?\d+\/-?\d+$/.test(rule.ports) ||
        (/^(ICMP|GRE|ALL)$/i.test(rule.protocol)) !== (rule.ports === '-1/-1'))
      throw new Refused(400, 'InvalidIpProtocol.ValueNotSupported', 'protocol and ports do not fit');
    if (rule.priority < 1 || rule.priority > 100)
      throw new Refused(400, 'InvalidPriority.ValueNotSupported', 'Priority is 1 to 100.');
    if (rule.group && group.type === 'enterprise')
      throw new Refused(400, 'InvalidOperation.GroupTypeNotSupported', 'An advanced group authorises no other groups.'); // assumed code
    // [D] "If the rule exists, the call succeeds, and none is added."
    const same = group.rules.find((r) => r.protocol.toUpperCase() === rule.protocol.toUpperCase() && r.ports === rule.ports &&
      (r.cidr || '') === (rule.cidr || '') && (r.group || '') === (rule.group || '') && r.priority === rule.priority);
    if (!same)
      group.rules.push(Object.assign(rule, { id: `sgr-${c.next++}`, made: true }));
  }
  return {};
};

A.RevokeSecurityGroup = (c, p) => {
  const group = groupOf(c, p);
  for (const id of listOf(p, 'SecurityGroupRuleId')) {
    const at = group.rules.findIndex((r) => r.id === id);
    // [D] Since 2024-07-08 an unknown rule is an error.
    if (at < 0)
      throw new Refused(400, 'InvalidParam.SecurityGroupRuleId', 'The specified rule does not exist.');
    group.rules.splice(at, 1);
  }
  return {};
};

A.DescribeInstances = (c, p) => {
  const ids = p.InstanceIds && JSON.parse(p.InstanceIds);
  const all = c.seen('instance').filter((i) => (!ids || ids.includes(i.id)) && hasTags(i, tagsOf(p)));
  const { items, next } = page(c, p, all);
  return {
    NextToken: next, TotalCount: all.length, PageNumber: 1, PageSize: 100,
    Instances: {
      Instance: items.map((i) => {
        const eip = c.all('eip').find((e) => e.bound === i.id);
        return { InstanceId: i.id, SecurityGroupIds: { SecurityGroupId: i.groups }, Status: i.status, InstanceType: i.type, ZoneId: c.vswitches[i.vswitch], Tags: ecsTags(i),
          VpcAttributes: { VpcId: 'vpc-1', VSwitchId: i.vswitch }, PublicIpAddress: { IpAddress: i.publicIp ? [i.publicIp] : [] },
          EipAddress: { AllocationId: eip ? eip.id : '', IpAddress: eip ? eip.ip : '' } };
      }),
    },
  };
};

A.RunInstances = (c, p) => {
  const type = TYPES[p.InstanceType];
  if (!type)
    throw new Refused(403, 'InvalidResourceType.NotSupported', 'The type is not supported here.');
  if (!(p.VSwitchId in c.vswitches))
    throw new Refused(404, 'InvalidVSwitchId.NotFound', 'The specified virtual switch does not exist.');
  // [D] The success of a dry run comes as an error.
  if (p.DryRun === 'true')
    throw new Refused(400, 'DryRunOperation', 'Request validation has been passed with DryRun flag set.');
  if (c.noStock)
    throw new Refused(403, 'OperationDenied.NoStock', 'The requested resource is sold out in the specified zone.');
  const i = c.make('i', { kind: 'instance', type: p.InstanceType, vswitch: p.VSwitchId, status: 'Pending', tags: tagsOf(p),
    groups: groupsOf(p), since: c.now() });
  c.objects.set(i.id, i);
  // [D] Tag.N: "to the instance, each disk, and the primary elastic network interface".
  c.addEni(`eni-primary-${i.id}`, { type: 'Primary', instance: i.id, status: 'InUse', vswitch: p.VSwitchId, tags: tagsOf(p), groups: i.groups });
  c.after(i, TAKES.instance, () => {
    i.status = 'Starting';
    // [D] An instance that could not be started is Stopped. (Long enough for a slow client to see Starting.)
    const fails = c.failStart > 0 && c.failStart--;
    c.after(i, fails ? 10 * TAKES.instance : TAKES.instance, () => { i.status = fails ? 'Stopped' : 'Running'; });
  });
  return { InstanceIdSets: { InstanceIdSet: [i.id] }, OrderId: 'o', TradePrice: 1.5 };
};

A.StopInstance = (c, p) => {
  const i = c.get(p.InstanceId, 'instance', 'InvalidInstanceId.NotFound');
  if (i.status !== 'Running')
    throw new Refused(403, 'IncorrectInstanceStatus', 'The current status does not support this operation.');
  i.status = 'Stopping';
  c.after(i, TAKES.instance, () => { i.status = 'Stopped'; });
  return {};
};

A.DeleteInstances = (c, p) => {
  for (const id of listOf(p, 'InstanceId')) {
    const i = c.get(id, 'instance', 'InvalidInstanceId.NotFound');
    if (i.status !== 'Stopped' && p.Force !== 'true')
      throw new Refused(403, 'IncorrectInstanceStatus', 'The current status does not support this operation.');
    if (i.deletionProtection)
      throw new Refused(403, 'InvalidOperation.DeletionProtection', 'The instance is protected from deletion.'); // assumed code
    // [D] DeleteOnRelease: "true: does not retain the ENI", which the primary one has.
    c.after(i, TAKES.gone, () => {
      c.attached(id).forEach((e) => { if (e.type === 'Primary' || e.deleteOnRelease) c.gone(e); else Object.assign(e, { instance: '', status: 'Available' }); });
      c.gone(i);
    });
  }
  return {};
};

const eniReply = (c, e) => ({ NetworkInterfaceId: e.id, Status: e.status, Type: e.type, InstanceId: e.instance || '', MacAddress: e.mac,
  PrivateIpAddress: e.ip, VSwitchId: e.vswitch, ZoneId: c.vswitches[e.vswitch], VpcId: 'vpc-1', NetworkInterfaceTrafficMode: e.mode,
  QueuePairNumber: e.qp, SecurityGroupIds: { SecurityGroupId: e.groups }, Tags: ecsTags(e), DeleteOnRelease: e.type === 'Primary' || Boolean(e.deleteOnRelease) });

A.CreateNetworkInterface = (c, p) => {
  // [D] "SecurityGroupId or SecurityGroupIds, not both, one is mandatory."
  if (('SecurityGroupId' in p) === ('SecurityGroupIds.1' in p))
    throw new Refused(400, 'MissingParameter', 'either SecurityGroupId or SecurityGroupIds');
  if (!(p.VSwitchId in c.vswitches))
    throw new Refused(404, 'InvalidVSwitchId.NotFound', 'The specified virtual switch does not exist.');
  const id = `eni-${String(c.next++).padStart(4, '0')}`;
  c.created.push(id);
  const e = c.addEni(id, { vswitch: p.VSwitchId, mode: p.NetworkInterfaceTrafficMode || 'Standard', qp: Number(p.QueuePairNumber || 0), tags: tagsOf(p),
    groups: groupsOf(p), deleteOnRelease: p.DeleteOnRelease === 'true' });
  return { NetworkInterfaceId: e.id, MacAddress: e.mac, PrivateIpAddress: e.ip, Status: e.status, VpcId: 'vpc-1', VSwitchId: e.vswitch, ZoneId: c.vswitches[e.vswitch] };
};

A.ModifyNetworkInterfaceAttribute = (c, p) => {
  const e = c.get(p.NetworkInterfaceId, 'eni', 'InvalidEniId.NotFound');
  const mode = p['NetworkInterfaceTrafficConfig.NetworkInterfaceTrafficMode'] || e.mode;
  const qp = Number(p['NetworkInterfaceTrafficConfig.QueuePairNumber'] || e.qp);
  // [D] ..TrafficConfig: "not publicly available", so an account may be refused (the code is assumed).
  if (c.noTrafficConfig)
    throw new Refused(403, 'Forbidden.NotInWhiteList', 'The account is not allowed to use NetworkInterfaceTrafficConfig.');
  if (!['Standard', 'HighPerformance'].includes(mode))
    throw new Refused(400, 'InvalidParameter', 'NetworkInterfaceTrafficMode');
  // [D] When attached, the interface has to fit into what the instance type has.
  if (e.instance)
    c.checkRoom(c.get(e.instance, 'instance', 'InvalidEcsId.NotFound'), Object.assign({}, e, { mode, qp }));
  if (c.staleModify > 0) // A change that is not seen at once (assumed).
    c.after(e, TAKES.eni, () => Object.assign(e, { mode, qp }));
  else
    Object.assign(e, { mode, qp });
  return {};
};

A.AttachNetworkInterface = (c, p) => {
  const e = c.get(p.NetworkInterfaceId, 'eni', 'InvalidEniId.NotFound');
  const i = c.get(p.InstanceId, 'instance', 'InvalidEcsId.NotFound');
  if (e.status !== 'Available')
    throw new Refused(400, 'InvalidOperation.InvalidEniState', 'The interface is not available.');
  if (i.status !== 'Running' && i.status !== 'Stopped')
    throw new Refused(400, 'InvalidOperation.InvalidEcsState', 'The instance is not in a proper state.');
  if (c.vswitches[e.vswitch] !== c.vswitches[i.vswitch])
    throw new Refused(403, 'InvalidOperation.AvailabilityZoneMismatch', 'Zones differ.');
  if (c.vpcOf(e.vswitch) !== c.vpcOf(i.vswitch))
    throw new Refused(403, 'InvalidOperation.VpcMismatch', 'VPCs differ.');
  c.checkRoom(i, e);
  if (e.mode === 'HighPerformance' && !e.qp)
    e.qp = c.typeOf(i).QueuePairNumber;
  Object.assign(e, { status: 'Attaching', instance: i.id });
  // Long enough for a slow client to see Attaching before it is taken back.
  c.after(e, c.failAttach > 0 ? 10 * TAKES.eni : TAKES.eni, () => {
    if (c.failAttach > 0) { // [D] Attaching may end in Available again, without an error.
      c.failAttach--;
      Object.assign(e, { status: 'Available', instance: '' });
    } else {
      e.status = 'InUse';
    }
  });
  return {};
};

A.DetachNetworkInterface = (c, p) => {
  const e = c.get(p.NetworkInterfaceId, 'eni', 'InvalidEniId.NotFound');
  if (e.type === 'Primary')
    throw new Refused(403, 'DetachPrimaryEniNotAllowed', 'The primary interface cannot be detached.');
  if (e.status !== 'InUse' && e.status !== 'Detaching')
    throw new Refused(400, 'InvalidOperation.InvalidEniState', 'The interface is not attached.');
  e.status = 'Detaching';
  if (c.stickDetach > 0) { // [D] "Detaching for long: call it again."
    c.stickDetach--;
    return {};
  }
  c.after(e, TAKES.eni, () => Object.assign(e, { status: 'Available', instance: '' }));
  return {};
};

A.DeleteNetworkInterface = (c, p) => {
  const e = c.get(p.NetworkInterfaceId, 'eni', 'InvalidEniId.NotFound');
  if (e.status !== 'Available' && e.status !== 'Deleting')
    throw new Refused(400, 'InvalidOperation.InvalidEniState', 'The interface is attached.');
  e.status = 'Deleting';
  if (c.stickDelete > 0) { // [D] "Deleting for long: send a new delete request."
    c.stickDelete--;
    return {};
  }
  c.after(e, TAKES.gone, () => c.gone(e));
  return {};
};

A.DescribeNetworkInterfaces = (c, p) => {
  const ids = listOf(p, 'NetworkInterfaceId');
  const all = c.seen('eni').filter((e) => (!ids.length || ids.includes(e.id)) && (!p.InstanceId || e.instance === p.InstanceId) && hasTags(e, tagsOf(p)));
  const { items, next } = page(c, p, all);
  return { NetworkInterfaceSets: { NetworkInterfaceSet: items.map((e) => eniReply(c, e)) }, NextToken: next, TotalCount: all.length };
};

A.AllocateEipAddress = (c, p) => {
  const e = c.make('eip', { kind: 'eip', ip: `47.0.0.${c.next}`, status: 'Available', bound: '', tags: tagsOf(p), since: c.now(),
    bandwidth: p.Bandwidth || '5', charge: p.InternetChargeType || 'PayByBandwidth' }); // [D] the defaults
  c.objects.set(e.id, e);
  return { AllocationId: e.id, EipAddress: e.ip, OrderId: 1 };
};

A.AssociateEipAddress = (c, p) => {
  const e = c.get(p.AllocationId, 'eip', 'InvalidAllocationId.NotFound');
  const kind = p.InstanceType || 'EcsInstance';
  if (e.status !== 'Available')
    throw new Refused(400, 'IncorrectEipStatus', 'Current elastic IP status does not support this operation.');
  if (kind === 'NetworkInterface') {
    // [D] "PrivateIpAddress is required when InstanceType is NetworkInterface", Mode likewise.
    if (!p.PrivateIpAddress || !['NAT', 'BINDED', 'MULTI_BINDED'].includes(p.Mode))
      throw new Refused(400, 'MissingPrivateIpAddress', 'PrivateIpAddress and Mode are mandatory for an interface.');
    if (c.get(p.InstanceId, 'eni', 'InvalidInstanId.NotFound').ip !== p.PrivateIpAddress)
      throw new Refused(400, 'InvalidPrivateIpAddress', 'The address is not that of the interface.');
    if (c.all('eip').some((o) => o.bound === p.InstanceId)) // [D] one EIP for each private address
      throw new Refused(400, 'InvalidAssociation.Duplicated', 'The private address has an EIP.');
  } else {
    const i = c.get(p.InstanceId, 'instance', 'InvalidInstanId.NotFound');
    if (i.publicIp || c.all('eip').some((o) => o.bound === i.id))
      throw new Refused(400, 'EIP_CAN_NOT_ASSOCIATE_WITH_PUBLIC_IP', 'The instance has a public address.');
  }
  Object.assign(e, { status: 'Associating', bound: p.InstanceId, boundKind: kind });
  c.after(e, TAKES.eip, () => { e.status = 'InUse'; });
  return {};
};

A.UnassociateEipAddress = (c, p) => {
  const e = c.get(p.AllocationId, 'eip', 'InvalidAllocationId.NotFound');
  if (e.status !== 'InUse')
    throw new Refused(400, 'IncorrectEipStatus', 'Current elastic IP status does not support this operation.');
  e.status = 'Unassociating';
  c.after(e, TAKES.eip, () => Object.assign(e, { status: 'Available', bound: '' }));
  return {};
};

A.ReleaseEipAddress = (c, p) => {
  const e = c.get(p.AllocationId, 'eip', 'InvalidAllocationId.NotFound');
  if (e.deletionProtection)
    throw new Refused(400, 'InvalidOperation.DeletionProtection', 'The address is protected from deletion.'); // [D]
  if (e.status !== 'Available')
    throw new Refused(400, 'IncorrectEipStatus', 'Current elastic IP status does not support this operation.');
  e.status = 'Releasing';
  c.after(e, TAKES.gone, () => c.gone(e));
  return {};
};

A.ModifyEipAddressAttribute = (c, p) => {
  const e = c.get(p.AllocationId, 'eip', 'InvalidAllocationId.NotFound');
  // [D] 1 to 200 by traffic, 1 to 500 by bandwidth.
  if (p.Bandwidth && !(Number(p.Bandwidth) >= 1 && Number(p.Bandwidth) <= (e.charge === 'PayByTraffic' ? 200 : 500)))
    throw new Refused(400, 'InvalidBandwidth', 'The bandwidth is out of range.'); // assumed code
  e.bandwidth = p.Bandwidth || e.bandwidth;
  return {};
};

A.DescribeEipAddresses = (c, p) => {
  const all = c.seen('eip').filter((e) => (!p.AllocationId || p.AllocationId === e.id) && hasTags(e, tagsOf(p)));
  const size = c.onePerPage ? 1 : Number(p.PageSize || 10), number = Number(p.PageNumber || 1);
  return {
    TotalCount: all.length, PageNumber: number, PageSize: size,
    EipAddresses: {
      EipAddress: all.slice((number - 1) * size, number * size).map((e) => ({ AllocationId: e.id, IpAddress: e.ip, Status: e.status,
        InstanceId: e.bound, InstanceType: e.boundKind || '', Bandwidth: e.bandwidth, InternetChargeType: e.charge,
        Tags: { Tag: e.tags.map(([Key, Value]) => ({ Key, Value })) } })),
    },
  };
};

module.exports = { actions: A };
