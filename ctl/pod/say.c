/* SPDX-License-Identifier: MIT */
/* Says what became of the objects, and reads the options that the commands share. */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "ctl/output.h"
#include "ctl/pod/input.h"

/* ---- options ---- */

static bool find_word(const char *word, const char *const words[], size_t count, size_t *out)
{
	for (size_t i = 0; word && i < count; i++) {
		if (strcmp(word, words[i]) == 0) {
			*out = i;
			return true;
		}
	}
	return !word;
}

/* A subdomain of RFC 1123, as the API server wants a ConfigMap's name. */
static bool is_name(const char *name)
{
	size_t length = strlen(name);

	return length > 0 && length <= 253 && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-.") == length &&
		!strchr("-.", name[0]) && !strchr("-.", name[length - 1]) && !strstr(name, "..");
}

enum ctl_exit pod_options_of(struct ctl *ctl, const struct pod_words *words, struct pod_options *out)
{
	static const char *const methods[] = {
		[POD_BY_INIT] = "init", [POD_BY_HOSTPATH] = "hostpath", [POD_BY_IMAGE_VOLUME] = "image-volume"};
	static const char *const dialects[] = {
		[POD_SPEAKS_SMCSHIM] = "smcshim", [POD_SPEAKS_ASM] = "asm", [POD_SPEAKS_ERDMA] = "erdma"};
	size_t method = POD_BY_INIT;
	size_t dialect = POD_SPEAKS_SMCSHIM;

	if (!find_word(words->method, methods, sizeof(methods) / sizeof(methods[0]), &method))
		return ctl_error(
			ctl, CTL_USAGE, "method", words->method, "unknown; there are init, hostpath and image-volume");
	if (!find_word(words->dialect, dialects, sizeof(dialects) / sizeof(dialects[0]), &dialect))
		return ctl_error(
			ctl, CTL_USAGE, "dialect", words->dialect, "unknown; there are smcshim, asm and erdma");
	if (words->policy && !is_name(words->policy))
		return ctl_error(ctl, CTL_USAGE, "ConfigMap", words->policy,
			"a name has small letters, digits, '-' and '.', and begins and ends with a letter or digit");
	if (dialect != POD_SPEAKS_SMCSHIM && (words->method || words->policy || words->containers || words->image))
		return ctl_error(ctl, CTL_USAGE, "dialect", words->dialect,
			"only annotates; --method, --policy, --image and --containers are not for it");
	if (method == POD_BY_HOSTPATH && words->policy)
		return ctl_error(
			ctl, CTL_USAGE, "option", "--policy", "with --method hostpath the node's policy is in force");
	out->method = (enum pod_method)method;
	out->dialect = (enum pod_dialect)dialect;
	out->containers = words->containers;
	out->policy = words->policy ? words->policy : POD_DEFAULT_POLICY;
	out->image = words->image ? words->image : POD_DEFAULT_IMAGE;
	return CTL_OK;
}

/* ---- reports ---- */

static enum ctl_exit code_of(const struct pod_report *report)
{
	switch (report->result) {
	case POD_BAD:
		return CTL_BAD_INPUT;
	case POD_NOT_OURS:
		return CTL_STALE;
	case POD_REFUSED:
		return CTL_CANNOT;
	default:
		return CTL_OK;
	}
}

static const char *list_of(struct tree *tree, const struct node *names)
{
	const char *list = "";

	for (const struct node *n = names ? names->first : NULL; n && list; n = n->next)
		list = tree_printf(tree, "%s%s%s", list, *list ? ", " : "", node_text(n));
	return list ? list : "";
}

static void say_one(
	struct ctl *ctl, struct tree *tree, const struct pod_options *options, const struct pod_report *report)
{
	const char *name = pod_name(tree, report);
	bool injected = report->result == POD_INJECTED && options->dialect == POD_SPEAKS_SMCSHIM;

	name = name ? name : report->kind;
	if (code_of(report) != CTL_OK)
		ctl_error(ctl, code_of(report), "object", name, "%s", report->why ? report->why : "");
	else if (injected)
		ctl_warn(ctl, "%s: injected: %s %s; policy %s%s", name,
			report->containers->first == report->containers->last ? "container" : "containers",
			list_of(tree, report->containers),
			options->method == POD_BY_HOSTPATH ? "of the node" : "in ConfigMap ",
			options->method == POD_BY_HOSTPATH ? "" : options->policy);
	else if (report->result == POD_RESTORED)
		ctl_warn(ctl, "%s: uninjected", name);
	else
		ctl_warn(ctl, "%s: %s: %s", name, pod_result_name(report->result), report->why ? report->why : "");
	for (const struct pod_note *note = report->notes; note; note = note->next)
		ctl_warn(ctl, "%s: %s", name, note->text);
}

enum ctl_exit pod_say(
	struct ctl *ctl, struct tree *tree, const struct pod_options *options, const struct pod_report *reports)
{
	enum ctl_exit code = CTL_OK;
	size_t objects = 0;
	size_t workloads = 0;

	for (const struct pod_report *report = reports; report; report = report->next) {
		objects++;
		if (report->result == POD_PASSED)
			continue;
		workloads++;
		say_one(ctl, tree, options, report);
		code = code != CTL_OK ? code : code_of(report);
	}
	if (!workloads)
		ctl_warn(ctl, "no workload among %zu object%s", objects, objects == 1 ? "" : "s");
	return code;
}

enum ctl_exit pod_say_json(struct ctl *ctl, const struct pod_report *reports)
{
	enum ctl_exit code = CTL_OK;
	struct out *out;

	if (out_begin(ctl->err, true, &out) < 0)
		return ctl_error(ctl, CTL_FAILED, "report", NULL, "%s", strerror(ENOMEM));
	out_list(out, "objects", NULL);
	for (const struct pod_report *report = reports; report; report = report->next) {
		out_object(out, NULL, NULL);
		out_string(out, "kind", NULL, report->kind);
		out_optional(out, "namespace", NULL, report->space);
		out_string(out, "name", NULL, report->name);
		out_string(out, "result", NULL, pod_result_name(report->result));
		out_optional(out, "why", NULL, report->why);
		out_list(out, "containers", NULL);
		for (const struct node *n = report->containers ? report->containers->first : NULL; n; n = n->next)
			out_string(out, NULL, NULL, node_text(n));
		out_close(out);
		out_list(out, "notes", NULL);
		for (const struct pod_note *note = report->notes; note; note = note->next)
			out_string(out, NULL, NULL, note->text);
		out_close(out);
		out_close(out);
		code = code != CTL_OK ? code : code_of(report);
	}
	out_close(out);
	if (out_end(out) < 0)
		return ctl_error(ctl, CTL_FAILED, "report", NULL, "%s", strerror(ENOMEM));
	return code;
}
