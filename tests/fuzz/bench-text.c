/* SPDX-License-Identifier: MIT */
/* Fuzz target over what smcctl bench reads from the network and from files: heads of HTTP, the server's status, results. */
#include "config.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/bench/compare.h"
#include "ctl/bench/status.h"
#include "ctl/http.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HEAD_MAX 4096u

static void read_head(const char *text, size_t size, int (*read)(const char *, size_t, size_t, struct http_head *))
{
	struct http_head head;
	struct http_head again;
	int r = read(text, size, HEAD_MAX, &head);

	if ((r < 0 && r != -EBADMSG && r != -EMSGSIZE) || r > 1 || (r == 0 && size >= HEAD_MAX))
		abort();
	if (r <= 0)
		return;
	if (head.size > size || head.size > HEAD_MAX ||
		(head.target && (head.target < text || head.target + head.target_size > text + head.size)))
		abort();
	/* The head says what it says, whatever follows; and one byte less of it is not complete. */
	if (read(text, head.size, HEAD_MAX, &again) != 1 || again.size != head.size || again.status != head.status ||
		again.length != head.length || again.target_size != head.target_size ||
		read(text, head.size - 1, HEAD_MAX, &again) == 1)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct status status;
	struct compare_run run;
	const char *why = NULL;
	char *text = malloc(size + 1);

	if (!text)
		abort();
	read_head((const char *)data, size, http_request);
	read_head((const char *)data, size, http_response);
	(void)http_looks_like_request((const char *)data, size);
	if (status_parse((const char *)data, size, &status) > 0)
		abort();
	memcpy(text, data, size);
	text[size] = '\0';
	if (compare_parse(text, &run, &why) == -EBADMSG && !why)
		abort();
	free(text);
	return 0;
}
