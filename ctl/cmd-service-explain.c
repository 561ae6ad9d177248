/* SPDX-License-Identifier: MIT */
/* smcctl service explain: what acceleration of a unit would come to; changes nothing. */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "ctl/address.h"
#include "ctl/commands.h"
#include "ctl/output.h"
#include "ctl/paths.h"
#include "ctl/service/drop-in.h"
#include "ctl/service/exec-unit.h"
#include "ctl/service/judge.h"
#include "ctl/service/processes.h"
#include "ctl/service/words.h"
#include "ctl/verdict.h"

enum { EXPLAIN_USER, EXPLAIN_JSON };

const struct ctl_option cmd_service_explain_options[] = {
	[EXPLAIN_USER] = CTL_OPTION_USER,
	[EXPLAIN_JSON] = CTL_OPTION_JSON,
	{NULL, 0, NULL, NULL},
};

/* All that is found out about one unit. */
struct explanation {
	struct unit unit;
	struct drop_in drop_in;
	struct judgement judgement;
	struct processes processes;
	struct service_sockets sockets;
	struct policy_store *store; /* the table that the unit will follow, or NULL */
	struct policy_info *info;
	char *table; /* of a policy of its own, as the drop-in has it */
	char *body;  /* of the drop-in that enable would write */
	bool stale;  /* the one that is there */
};

static void explanation_clear(struct explanation *e)
{
	free(e->body);
	free(e->table);
	free(e->info);
	policy_store_close(e->store);
	service_sockets_clear(&e->sockets);
	processes_clear(&e->processes);
	judgement_clear(&e->judgement);
	drop_in_clear(&e->drop_in);
	unit_clear(&e->unit);
}

static int find_out(struct explanation *e, const struct judge_tools *tools)
{
	int r = drop_in_read(e->unit.directory, &e->drop_in);

	if (r == 0)
		r = words_assigned(unit_get(&e->unit, "Environment"), "SMC_POLICY", &e->table);
	if (r < 0)
		return r;
	/* Once asked for it is told about, for the program may be one that the library reaches as well. */
	e->judgement = (struct judgement){
		.unit = &e->unit, .tools = tools, .table = e->table, .asked = exec_text_supervises(e->drop_in.body)};
	r = judge(&e->judgement);
	if (r == 0)
		r = exec_unit_is_stale(&e->unit, e->drop_in.body, &e->stale);
	if (r == 0)
		r = processes_read(&e->unit, &e->processes);
	if (r < 0)
		return r;
	/* What may not be seen is left out: what will be is known all the same. */
	r = service_sockets_read(&e->processes, &e->sockets);
	if (r == -ENOMEM)
		return r;
	if (policy_store_open(e->table ? e->table : CTL_DEFAULT_TABLE, POLICY_STORE_READ, &e->store) == 0 &&
		policy_store_info(policy_store_map(e->store), &e->info) < 0)
		e->info = NULL;
	/* A policy of its own is bound by enable --policy, not by what is explained here. */
	e->judgement.table = NULL;
	return e->judgement.preload || e->judgement.commands ? judgement_drop_in(&e->judgement, &e->body) : 0;
}

static const char *effect(enum remark_kind kind)
{
	static const char *const effects[] = {[REMARK_NOTE] = "-",
		[REMARK_HANDLED] = "the drop-in handles it",
		[REMARK_LISTEN] = "listener stays TCP",
		[REMARK_POLICY] = "TCP for now",
		[REMARK_TCP] = "stays TCP",
		[REMARK_HELPER] = "refused without --force",
		[REMARK_NEVER] = "refused"};

	return effects[kind];
}

static void put_fate(struct out *out, const struct remark *why, const char *key, const char *why_key, const char *title)
{
	char text[64];

	out_string(out, key, NULL, why ? "tcp" : "smc");
	if (why)
		out_string(out, why_key, NULL, why->text);
	else
		out_null(out, why_key, NULL);
	(void)snprintf(text, sizeof(text), "TCP: see %s below", why ? why->what : "");
	out_string(out, NULL, title, why ? text : "SMC, where the policy says so");
}

