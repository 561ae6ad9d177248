/* SPDX-License-Identifier: MIT */
/* smcctl eid list, ensure, add, del, flush, system. */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "ctl/commands.h"
#include "ctl/output.h"
#include "ctl/smc/eid.h"
#include "ctl/smc/open.h"

/* Said with every change: it is not what a network namespace leads one to expect. */
#define SCOPE "this machine, all its network namespaces"

enum { LIST_JSON };

const struct ctl_option cmd_eid_list_options[] = {[LIST_JSON] = CTL_OPTION_JSON, {NULL, 0, NULL, NULL}};

static enum ctl_exit look(struct ctl *ctl, struct genl **genl, struct eid_table *table)
{
	enum ctl_exit code = smc_open(ctl, NULL, GENL_SMC, genl);
	int r;

	if (code != CTL_OK)
		return code;
	r = eid_load(*genl, table);
	return r < 0 ? smc_refused(ctl, "EID table", NULL, *genl, r) : CTL_OK;
}

static void put_users(struct out *out, const struct eid_table *table)
{
	if (!table->count)
		out_string(out, NULL, "user EIDs", "none");
	out_list(out, "user", table->count ? "user EIDs" : NULL);
	for (size_t i = 0; i < table->count; i++)
		out_string(out, NULL, NULL, table->user[i]);
	out_close(out);
}

static void put_system(struct out *out, const struct eid_table *table)
{
	if (!table->system[0]) {
		out_null(out, "system", NULL);
		out_string(out, NULL, "system EID", "none");
		return;
	}
	out_string(out, "system", "system EID", table->system);
	out_bool(out, "system_enabled", "in use", table->system_on);
}

enum ctl_exit cmd_eid_list(struct ctl *ctl, const struct ctl_args *args)
{
	_cleanup_genl_ struct genl *genl = NULL;
	struct eid_table table;
	struct out *out;
	enum ctl_exit code = look(ctl, &genl, &table);

	if (code != CTL_OK)
		return code;
	if (out_begin(ctl->out, args->option[LIST_JSON], &out) < 0)
		return ctl_error(ctl, CTL_FAILED, "EID table", NULL, "%s", strerror(ENOMEM));
	out_string(out, "scope", NULL, "machine");
	out_string(out, NULL, "scope", SCOPE);
	put_users(out, &table);
	put_system(out, &table);
	if (out_end(out) < 0)
		return ctl_error(ctl, CTL_FAILED, "EID table", NULL, "%s", strerror(ENOMEM));
	return CTL_OK;
}

static enum ctl_exit parse(struct ctl *ctl, const char *text, char eid[static EID_SIZE])
{
	if (eid_parse(text, eid))
		return CTL_OK;
	return ctl_error(ctl, CTL_USAGE, "EID", text,
		"not 1 to 32 of A-Z, 0-9, '.' and '-' with a letter or digit first; lower case does not go");
}

static enum ctl_exit add(struct ctl *ctl, const struct ctl_args *args, bool ensure)
{
	_cleanup_genl_ struct genl *genl = NULL;
	struct eid_table table;
	char eid[EID_SIZE];
	enum ctl_exit code = parse(ctl, args->operand[0], eid);
	int r;

	if (code == CTL_OK)
		code = look(ctl, &genl, &table);
	if (code != CTL_OK)
		return code;
	/* Asked first: a full table answers ERANGE for an EID that is in it. */
	r = eid_has(&table, eid) ? -EEXIST : eid_add(genl, eid);
	if (r == -EEXIST && ensure) {
		fprintf(ctl->out, "%s: there already; scope: " SCOPE "\n", eid);
		return CTL_OK;
	}
	if (r == -EEXIST)
		return ctl_error(ctl, CTL_FAILED, "EID", eid, "there already; eid ensure takes that for success");
	if (r == -ERANGE)
		return ctl_error(ctl, CTL_FAILED, "EID", eid,
			"the table is full, this kernel holds %zu user EIDs; smcctl eid del one of them first",
			table.count);
	if (r < 0)
		return smc_refused(ctl, "EID", eid, genl, r);
	fprintf(ctl->out, "%s: added; scope: " SCOPE "\n", eid);
	return CTL_OK;
}

enum ctl_exit cmd_eid_ensure(struct ctl *ctl, const struct ctl_args *args)
{
	return add(ctl, args, true);
}

enum ctl_exit cmd_eid_add(struct ctl *ctl, const struct ctl_args *args)
{
	return add(ctl, args, false);
}

enum ctl_exit cmd_eid_del(struct ctl *ctl, const struct ctl_args *args)
{
	_cleanup_genl_ struct genl *genl = NULL;
	char eid[EID_SIZE];
	bool system_on = false;
	enum ctl_exit code = parse(ctl, args->operand[0], eid);
	int r;

	if (code == CTL_OK)
		code = smc_open(ctl, NULL, GENL_SMC, &genl);
	if (code != CTL_OK)
		return code;
	r = eid_remove(genl, eid, &system_on);
	if (r == -ENOENT)
		return ctl_error(ctl, CTL_FAILED, "EID", eid, "not in the table; smcctl eid list shows what is");
	if (r < 0)
		return smc_refused(ctl, "EID", eid, genl, r);
	fprintf(ctl->out, "%s: removed%s; scope: " SCOPE "\n", eid,
		system_on ? ", and as it was the last one, the system EID is on now" : "");
	return CTL_OK;
}

enum ctl_exit cmd_eid_flush(struct ctl *ctl, const struct ctl_args *args)
{
	_cleanup_genl_ struct genl *genl = NULL;
	struct eid_table table;
	enum ctl_exit code = look(ctl, &genl, &table);
	int r;

	(void)args;
	if (code != CTL_OK)
		return code;
	r = eid_flush(genl);
	if (r < 0)
		return smc_refused(ctl, "EID table", NULL, genl, r);
	if (table.count)
		fprintf(ctl->out, "user EIDs removed: %zu; scope: " SCOPE "\n", table.count);
	else
		fputs("the table was empty\n", ctl->out);
	return CTL_OK;
}

enum ctl_exit cmd_eid_system(struct ctl *ctl, const struct ctl_args *args)
{
	_cleanup_genl_ struct genl *genl = NULL;
	const char *word = args->operand[0];
	bool on = strcmp(word, "on") == 0;
	enum ctl_exit code;
	int r;

	if (!on && strcmp(word, "off") != 0)
		return ctl_error(ctl, CTL_USAGE, "system EID", word, "neither on nor off");
	code = smc_open(ctl, NULL, GENL_SMC, &genl);
	if (code != CTL_OK)
		return code;
	r = eid_set_system(genl, on);
	if (r == -EOPNOTSUPP)
		return ctl_error(ctl, CTL_CANNOT, "system EID", word,
			"only machines of s390 have one; here user EIDs do it: smcctl eid ensure NAME");
	if (r == -ENOENT)
		return ctl_error(ctl, CTL_FAILED, "system EID", word,
			"it is the only EID; add a user EID first: smcctl eid ensure NAME");
	if (r < 0)
		return smc_refused(ctl, "system EID", word, genl, r);
	fprintf(ctl->out, "system EID: %s; scope: " SCOPE "\n", word);
	return CTL_OK;
}
