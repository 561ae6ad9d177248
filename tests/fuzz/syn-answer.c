/* SPDX-License-Identifier: MIT */
/* Fuzz target over the reader of answers to SYNs: any packet; the seeds are SYN-ACKs and an RST, some behind IPv4 headers. */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/check/answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ALL_MARKS (ANSWER_SMC | ANSWER_SMC_LENGTH | ANSWER_SMC_TWICE | ANSWER_ECHO | ANSWER_FOREIGN | ANSWER_BROKEN)

static void look_at(const struct answer *answer)
{
	struct answer exact = *answer;

	if (answer->options_size > ANSWER_OPTIONS || answer->options_size % 4)
		abort();
	for (enum syn_kind kind = SYN_PLAIN; kind < SYN_KINDS; kind++) {
		const struct syn asked = {.kind = kind, .identifier = {0x5a, 1, 2, 3}};
		unsigned marks = answer_marks(answer, &asked);

		if (marks & ~(unsigned)ALL_MARKS || (marks & ANSWER_SMC_TWICE && !(marks & ANSWER_SMC)))
			abort();
		if (marks & ANSWER_ECHO && (kind == SYN_PLAIN || kind == SYN_SMC))
			abort();
		/* What stands behind the options does not count. */
		memset(exact.options + exact.options_size, 0xfe, ANSWER_OPTIONS - exact.options_size);
		if (answer_marks(&exact, &asked) != marks)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct answer answer;

	if (answer_parse(data, size, &answer) == 0)
		look_at(&answer);
	if (answer_parse_ipv4(data, size, &answer) == 0)
		look_at(&answer);
	return 0;
}
