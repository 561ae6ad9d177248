/* SPDX-License-Identifier: MIT */
/* What the commands over a stack share: opening, saving, asking, going through a plan. */
#include "config.h"

#include "ctl/cloud/job.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "ctl/cloud-options.h"

static enum ctl_exit load_stack(struct job *job, const char *file)
{
	_cleanup_policy_errors_ struct policy_errors errors = {.count = 0};
	_cleanup_free_ char *text = NULL;
	_cleanup_close_ int fd = open_read(file);
	size_t size = 0;
	int r = fd < 0 ? fd : read_all(fd, STACK_FILE_MAX, &text, &size);

	if (r == 0)
		r = stack_parse(file, text, size, &job->stack, &errors);
	for (size_t i = 0; i < errors.count; i++) {
		text_put(job->ctl->err, errors.items[i].text);
		fputc('\n', job->ctl->err);
	}
	if (r == -EINVAL && errors.count)
		return ctl_error(job->ctl, CTL_BAD_INPUT, "stack", file, "%zu errors; nothing was changed",
			errors.count + errors.more);
	if (r == -EACCES)
		return ctl_error(job->ctl, CTL_NOT_PERMITTED, "stack", file, "%s", strerror(-r));
	return r < 0 ? ctl_error(job->ctl, CTL_BAD_INPUT, "stack", file, "%s", strerror(-r)) : CTL_OK;
}

static void say_waiting(void *context)
{
	const struct job *job = context;

	ctl_warn(job->ctl, "another smcctl cloud works on this stack; waiting for it");
}

static enum ctl_exit load_state(struct job *job, const char *path, bool changes)
{
	int r;

	if (changes) {
		job->lock = state_lock(path, &job->cloud.net.clock, say_waiting, job);
		if (job->lock == -ETIMEDOUT || job->lock == -EINTR)
			return ctl_error(job->ctl, CTL_PARTLY, "lock of", path, "another smcctl cloud still holds it");
		if (job->lock < 0)
			return ctl_error(job->ctl, ctl_exit_of(job->lock), "lock of", path, "%s", strerror(-job->lock));
	}
	r = state_load(path, &job->state);
	if (r == -EPERM)
		return ctl_error(job->ctl, CTL_NOT_PERMITTED, "state", path,
			"it belongs to somebody else or others can write it; chmod 600 after a look at it");
	if (r == -EINVAL)
		return ctl_error(job->ctl, CTL_BAD_INPUT, "state", path,
			"not a state that this program wrote; put it aside, then smcctl cloud import");
	if (r < 0)
		return ctl_error(job->ctl, ctl_exit_of(r), "state", path, "%s", strerror(-r));
	if (!job->state.stack[0]) {
		snprintf(job->state.stack, sizeof(job->state.stack), "%s", job->stack->name);
		snprintf(job->state.region, sizeof(job->state.region), "%s", job->stack->region);
	}
	if (strcmp(job->state.stack, job->stack->name) != 0 || strcmp(job->state.region, job->stack->region) != 0)
		return ctl_error(job->ctl, CTL_STALE, "state", path,
			"it is of stack %s in %s, the file of %s in %s; name another one with --state",
			job->state.stack, job->state.region, job->stack->name, job->stack->region);
	state_resume(&job->state);
	return CTL_OK;
}

/*
 * In another account nothing of the stack exists: apply would make it again, and destroy would forget what it cannot see.
 * Where there is no state yet, reading harms nothing.
 */
static enum ctl_exit check_account(struct job *job, bool changes)
{
	_cleanup_rpc_reply_ struct rpc_reply reply = {.json = NULL};
	const struct cloud_params none = {.items = NULL};
	const char *account;
	enum ctl_exit code;

	if (!changes && !job->state.account[0])
		return CTL_OK;
	code = cloud_read(&job->cloud, CLOUD_STS, "GetCallerIdentity", &none, &reply);
	if (code != CTL_OK)
		return code;
	account = cloud_text(reply.json, "AccountId");
	if (!account[0] || strlen(account) >= sizeof(job->state.account))
		return ctl_error(job->ctl, CTL_FAILED, "call", "GetCallerIdentity", "the reply names no account");
	if (!job->state.account[0])
		snprintf(job->state.account, sizeof(job->state.account), "%s", account);
	if (strcmp(job->state.account, account) != 0)
		return ctl_error(job->ctl, CTL_STALE, "state", job->state.path,
			"the stack is in account %s, the access key of account %s; take a key of that account",
			job->state.account, account);
	return CTL_OK;
}

