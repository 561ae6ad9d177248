/* SPDX-License-Identifier: MIT */
/* The state and journal of a stack, in memory and as JSON. */
#include "config.h"

#include "ctl/cloud/state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <cJSON.h>

#define MAX_RESOURCES 256u

static void clear_pending(struct state_pending *pending)
{
	free(pending->request);
	*pending = (struct state_pending){.request = NULL};
}

void state_clear(struct state *state)
{
	free(state->path);
	free(state->resources);
	clear_pending(&state->pending);
	clear_pending(&state->unknown);
	*state = (struct state){.path = NULL};
}

struct state_resource *state_find(const struct state *state, const char *name)
{
	for (size_t i = 0; i < state->count; i++) {
		if (strcmp(state->resources[i].name, name) == 0)
			return &state->resources[i];
	}
	return NULL;
}

struct state_resource *state_set(struct state *state, const char *name, const char *id)
{
	struct state_resource *resource = state_find(state, name);

	if (!resource) {
		struct state_resource *larger =
			realloc(state->resources, (state->count + 1) * sizeof(*state->resources));

		if (!larger)
			return NULL;
		state->resources = larger;
		resource = &larger[state->count++];
	}
	*resource = (struct state_resource){.created = 0};
	snprintf(resource->name, sizeof(resource->name), "%s", name);
	snprintf(resource->id, sizeof(resource->id), "%s", id);
	return resource;
}

void state_remove(struct state *state, const char *name)
{
	struct state_resource *resource = state_find(state, name);
	size_t behind;

	if (!resource)
		return;
	behind = state->count - 1 - (size_t)(resource - state->resources);
	memmove(resource, resource + 1, behind * sizeof(*resource));
	state->count--;
}

int state_begin(struct state *state, const char *name, const char *action, const char *token, const char *request)
{
	char *copy = strdup(request);

	if (!copy)
		return -ENOMEM;
	clear_pending(&state->pending);
	snprintf(state->pending.name, sizeof(state->pending.name), "%s", name);
	snprintf(state->pending.action, sizeof(state->pending.action), "%s", action);
	snprintf(state->pending.token, sizeof(state->pending.token), "%s", token);
	state->pending.request = copy;
	return 0;
}

void state_end(struct state *state)
{
	clear_pending(&state->pending);
}

void state_set_aside(struct state *state)
{
	clear_pending(&state->unknown);
	state->unknown = state->pending;
	state->pending = (struct state_pending){.request = NULL};
}

void state_resume(struct state *state)
{
	if (!state->unknown.request)
		return;
	/* Behind a creation that was set aside only removals are noted, and these are seen in the world. */
	clear_pending(&state->pending);
	state->pending = state->unknown;
	state->unknown = (struct state_pending){.request = NULL};
}

/* A member that is a string without surprises; too long or missing is not one. */
static bool take_text(const cJSON *object, const char *name, char *out, size_t size)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));

	if (!text || strlen(text) >= size)
		return false;
	memcpy(out, text, strlen(text) + 1);
	return true;
}

static uint64_t take_number(const cJSON *object, const char *name)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);

	return cJSON_IsNumber(item) && item->valuedouble >= 0 && item->valuedouble < 9e15 ? (uint64_t)item->valuedouble
											  : 0;
}

static int take_resource(const cJSON *item, struct state *state)
{
	struct state_resource read = {.created = take_number(item, "created")};
	struct state_resource *resource;

	if (!take_text(item, "name", read.name, sizeof(read.name)) ||
		!take_text(item, "id", read.id, sizeof(read.id)) || !read.name[0] || !read.id[0] ||
		state->count == MAX_RESOURCES || state_find(state, read.name))
		return -EINVAL;
	if (!take_text(item, "group", read.group, sizeof(read.group)))
		read.group[0] = '\0';
	read.pre_existing = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(item, "pre_existing"));
	resource = state_set(state, read.name, read.id);
	if (!resource)
		return -ENOMEM;
	*resource = read;
	return 0;
}

static int take_pending(const cJSON *item, struct state_pending *pending)
{
	const char *request = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(item, "request"));

	if (!item)
		return 0;
	if (!request || !take_text(item, "name", pending->name, sizeof(pending->name)) ||
		!take_text(item, "action", pending->action, sizeof(pending->action)) ||
		!take_text(item, "token", pending->token, sizeof(pending->token)))
		return -EINVAL;
	pending->request = strdup(request);
	return pending->request ? 0 : -ENOMEM;
}

static int take_state(const cJSON *tree, struct state *state)
{
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(tree, "resources");
	const cJSON *item;
	int r = 0;

	if (take_number(tree, "version") != 1 || !take_text(tree, "stack", state->stack, sizeof(state->stack)) ||
		!take_text(tree, "region", state->region, sizeof(state->region)) || !cJSON_IsArray(list))
		return -EINVAL;
	state->serial = take_number(tree, "serial");
	cJSON_ArrayForEach(item, list)
	{
		r = take_resource(item, state);
		if (r < 0)
			return r;
	}
	if (!take_text(tree, "instance", state->instance, sizeof(state->instance)))
		state->instance[0] = '\0';
	if (!take_text(tree, "account", state->account, sizeof(state->account)))
		state->account[0] = '\0';
	r = take_pending(cJSON_GetObjectItemCaseSensitive(tree, "pending"), &state->pending);
	return r < 0 ? r : take_pending(cJSON_GetObjectItemCaseSensitive(tree, "unknown"), &state->unknown);
}

int state_parse(const char *text, size_t size, struct state *state)
{
	cJSON *tree = cJSON_ParseWithLength(text, size);
	int r = cJSON_IsObject(tree) ? take_state(tree, state) : -EINVAL;

	cJSON_Delete(tree);
	return r;
}
