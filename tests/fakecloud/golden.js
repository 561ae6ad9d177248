// SPDX-License-Identifier: MIT
// The vendor's own client says what smcctl cloud apply and destroy of one stack say, in the SDK's words: what then stands in the
// double's list of calls has to be the same. (Names, flattening, types; the order only of what changes something.)
'use strict';
const ecs = require('@alicloud/ecs20140526');
const vpc = require('@alicloud/vpc20160428');
const sts = require('@alicloud/sts20150401');
const { $OpenApiUtil } = require('@alicloud/openapi-core');

const port = process.argv[2];
const config = () => new $OpenApiUtil.Config({ accessKeyId: 'testid', accessKeySecret: 'testsecret', endpoint: `127.0.0.1:${port}`,
  protocol: 'HTTP', regionId: 'cn-hangzhou' });
const clients = { ecs: new ecs.default(config()), vpc: new vpc.default(config()) };
const sdk = { ecs, vpc };
const regionId = 'cn-hangzhou', type = 'ecs.g8ise.2xlarge';
let tokens = 0;

// A call by the name of its method; the values go through the SDK's models.
function call(product, method, values) {
  const name = `${method[0].toUpperCase()}${method.slice(1)}Request`, cls = sdk[product][name];
  const types = cls.types();
  for (const [key, value] of Object.entries(values)) {
    if (typeof types[key] === 'function')
      values[key] = new types[key](value);
    else if (types[key] && types[key].type === 'array' && typeof types[key].itemType === 'function')
      values[key] = value.map((v) => new types[key].itemType(v));
  }
  return clients[product][method](new cls(values)).then((r) => r.body);
}
const token = () => `token-${tokens++}`;
const tags = (resource) => [{ key: 'smcctl:stack', value: 'redis' }, { key: 'smcctl:resource', value: resource }];
const mine = [{ key: 'smcctl:stack', value: 'redis' }];

async function until(look) {
  for (let i = 0; i < 300; i++) {
    if (await look())
      return;
    await new Promise((r) => setTimeout(r, 20));
  }
  throw new Error('it does not come about');
}

const eni = async (id) => (await call('ecs', 'describeNetworkInterfaces', { regionId, maxResults: 100, networkInterfaceId: [id] }))
  .networkInterfaceSets.networkInterfaceSet[0];
const eip = async (id) => (await call('vpc', 'describeEipAddresses', { regionId, pageNumber: 1, pageSize: 100, allocationId: id })).eipAddresses.eipAddress[0];
const instance = async (id) => (await call('ecs', 'describeInstances', { regionId, maxResults: 100, instanceIds: JSON.stringify([id]) })).instances.instance[0];
const rules = async () => (await call('ecs', 'describeSecurityGroupAttribute', { regionId, securityGroupId: 'sg-1', direction: 'ingress', maxResults: 100 }))
  .permissions.permission;

async function look() {
  await new sts.default(config()).getCallerIdentity();
  await call('ecs', 'describeInstances', { regionId, maxResults: 100, tag: mine });
  await call('ecs', 'describeNetworkInterfaces', { regionId, maxResults: 100, tag: mine });
  await call('vpc', 'describeEipAddresses', { regionId, pageNumber: 1, pageSize: 100, tag: mine });
  await call('vpc', 'describeVSwitches', { regionId, vSwitchId: 'vsw-a' });
  await call('ecs', 'describeInstanceTypes', { instanceTypes: [type] });
  await call('ecs', 'describeSecurityGroups', { regionId, securityGroupIds: '["sg-1"]' });
  await call('ecs', 'describePrice', { regionId, resourceType: 'instance', instanceType: type, systemDisk: { category: 'cloud_essd', size: 40 }, priceUnit: 'Hour' });
}