enum ctl_exit job_open(struct job *job, struct ctl *ctl, const struct job_options *options)
{
	const char *file = options->file ? options->file : CLOUD_DEFAULT_FILE;
	_cleanup_free_ char *path = NULL;
	enum ctl_exit code;

	*job = (struct job){.ctl = ctl,
		.limit = 300,
		.lock = -1,
		.json = options->json,
		.progress = options->json ? ctl->err : ctl->out};
	if (options->timeout && text_to_uint(options->timeout, 1, 86400, &job->limit) < 0)
		return ctl_error(ctl, CTL_USAGE, "--timeout", options->timeout, "not a number of seconds, 1 to 86400");
	if (asprintf(&path, "%s%s", options->state ? options->state : file, options->state ? "" : ".state") < 0) {
		path = NULL;
		return ctl_error(ctl, CTL_FAILED, "stack", file, "%s", strerror(ENOMEM));
	}
	code = load_stack(job, file);
	if (code == CTL_OK)
		code = cloud_open(&job->cloud, ctl, job->stack->region, options->debug);
	if (code != CTL_OK)
		return code;
	if (options->changes)
		clock_hold_signals();
	cloud_limit(&job->cloud, job->limit);
	code = load_state(job, path, options->changes);
	return code == CTL_OK ? check_account(job, options->changes) : code;
}

void job_close(struct job *job)
{
	plan_clear(&job->plan);
	world_clear(&job->world);
	state_clear(&job->state);
	cloud_close(&job->cloud);
	free(job->stack);
	if (job->lock >= 0)
		(void)close(job->lock);
}

enum ctl_exit job_save(struct job *job)
{
	int r = state_save(&job->state);

	if (r < 0)
		return ctl_error(job->ctl, ctl_exit_of(r), "state", job->state.path, "%s; nothing is sent without it",
			strerror(-r));
	return CTL_OK;
}

enum ctl_exit job_look(struct job *job, bool with_surroundings)
{
	world_clear(&job->world);
	return world_read(&job->cloud, job->stack, &job->state, with_surroundings, &job->world);
}

const char *job_id(const struct job *job, const char *resource)
{
	const struct state_resource *recorded = state_find(&job->state, resource);

	return recorded ? recorded->id : "";
}

const char *job_instance(const struct job *job)
{
	return job->world.instance.id[0] ? job->world.instance.id : job_id(job, "instance");
}

uint64_t job_created(const struct job *job, const char *id)
{
	for (size_t i = 0; i < job->state.count; i++) {
		if (strcmp(job->state.resources[i].id, id) == 0)
			return job->state.resources[i].created;
	}
	return 0;
}

enum ctl_exit job_journal(
	struct job *job, const char *resource, const char *action, const char *token, const struct cloud_params *params)
{
	_cleanup_free_ char *query = NULL;
	int r = cloud_params_query(params, &query);

	if (r == 0)
		r = state_begin(&job->state, resource, action, token ? token : "", query);
	return r < 0 ? cloud_no_memory(&job->cloud) : job_save(job);
}

enum ctl_exit job_refusals(struct job *job)
{
	for (size_t i = 0; i < job->plan.refusal_count; i++) {
		const struct plan_refusal *refusal = &job->plan.refusals[i];

		ctl_error(job->ctl, refusal->code, "stack", refusal->resource, "%s", refusal->why);
	}
	return job->plan.refusal_count ? job->plan.refusals[0].code : CTL_OK;
}

enum ctl_exit job_confirm(struct job *job, const char *question, bool yes)
{
	char answer[16];
	bool confirmed;

