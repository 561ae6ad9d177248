// SPDX-License-Identifier: MIT
// What the vendor's own chain of credentials chooses in this environment: prints the id of the key, or "none". With a PORT its
// requests, whatever their host, go to the double there; nothing else about them is touched.
'use strict';
const port = process.argv[2];
// The one that the package itself has, or the requests would go where they name.
const httpx = require(require.resolve('httpx', { paths: [require.resolve('@alicloud/credentials')] }));
const { request } = httpx;
httpx.request = (url, options) => {
  const { pathname, search } = new URL(url);
  if (!port)
    throw new Error('nobody is asked');
  return request(`http://127.0.0.1:${port}${pathname}${search}`, options);
};
const { default: Credential } = require('@alicloud/credentials');

(async () => {
  try {
    console.log((await new Credential().getCredential()).accessKeyId);
  } catch (error) {
    console.log('none');
    console.error(error.message);
  }
  process.exit(0);
})();
