/* SPDX-License-Identifier: MIT */
/* Fuzz target over what smcctl pod reads: objects (printed as they were, injected twice is once, undone is undone), reviews. */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/pod/pod.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The text that the function makes of text, for the caller to free; NULL: refused. */
static char *run(const char *text, pod_function *function, const struct pod_options *options)
{
	_cleanup_tree_ struct tree tree = {.error = 0};
	struct pod_report *reports = NULL;
	struct tree_style style;
	struct json_fault fault;
	struct node *node;
	char *out;
	size_t at = 0;
	size_t size;
	FILE *stream;

	if (tree_parse(&tree, text, strlen(text), &at, &node, &style, &fault) < 0)
		return NULL;
	if (function && pod_each(&tree, options, node, function, &reports) < 0)
		abort();
	for (const struct pod_report *report = reports; report; report = report->next) {
		if (report->result >= POD_REFUSED)
			return NULL;
	}
	stream = open_memstream(&out, &size);
	if (!stream)
		abort();
	tree_print(stream, node, &style);
	return fclose(stream) == 0 ? out : NULL;
}

static void inject(const char *text, const struct pod_options *options)
{
	_cleanup_free_ char *plain = run(text, NULL, options);
	_cleanup_free_ char *clean = plain ? run(plain, pod_uninject, options) : NULL;
	_cleanup_free_ char *once = clean ? run(clean, pod_inject, options) : NULL;
	_cleanup_free_ char *twice = once ? run(once, pod_inject, options) : NULL;
	_cleanup_free_ char *back = once ? run(once, pod_uninject, options) : NULL;

	if (plain && strncmp(text + strspn(text, " \t\r\n"), plain, strlen(plain)) != 0)
		abort();
	if (once && (!twice || strcmp(once, twice) != 0 || !back || strcmp(clean, back) != 0))
		abort();
}

static void review(const char *text)
{
	_cleanup_tree_ struct tree tree = {.error = 0};
	const struct pod_options options = {.policy = "p", .image = "i", .review = true};
	struct tree_style style;
	struct json_fault fault;
	struct node *node;
	struct node *answer;
	const char *why;
	size_t at = 0;

	if (tree_parse(&tree, text, strlen(text), &at, &node, &style, &fault) == 0 &&
		pod_review(&tree, &options, node, &answer, &why) == 0 && !node_get(answer, "response"))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct pod_options options[] = {{.policy = "p", .image = "i"},
		{.method = POD_BY_HOSTPATH, .policy = "p", .image = "i"}, {.dialect = POD_SPEAKS_ERDMA}};
	_cleanup_free_ char *text = malloc(size + 1);
	struct json_fault fault;

	if (!text)
		abort();
	memcpy(text, data, size);
	text[size] = '\0';
	if (!json_check_bytes(text, size, &fault))
		return 0;
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		inject(text, &options[i]);
	review(text);
	return 0;
}
