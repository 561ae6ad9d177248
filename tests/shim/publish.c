/* SPDX-License-Identifier: MIT */
/* Puts policies in force for the cases, by the policy library. */
#include "config.h"

#include "tests/shim/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/policy.h"
#include "policy/store.h"

#define KERNEL_ALL (POLICY_KERNEL_SMC | POLICY_KERNEL_DOWNGRADE | POLICY_KERNEL_DOWNGRADE_EPOLL)

static struct policy_store *open_table(const char *table)
{
	struct policy_store *store = NULL;
	int r = policy_store_open(table, POLICY_STORE_CREATE, &store);

	check_at(__FILE__, __LINE__, r == 0, true, "table %s: %s", table, policy_store_strerror(r));
	return store;
}

const void *compile_policy(const char *text)
{
	struct policy_errors errors = {0};
	struct policy_image *image = NULL;
	struct policy *policy = NULL;
	int r = policy_parse("shimtest", text, strlen(text), &policy, &errors);

	if (r == 0)
		r = policy_compile(policy, &image, &errors);
	check_at(__FILE__, __LINE__, r == 0, true, "policy: %s", errors.count ? errors.items[0].text : "no memory");
	policy_errors_clear(&errors);
	policy_free(policy);
	return image;
}

void *open_writer(const char *table)
{
	return open_table(table);
}

static void publish_image(struct policy_store *store, const struct policy_image *image, unsigned kernel)
{
	struct policy_publication publication = {
		.image = image, .kernel = kernel, .source = "/shimtest", .digest = 1, .wait = true};
	int r = policy_store_publish(store, &publication, NULL);

	check_at(__FILE__, __LINE__, r == 0, true, "publish: %s", policy_store_strerror(r));
}

void write_policy(void *writer, const void *image)
{
	publish_image(writer, image, KERNEL_ALL);
}

void publish_at(const char *table, const char *text, unsigned kernel)
{
	struct policy_store *store = open_table(table);
	struct policy_image *image = (struct policy_image *)(uintptr_t)compile_policy(text);

	publish_image(store, image, kernel);
	policy_image_free(image);
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