/* The remark is about that listener (judge_socket()). */
static bool is_about(const struct remark *remark, const char *address)
{
	size_t length = strlen(address);
	const char *text;

	if (remark->kind != REMARK_LISTEN)
		return false;
	text = remark->text + strlen(JUDGE_LISTENER);
	return strncmp(text, address, length) == 0 && text[length] == ':';
}

/* What will become of a listener that is open now; *why is static or of the judgement. */
static bool becomes_smc(struct explanation *e, const struct service_listener *listener, const char **why)
{
	const struct remark *worst = judgement_fate(&e->judgement, REMARK_POLICY);
	struct verdict v = {.role = POLICY_LISTEN, .program = listener->program, .store = e->store, .info = e->info};

	for (size_t i = 0; i < e->judgement.count && !worst; i++) {
		if (is_about(&e->judgement.item[i], listener->address))
			worst = &e->judgement.item[i];
	}
	*why = worst ? worst->text : "";
	if (worst || !e->info || address_parse(listener->address, &v.address) < 0 || verdict_find(&v) < 0)
		return false;
	if (v.above_count)
		*why = v.above[0];
	else if (!(v.value & POLICY_VALUE_SMC))
		*why = (v.value & POLICY_VALUE_RULE) ? "a rule of the policy keeps it on TCP"
						     : "no rule of the policy has it";
	else
		*why = "a rule of the policy has it";
	return (v.value & POLICY_VALUE_SMC) && !v.above_count;
}

static void put_listeners(struct out *out, struct explanation *e)
{
	out_list(out, "listeners", NULL);
	for (size_t i = 0; i < e->sockets.listeners; i++) {
		const struct service_listener *listener = &e->sockets.listener[i];
		const char *why;
		bool smc = becomes_smc(e, listener, &why);

		out_object(out, NULL, NULL);
		out_string(out, "address", "LISTENER", listener->address);
		out_string(out, "now", "NOW", listener->smc ? "smc" : "tcp");
		out_string(out, "accelerated", "ACCELERATED", smc ? "smc" : "tcp");
		out_string(out, "why", "BECAUSE", why);
		out_close(out);
	}
	out_close(out);
}

static void put_remarks(struct out *out, const struct judgement *judgement)
{
	out_list(out, "findings", NULL);
	for (size_t i = 0; i < judgement->count; i++) {
		const struct remark *item = &judgement->item[i];

		out_object(out, NULL, NULL);
		out_string(out, "what", "FINDING", item->what);
		out_string(out, "kind", NULL, remark_kind_key(item->kind));
		out_string(out, NULL, "EFFECT", effect(item->kind));
		out_string(out, "text", NULL, item->text);
		out_string(out, NULL, "MEANING", item->text);
		out_close(out);
	}
	out_close(out);
}

