// SPDX-License-Identifier: MIT
// What the vendor's own chain of credentials chooses in this environment: prints the id of the key, or "none".
'use strict';
const { default: Credential } = require('@alicloud/credentials');

(async () => {
  try {
    console.log((await new Credential().getCredential()).accessKeyId);
  } catch (error) {
    console.log('none');
  }
})();