	if (yes)
		return CTL_OK;
	if (!isatty(STDIN_FILENO))
		return ctl_error(job->ctl, CTL_USAGE, "cloud", NULL,
			"nobody can be asked here, so it needs --yes; nothing was changed");
	fprintf(job->ctl->err, "%s Only \"yes\" goes on: ", question);
	fflush(job->ctl->err);
	/* Nothing is under way: Ctrl-C is an answer, too. */
	clock_release_signals();
	confirmed = fgets(answer, sizeof(answer), stdin) && strcmp(answer, "yes\n") == 0;
	clock_hold_signals();
	/* Nobody was waiting for the service meanwhile. */
	cloud_limit(&job->cloud, job->limit);
	if (confirmed)
		return CTL_OK;
	return ctl_error(job->ctl, CTL_FAILED, "cloud", NULL, "not confirmed; nothing was changed");
}

/* Takes into the state what the plan found to exist: after a lost state, or made by a call whose reply was lost. */
static enum ctl_exit note_existing(struct job *job, const struct plan_step *step)
{
	struct state_resource *recorded = state_find(&job->state, step->resource);

	if (recorded && strcmp(recorded->id, step->id) == 0)
		return CTL_OK;
	recorded = state_set(&job->state, step->resource, step->id);
	if (!recorded)
		return cloud_no_memory(&job->cloud);
	recorded->pre_existing = step->pre_existing;
	memcpy(recorded->group, step->group, sizeof(recorded->group));
	return job_save(job);
}

static enum ctl_exit do_step(struct job *job, const struct plan_step *step)
{
	enum ctl_exit code = CTL_OK;

	switch (step->action) {
	case PLAN_KEEP:
		return note_existing(job, step);
	case PLAN_FORGET:
		state_remove(&job->state, step->resource);
		return job_save(job);
	case PLAN_RUN:
	case PLAN_ADD_RULE:
	case PLAN_CREATE:
	case PLAN_ALLOCATE:
		code = job_create(job, step);
		return code == CTL_OK && step->action == PLAN_RUN ? job_converge(job, step) : code;
	default:
		if (step->id[0] && step->sign == '~')
			code = note_existing(job, step);
		if (code == CTL_OK && step->action == PLAN_MODIFY)
			return job_modify(job, step);
		return code == CTL_OK ? job_converge(job, step) : code;
	}
}

/* After an end before the end: what exists, so that nobody has to guess. */
static void say_what_exists(struct job *job)
{
	for (size_t i = 0; i < job->state.count; i++) {
		const struct state_resource *recorded = &job->state.resources[i];

		if (!recorded->pre_existing)
			ctl_warn(job->ctl, "exists: %s %s", recorded->name, recorded->id);
	}
	if (job->state.pending.request)
		ctl_warn(job->ctl, "unknown: %s, whose %s may have happened; the next run finds out",
			job->state.pending.name, job->state.pending.action);
}

/* What failed to be detached need not be waited for to be deleted; another object of the same name is another. */
static bool has_failed(const struct job *job, size_t before)
{
	const struct plan_step *step = &job->plan.steps[before];

	for (size_t i = 0; i < before; i++) {
		const struct plan_step *earlier = &job->plan.steps[i];

		if (earlier->failed && strcmp(earlier->resource, step->resource) == 0 &&
			strcmp(earlier->id, step->id) == 0)
			return true;
	}
	return false;
}

enum ctl_exit job_run(struct job *job, bool go_on)
{
	enum ctl_exit result = CTL_OK;
	bool done = false;

	for (size_t i = 0; i < job->plan.count; i++) {
		struct plan_step *step = &job->plan.steps[i];
		enum ctl_exit code;

		if (has_failed(job, i))
			continue;
		code = clock_wait(&job->cloud.net.clock, 0)
			? do_step(job, step)
			: cloud_waited_enough(&job->cloud, step->resource, "not begun");
		if (code != CTL_OK) {
			step->failed = true;
			result = result == CTL_OK ? code : result;
			/* The rest waits for this one, or for the same service, network or clock. */
			if (!go_on || job->cloud.net.clock.interrupted)
				break;
			continue;
		}
		step->done = step->action != PLAN_KEEP;
		done = done || step->done;
		if (step->done)
			fprintf(job->progress, "%c %s: %s %s\n", step->sign, step->resource,
				plan_action_word(step->action), step->id[0] ? step->id : job_id(job, step->resource));
	}
	if (result == CTL_OK)
		return CTL_OK;
	say_what_exists(job);
	return done && result == CTL_FAILED ? CTL_PARTLY : result;
}