static void put_drop_in(struct out *out, const struct explanation *e)
{
	static const char *const kinds[] = {[DROP_IN_NONE] = "none",
		[DROP_IN_OURS] = "enabled",
		[DROP_IN_EDITED] = "edited",
		[DROP_IN_FOREIGN] = "foreign"};
	_cleanup_free_ char *copy = NULL;
	char *rest = NULL;

	out_object(out, "drop_in", NULL);
	out_string(out, "path", NULL, e->unit.drop_in);
	out_string(out, "kind", NULL, kinds[e->drop_in.kind]);
	out_bool(out, "supervises", NULL, exec_text_supervises(e->drop_in.body));
	out_bool(out, "stale", NULL, e->stale);
	out_optional(out, "text", NULL, e->body);
	out_close(out);
	if (out_is_json(out))
		return;
	if (e->drop_in.kind != DROP_IN_NONE) {
		out_note(out, "%s: %s", e->unit.drop_in,
			e->drop_in.kind == DROP_IN_OURS             ? "it is enabled"
				: e->drop_in.kind == DROP_IN_EDITED ? "it is enabled, and was edited since"
								    : "stands in the way: it is not of smcctl");
		if (e->stale)
			out_note(out,
				"the unit's command has changed since, and the drop-in starts the old one: smcctl "
				"service enable %s",
				e->unit.name);
		return;
	}
	if (!e->body || judgement_worst(&e->judgement, REMARK_NEVER))
		return;
	copy = strdup(e->body);
	if (!copy)
		return;
	out_note(out, "smcctl service enable would write %s:", e->unit.drop_in);
	for (char *line = strtok_r(copy, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		out_note(out, "  %s", line);
}

static void put(struct out *out, struct explanation *e)
{
	const struct unit *unit = &e->unit;
	const struct remark *listen = judgement_fate(&e->judgement, REMARK_LISTEN);
	const struct remark *connect = judgement_fate(&e->judgement, REMARK_POLICY);
	char state[128];

	out_string(out, "unit", "unit", unit->name);
	(void)snprintf(state, sizeof(state), "%.30s, %.30s (%.30s)", unit_get(unit, "LoadState"),
		unit_get(unit, "ActiveState"), unit_get(unit, "SubState"));
	out_string(out, "load_state", NULL, unit_get(unit, "LoadState"));
	out_string(out, "active_state", NULL, unit_get(unit, "ActiveState"));
	out_string(out, NULL, "state", state);
	out_optional(out, "unit_file", "unit file", unit_get(unit, "FragmentPath"));
	out_optional(out, "drop_ins", "drop-ins", unit_get(unit, "DropInPaths"));
	put_fate(out, listen, "listen", "listen_why", "listeners");
	put_fate(out, connect, "connect", "connect_why", "connections");
	out_bool(out, "refused", NULL, judgement_worst(&e->judgement, REMARK_TCP) != NULL);
	put_remarks(out, &e->judgement);
	put_listeners(out, e);
	put_drop_in(out, e);
}

static enum ctl_exit explain(
	struct ctl *ctl, struct out *out, const char *name, const struct judge_tools *tools, bool user)
{
	_cleanup_(explanation_clear) struct explanation e = {.table = NULL};
	enum ctl_exit code = unit_read(ctl, name, user, &e.unit);
	int r;

	if (code == CTL_OK)
		code = unit_must_exist(ctl, &e.unit);
	if (code != CTL_OK)
		return code;
	r = find_out(&e, tools);
	if (r < 0)
		return ctl_error(ctl, ctl_exit_of(r), "unit", e.unit.name, "%s", strerror(-r));
	if (out_is_json(out))
		out_object(out, NULL, NULL);
	put(out, &e);
	if (out_is_json(out))
		out_close(out);
	return CTL_OK;
}

static enum ctl_exit explain_json(struct ctl *ctl, const struct ctl_args *args, const struct judge_tools *tools)
{
	enum ctl_exit worst = CTL_OK;
	struct out *out;

	if (out_begin(ctl->out, true, &out) < 0)
		return ctl_error(ctl, CTL_FAILED, "service", NULL, "%s", strerror(ENOMEM));
	out_list(out, "units", NULL);
	for (size_t i = 0; i < args->operands; i++) {
		enum ctl_exit code = explain(ctl, out, args->operand[i], tools, args->option[EXPLAIN_USER] != NULL);

		worst = worst == CTL_OK ? code : worst;
	}
	out_close(out);
	if (out_end(out) < 0)
		return ctl_error(ctl, CTL_FAILED, "service", NULL, "%s", strerror(ENOMEM));
	return worst;
}

enum ctl_exit cmd_service_explain(struct ctl *ctl, const struct ctl_args *args)
{
	_cleanup_judge_tools_ struct judge_tools found = {.library = NULL};
	const struct judge_tools *tools = &found;
	enum ctl_exit worst = judge_tools_find(ctl, args->option[EXPLAIN_USER] != NULL, &found);

	if (worst != CTL_OK)
		return worst;
	if (args->option[EXPLAIN_JSON])
		return explain_json(ctl, args, tools);
	for (size_t i = 0; i < args->operands; i++) {
		enum ctl_exit code;
		struct out *out;

		if (out_begin(ctl->out, false, &out) < 0)
			return ctl_error(ctl, CTL_FAILED, "service", NULL, "%s", strerror(ENOMEM));
		if (i > 0)
			out_note(out, "%s", "");
		code = explain(ctl, out, args->operand[i], tools, args->option[EXPLAIN_USER] != NULL);
		if (out_end(out) < 0)
			return ctl_error(ctl, CTL_FAILED, "service", NULL, "%s", strerror(ENOMEM));
		worst = worst == CTL_OK ? code : worst;
	}
	return worst;
}
