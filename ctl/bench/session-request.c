/* SPDX-License-Identifier: MIT */
/* What the connections of a run send. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/bench/protocol.h"
#include "ctl/bench/session.h"

/* Bytes that repeat nowhere, so that an answer of other bytes, or of the same at another place, is noticed. */
static void fill(char *to, size_t size)
{
	uint64_t x = UINT64_C(0x9e3779b97f4a7c15);

	for (size_t i = 0; i < size; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		to[i] = (char)(x >> 32);
	}
	/* Neither a preface nor a method of HTTP begins so. */
	if (size)
		to[0] = '\x01';
}

static int head_of(const struct bench_params *params, bool ours, char **out)
{
	const char *open = strchr(params->host, ':') ? "[" : "";
	const char *close = *open ? "]" : "";
	int n = 0;

	switch (params->workload) {
	case BENCH_HTTP:
		if (params->get)
			n = asprintf(out, "GET %s HTTP/1.1\r\nHost: %s%s%s:%u\r\nUser-Agent: smcctl\r\n\r\n",
				params->get, open, params->host, close, params->port);
		else
			n = asprintf(out,
				"POST / HTTP/1.1\r\nHost: %s%s%s:%u\r\nUser-Agent: smcctl\r\n"
				"Content-Type: application/octet-stream\r\nContent-Length: %u\r\n\r\n",
				open, params->host, close, params->port, params->payload);
		break;
	case BENCH_CONNECT:
		n = ours ? asprintf(out, BENCH_PREFACE BENCH_ONCE "%u\n", params->payload) : asprintf(out, "%s", "");
		break;
	case BENCH_BULK:
		n = asprintf(out, BENCH_PREFACE BENCH_SINK "%u\n", params->payload);
		break;
	default:
		n = asprintf(out, "%s", "");
		break;
	}
	return n < 0 ? -ENOMEM : 0;
}

int session_request(const struct bench_params *params, struct load_plan *plan, char **out)
{
	_cleanup_free_ char *head = NULL;
	size_t body = params->get ? 0 : params->payload;
	size_t length;
	char *text;

	if (head_of(params, plan->ours, &head) < 0) {
		head = NULL;
		return -ENOMEM;
	}
	length = strlen(head);
	text = malloc(length + body + 1);
	if (!text)
		return -ENOMEM;
	memcpy(text, head, length);
	fill(text + length, body);
	plan->request = text;
	plan->size = length + body;
	plan->payload = text + length;
	/* What stands at the beginning of a connection only. */
	plan->preface = params->workload == BENCH_BULK || params->workload == BENCH_CONNECT ? length : 0;
	*out = text;
	return 0;
}
