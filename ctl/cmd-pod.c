/* SPDX-License-Identifier: MIT */
/* smcctl pod inject, uninject, explain: Kubernetes objects in, Kubernetes objects out; no cluster is contacted. */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "ctl/commands.h"
#include "ctl/output.h"
#include "ctl/pod/input.h"

enum {
	INJECT_CONTAINERS,
	INJECT_POLICY,
	INJECT_IMAGE,
	INJECT_METHOD,
	INJECT_DIALECT,
	INJECT_NO_WATCH,
	INJECT_STRICT,
	INJECT_CLEAN,
	INJECT_DETAILED,
	INJECT_REPORT
};
enum { UNINJECT_CLEAN, UNINJECT_DETAILED, UNINJECT_REPORT };
enum { EXPLAIN_CONTAINERS, EXPLAIN_METHOD, EXPLAIN_JSON };

#define OPTION_CONTAINERS \
	{ \
		"containers", 0, "NAME,...", "these, instead of all that are no plain init containers" \
	}
#define OPTION_METHOD \
	{ \
		"method", 0, "METHOD", "where the library comes from: init, hostpath or image-volume [init]" \
	}
#define OPTION_CLEAN \
	{ \
		"clean", 0, NULL, "leave out status and the metadata that belong to the server" \
	}
#define OPTION_DETAILED \
	{ \
		"detailed-exitcode", 0, NULL, "exit with 2 when something was changed" \
	}
#define OPTION_REPORT \
	{ \
		"report", 0, "FORMAT", "what stderr says of the objects: text or json [text]" \
	}

const struct ctl_option cmd_pod_inject_options[] = {
	[INJECT_CONTAINERS] = OPTION_CONTAINERS,
	[INJECT_POLICY] = {"policy", 0, "CONFIGMAP", "the ConfigMap with policy.json [" POD_DEFAULT_POLICY "]"},
	[INJECT_IMAGE] = {"image", 0, "IMAGE", "the image with smcctl and the library [" POD_DEFAULT_IMAGE "]"},
	[INJECT_METHOD] = OPTION_METHOD,
	[INJECT_DIALECT] = {"dialect", 0, "DIALECT", "annotate for somebody else's: asm or erdma [smcshim]"},
	[INJECT_NO_WATCH] = {"no-watch", 0, NULL, "read the policy at the pod's start only, without a sidecar"},
	[INJECT_STRICT] = {"strict", 0, NULL, "refuse what would be left out with a warning"},
	[INJECT_CLEAN] = OPTION_CLEAN,
	[INJECT_DETAILED] = OPTION_DETAILED,
	[INJECT_REPORT] = OPTION_REPORT,
	{NULL, 0, NULL, NULL},
};

const struct ctl_option cmd_pod_uninject_options[] = {
	[UNINJECT_CLEAN] = OPTION_CLEAN,
	[UNINJECT_DETAILED] = OPTION_DETAILED,
	[UNINJECT_REPORT] = OPTION_REPORT,
	{NULL, 0, NULL, NULL},
};

const struct ctl_option cmd_pod_explain_options[] = {
	[EXPLAIN_CONTAINERS] = OPTION_CONTAINERS,
	[EXPLAIN_METHOD] = OPTION_METHOD,
	[EXPLAIN_JSON] = CTL_OPTION_JSON,
	{NULL, 0, NULL, NULL},
};

struct filter {
	pod_function *function;
	struct pod_options options;
	bool detailed;
	const char *report;
};

static enum ctl_exit run_filter(struct ctl *ctl, const struct ctl_args *args, const struct filter *filter)
{
	_cleanup_tree_ struct tree tree = {.error = 0};
	_cleanup_pod_input_ struct pod_input input = {.sources = 0};
	_cleanup_free_ char *text = NULL;
	struct pod_report *reports = NULL;
	bool json = filter->report && strcmp(filter->report, "json") == 0;
	bool changed;
	enum ctl_exit code;

	if (filter->report && !json && strcmp(filter->report, "text") != 0)
		return ctl_error(ctl, CTL_USAGE, "report", filter->report, "unknown; there are text and json");
	code = pod_input_read(ctl, args, &tree, &input);
	if (code != CTL_OK)
		return code;
	if (pod_input_each(&input, &tree, &filter->options, filter->function, &reports, &text, &changed) < 0)
		return ctl_error(ctl, CTL_FAILED, "manifest", NULL, "%s", strerror(ENOMEM));
	code = json ? pod_say_json(ctl, reports) : pod_say(ctl, &tree, &filter->options, reports);
	if (code != CTL_OK)
		return code;
	fputs(text, ctl->out);
	return filter->detailed && changed ? CTL_DIFFERENCE : CTL_OK;
}

