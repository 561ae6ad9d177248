/* SPDX-License-Identifier: MIT */
/* Reads answers to SYNs. */
#include "config.h"

#include "ctl/check/answer.h"

#include <errno.h>
#include <string.h>

#define TCP_HEADER 20u
#define IPV4_HEADER 20u
#define FLAG_SYN 0x02u
#define FLAG_RST 0x04u
#define FLAG_ACK 0x10u
#define OPTION_END 0u
#define OPTION_NOP 1u

static uint32_t get16(const uint8_t *from)
{
	return (uint32_t)from[0] << 8 | from[1];
}

int answer_parse(const void *segment, size_t size, struct answer *out)
{
	const uint8_t *bytes = segment;
	size_t header = size >= TCP_HEADER ? (size_t)(bytes[12] >> 4) * 4 : 0;
	struct answer answer = {.reset = false};

	if (header < TCP_HEADER || header > size || !(bytes[13] & FLAG_ACK))
		return -EBADMSG;
	answer.reset = bytes[13] & FLAG_RST;
	if (!answer.reset && !(bytes[13] & FLAG_SYN))
		return -EBADMSG;
	answer.from_port = (uint16_t)get16(bytes);
	answer.to_port = (uint16_t)get16(bytes + 2);
	answer.acknowledged = get16(bytes + 8) << 16 | get16(bytes + 10);
	answer.options_size = (uint8_t)(header - TCP_HEADER);
	memcpy(answer.options, bytes + TCP_HEADER, answer.options_size);
	*out = answer;
	return 0;
}

int answer_parse_ipv4(const void *packet, size_t size, struct answer *out)
{
	const uint8_t *bytes = packet;
	size_t header = size >= IPV4_HEADER ? (size_t)(bytes[0] & 0x0f) * 4 : 0;

	if (header < IPV4_HEADER || header > size || bytes[0] >> 4 != 4)
		return -EBADMSG;
	return answer_parse(bytes + header, size - header, out);
}

/* One option of kind 253 or 254. */
static unsigned mark_experiment(const uint8_t *option, size_t length, const struct syn *asked)
{
	const uint8_t *identifier = option + 2;
	size_t known = length - 2 < SYN_IDENTIFIER ? length - 2 : SYN_IDENTIFIER;
	bool other = asked->kind == SYN_OTHER_ID || asked->kind == SYN_OTHER_KIND;

	if (other && length == SYN_OPTION_LENGTH && memcmp(identifier, asked->identifier, SYN_IDENTIFIER) == 0)
		return ANSWER_ECHO;
	if (option[0] == SYN_OPTION_KIND && memcmp(identifier, syn_smc_identifier, known) == 0)
		return length == SYN_OPTION_LENGTH ? ANSWER_SMC : ANSWER_SMC_LENGTH;
	return ANSWER_FOREIGN;
}

unsigned answer_marks(const struct answer *answer, const struct syn *asked)
{
	const uint8_t *options = answer->options;
	size_t size = answer->options_size;
	unsigned marks = 0;

	for (size_t i = 0, length; i < size && options[i] != OPTION_END; i += length) {
		unsigned mark;

		length = 1;
		if (options[i] == OPTION_NOP)
			continue;
		if (i + 1 >= size || options[i + 1] < 2 || options[i + 1] > size - i)
			return marks | ANSWER_BROKEN;
		length = options[i + 1];
		if (options[i] != SYN_OPTION_KIND && options[i] != SYN_OPTION_OTHER_KIND)
			continue;
		mark = mark_experiment(options + i, length, asked);
		if (mark == ANSWER_SMC && marks & ANSWER_SMC)
			mark = ANSWER_SMC_TWICE;
		marks |= mark;
	}
	return marks;
}
