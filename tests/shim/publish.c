/* SPDX-License-Identifier: MIT */
/* Puts policies in force for the cases, by the policy library. */
#include "config.h"

#include "tests/shim/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/policy.h"
#include "policy/store.h"

#define KERNEL_ALL                                                                                                     \
	(POLICY_KERNEL_IPPROTO_SMC | POLICY_KERNEL_IPPROTO_SMC6 | POLICY_KERNEL_AF_SMC | POLICY_KERNEL_DOWNGRADE |     \
		POLICY_KERNEL_DOWNGRADE_EPOLL)

static struct policy_store *open_table(const char *table)
{
	struct policy_store *store = NULL;
	int r = policy_store_open(table, POLICY_STORE_CREATE, &store);

	check_at(__FILE__, __LINE__, r == 0, true, "table %s: %s", table, policy_store_strerror(r));
	return store;
}

void publish_at(const char *table, const char *text, unsigned kernel)
{
	struct policy_store *store = open_table(table);
	struct policy_errors errors = {0};
	struct policy_image *image = NULL;
	struct policy *policy = NULL;
	struct policy_publication publication = {
		.kernel = kernel, .source = "/shimtest", .digest = policy_digest(text, strlen(text)), .wait = true};
	int r = policy_parse("shimtest", text, strlen(text), &policy, &errors);

	if (r == 0)
		r = policy_compile(policy, &image, &errors);
	check_at(__FILE__, __LINE__, r == 0, true, "policy: %s", errors.count ? errors.items[0].text : "no memory");
	publication.image = image;
	r = policy_store_publish(store, &publication, NULL);
	check_at(__FILE__, __LINE__, r == 0, true, "publish: %s", policy_store_strerror(r));
	policy_errors_clear(&errors);
	policy_image_free(image);
	policy_free(policy);
	policy_store_close(store);
}

void publish(const char *text)
{
	const char *table = getenv("SMC_POLICY");

	if (table)
		publish_at(table, text, KERNEL_ALL);
}

void set_state(const char *table, unsigned state)
{
	struct policy_store *store = open_table(table);

	MUST_EQUAL(policy_store_set_state(store, state), 0);
	policy_store_close(store);
}
