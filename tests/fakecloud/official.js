// SPDX-License-Identifier: MIT
// The vendor's own client goes the whole way against the double: so the double is not tailored to our client. TAP.
'use strict';
const ecs = require('@alicloud/ecs20140526');
const vpc = require('@alicloud/vpc20160428');
const sts = require('@alicloud/sts20150401');
const { $OpenApiUtil } = require('@alicloud/openapi-core');
const { publicHost } = require('./hosts');

const port = process.argv[2];
const config = () => new $OpenApiUtil.Config({ accessKeyId: 'testid', accessKeySecret: 'testsecret', endpoint: `127.0.0.1:${port}`,
  protocol: 'HTTP', regionId: 'cn-hangzhou' });
const E = new ecs.default(config()), V = new vpc.default(config()), S = new sts.default(config());
const R = { regionId: 'cn-hangzhou' };
let count = 0, failures = 0;

function ok(good, name) {
  count++;
  failures += good ? 0 : 1;
  console.log(`${good ? '' : 'not '}ok ${count} - official client: ${name}`);
}

async function until(name, look) {
  for (let i = 0; i < 200; i++) {
    if (await look())
      return ok(true, name);
    await new Promise((r) => setTimeout(r, 20));
  }
  return ok(false, name);
}

async function code(call) {
  try {
    await call();
    return '';
  } catch (error) {
    return error.code;
  }
}

const eni = async (id) => (await E.describeNetworkInterfaces(new ecs.DescribeNetworkInterfacesRequest(Object.assign({ networkInterfaceId: [id] }, R))))
  .body.networkInterfaceSets.networkInterfaceSet[0];
const eip = async (id) => (await V.describeEipAddresses(new vpc.DescribeEipAddressesRequest(Object.assign({ allocationId: id }, R)))).body.eipAddresses.eipAddress[0];
const tags = [{ key: 'a b*c\'()~中+&=/', value: '' }];

