// SPDX-License-Identifier: MIT
// Each product has hosts of its own, public and within the VPC; official.js holds the public ones against those of the SDK.
'use strict';
const { Refused } = require('./auth');

const PRODUCTS = { '2014-05-26': 'ecs', '2016-04-28': 'vpc', '2015-04-01': 'sts' };
const CENTRAL = { 'ecs cn-hangzhou': 'ecs-cn-hangzhou.aliyuncs.com', 'vpc cn-hangzhou': 'vpc.aliyuncs.com' };

const publicHost = (product, region) => CENTRAL[`${product} ${region}`] || `${product}.${region}.aliyuncs.com`;

// What comes by the address of the double itself is for whom it says that it is. region: what the call is about, if it says so.
function checkHost(host, version, region) {
  const product = PRODUCTS[version];
  if (!product || /^(127\.0\.0\.1|localhost):\d+$/.test(host))
    return;
  const asked = region || (product === 'sts' ? host.split('.')[1] : 'cn-hangzhou');
  if (![publicHost(product, asked), `${product}-vpc.${asked}.aliyuncs.com`].includes(host))
    throw new Refused(404, 'WrongHost', `${host} does not serve ${product} of ${asked}`); // assumed: what each host does then
}

module.exports = { checkHost, publicHost };
