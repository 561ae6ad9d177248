/* SPDX-License-Identifier: MIT */
/* Gathers what the judges find, and writes the drop-in that follows from it. */
#include "config.h"

#include "ctl/service/judge.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "ctl/service/words.h"

void judgement_clear(struct judgement *judgement)
{
	for (size_t i = 0; i < judgement->count; i++)
		free(judgement->item[i].text);
	free(judgement->item);
	if (judgement->lines)
		(void)fclose(judgement->lines);
	free(judgement->needs);
	free(judgement->preload);
}

const char *remark_kind_key(enum remark_kind kind)
{
	static const char *const keys[] = {[REMARK_NOTE] = "note",
		[REMARK_HANDLED] = "handled",
		[REMARK_LISTEN] = "listeners_tcp",
		[REMARK_POLICY] = "policy_tcp",
		[REMARK_TCP] = "all_tcp",
		[REMARK_HELPER] = "system_service",
		[REMARK_NEVER] = "impossible"};

	return keys[kind];
}

void judgement_add(struct judgement *judgement, enum remark_kind kind, const char *what, const char *format, ...)
{
	struct remark *larger = realloc(judgement->item, (judgement->count + 1) * sizeof(*larger));
	char *text = NULL;
	va_list ap;
	int r;

	if (!larger) {
		judgement->error = -ENOMEM;
		return;
	}
	judgement->item = larger;
	va_start(ap, format);
	r = vasprintf(&text, format, ap);
	va_end(ap);
	if (r < 0) {
		judgement->error = -ENOMEM;
		return;
	}
	larger[judgement->count++] = (struct remark){.kind = kind, .what = what, .text = text};
}

const struct remark *judgement_worst(const struct judgement *judgement, enum remark_kind least)
{
	const struct remark *worst = NULL;

	for (size_t i = 0; i < judgement->count; i++) {
		const struct remark *item = &judgement->item[i];

		if (item->kind >= least && (!worst || item->kind > worst->kind))
			worst = item;
	}
	return worst;
}

const char *judge_root(const struct judgement *judgement)
{
	const char *root = unit_get(judgement->unit, "RootDirectory");

	return strcmp(root, "/") == 0 ? "" : root;
}

int judge(struct judgement *judgement)
{
	judgement->lines = open_memstream(&judgement->needs, &judgement->needs_size);
	if (!judgement->lines)
		return -ENOMEM;
	judge_origin(judgement);
	judge_program(judgement);
	judge_environment(judgement);
	judge_sandbox(judgement);
	judge_files(judgement);
	judge_policy(judgement);
	if (fclose(judgement->lines) != 0 && !judgement->error)
		judgement->error = -ENOMEM;
	judgement->lines = NULL;
	return judgement->error;
}

int judgement_drop_in(const struct judgement *judgement, char **out)
{
	bool system = !judgement->unit->user;
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	if (!stream)
		return -ENOMEM;
	/* An order, not a wish: whoever wants the policy at boot enables that unit. */
	if (system)
		fputs("[Unit]\nAfter=smcshim-policy.service\n\n", stream);
	fputs("[Service]\n", stream);
	fputs("Environment=", stream);
	words_put_assignment(stream, "LD_PRELOAD", judgement->preload);
	if (judgement->table) {
		fputs("Environment=", stream);
		words_put_assignment(stream, "SMC_POLICY", judgement->table);
		/* "-": the service starts without it, on TCP; "+": outside of its sandbox. */
		fprintf(stream, "ExecStartPre=-%s", system ? "+" : "");
		fprintf(stream, "%s policy apply ", BINDIR "/smcctl");
		words_put_argument(stream, judgement->policy);
	}
	fputs(judgement->needs, stream);
	if (fclose(stream) != 0) {
		free(text);
		return -ENOMEM;
	}
	*out = text;
	return 0;
}