enum ctl_exit cmd_pod_inject(struct ctl *ctl, const struct ctl_args *args)
{
	const struct pod_words words = {.containers = args->option[INJECT_CONTAINERS],
		.policy = args->option[INJECT_POLICY],
		.image = args->option[INJECT_IMAGE],
		.method = args->option[INJECT_METHOD],
		.dialect = args->option[INJECT_DIALECT]};
	struct filter filter = {.function = pod_inject,
		.options = {.strict = args->option[INJECT_STRICT] != NULL,
			.no_watch = args->option[INJECT_NO_WATCH] != NULL,
			.clean = args->option[INJECT_CLEAN] != NULL},
		.detailed = args->option[INJECT_DETAILED] != NULL,
		.report = args->option[INJECT_REPORT]};
	enum ctl_exit code = pod_options_of(ctl, &words, &filter.options);

	return code == CTL_OK ? run_filter(ctl, args, &filter) : code;
}

enum ctl_exit cmd_pod_uninject(struct ctl *ctl, const struct ctl_args *args)
{
	const struct filter filter = {.function = pod_uninject,
		.options = {.clean = args->option[UNINJECT_CLEAN] != NULL},
		.detailed = args->option[UNINJECT_DETAILED] != NULL,
		.report = args->option[UNINJECT_REPORT]};

	return run_filter(ctl, args, &filter);
}

/* ---- explain ---- */

/* As if not injected: what is ours in it is nothing to explain. What others are to do by an annotation they will do. */
static void look(struct pod *pod)
{
	struct pod_record record;

	if (pod_record_read(pod, &record) && record.containers)
		(void)pod_restore(pod);
	pod_remarks(pod);
	pod->report->result = POD_UNCHANGED;
}

static void put_notes(struct tree *tree, const struct pod_report *report, struct out *out)
{
	const char *name = pod_name(tree, report);

	for (const struct pod_note *note = report->notes; note; note = note->next) {
		out_object(out, NULL, NULL);
		out_string(out, "workload", "WORKLOAD", name ? name : "");
		out_string(out, "note", "NOTE", note->text);
		out_close(out);
	}
}

static bool has_notes(const struct pod_report *reports)
{
	while (reports && !reports->notes)
		reports = reports->next;
	return reports != NULL;
}

/* Returns the number of containers that would be SMC. */
static unsigned put_explained(struct tree *tree, const struct pod_report *reports, struct out *out)
{
	unsigned smc = 0;

	out_list(out, "containers", NULL);
	for (const struct pod_report *report = reports; report; report = report->next)
		smc += report->pod ? pod_explain(report->pod, out) : 0;
	out_close(out);
	if (has_notes(reports))
		out_note(out, "%s", "");
	out_list(out, "notes", NULL);
	for (const struct pod_report *report = reports; report; report = report->next)
		put_notes(tree, report, out);
	out_close(out);
	return smc;
}

static enum ctl_exit explain(
	struct ctl *ctl, struct pod_input *input, struct tree *tree, const struct pod_options *options, bool json)
{
	struct pod_report *reports = NULL;
	struct out *out;
	unsigned smc;
	bool changed;

	if (pod_input_each(input, tree, options, look, &reports, NULL, &changed) < 0)
		return ctl_error(ctl, CTL_FAILED, "manifest", NULL, "%s", strerror(ENOMEM));
	for (const struct pod_report *report = reports; report; report = report->next) {
		if (report->result == POD_BAD)
			return ctl_error(ctl, CTL_BAD_INPUT, "object", pod_name(tree, report), "%s",
				report->why ? report->why : "");
	}
	if (out_begin(ctl->out, json, &out) < 0)
		return ctl_error(ctl, CTL_FAILED, "manifest", NULL, "%s", strerror(ENOMEM));
	smc = put_explained(tree, reports, out);
	if (out_end(out) < 0 || tree->error)
		return ctl_error(ctl, CTL_FAILED, "manifest", NULL, "%s", strerror(ENOMEM));
	return smc ? CTL_OK : CTL_DIFFERENCE;
}

enum ctl_exit cmd_pod_explain(struct ctl *ctl, const struct ctl_args *args)
{
	_cleanup_tree_ struct tree tree = {.error = 0};
	_cleanup_pod_input_ struct pod_input input = {.sources = 0};
	const struct pod_words words = {
		.containers = args->option[EXPLAIN_CONTAINERS], .method = args->option[EXPLAIN_METHOD]};
	struct pod_options options = {.strict = false};
	enum ctl_exit code = pod_options_of(ctl, &words, &options);

	if (code == CTL_OK)
		code = pod_input_read(ctl, args, &tree, &input);
	return code == CTL_OK ? explain(ctl, &input, &tree, &options, args->option[EXPLAIN_JSON] != NULL) : code;
}
