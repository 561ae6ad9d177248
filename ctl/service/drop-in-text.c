/* SPDX-License-Identifier: MIT */
/* The head of our drop-in: who wrote it, what it needs for going away without a trace, and a digest against edits. */
#include "config.h"

#include "ctl/service/drop-in-text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "policy/policy.h"

#define MARK "# smcctl drop-in 1, made "
#define MADE_MAX 16

int drop_in_compose(const char *unit, const char *body, unsigned made, char **out)
{
	if (asprintf(out,
		    "# Written by smcctl(8): smcctl service enable %s. Undo it by: smcctl service disable %s\n" MARK
		    "%u, digest %016" PRIx64 "\n%s",
		    unit, unit, made, policy_digest(body, strlen(body)), body) < 0) {
		*out = NULL;
		return -ENOMEM;
	}
	return 0;
}

int drop_in_parse(const char *text, struct drop_in *out)
{
	const char *mark = strstr(text, "\n" MARK);
	const char *body;
	unsigned made;
	uint64_t digest;

	out->kind = DROP_IN_FOREIGN;
	/* The mark is in the second line. */
	if (mark != strchr(text, '\n'))
		mark = NULL;
	body = mark ? strchr(mark + 1, '\n') : NULL;
	if (mark && body && sscanf(mark + 1, MARK "%u, digest %16" SCNx64, &made, &digest) == 2 && made <= MADE_MAX) {
		body++;
		out->made = made;
		out->kind = digest == policy_digest(body, strlen(body)) ? DROP_IN_OURS : DROP_IN_EDITED;
	} else {
		body = text;
	}
	out->body = strdup(body);
	out->text = strdup(text);
	return out->body && out->text ? 0 : -ENOMEM;
}

void drop_in_clear(struct drop_in *drop_in)
{
	free(drop_in->body);
	free(drop_in->text);
	*drop_in = (struct drop_in){.kind = DROP_IN_NONE};
}