async function main() {
  for (const [product, sdk] of Object.entries({ ecs, vpc, sts })) {
    for (const regionId of ['cn-hangzhou', 'cn-shanghai', 'us-west-1']) {
      const own = new sdk.default(new $OpenApiUtil.Config({ accessKeyId: 'a', accessKeySecret: 'b', regionId }))._endpoint;
      ok(own === publicHost(product, regionId), `${own} serves ${product} of ${regionId}`);
    }
  }
  ok((await S.getCallerIdentity()).body.accountId === '1234', 'whoami');
  const types = await E.describeInstanceTypes(new ecs.DescribeInstanceTypesRequest({ instanceTypes: ['ecs.g8ise.2xlarge'] }));
  ok(types.body.instanceTypes.instanceType[0].eriQuantity === 2, 'instance types');
  const rule = new ecs.AuthorizeSecurityGroupRequest(Object.assign({ securityGroupId: 'sg-1',
    permissions: [{ ipProtocol: 'tcp', portRange: '65500/65515', sourceGroupId: 'sg-1', priority: '1', description: 'x' }] }, R));
  await E.authorizeSecurityGroup(rule);
  await E.authorizeSecurityGroup(rule);
  const rules = async () => (await E.describeSecurityGroupAttribute(new ecs.DescribeSecurityGroupAttributeRequest(Object.assign({ securityGroupId: 'sg-1' }, R)))).body.permissions.permission;
  ok((await rules()).length === 1, 'the same rule twice is one rule');
  const create = new ecs.CreateNetworkInterfaceRequest(Object.assign({ vSwitchId: 'vsw-a', securityGroupId: 'sg-1', networkInterfaceTrafficMode: 'HighPerformance',
    queuePairNumber: 10, clientToken: 'token-1', tag: tags }, R));
  const id = (await E.createNetworkInterface(create)).body.networkInterfaceId;
  ok(id === (await E.createNetworkInterface(create)).body.networkInterfaceId, 'a token makes one interface');
  create.queuePairNumber = 5;
  ok(await code(() => E.createNetworkInterface(create)) === 'IdempotentParameterMismatch', 'a token with other parameters');
  const attach = new ecs.AttachNetworkInterfaceRequest(Object.assign({ networkInterfaceId: id, instanceId: 'i-1' }, R));
  await E.attachNetworkInterface(attach);
  // On a machine that is busy it is attached before it is looked at.
  ok(['Attaching', 'InUse'].includes((await eni(id)).status), 'attaching');
  ok(await code(() => E.attachNetworkInterface(attach)) === 'InvalidOperation.InvalidEniState', 'attaching twice');
  await until('attached', async () => (await eni(id)).status === 'InUse');
  const modify = (config) => E.modifyNetworkInterfaceAttribute(new ecs.ModifyNetworkInterfaceAttributeRequest(Object.assign({ networkInterfaceId: id,
    networkInterfaceTrafficConfig: new ecs.ModifyNetworkInterfaceAttributeRequestNetworkInterfaceTrafficConfig(config) }, R)));
  await modify({ networkInterfaceTrafficMode: 'HighPerformance', queuePairNumber: 4 });
  ok((await eni(id)).queuePairNumber === 4, 'other queue pairs in place');
  ok(await code(() => modify({ queuePairNumber: 21 })) === 'InvalidOperation.InvalidEniType', 'more queue pairs than the type has');
  const address = (await V.allocateEipAddress(new vpc.AllocateEipAddressRequest(Object.assign({ bandwidth: '5', clientToken: 'token-2' }, R)))).body.allocationId;
  const associate = new vpc.AssociateEipAddressRequest(Object.assign({ allocationId: address, instanceId: id, instanceType: 'NetworkInterface' }, R));
  ok(await code(() => V.associateEipAddress(associate)) === 'MissingPrivateIpAddress', 'an interface needs its address');
  associate.privateIpAddress = (await eni(id)).privateIpAddress;
  associate.mode = 'NAT';
  await V.associateEipAddress(associate);
  const second = (await V.allocateEipAddress(new vpc.AllocateEipAddressRequest(R))).body.allocationId;
  const twice = new vpc.AssociateEipAddressRequest(Object.assign({}, associate, { allocationId: second }));
  ok(await code(() => V.associateEipAddress(twice)) === 'InvalidAssociation.Duplicated', 'a second address for the same one');
  await V.releaseEipAddress(new vpc.ReleaseEipAddressRequest(Object.assign({ allocationId: second }, R)));
  await until('the second one is released', async () => !await eip(second));
  await until('associated', async () => (await eip(address)).status === 'InUse');
  await V.modifyEipAddressAttribute(new vpc.ModifyEipAddressAttributeRequest(Object.assign({ allocationId: address, bandwidth: '7' }, R)));
  ok((await eip(address)).bandwidth === '7', 'another bandwidth in place');
  const run = new ecs.RunInstancesRequest(Object.assign({ imageId: 'x', instanceType: 'ecs.g8ise.2xlarge', vSwitchId: 'vsw-a', securityGroupId: 'sg-1', dryRun: true }, R));
  ok(await code(() => E.runInstances(run)) === 'DryRunOperation', 'a dry run');
  run.dryRun = undefined;
  const instance = (await E.runInstances(run)).body.instanceIdSets.instanceIdSet[0];
  const status = async () => {
    const all = (await E.describeInstances(new ecs.DescribeInstancesRequest(Object.assign({ instanceIds: JSON.stringify([instance]) }, R)))).body.instances.instance;
    return all.length ? all[0].status : 'gone';
  };
  await until('running', async () => await status() === 'Running');
  const along = [];
  for (const deleteOnRelease of [true, false]) {
    const made = (await E.createNetworkInterface(new ecs.CreateNetworkInterfaceRequest(Object.assign({ vSwitchId: 'vsw-a', securityGroupId: 'sg-1', deleteOnRelease }, R))))
      .body.networkInterfaceId;
    await E.attachNetworkInterface(new ecs.AttachNetworkInterfaceRequest(Object.assign({ networkInterfaceId: made, instanceId: instance }, R)));
    await until('another interface', async () => (await eni(made)).status === 'InUse');
    ok((await eni(made)).deleteOnRelease === deleteOnRelease, `which ${deleteOnRelease ? 'goes' : 'stays'} when the instance does`);
    along.push(made);
  }
  const elsewhere = async (vSwitchId) => {
    const made = (await E.createNetworkInterface(new ecs.CreateNetworkInterfaceRequest(Object.assign({ vSwitchId, securityGroupId: 'sg-1' }, R)))).body.networkInterfaceId;
    const why = await code(() => E.attachNetworkInterface(new ecs.AttachNetworkInterfaceRequest(Object.assign({ networkInterfaceId: made, instanceId: instance }, R))));
    await E.deleteNetworkInterface(new ecs.DeleteNetworkInterfaceRequest(Object.assign({ networkInterfaceId: made }, R)));
    await until('it is gone', async () => !await eni(made));
    return why;
  };
  ok(await elsewhere('vsw-b') === 'InvalidOperation.AvailabilityZoneMismatch', 'an interface of another zone');
  ok(await elsewhere('vsw-c') === 'InvalidOperation.VpcMismatch', 'an interface of another VPC');
  await E.stopInstance(new ecs.StopInstanceRequest({ instanceId: instance }));
  await until('stopped', async () => await status() === 'Stopped');
  await E.deleteInstances(new ecs.DeleteInstancesRequest(Object.assign({ instanceId: [instance] }, R)));
  await until('deleted', async () => await status() === 'gone');
  ok(!await eni(along[0]) && (await eni(along[1])).status === 'Available', 'and with it the interface that goes along, not the other one');
  await E.deleteNetworkInterface(new ecs.DeleteNetworkInterfaceRequest(Object.assign({ networkInterfaceId: along[1] }, R)));
  await until('which is deleted', async () => !await eni(along[1]));
  await V.unassociateEipAddress(new vpc.UnassociateEipAddressRequest(Object.assign({ allocationId: address, instanceId: id }, R)));
  await until('unassociated', async () => (await eip(address)).status === 'Available');
  await V.releaseEipAddress(new vpc.ReleaseEipAddressRequest(Object.assign({ allocationId: address }, R)));
  await until('released', async () => !await eip(address));
  await E.detachNetworkInterface(new ecs.DetachNetworkInterfaceRequest(Object.assign({ networkInterfaceId: id, instanceId: 'i-1' }, R)));
  await until('detached', async () => (await eni(id)).status === 'Available');
  await E.deleteNetworkInterface(new ecs.DeleteNetworkInterfaceRequest(Object.assign({ networkInterfaceId: id }, R)));
  await until('gone', async () => !await eni(id));
  const revoke = new ecs.RevokeSecurityGroupRequest(Object.assign({ securityGroupId: 'sg-1', securityGroupRuleId: [(await rules())[0].securityGroupRuleId] }, R));
  await E.revokeSecurityGroup(revoke);
  ok((await rules()).length === 0, 'the rule is revoked');
  ok(await code(() => E.revokeSecurityGroup(revoke)) === 'InvalidParam.SecurityGroupRuleId', 'a rule that is not there');
}

main().catch((error) => {
  ok(false, String(error.stack));
}).finally(() => {
  console.log(`1..${count}`);
  process.exit(failures ? 1 : 0);
});