async function apply() {
  const made = {};
  const run = await call('ecs', 'runInstances', { regionId, clientToken: token(), imageId: 'aliyun_3', instanceType: type, vSwitchId: 'vsw-a', securityGroupId: 'sg-1',
    instanceName: 'redis', amount: 1, instanceChargeType: 'PostPaid', keyPairName: 'k', systemDisk: { category: 'cloud_essd', size: '40' },
    networkOptions: { enableJumboFrame: true }, httpEndpoint: 'enabled', httpTokens: 'required',
    tag: [...tags('instance'), { key: 'team', value: 'storage' }] });
  made.instance = run.instanceIdSets.instanceIdSet[0];
  await until(async () => (await instance(made.instance)).status === 'Running');
  await call('ecs', 'describeInstances', { regionId, instanceIds: JSON.stringify([made.instance]) });
  await call('ecs', 'describeNetworkInterfaces', { regionId, maxResults: 100, instanceId: made.instance });
  for (const [name, portRange, source] of [['smc-peers', '65500/65515', { sourceGroupId: 'sg-1' }], ['redis', '6379/6379', { sourceCidrIp: '10.0.0.0/8' }]])
    await call('ecs', 'authorizeSecurityGroup', { regionId, clientToken: token(), securityGroupId: 'sg-1',
      permissions: [Object.assign({ ipProtocol: 'TCP', portRange, policy: 'accept', priority: '1', description: `smcctl:redis:${name}` }, source)] });
  made.eni = (await call('ecs', 'createNetworkInterface', { regionId, clientToken: token(), vSwitchId: 'vsw-a', securityGroupId: 'sg-1', networkInterfaceName: 'redis-smc',
    networkInterfaceTrafficMode: 'HighPerformance', queuePairNumber: 8,
    tag: [...tags('interface/smc'), { key: 'terway.alibabacloud.com/excluded', value: 'true' }] })).networkInterfaceId;
  await call('ecs', 'attachNetworkInterface', { regionId, networkInterfaceId: made.eni, instanceId: made.instance });
  await until(async () => (await eni(made.eni)).status === 'InUse');
  made.eip = (await call('vpc', 'allocateEipAddress', { regionId, clientToken: token(), bandwidth: '5', internetChargeType: 'PayByBandwidth', instanceChargeType: 'PostPaid',
    ISP: 'BGP', name: 'redis', tag: tags('address') })).allocationId;
  await call('vpc', 'associateEipAddress', { regionId, clientToken: token(), allocationId: made.eip, instanceId: made.eni, instanceType: 'NetworkInterface',
    privateIpAddress: (await eni(made.eni)).privateIpAddress, mode: 'NAT' });
  await until(async () => (await eip(made.eip)).status === 'InUse');
  return made;
}

async function modify(made) {
  await call('ecs', 'modifyNetworkInterfaceAttribute', { regionId, networkInterfaceId: made.eni,
    networkInterfaceTrafficConfig: { networkInterfaceTrafficMode: 'HighPerformance', queuePairNumber: 6 } });
  await call('vpc', 'modifyEipAddressAttribute', { regionId, allocationId: made.eip, bandwidth: '7' });
}

async function destroy(made) {
  await call('vpc', 'unassociateEipAddress', { regionId, clientToken: token(), allocationId: made.eip, instanceId: made.eni, instanceType: 'NetworkInterface' });
  await until(async () => (await eip(made.eip)).status === 'Available');
  await call('vpc', 'releaseEipAddress', { regionId, allocationId: made.eip });
  await until(async () => !await eip(made.eip));
  await call('ecs', 'detachNetworkInterface', { regionId, networkInterfaceId: made.eni, instanceId: made.instance });
  await until(async () => (await eni(made.eni)).status === 'Available');
  await call('ecs', 'deleteNetworkInterface', { regionId, networkInterfaceId: made.eni });
  await until(async () => !await eni(made.eni));
  for (const rule of await rules())
    await call('ecs', 'revokeSecurityGroup', { regionId, clientToken: token(), securityGroupId: 'sg-1', securityGroupRuleId: [rule.securityGroupRuleId] });
  await call('ecs', 'stopInstance', { instanceId: made.instance });
  await until(async () => (await instance(made.instance)).status === 'Stopped');
  await call('ecs', 'deleteInstances', { regionId, clientToken: token(), instanceId: [made.instance] });
  await until(async () => !await instance(made.instance));
}

(async () => {
  await look();
  const made = await apply();
  await modify(made);
  await destroy(made);
})().catch((error) => {
  console.error(error.stack);
  process.exit(1);
});
