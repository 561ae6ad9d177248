/* SPDX-License-Identifier: MIT */
/* Fuzz target over the policy's text: parsed, compiled, or refused with at least one message. */
#include "config.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "policy/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_policy_errors_ struct policy_errors errors = {0};
	_cleanup_policy_image_ struct policy_image *image = NULL;
	_cleanup_policy_ struct policy *policy = NULL;
	int r = policy_parse("fuzz.json", (const char *)data, size, &policy, &errors);

	if ((r == 0) != (policy != NULL) || (r == -EINVAL && errors.count == 0))
		abort();
	if (r == 0 && policy_compile(policy, &image, &errors) == 0 && !image)
		abort();
	return 0;
}
