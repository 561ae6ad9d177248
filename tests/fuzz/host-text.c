/* SPDX-License-Identifier: MIT */
/* Fuzz target over what smcctl host reads: a profile, and the kernel's masks and lists of CPUs. */
#include "config.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/host/profile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is written is what was read. */
static void check_mask(const char *text)
{
	char written[CPUS_MASK_TEXT];
	struct cpus *set = calloc(2, sizeof(*set));

	if (set && cpus_parse_mask(text, &set[0]) == 0) {
		cpus_mask(&set[0], written);
		if (cpus_parse_mask(written, &set[1]) != 0 || !cpus_equal(&set[0], &set[1]))
			abort();
	}
	if (set)
		(void)!cpus_parse_list(text, &set[0]);
	free(set);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_policy_errors_ struct policy_errors errors = {0};
	_cleanup_profile_ struct profile *profile = NULL;
	_cleanup_free_ char *text = malloc(size + 1);
	int r = profile_parse("fuzz.json", (const char *)data, size, &profile, &errors);

	if ((r == 0) != (profile != NULL) || (r == -EINVAL && errors.count == 0))
		abort();
	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	check_mask(text);
	return 0;
}
